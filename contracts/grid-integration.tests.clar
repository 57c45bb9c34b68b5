;; Rendezvous tests of grid-integration, appended to the contract while they run (tests/rendezvous).
;;
;; act-*: what a random run may do besides the contract's own functions, with arguments that get somewhere; they call as
;;        the contract itself, which holds every role and owns the three assets. The feed of the second is metered; so
;;        is that of the third, which is connected only in the course of a run.
;; invariant-*: must hold after whatever was done. test-*: must hold for all arguments; (ok false) is a run that says
;;        nothing.

(define-constant CAPACITY_W u10000)
(define-constant FULL_DAY u16777215)
(define-constant LATE_ASSET u3)
(define-constant FIRST_DAY (/ stacks-block-time SECONDS_PER_DAY))
;; A run lasts some 170 days.
(define-constant INDEX (list u0 u1 u2 u3 u4 u5 u6 u7 u8 u9 u10 u11 u12 u13 u14 u15))
(define-constant ERR_PROPERTY (err u9004))

;; The day that was recorded last: where acts on any day would mostly find nothing.
(define-data-var produced-day {
  asset-id: uint,
  day: uint,
} {
  asset-id: u1,
  day: u0,
})

;; What could be delivered from a day when that was first known.
(define-map known-deliverables
  {
    asset-id: uint,
    day: uint,
  }
  uint
)

;; Acts

(define-public (act-feed
    (asset uint)
    (back uint)
    (exported-wh uint)
    (imported-wh uint)
  )
  (begin
    (try! (feed-as-operator (some-asset asset) (some-day back) (mod exported-wh u80000)
      (mod imported-wh u80000)
    ))
    (ok (remember (some-asset asset) (some-day back)))
  )
)

(define-public (act-feed-produced
    (exported-wh uint)
    (imported-wh uint)
  )
  (let ((last (var-get produced-day)))
    (try! (feed-as-operator (get asset-id last) (get day last) (mod exported-wh u80000) (mod imported-wh u80000)))
    (ok (remember (get asset-id last) (get day last)))
  )
)

;; Records a day wholly, and verifies it if that is asked for.
(define-public (act-produce
    (asset uint)
    (back uint)
    (wh uint)
    (verified bool)
  )
  (let (
      (asset-id (some-asset asset))
      (day (some-day back))
    )
    (try! (contract-call? .production-tracking record-production asset-id day FULL_DAY (mod wh u60000)))
    (var-set produced-day {
      asset-id: asset-id,
      day: day,
    })
    (and verified
      (try! (contract-call? .production-tracking verify-day asset-id day (mod wh u60000)))
    )
    (ok (remember asset-id day))
  )
)

(define-public (act-verify)
  (let (
      (last (var-get produced-day))
      (asset-id (get asset-id last))
      (day (get day last))
      (row (contract-call? .production-tracking get-day asset-id day))
    )
    (try! (contract-call? .production-tracking verify-day asset-id day (default-to u0 (get wh row))))
    (ok (remember asset-id day))
  )
)

(define-public (act-set-status
    (asset uint)
    (status uint)
  )
  (as-contract? () (try! (set-status (some-asset asset) (+ STATE_CONNECTED (mod status u4)))))
)

(define-public (act-set-export-limit
    (asset uint)
    (limit uint)
  )
  (as-contract? () (try! (set-export-limit (some-asset asset) (+ u1 (mod limit u20000)))))
)

;; Once in sixteen of its calls, so that some days come before.
(define-public (act-connect (seed uint))
  (begin
    (asserts! (is-eq (mod seed u16) u0) (err u9005))
    (as-contract? ()
      (try! (request-connection LATE_ASSET CAPACITY_W))
      (try! (approve-connection LATE_ASSET CAPACITY_W true))
    )
  )
)

;; Invariants

;; Once known, it never changes: not by a connection, a later feed, a status, or an export limit.
(define-read-only (invariant-deliverable-stays
    (asset uint)
    (back uint)
  )
  (let (
      (asset-id (some-asset asset))
      (day (any-day back))
      (known (map-get? known-deliverables {
        asset-id: asset-id,
        day: day,
      }))
    )
    (or (is-none known) (is-eq known (get-deliverable asset-id day)))
  )
)

;; Never more than was verified, nor more than was exported where that is metered; never known before both are.
(define-read-only (invariant-deliverable-is-least
    (asset uint)
    (back uint)
  )
  (let (
      (asset-id (some-asset asset))
      (day (any-day back))
      (wh (default-to u0 (get wh (contract-call? .production-tracking get-day asset-id day))))
      (fed (get-feed asset-id day))
    )
    (match (get-deliverable asset-id day)
      deliverable (and
        (is-day-verified asset-id day)
        (if (is-feed-metered asset-id day)
          (is-eq deliverable (min-of wh (unwrap! (get exported-wh fed) false)))
          (is-eq deliverable wh)
        )
      )
      (or
        (not (is-day-verified asset-id day))
        (and (is-feed-metered asset-id day) (is-none fed))
      )
    )
  )
)

(define-read-only (invariant-metering-never-flips)
  (and (not (is-feed-metered u1 FIRST_DAY)) (is-feed-metered u2 FIRST_DAY))
)

;; No feed is of a day before the connection.
(define-read-only (invariant-fed-since-connected (back uint))
  (let ((connection (get-connection LATE_ASSET)))
    (or
      (is-none (get-feed LATE_ASSET (any-day back)))
      (>= (any-day back) (unwrap! (get approved-day connection) false))
    )
  )
)

