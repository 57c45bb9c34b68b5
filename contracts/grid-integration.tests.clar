;; Rendezvous tests of grid-integration, appended to the contract while they run (tests/rendezvous).
;;
;; act-*: extra functions for random runs, with arguments that are likely to succeed. They call as the contract itself,
;;        which holds every role and owns the three assets. The feed of the second is metered; so is that of the third,
;;        which is connected only during a run.
;; invariant-*: must hold after any sequence of calls. test-*: must hold for all arguments; (ok false) discards the run.

(define-constant CAPACITY_W u10000)
(define-constant FULL_DAY u16777215)
(define-constant LATE_ASSET u3)
(define-constant FIRST_DAY (/ stacks-block-time SECONDS_PER_DAY))
;; A run lasts about 170 days.
(define-constant INDEX (list u0 u1 u2 u3 u4 u5 u6 u7 u8 u9 u10 u11 u12 u13 u14 u15))
(define-constant ERR_PROPERTY (err u9004))

;; The day recorded last. Acts use it, as a random day would mostly have no data.
(define-data-var produced-day {
  asset-id: uint,
  day: uint,
} {
  asset-id: u1,
  day: u0,
})

;; The deliverable of a day when it was first known.
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
    (and (is-eq (mod imported-wh u2) u0)
      (is-ok (verify-as-another (some-asset asset) (some-day back)))
    )
    (ok (remember (some-asset asset) (some-day back)))
  )
)

(define-public (act-feed-produced
    (exported-wh uint)
    (imported-wh uint)
  )
  (let ((last (var-get produced-day)))
    (try! (feed-as-operator (get asset-id last) (get day last) (mod exported-wh u80000) (mod imported-wh u80000)))
    (try! (verify-as-another (get asset-id last) (get day last)))
    (ok (remember (get asset-id last) (get day last)))
  )
)

;; Records a whole day, and verifies it if `verified` is true.
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
      (try! (contract-call? .production-tracking verify-day asset-id day FULL_DAY (mod wh u60000)))
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
    (try! (contract-call? .production-tracking verify-day asset-id day FULL_DAY (default-to u0 (get wh row))))
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

;; Acts in one of sixteen calls, so that some days precede the connection.
(define-public (act-connect (seed uint))
  (begin
    (asserts! (is-eq (mod seed u16) u0) (err u9005))
    (connect LATE_ASSET true)
  )
)

;; Invariants

;; A known deliverable never changes: no connection, later feed, status or export limit affects it.
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

;; The deliverable is at most the verified production and, if the feed is metered, the export, else what the day's cap
;; allows. It is not known before the values it depends on are verified.
(define-read-only (invariant-deliverable-is-least
    (asset uint)
    (back uint)
  )
  (let (
      (asset-id (some-asset asset))
      (day (any-day back))
      (row (contract-call? .production-tracking get-day asset-id day))
      (wh (default-to u0 (get wh row)))
      (verified (is-eq (get state row) (some DAY_VERIFIED)))
      (fed (get-verified-feed asset-id day))
    )
    (match (get-deliverable asset-id day)
      deliverable (and
        verified
        (if (is-feed-metered asset-id day)
          (is-eq deliverable (min-of wh (unwrap! (get exported-wh fed) false)))
          (is-eq deliverable (min-of wh (* (get-cap-on asset-id day) HOURS_PER_DAY)))
        )
      )
      (or
        (not verified)
        (and (is-feed-metered asset-id day) (is-none fed))
      )
    )
  )
)

;; A day is never both deliverable and undeliverable, and it is one of the two once its window is over.
(define-read-only (invariant-known-or-undeliverable
    (asset uint)
    (back uint)
  )
  (let (
      (asset-id (some-asset asset))
      (day (- (current-day) (mod back (+ u1 (- (current-day) FIRST_DAY)))))
      (known (is-some (get-deliverable asset-id day)))
      (lost (is-undeliverable asset-id day))
    )
    (and
      (not (and known lost))
      (or known lost (not (is-window-over day)))
    )
  )
)

;; The schedule is sorted by day, reaches tomorrow at most, and each cap differs from the previous one.
(define-read-only (invariant-schedule-rises (asset uint))
  (get rises (fold check-rising (get-export-schedule (some-asset asset)) {
    after: u0,
    cap-w: none,
    rises: true,
  }))
)

