;; Rendezvous tests of asset-verification, appended to the contract while they run (tests/rendezvous).
;;
;; act-*: what a random run may do besides the contract's own functions, with arguments that get somewhere; they call as
;;        the contract itself, which is the registrar and owns the assets until somebody takes one over.
;; invariant-*: must hold after whatever was done. test-*: must hold for all arguments; (ok false) is a run that says
;;        nothing.

(define-constant KEYS (list
  0x020000000000000000000000000000000000000000000000000000000000000001
  0x020000000000000000000000000000000000000000000000000000000000000002
  0x020000000000000000000000000000000000000000000000000000000000000003
  0x020000000000000000000000000000000000000000000000000000000000000004
))
(define-constant ERR_PROPERTY (err u9004))
(define-constant ERR_NOTHING_THERE (err u9002))

;; Assets as they were when they had just been rejected or retired.
(define-map ended-assets
  uint
  {
    state: uint,
    capacity-w: uint,
    device-key: (optional (buff 33)),
    verified-day: uint,
    retired-day: uint,
  }
)
;; The highest epochs that were seen.
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

;; Once in two of its calls, or the assets would pass too quickly.
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
    (as-contract? () (try! (verify-asset asset-id (get capacity-w asset) (get device-key asset))))
  )
)

;; Once in four of its calls.
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

;; Once in four of its calls.
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
    (as-contract? () (try! (approve-change asset-id (get capacity-w change) (get device-key change))))
  )
)

;; To the caller, who may take the asset over at once; once in four of its calls.
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
        (is-device-key (get device-key asset))
        (>= state STATE_PENDING)
        (<= state STATE_RETIRED)
        (<= (get capacity-from-day asset) (current-day))
        (<= (get key-from-day asset) (current-day))
        (<= (get verified-day asset) (current-day))
        (or (is-alive state) (is-none (get proposed-owner asset)) (is-eq state STATE_REJECTED))
        ;; Verified or suspended, it was verified on a day; pending or rejected, it never was.
        (is-eq (is-changeable state)
          (and (> (get verified-day asset) u0) (not (is-eq state STATE_RETIRED)))
        )
      )
    )
    (is-eq (var-get asset-count) u0)
  )
)

;; The key of an asset that was verified serves it and no other, until the asset is retired; a claimed one binds nothing.
(define-read-only (invariant-key-serves-one-asset (id uint))
  (let ((asset-id (some-asset-id id)))
    (match (map-get? assets asset-id)
      asset (match (get device-key asset)
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

(define-read-only (invariant-bound-key-is-of-its-asset (key uint))
  (let ((device-key (unwrap! (element-at? KEYS (mod key (len KEYS))) false)))
    (match (map-get? device-keys device-key)
      asset-id (match (map-get? assets asset-id)
        asset (is-eq (get device-key asset) (some device-key))
        false
      )
      true
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

;; A registrar who reviewed anything else verifies nothing.
(define-public (test-approval-repeats-what-was-reviewed
    (kind uint)
    (capacity-w uint)
    (key uint)
    (difference uint)
    (other-key uint)
  )
  (let (
      (asset-id (unwrap! (register-as-owner kind capacity-w key) ERR_PROPERTY))
      (asset (unwrap! (map-get? assets asset-id) ERR_PROPERTY))
      (capacity (get capacity-w asset))
      (device-key (get device-key asset))
      (other (some-key other-key))
    )
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

;; Proposing changes nothing; accepting needs the number of this proposal, and ends operator and epoch; the owner before
;; can do nothing more.
(define-public (test-transfer-in-two-steps
    (kind uint)
    (capacity-w uint)
    (operator principal)
    (other-proposal uint)
  )
  (let (
      (asset-id (unwrap! (register-as-owner kind capacity-w u0) ERR_PROPERTY))
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

;; Random accounts hold no role, and roles outside 1 to 6 don't exist even for the owner.
(define-public (test-only-roles-act
    (kind uint)
    (capacity-w uint)
    (role uint)
    (who principal)
  )
  (let ((asset-id (unwrap! (register-as-owner kind capacity-w u0) ERR_PROPERTY)))
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

;; As the contract itself. In functions of their own: `try!` leaves the function that it stands in.
(define-private (verify-as-registrar
    (asset-id uint)
    (capacity-w uint)
    (device-key (optional (buff 33)))
  )
  (as-contract? () (try! (verify-asset asset-id capacity-w device-key)))
)

(define-private (register-as-owner
    (kind uint)
    (capacity-w uint)
    (key uint)
  )
  (as-contract? ()
    (try! (register-asset (+ MIN_KIND (mod kind MAX_KIND)) (+ u1 (mod capacity-w u100000)) "u33db" "test"
      0x0000000000000000000000000000000000000000000000000000000000000000 u900 (some-key key)
    ))
  )
)

(define-private (propose-as-owner
    (asset-id uint)
    (new-owner principal)
  )
  (as-contract? () (try! (propose-transfer asset-id new-owner)))
)

;; One of the latest 3, u0 while there is none.
(define-private (some-asset-id (seed uint))
  (let ((count (var-get asset-count)))
    (if (is-eq count u0)
      u0
      (- count (mod seed (min-of count u3)))
    )
  )
)

;; None, once in five.
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
  device-key: (optional (buff 33)),
  key-epoch: uint,
  key-from-day: uint,
  verified-day: uint,
  retired-day: uint,
}))
  {
    state: (get state asset),
    capacity-w: (get capacity-w asset),
    device-key: (get device-key asset),
    verified-day: (get verified-day asset),
    retired-day: (get retired-day asset),
  }
)
