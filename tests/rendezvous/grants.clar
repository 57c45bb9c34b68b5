
;; Appended to asset-verification for the tests only: grants every role to the contracts through which the tests act.

(define-private (grant-all (who principal))
  (begin
    (map-set roles { role: ROLE_REGISTRAR, who: who, region: "" } true)
    (map-set roles { role: ROLE_VERIFIER, who: who, region: "" } true)
    (map-set roles { role: ROLE_ARBITER, who: who, region: "" } true)
    (map-set roles { role: ROLE_ORACLE, who: who, region: "" } true)
    (map-set roles { role: ROLE_PAUSER, who: who, region: "" } true)
    (map-set roles { role: ROLE_GRID_OPERATOR, who: who, region: "test" } true)
  )
)

(map grant-all (list .plant .production-tracking .grid-integration .market-participation))

;; Nobody can approve their own asset, so a test contract makes somebody else its owner for the approval. Returns the
;; previous owner.
(define-public (set-owner-in-test
    (asset-id uint)
    (owner principal)
  )
  (let ((asset (unwrap! (map-get? assets asset-id) ERR_ASSET_NOT_FOUND)))
    (map-set assets asset-id (merge asset { owner: owner }))
    (ok (get owner asset))
  )
)

;; Adds a verified asset of the caller.
(define-public (add-in-test
    (capacity-w uint)
    (slot-seconds uint)
  )
  (let ((asset-id (try! (register-asset u1 capacity-w "u33db" "test" (sha256 (var-get asset-count)) slot-seconds
      none
    ))))
    (map-set assets asset-id
      (merge (unwrap! (map-get? assets asset-id) ERR_ASSET_NOT_FOUND) {
        state: STATE_VERIFIED,
        verified-day: (current-day),
      })
    )
    (ok asset-id)
  )
)

;; Nobody can verify their own feed, so the caller of a random run gets the role for that.
(define-public (set-verifier-in-test
    (who principal)
    (granted bool)
  )
  (ok (if granted
    (map-set roles { role: ROLE_VERIFIER, who: who, region: "" } true)
    (map-delete roles { role: ROLE_VERIFIER, who: who, region: "" })
  ))
)
