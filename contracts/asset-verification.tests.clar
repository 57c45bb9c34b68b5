;; Rendezvous tests of asset-verification, appended to the contract while they run (tests/rendezvous).
;;
;; act-*: extra functions for random runs, with arguments that are likely to succeed. They call as the contract itself,
;;        which is the registrar and owns the assets until somebody takes one over.
;; invariant-*: must hold after any sequence of calls. test-*: must hold for all arguments; (ok false) discards the run.

;; Keys, with proofs that this contract holds them, if the simulated chain's deployer deployed it.
(define-constant KEYS (list
  {
    curve: CURVE_SECP256K1,
    key: 0x0271f83c46ae36464cdeb90cf95dd6a2e788a5df2f68ad1beafee2f47de5b19038,
    proof: 0xbd625d235a6d060a25319aa53585f687ab8013a31e5574370ee6bff1b38fb5b94a5a8523aedc4ecd51f08e3b7ee0b0887a357fea1b00c73162d7a3721c00361a,
  }
  {
    curve: CURVE_SECP256K1,
    key: 0x03ed39ae8bb8aed6839a82933c7ce8d06e17948cde6be23d8b479f366b1977fbb1,
    proof: 0xf442632d73ae097e96a9e42973ccf7ee6f6f34a7fc3cbe5280cb4c32c11c72cb573eede27869893b6b9d3b463c97689b4550bb5190ca8057db1213801623c76b,
  }
  {
    curve: CURVE_SECP256K1,
    key: 0x03408db67bf25d570824c196da9da43bf77bb61dd1fec2d5fdf68a8d0348081bb5,
    proof: 0x9183a3ac31b4746e313e82d56009035b62c2dd8f5e14878d82f120657a95de3d4552c339345c387c587e12294d92ac5ddfc40e3ab8ff2b8b6ba6ffd7cf635ea6,
  }
  {
    curve: CURVE_SECP256K1,
    key: 0x02feaf0b64457b603eb3a41b0a446ddaf92f20772b82dbe8b9068e8d53239700eb,
    proof: 0x3fbf32a61957fe5bcf5199a1bda8d179ce912112fd6690c6266fcbf1eaa3751d3a9e98073552825742356f5916d1fb249cccbe359226971a96c325e4120f73a9,
  }
))
;; The temporary owner of an asset while this contract approves it, since nobody can approve their own asset.
(define-constant SOMEBODY 'ST000000000000000000002AMW42H)
(define-constant ERR_PROPERTY (err u9004))
(define-constant ERR_NOTHING_THERE (err u9002))

;; Assets as they were right after they were rejected or retired.
(define-map ended-assets
  uint
  {
    state: uint,
    capacity-w: uint,
    device-key: (optional {
      curve: uint,
      key: (buff 33),
    }),
    verified-day: uint,
    last-day: (optional uint),
  }
)
;; The highest epochs seen.
(define-map seen-epochs
  uint
  {
    epoch: uint,
    key-epoch: uint,
    proposal: uint,
  }
)

(map-set roles {
  role: ROLE_REGISTRAR,
  who: current-contract,
  region: "",
} true)

;; Acts

;; Acts in every second call, since acts only use the newest assets.
(define-public (act-register
    (kind uint)
    (capacity-w uint)
    (key uint)
    (verified bool)
  )
  (let ((asset-id (try! (register-as-owner (/ kind u2) capacity-w key))))
    (asserts! (is-eq (mod kind u2) u0) ERR_NOTHING_THERE)
    (and verified (try! (act-verify u0)))
    (ok asset-id)
  )
)

(define-public (act-verify (id uint))
  (let (
      (asset-id (some-asset-id id))
      (asset (unwrap! (map-get? assets asset-id) ERR_NOTHING_THERE))
    )
    (verify-as-registrar asset-id (get capacity-w asset) (get device-key asset))
  )
)

;; Acts in one of four calls.
(define-public (act-reject (id uint))
  (begin
    (asserts! (is-eq (mod id u4) u0) ERR_NOTHING_THERE)
    (as-contract? () (try! (reject-asset (some-asset-id (/ id u4)) "test")))
  )
)

(define-public (act-suspend (id uint))
  (as-contract? () (try! (suspend-asset (some-asset-id id) "test")))
)

(define-public (act-reinstate (id uint))
  (as-contract? () (try! (reinstate-asset (some-asset-id id))))
)

;; Acts in one of four calls.
(define-public (act-retire (id uint))
  (begin
    (asserts! (is-eq (mod id u4) u0) ERR_NOTHING_THERE)
    (as-contract? () (try! (retire-asset (some-asset-id (/ id u4)))))
  )
)

(define-public (act-request-change
    (id uint)
    (capacity-w uint)
    (key uint)
  )
  (as-contract? ()
    (try! (request-change (some-asset-id id) (+ u1 (mod capacity-w u100000)) (some-key key)))
  )
)

(define-public (act-approve-change (id uint))
  (let (
      (asset-id (some-asset-id id))
      (change (unwrap! (map-get? changes asset-id) ERR_NOTHING_THERE))
    )
    (approve-as-registrar asset-id (get capacity-w change) (get device-key change))
  )
)

;; Proposes a transfer to the caller, who may take over the asset at once. Acts in one of four calls.
(define-public (act-transfer
    (id uint)
    (at-once bool)
  )
  (let (
      (asset-id (some-asset-id (/ id u4)))
      (new-owner tx-sender)
    )
    (asserts! (is-eq (mod id u4) u0) ERR_NOTHING_THERE)
    (let ((proposal (try! (propose-as-owner asset-id new-owner))))
      (if at-once
        (accept-transfer asset-id proposal)
        (ok true)
      )
    )
  )
)

(define-public (act-set-operator
    (id uint)
    (operator (optional principal))
    (min-price uint)
  )
  (as-contract? () (try! (set-operator (some-asset-id id) operator min-price)))
)

(define-public (act-remember (id uint))
  (let (
      (asset-id (some-asset-id id))
      (asset (unwrap! (map-get? assets asset-id) ERR_NOTHING_THERE))
    )
    (or (is-alive (get state asset)) (map-insert ended-assets asset-id (end-of asset)))
    (map-set seen-epochs asset-id {
      epoch: (get epoch asset),
      key-epoch: (get key-epoch asset),
      proposal: (get proposal asset),
    })
    (ok true)
  )
)

;; Invariants

(define-read-only (invariant-asset-is-plausible (id uint))
  (match (map-get? assets (some-asset-id id))
    asset (let ((state (get state asset)))
      (and
        (is-capacity (get capacity-w asset))
        (is-capacity (get previous-capacity-w asset))
        (is-slot-seconds (get slot-seconds asset))
        (is-geohash (get location asset))
        (>= state STATE_PENDING)
        (<= state STATE_RETIRED)
        (<= (get capacity-from-day asset) (+ (current-day) u1))
        (<= (get key-from-day asset) (+ (current-day) u1))
        (or
          (is-eq (get key-from-day asset) u0)
          (< (get previous-key-from-day asset) (get key-from-day asset))
        )
        (<= (get verified-day asset) (current-day))
        (or (is-alive state) (is-none (get proposed-owner asset)) (is-eq state STATE_REJECTED))
        ;; An asset suspended or retired after verification has a last day; any other has none.
        (is-eq (is-some (get last-day asset))
          (or
            (is-eq state STATE_SUSPENDED)
            (and (is-eq state STATE_RETIRED) (> (get verified-day asset) u0))
          )
        )
        ;; A verified or suspended asset has a verification day; a pending or rejected one has none.
        (is-eq (is-changeable state)
          (and (> (get verified-day asset) u0) (not (is-eq state STATE_RETIRED)))
        )
      )
    )
    (is-eq (var-get asset-count) u0)
  )
)

;; The key of a verified asset serves only this asset until it is retired; a merely claimed key is not bound.
(define-read-only (invariant-key-serves-one-asset (id uint))
  (let ((asset-id (some-asset-id id)))
    (match (map-get? assets asset-id)
      asset (match (get key (get device-key asset))
        key (if (is-eq (get state asset) STATE_RETIRED)
          (or (is-eq (get verified-day asset) u0) (is-some (map-get? device-keys key)))
          (is-eq
            (> (get verified-day asset) u0)
            (is-eq (map-get? device-keys key) (some asset-id))
          )
        )
        true
      )
      true
    )
  )
)

;; If an asset can record a day with a key, the key is bound to this asset.
(define-read-only (invariant-key-of-a-day-is-bound
    (id uint)
    (back uint)
  )
  (let (
      (asset-id (some-asset-id id))
      (right (get-recording-right asset-id (- (current-day) (mod back u30))))
    )
    (match (get key (default-to none (get device-key right)))
      key (or
        (not (default-to false (get recordable right)))
        (is-eq (map-get? device-keys key) (some asset-id))
      )
      true
    )
  )
)

;; At most one of two assets with the same metadata is neither rejected nor retired.
(define-read-only (invariant-metadata-is-of-one-asset
    (id uint)
    (other uint)
  )
  (let (
      (a (map-get? assets (some-asset-id id)))
      (b (map-get? assets (some-asset-id other)))
    )
    (or
      (is-eq (some-asset-id id) (some-asset-id other))
      (not (is-eq (get metadata-hash a) (get metadata-hash b)))
      (not (is-alive (default-to u0 (get state a))))
      (not (is-alive (default-to u0 (get state b))))
    )
  )
)

(define-read-only (invariant-change-is-of-changeable-asset (id uint))
  (or
    (is-none (map-get? changes (some-asset-id id)))
    (is-changeable (default-to u0 (get state (map-get? assets (some-asset-id id)))))
  )
)

(define-read-only (invariant-ended-asset-stays (id uint))
  (match (map-get? ended-assets (some-asset-id id))
    ended (is-eq (some ended)
      (match (map-get? assets (some-asset-id id))
        asset (some (end-of asset))
        none
      ))
    true
  )
)

(define-read-only (invariant-epochs-only-rise (id uint))
  (match (map-get? seen-epochs (some-asset-id id))
    seen (match (map-get? assets (some-asset-id id))
      asset (and
        (>= (get epoch asset) (get epoch seen))
        (>= (get key-epoch asset) (get key-epoch seen))
        (>= (get proposal asset) (get proposal seen))
      )
      false
    )
    true
  )
)

;; Properties

;; Verification fails for a registrar who reviewed other values.
(define-public (test-approval-repeats-what-was-reviewed
    (kind uint)
    (capacity-w uint)
    (key uint)
    (difference uint)
    (other-key uint)
  )
  (let (
      (asset-id (unwrap! (register-as-owner kind capacity-w key) (ok false)))
      (asset (unwrap! (map-get? assets asset-id) ERR_PROPERTY))
      (capacity (get capacity-w asset))
      (device-key (get device-key asset))
      (other (bare (some-key other-key)))
    )
    (asserts! (is-eq (verify-own asset-id capacity device-key) ERR_OWN_ASSET) ERR_PROPERTY)
    (asserts!
      (is-eq (verify-as-registrar asset-id (+ capacity difference u1) device-key) ERR_REVIEW_MISMATCH)
      ERR_PROPERTY
    )
    (asserts!
      (or
        (is-eq other device-key)
        (is-eq (verify-as-registrar asset-id capacity other) ERR_REVIEW_MISMATCH)
      )
      ERR_PROPERTY
    )
    (asserts! (is-eq (some asset) (map-get? assets asset-id)) ERR_PROPERTY)
    (match (verify-as-registrar asset-id capacity device-key)
      done (asserts! (is-verified asset-id) ERR_PROPERTY)
      code (asserts! (is-eq (err code) ERR_DEVICE_KEY_IN_USE) ERR_PROPERTY)
    )
    (ok true)
  )
)

;; Proposing does not change the owner. Accepting needs the number of this proposal, and ends the operator and the
;; epoch; the former owner loses all rights.
(define-public (test-transfer-in-two-steps
    (kind uint)
    (capacity-w uint)
    (operator principal)
    (other-proposal uint)
  )
  (let (
      (asset-id (unwrap! (register-as-owner kind capacity-w u0) (ok false)))
      (before (unwrap! (map-get? assets asset-id) ERR_PROPERTY))
    )
    (asserts! (is-eq (propose-transfer asset-id operator) ERR_NOT_ASSET_OWNER) ERR_PROPERTY)
    (asserts! (is-eq (accept-transfer asset-id other-proposal) ERR_NO_TRANSFER_PROPOSED) ERR_PROPERTY)
    (let (
        (proposal (try! (propose-as-owner asset-id tx-sender)))
        (operating (can-operate asset-id tx-sender))
        (other (accept-transfer asset-id (+ proposal other-proposal u1)))
        (accepted (accept-transfer asset-id proposal))
        (after (unwrap! (map-get? assets asset-id) ERR_PROPERTY))
      )
      (asserts! (not operating) ERR_PROPERTY)
      (asserts! (is-eq other ERR_REVIEW_MISMATCH) ERR_PROPERTY)
      (asserts! (is-ok accepted) ERR_PROPERTY)
      (asserts! (is-eq (get owner after) tx-sender) ERR_PROPERTY)
      (asserts! (is-eq (get epoch after) (+ (get epoch before) u1)) ERR_PROPERTY)
      (asserts! (is-none (get operator after)) ERR_PROPERTY)
      (asserts! (is-eq (propose-as-owner asset-id operator) ERR_NOT_ASSET_OWNER) ERR_PROPERTY)
      (ok true)
    )
  )
)

;; Random accounts have no role, and not even the owner can grant a role outside 1 to 6.
(define-public (test-only-roles-act
    (kind uint)
    (capacity-w uint)
    (role uint)
    (who principal)
  )
  (let ((asset-id (unwrap! (register-as-owner kind capacity-w u0) (ok false))))
    (asserts! (is-eq (reject-asset asset-id "test") ERR_NOT_REGISTRAR) ERR_PROPERTY)
    (asserts! (is-eq (retire-asset asset-id) ERR_NOT_OWNER_OR_REGISTRAR) ERR_PROPERTY)
    (asserts! (is-eq (set-paused true) ERR_NOT_PAUSER) ERR_PROPERTY)
    (asserts! (is-err (set-role (+ role ROLE_PAUSER u1) who "" true)) ERR_PROPERTY)
    (asserts!
      (or
        (is-eq tx-sender (var-get contract-owner))
        (is-eq (propose-owner who) ERR_NOT_CONTRACT_OWNER)
      )
      ERR_PROPERTY
    )
    (ok true)
  )
)

;; Private

;; Calls as the contract itself. Each is a separate function because `try!` exits the function that contains it.
(define-private (verify-own
    (asset-id uint)
    (capacity-w uint)
    (device-key (optional {
      curve: uint,
      key: (buff 33),
    }))
  )
  (as-contract? () (try! (verify-asset asset-id capacity-w device-key)))
)

(define-private (approve-own
    (asset-id uint)
    (capacity-w uint)
    (device-key (optional {
      curve: uint,
      key: (buff 33),
    }))
  )
  (as-contract? () (try! (approve-change asset-id capacity-w device-key)))
)

(define-private (verify-as-registrar
    (asset-id uint)
    (capacity-w uint)
    (device-key (optional {
      curve: uint,
      key: (buff 33),
    }))
  )
  (let (
      (owner (set-owner asset-id SOMEBODY))
      (answer (verify-own asset-id capacity-w device-key))
    )
    (set-owner asset-id owner)
    answer
  )
)

(define-private (approve-as-registrar
    (asset-id uint)
    (capacity-w uint)
    (device-key (optional {
      curve: uint,
      key: (buff 33),
    }))
  )
  (let (
      (owner (set-owner asset-id SOMEBODY))
      (answer (approve-own asset-id capacity-w device-key))
    )
    (set-owner asset-id owner)
    answer
  )
)

;; Sets the owner and returns the previous one.
(define-private (set-owner
    (asset-id uint)
    (owner principal)
  )
  (let ((asset (unwrap! (map-get? assets asset-id) owner)))
    (map-set assets asset-id (merge asset { owner: owner }))
    (get owner asset)
  )
)

;; In one of eight calls, reuses the metadata of an earlier asset.
(define-private (register-as-owner
    (kind uint)
    (capacity-w uint)
    (key uint)
  )
  (as-contract? ()
    (try! (register-asset (+ MIN_KIND (mod kind MAX_KIND)) (+ u1 (mod capacity-w u100000)) "u33db" "test"
      (sha256 (if (is-eq (mod capacity-w u8) u7)
        (mod capacity-w (+ (var-get asset-count) u1))
        (var-get asset-count)
      ))
      u900 (some-key key)
    ))
  )
)

;; The part of a claim that the contract stores.
(define-private (bare (claim (optional {
  curve: uint,
  key: (buff 33),
  proof: (buff 64),
})))
  (match claim
    claimed (some {
      curve: (get curve claimed),
      key: (get key claimed),
    })
    none
  )
)

(define-private (propose-as-owner
    (asset-id uint)
    (new-owner principal)
  )
  (as-contract? () (try! (propose-transfer asset-id new-owner)))
)

;; One of the latest 3 ids; u0 if there are none.
(define-private (some-asset-id (seed uint))
  (let ((count (var-get asset-count)))
    (if (is-eq count u0)
      u0
      (- count (mod seed (min-of count u3)))
    )
  )
)

;; A key; none in one of five cases.
(define-private (some-key (seed uint))
  (element-at? KEYS (mod seed u5))
)

(define-private (min-of
    (a uint)
    (b uint)
  )
  (if (< a b)
    a
    b
  )
)

(define-private (end-of (asset {
  owner: principal,
  operator: (optional principal),
  min-price: uint,
  epoch: uint,
  proposed-owner: (optional principal),
  proposal: uint,
  state: uint,
  kind: uint,
  capacity-w: uint,
  capacity-from-day: uint,
  previous-capacity-w: uint,
  location: (string-ascii 12),
  region: (string-ascii 8),
  metadata-hash: (buff 32),
  slot-seconds: uint,
  device-key: (optional {
    curve: uint,
    key: (buff 33),
  }),
  key-epoch: uint,
  key-from-day: uint,
  previous-device-key: (optional {
    curve: uint,
    key: (buff 33),
  }),
  previous-key-from-day: uint,
  verified-day: uint,
  last-day: (optional uint),
}))
  {
    state: (get state asset),
    capacity-w: (get capacity-w asset),
    device-key: (get device-key asset),
    verified-day: (get verified-day asset),
    last-day: (get last-day asset),
  }
)