;; From tomorrow on, an asset that feeds in may export its limit, any other nothing.
(define-read-only (invariant-schedule-ends-with-the-present (asset uint))
  (match (get-connection (some-asset asset))
    connection (is-eq
      (get-cap-on (some-asset asset) (+ (current-day) u1))
      (if (is-approved (get state connection))
        (allowed-w (get state connection) (get export-limit-w connection))
        u0
      )
    )
    (is-eq (get-export-schedule (some-asset asset)) (list))
  )
)

(define-read-only (invariant-metering-never-flips)
  (and (not (is-feed-metered u1 FIRST_DAY)) (is-feed-metered u2 FIRST_DAY))
)

;; No feed is recorded for a day before the connection.
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

;; A feed can be replaced until it is verified, and its recorder can never verify it.
(define-public (test-feed-is-final-once-verified
    (asset uint)
    (back uint)
    (first-wh uint)
    (second-wh uint)
    (verified bool)
  )
  (let (
      (asset-id (some-asset asset))
      (day (some-day back))
      (fed (is-ok (feed-as-operator asset-id day (mod first-wh u80000) u0)))
      (own (verify-own asset-id day))
      (other (and verified (is-ok (verify-as-another asset-id day))))
      (between (get-feed asset-id day))
      (again (feed-as-operator asset-id day (mod second-wh u80000) u0))
    )
    (asserts! fed (ok false))
    (asserts! (is-eq own ERR_OWN_FEED) ERR_PROPERTY)
    (asserts! (is-eq other verified) ERR_PROPERTY)
    (asserts! (is-eq (get exported-wh between) (some (mod first-wh u80000))) ERR_PROPERTY)
    (asserts!
      (if verified
        (is-eq again ERR_FEED_FINAL)
        (is-ok again)
      )
      ERR_PROPERTY
    )
    (asserts!
      (is-eq (get exported-wh (get-feed asset-id day))
        (some (mod (if verified
          first-wh
          second-wh
        ) u80000))
      )
      ERR_PROPERTY
    )
    (ok true)
  )
)

;; Whatever caps are set on one day, in any order: the day keeps the largest, and tomorrow has the last.
(define-public (test-cap-of-a-day-is-its-largest
    (asset uint)
    (limits (list 6 uint))
  )
  (let (
      (asset-id (some-asset asset))
      (before (get-cap-on asset-id (current-day)))
    )
    (asserts! (is-connected asset-id) (ok false))
    (let ((sums (fold set-limit limits {
        asset-id: asset-id,
        most: before,
        last: (default-to u0 (get export-limit-w (get-connection asset-id))),
      })))
      (asserts! (is-eq (get-cap-on asset-id (current-day)) (get most sums)) ERR_PROPERTY)
      (asserts! (is-eq (get-cap-on asset-id (+ (current-day) u1)) (get last sums)) ERR_PROPERTY)
      (ok true)
    )
  )
)

;; Whatever is funded, in any parts: the fills deliver min(funded, D) in all, and none gets anything before an earlier
;; one is complete.
(define-public (test-first-funded-first-delivered
    (whs (list 20 uint))
    (deliverable uint)
  )
  (let ((sums (fold deliver-next whs {
      deliverable: (mod deliverable u40000000),
      funded: u0,
      delivered: u0,
      in-order: true,
    })))
    (asserts! (get in-order sums) ERR_PROPERTY)
    (asserts!
      (is-eq (get delivered sums) (min-of (get funded sums) (mod deliverable u40000000)))
      ERR_PROPERTY
    )
    (ok true)
  )
)

;; Completes days, so that other tests and invariants find some.
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
        (is-eq (get-deliverable asset-id day)
          (some (min-of (mod wh u60000) (* (get-cap-on asset-id day) HOURS_PER_DAY)))
        )
      )
      ERR_PROPERTY
    )
    (ok true)
  )
)

;; Random accounts have no role.
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
    (asserts! (is-eq (verify-feed asset-id (some-day back) value value) ERR_NOT_VERIFIER) ERR_PROPERTY)
    (asserts! (is-err (withdraw-request asset-id)) ERR_PROPERTY)
    (ok true)
  )
)

;; Private