(define-read-only (invariant-export-cap-within-capacity (asset uint))
  (match (get-export-cap (some-asset asset))
    cap-w (and (> cap-w u0) (<= cap-w CAPACITY_W))
    (is-eq (some-asset asset) LATE_ASSET)
  )
)

(define-read-only (invariant-totals-are-sums-of-feeds (asset uint))
  (let ((asset-id (some-asset asset)))
    (is-eq (get-total-feed asset-id)
      (get sums (fold add-sixteen INDEX {
        asset-id: asset-id,
        base: (- FIRST_DAY u4),
        sums: {
          exported-wh: u0,
          imported-wh: u0,
        },
      }))
    )
  )
)

;; Properties

;; A feed of a verified day is never replaced; before, the last one counts.
(define-public (test-feed-is-final-once-verified
    (asset uint)
    (back uint)
    (first-wh uint)
    (second-wh uint)
  )
  (let (
      (asset-id (some-asset asset))
      (day (some-day back))
      (verified (is-day-verified asset-id day))
      (fed (is-ok (act-feed asset back first-wh u0)))
      (between (get-feed asset-id day))
      (again (act-feed asset back second-wh u0))
    )
    (asserts! fed (ok false))
    (asserts! (is-eq (get exported-wh between) (some (mod first-wh u80000))) ERR_PROPERTY)
    (asserts! (if verified (is-eq again ERR_FEED_FINAL) (is-ok again)) ERR_PROPERTY)
    (asserts!
      (is-eq (get exported-wh (get-feed asset-id day))
        (some (mod (if verified first-wh second-wh) u80000))
      )
      ERR_PROPERTY
    )
    (ok true)
  )
)

;; Brings days so far that the others find some.
(define-public (test-verified-day-is-deliverable
    (asset uint)
    (back uint)
    (wh uint)
  )
  (let (
      (asset-id (some-asset asset))
      (day (some-day back))
      (produced (is-ok (act-produce asset back wh true)))
    )
    (asserts! produced (ok false))
    (asserts!
      (or
        (is-feed-metered asset-id day)
        (is-eq (get-deliverable asset-id day) (some (mod wh u60000)))
      )
      ERR_PROPERTY
    )
    (ok true)
  )
)

;; Random accounts hold no role.
(define-public (test-only-operators-act
    (asset uint)
    (back uint)
    (value uint)
  )
  (let ((asset-id (some-asset asset)))
    (asserts! (is-some (get-connection asset-id)) (ok false))
    (asserts! (is-eq (record-feed asset-id (some-day back) value value) ERR_NOT_GRID_OPERATOR) ERR_PROPERTY)
    (asserts! (is-eq (set-status asset-id STATE_ISLANDED) ERR_NOT_GRID_OPERATOR) ERR_PROPERTY)
    (asserts! (is-eq (set-export-limit asset-id (+ u1 value)) ERR_NOT_GRID_OPERATOR) ERR_PROPERTY)
    (ok true)
  )
)

;; Private

;; As the contract itself. In a function of its own: `try!` leaves the function that it stands in.
(define-private (feed-as-operator
    (asset-id uint)
    (day uint)
    (exported-wh uint)
    (imported-wh uint)
  )
  (as-contract? () (try! (record-feed asset-id day exported-wh imported-wh)))
)

(define-private (some-asset (seed uint))
  (+ u1 (mod seed u3))
)

;; One of today and the three days before.
(define-private (some-day (back uint))
  (- (/ stacks-block-time SECONDS_PER_DAY) (mod back u4))
)

;; One of the days that acts may have changed, now or a while ago.
(define-private (any-day (back uint))
  (- (/ stacks-block-time SECONDS_PER_DAY) (mod back u6))
)

;; Keeps what can be delivered, when it is first known.
(define-private (remember
    (asset-id uint)
    (day uint)
  )
  (match (get-deliverable asset-id day)
    deliverable (map-insert known-deliverables {
      asset-id: asset-id,
      day: day,
    } deliverable)
    false
  )
)

(define-private (add-sixteen
    (index uint)
    (all {
      asset-id: uint,
      base: uint,
      sums: {
        exported-wh: uint,
        imported-wh: uint,
      },
    })
  )
  (merge (fold add-day INDEX all) { base: (+ (get base all) u16) })
)

(define-private (add-day
    (index uint)
    (all {
      asset-id: uint,
      base: uint,
      sums: {
        exported-wh: uint,
        imported-wh: uint,
      },
    })
  )
  (let ((sums (get sums all)))
    (match (get-feed (get asset-id all) (+ (get base all) index))
      fed (merge all { sums: {
        exported-wh: (+ (get exported-wh sums) (get exported-wh fed)),
        imported-wh: (+ (get imported-wh sums) (get imported-wh fed)),
      } })
      all
    )
  )
)

(define-private (build (metered (optional bool)))
  (let ((asset-id (try! (contract-call? .asset-verification register-asset u1 CAPACITY_W "u33db" "test"
      0x0000000000000000000000000000000000000000000000000000000000000000 u3600 none
    ))))
    (try! (contract-call? .asset-verification verify-asset asset-id CAPACITY_W none))
    (as-contract? ()
      (match metered
        fed (begin
          (try! (request-connection asset-id CAPACITY_W))
          (try! (approve-connection asset-id CAPACITY_W fed))
        )
        true
      )
    )
  )
)

(map build (list (some false) (some true) none))
