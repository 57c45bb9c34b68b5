
;; For the tests alone, at the end of asset-verification: every role to the contracts that the tests act through.

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

;; Nobody approves their own: while a test contract approves what it owns, another owns it. Gives the owner before.
(define-public (set-owner-in-test
    (asset-id uint)
    (owner principal)
  )
  (let ((asset (unwrap! (map-get? assets asset-id) ERR_ASSET_NOT_FOUND)))
    (map-set assets asset-id (merge asset { owner: owner }))
    (ok (get owner asset))
  )
)

;; A verified asset of whoever calls.
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

;; Nobody verifies their own feed: for that, whoever calls has the role.
(define-public (set-verifier-in-test
    (who principal)
    (granted bool)
  )
  (ok (if granted
    (map-set roles { role: ROLE_VERIFIER, who: who, region: "" } true)
    (map-delete roles { role: ROLE_VERIFIER, who: who, region: "" })
  ))
)