;; Calls as the contract itself. Each is a separate function because `try!` exits the function that contains it.
(define-private (feed-as-operator
    (asset-id uint)
    (day uint)
    (exported-wh uint)
    (imported-wh uint)
  )
  (as-contract? () (try! (record-feed asset-id day exported-wh imported-wh)))
)

(define-private (verify-own
    (asset-id uint)
    (day uint)
  )
  (let ((feed (unwrap! (get-feed asset-id day) ERR_FEED_NOT_FOUND)))
    (as-contract? ()
      (try! (verify-feed asset-id day (get exported-wh feed) (get imported-wh feed)))
    )
  )
)

;; Verifies a feed as the caller, who is made a verifier for this call.
(define-private (verify-as-another
    (asset-id uint)
    (day uint)
  )
  (let (
      (feed (unwrap! (get-feed asset-id day) ERR_FEED_NOT_FOUND))
      (granted (contract-call? .asset-verification set-verifier-in-test tx-sender true))
      (answer (verify-feed asset-id day (get exported-wh feed) (get imported-wh feed)))
      (taken (contract-call? .asset-verification set-verifier-in-test tx-sender false))
    )
    answer
  )
)

;; Requests a connection as the asset's owner, and approves it while somebody else owns the asset.
(define-private (connect
    (asset-id uint)
    (metered bool)
  )
  (begin
    (try! (request-own asset-id))
    (try! (contract-call? .asset-verification set-owner-in-test asset-id 'ST000000000000000000002AMW42H))
    (try! (approve-as-operator asset-id metered))
    (try! (contract-call? .asset-verification set-owner-in-test asset-id current-contract))
    (ok true)
  )
)

(define-private (request-own (asset-id uint))
  (as-contract? () (try! (request-connection asset-id CAPACITY_W)))
)

(define-private (approve-as-operator
    (asset-id uint)
    (metered bool)
  )
  (as-contract? () (try! (approve-connection asset-id CAPACITY_W metered)))
)

(define-private (deliver-next
    (seed uint)
    (sums {
      deliverable: uint,
      funded: uint,
      delivered: uint,
      in-order: bool,
    })
  )
  (let (
      (wh (mod seed u4000000))
      (part (delivered-of wh (get funded sums) (get deliverable sums)))
    )
    (merge sums {
      funded: (+ (get funded sums) wh),
      delivered: (+ (get delivered sums) part),
      ;; A fill gets something only if all earlier fills got everything.
      in-order: (and
        (get in-order sums)
        (or (is-eq part u0) (is-eq (get delivered sums) (get funded sums)))
      ),
    })
  )
)

(define-private (set-limit
    (seed uint)
    (all {
      asset-id: uint,
      most: uint,
      last: uint,
    })
  )
  (let ((limit-w (+ u1 (mod seed u20000))))
    (if (is-ok (limit-as-operator (get asset-id all) limit-w))
      (merge all {
        most: (if (> limit-w (get most all))
          limit-w
          (get most all)
        ),
        last: limit-w,
      })
      all
    )
  )
)

(define-private (limit-as-operator
    (asset-id uint)
    (limit-w uint)
  )
  (as-contract? () (try! (set-export-limit asset-id limit-w)))
)

(define-private (check-rising
    (entry {
      from-day: uint,
      cap-w: uint,
    })
    (all {
      after: uint,
      cap-w: (optional uint),
      rises: bool,
    })
  )
  {
    after: (get from-day entry),
    cap-w: (some (get cap-w entry)),
    rises: (and
      (get rises all)
      (> (get from-day entry) (get after all))
      (not (is-eq (some (get cap-w entry)) (get cap-w all)))
      (<= (get from-day entry) (+ (current-day) u1))
    ),
  }
)

(define-private (some-asset (seed uint))
  (+ u1 (mod seed u3))
)

;; Today or one of the three days before.
(define-private (some-day (back uint))
  (- (/ stacks-block-time SECONDS_PER_DAY) (mod back u4))
)

;; A day that acts may have changed, recently or a while ago.
(define-private (any-day (back uint))
  (- (/ stacks-block-time SECONDS_PER_DAY) (mod back u6))
)

;; Stores a day's deliverable when it is first known.
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
  (let ((asset-id (try! (contract-call? .asset-verification add-in-test CAPACITY_W u3600))))
    (match metered
      fed (connect asset-id fed)
      (ok true)
    )
  )
)

(map build (list (some false) (some true) none))
