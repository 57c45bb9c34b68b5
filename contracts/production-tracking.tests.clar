;; Rendezvous tests of production-tracking, appended to the contract while they run (tests/rendezvous).
;;
;; act-*: extra functions for random runs, with arguments that are likely to succeed. They call as the contract itself,
;;        which holds every role and owns the three assets.
;; invariant-*: must hold after any sequence of calls. test-*: must hold for all arguments; (ok false) discards the run.

(define-constant ASSETS u3)
(define-constant CAPACITY_W u10000)
;; The slot lengths of assets u1, u2 and u3.
(define-constant SLOT_SECONDS (list u900 u3600 u1800))
(define-constant FIRST_DAY (/ stacks-block-time SECONDS_PER_DAY))
;; A run lasts about 170 days.
(define-constant INDEX (list
  u0 u1 u2 u3 u4 u5 u6 u7 u8 u9 u10 u11 u12 u13 u14 u15
))
(define-constant ERR_PROPERTY (err u9004))

;; The day recorded last. Acts use it, as a random day would mostly have no data.
(define-data-var recorded-day {
  asset-id: uint,
  day: uint,
} {
  asset-id: u1,
  day: u0,
})

;; Days as they were right after they were decided.
(define-map ended-days
  {
    asset-id: uint,
    day: uint,
  }
  {
    state: uint,
    mask: uint,
    wh: uint,
  }
)

;; Acts

(define-public (act-record
    (asset uint)
    (back uint)
    (low uint)
    (high uint)
    (wh uint)
  )
  (let (
      (asset-id (some-asset asset))
      (day (some-day back))
    )
    (try! (record-as-oracle asset-id day (some-mask asset low high) (mod wh u60000)))
    (var-set recorded-day {
      asset-id: asset-id,
      day: day,
    })
    (ok true)
  )
)

;; Two items, one after the other: if they have the same day, the second must see the first.
(define-public (act-record-batch
    (asset uint)
    (back uint)
    (first-mask uint)
    (second-mask uint)
    (wh uint)
  )
  (as-contract? ()
    (try! (record-batch (list {
      asset-id: (some-asset asset),
      day: (some-day back),
      mask: (some-mask asset first-mask u0),
      wh: (mod wh u20000),
    } {
      asset-id: (some-asset asset),
      day: (some-day back),
      mask: (some-mask asset second-mask u0),
      wh: (mod (/ wh u7) u20000),
    })))
  )
)

(define-public (act-verify)
  (let (
      (last (var-get recorded-day))
      (asset-id (get asset-id last))
      (day (get day last))
    )
    (try! (verify-as-verifier asset-id day))
    (ok (map-insert ended-days last (get-row asset-id day)))
  )
)

;; Acts in one of four calls.
(define-public (act-reject
    (asset uint)
    (back uint)
  )
  (let (
      (asset-id (some-asset asset))
      (day (some-day (/ back u4)))
    )
    (asserts! (is-eq (mod back u4) u0) ERR_DAY_NOT_OVER)
    (try! (reject-as-verifier asset-id day))
    (ok (map-insert ended-days {
      asset-id: asset-id,
      day: day,
    } (get-row asset-id day)))
  )
)

(define-public (act-dispute)
  (dispute-as-verifier (get asset-id (var-get recorded-day)) (get day (var-get recorded-day)))
)

(define-public (act-adjust (delta uint))
  (adjust-as-verifier (get asset-id (var-get recorded-day)) (get day (var-get recorded-day))
    (- (to-int (mod delta u400000)) 100000)
  )
)

;; Invariants

;; Every day has at most the energy that its slots can yield, no slot beyond the day or not yet over, a valid state, and
;; energy only with slots.
(define-read-only (invariant-day-is-plausible
    (asset uint)
    (back uint)
  )
  (let (
      (asset-id (some-asset asset))
      (day (any-day back))
      (row (get-row asset-id day))
      (mask (get mask row))
      (right (unwrap! (contract-call? .asset-verification get-recording-right asset-id day) false))
      (seconds (get slot-seconds right))
      (over (if (< day (current-day))
        (/ SECONDS_PER_DAY seconds)
        (/ (mod stacks-block-time SECONDS_PER_DAY) seconds)
      ))
    )
    (and
      (< mask (pow u2 over))
      (<= (get wh row) (plausible-wh mask seconds (get capacity-w right)))
      (<= (get state row) STATE_REJECTED)
      (or
        (> mask u0)
        (and
          (is-eq (get wh row) u0)
          (or (is-eq (get state row) STATE_OPEN) (is-eq (get state row) STATE_REJECTED))
        )
      )
    )
  )
)

(define-read-only (invariant-decided-day-stays
    (asset uint)
    (back uint)
  )
  (let (
      (asset-id (some-asset asset))
      (day (any-day back))
      (ended (map-get? ended-days {
        asset-id: asset-id,
        day: day,
      }))
    )
    (or (is-none ended) (is-eq ended (get-day asset-id day)))
  )
)

;; Every act that decides a day stores it, and nothing else decides a day.
(define-read-only (invariant-day-is-decided-by-a-decision
    (asset uint)
    (back uint)
  )
  (let (
      (asset-id (some-asset asset))
      (day (any-day back))
    )
    (is-eq
      (is-final (get state (get-row asset-id day)))
      (is-some (map-get? ended-days {
        asset-id: asset-id,
        day: day,
      }))
    )
  )
)

;; The totals are the sums of the days: nothing is lost or counted twice.
(define-read-only (invariant-totals-are-sums-of-days (asset uint))
  (let ((asset-id (some-asset asset)))
    (is-eq (get-total-production asset-id)
      (get sums (fold add-sixteen INDEX {
        asset-id: asset-id,
        base: FIRST_DAY,
        sums: {
          recorded-wh: u0,
          verified-wh: u0,
        },
      }))
    )
  )
)

;; Properties

(define-public (test-slots-are-counted
    (a uint)
    (b uint)
    (c uint)
    (d uint)
  )
  (let ((mask (mod (+ a (* (pow u2 u31) b) (* (pow u2 u62) c) (* (pow u2 u93) d)) (pow u2 u96))))
    (asserts!
      (is-eq (count-slots mask) (get count (fold add-bits (list u0 u16 u32 u48 u64 u80) {
        mask: mask,
        base: u0,
        count: u0,
      })))
      ERR_PROPERTY
    )
    (ok true)
  )
)

;; A second recording, by any path, adds exactly its new slots; if slots overlap, it adds nothing.
(define-public (test-slot-is-recorded-once
    (asset uint)
    (back uint)
    (first-mask uint)
    (second-mask uint)
    (wh uint)
  )
  (let (
      (asset-id (some-asset asset))
      (day (some-day back))
      (mask (some-mask asset first-mask second-mask))
      (next-mask (some-mask asset second-mask first-mask))
      (before (get-row asset-id day))
      (recorded (is-ok (act-record asset back first-mask second-mask (mod wh u500))))
      (between (get-row asset-id day))
      (again (act-record asset back second-mask first-mask (mod wh u700)))
      (after (get-row asset-id day))
      (overlap (> (bit-and mask next-mask) u0))
    )
    (asserts! recorded (ok false))
    (asserts! (is-eq (bit-and (get mask before) mask) u0) ERR_PROPERTY)
    (asserts! (is-eq (get mask between) (bit-or (get mask before) mask)) ERR_PROPERTY)
    (asserts! (is-eq (get wh between) (+ (get wh before) (mod wh u500))) ERR_PROPERTY)
    (asserts!
      (or
        (not overlap)
        (is-eq again ERR_SLOT_ALREADY_RECORDED)
        ;; For today, a slot that has not ended is refused, too, and this is checked first.
        (and (is-eq day (current-day)) (is-eq again ERR_SLOT_NOT_OVER))
      )
      ERR_PROPERTY
    )
    (asserts!
      (if (is-ok again)
        (and
          (is-eq (get mask after) (+ (get mask between) next-mask))
          (is-eq (get wh after) (+ (get wh between) (mod wh u700)))
        )
        (is-eq after between)
      )
      ERR_PROPERTY
    )
    (ok true)
  )
)

;; The most that the slots can yield is accepted, and one Wh more is refused.
(define-public (test-energy-is-limited
    (asset uint)
    (back uint)
    (low uint)
    (high uint)
  )
  (let (
      (asset-id (some-asset asset))
      (day (some-day back))
      (mask (some-mask asset low high))
      (right (unwrap! (contract-call? .asset-verification get-recording-right asset-id day) ERR_PROPERTY))
      (row (get-row asset-id day))
      (limit (plausible-wh (bit-or (get mask row) mask) (get slot-seconds right) (get capacity-w right)))
      (room (- limit (get wh row)))
      (above (record-as-oracle asset-id day mask (+ room u1)))
      (exact (record-as-oracle asset-id day mask room))
    )
    (asserts! (is-err above) ERR_PROPERTY)
    (asserts! (is-ok exact) (ok false))
    (asserts! (is-eq above ERR_IMPLAUSIBLE_ENERGY) ERR_PROPERTY)
    (asserts! (is-eq (adjust-as-verifier asset-id day 1) ERR_IMPLAUSIBLE_ENERGY) ERR_PROPERTY)
    (ok true)
  )
)

;; After a decision, nobody can change the day.
(define-public (test-decision-is-final
    (asset uint)
    (back uint)
    (mask uint)
    (wh uint)
    (rejected bool)
  )
  (let (
      (asset-id (some-asset asset))
      (day (some-day back))
      (decided (if rejected
        (is-ok (reject-as-verifier asset-id day))
        (is-ok (verify-as-verifier asset-id day))
      ))
      (row (get-row asset-id day))
    )
    (asserts! decided (ok false))
    (asserts! (is-final (get state row)) ERR_PROPERTY)
    (asserts! (is-err (act-record asset back mask u0 wh)) ERR_PROPERTY)
    (asserts! (is-err (adjust-as-verifier asset-id day (to-int (mod wh u1000000)))) ERR_PROPERTY)
    (asserts! (is-err (dispute-as-verifier asset-id day)) ERR_PROPERTY)
    (asserts! (is-err (verify-as-verifier asset-id day)) ERR_PROPERTY)
    (asserts! (is-err (reject-as-verifier asset-id day)) ERR_PROPERTY)
    (asserts! (is-eq row (get-row asset-id day)) ERR_PROPERTY)
    (ok true)
  )
)

;; A leaf is in the root to which its path leads, with siblings on either side; another leaf is not.
(define-public (test-leaf-is-in-its-root
    (asset uint)
    (mask uint)
    (wh uint)
    (lefts (list 24 bool))
    (other uint)
  )
  (let (
      (leaf {
        asset-id: (some-asset asset),
        day: (current-day),
        mask: mask,
        wh: wh,
        whs-hash: (sha256 wh),
      })
      (path (map sibling lefts))
      (root-id (unwrap! (anchor-as-oracle (root-of leaf path)) ERR_PROPERTY))
    )
    (asserts! (verify-leaf root-id leaf path) ERR_PROPERTY)
    (asserts! (not (verify-leaf root-id (merge leaf { wh: (+ wh other u1) }) path)) ERR_PROPERTY)
    (asserts! (not (verify-leaf (+ root-id u1) leaf path)) ERR_PROPERTY)
    (asserts!
      (or
        (is-eq (len path) u0)
        (not (verify-leaf root-id leaf (default-to (list) (slice? path u1 (len path)))))
      )
      ERR_PROPERTY
    )
    (ok true)
  )
)

;; Random accounts have no role.
(define-public (test-only-roles-act
    (asset uint)
    (back uint)
    (mask uint)
    (delta uint)
  )
  (let (
      (asset-id (some-asset asset))
      (day (some-day back))
      (row (get-row asset-id day))
    )
    (asserts! (is-eq (record-production asset-id day (+ u1 mask) u0) ERR_NOT_ORACLE) ERR_PROPERTY)
    (asserts! (is-err (verify-day asset-id day (get mask row) (get wh row))) ERR_PROPERTY)
    (asserts! (is-err (reject-day asset-id day (get mask row) (get wh row) "test")) ERR_PROPERTY)
    (asserts! (is-err (dispute-day asset-id day "test")) ERR_PROPERTY)
    (asserts! (is-err (adjust-day asset-id day (get wh row) delta)) ERR_PROPERTY)
    (asserts! (is-eq (anchor-root (sha256 mask) u1 u0 day day) ERR_NOT_ORACLE) ERR_PROPERTY)
    (asserts! (is-eq row (get-row asset-id day)) ERR_PROPERTY)
    (ok true)
  )
)

;; Private

;; Calls as the contract itself. Each is a separate function because `try!` exits the function that contains it.
(define-private (record-as-oracle
    (asset-id uint)
    (day uint)
    (mask uint)
    (wh uint)
  )
  (as-contract? () (try! (record-production asset-id day mask wh)))
)

(define-private (anchor-as-oracle (root (buff 32)))
  (as-contract? () (try! (anchor-root root u1 u0 (current-day) (current-day))))
)

(define-private (sibling (left bool))
  {
    left: left,
    hash: (sha256 (if left
      u1
      u0
    )),
  }
)

(define-private (reject-as-verifier
    (asset-id uint)
    (day uint)
  )
  (let ((row (get-row asset-id day)))
    (as-contract? () (try! (reject-day asset-id day (get mask row) (get wh row) "test")))
  )
)

(define-private (verify-as-verifier
    (asset-id uint)
    (day uint)
  )
  (let ((row (get-row asset-id day)))
    (as-contract? () (try! (verify-day asset-id day (get mask row) (get wh row))))
  )
)

(define-private (dispute-as-verifier
    (asset-id uint)
    (day uint)
  )
  (as-contract? () (try! (dispute-day asset-id day "test")))
)

(define-private (adjust-as-verifier
    (asset-id uint)
    (day uint)
    (delta int)
  )
  (let (
      (before (get wh (get-row asset-id day)))
      (after (+ (to-int before) delta))
    )
    (as-contract? ()
      (try! (adjust-day asset-id day before (if (< after 0)
        u0
        (to-uint after)
      )))
    )
  )
)

(define-private (some-asset (seed uint))
  (+ u1 (mod seed ASSETS))
)

;; Today or one of the three days before.
(define-private (some-day (back uint))
  (- (current-day) (mod back u4))
)

;; A day that acts may have changed, recently or a while ago.
(define-private (any-day (back uint))
  (- (current-day) (mod back u9))
)

;; Some slots of a day of the asset: rarely all, and at least one.
(define-private (some-mask
    (asset uint)
    (low uint)
    (high uint)
  )
  (let (
      (slots (/ SECONDS_PER_DAY
        (default-to u3600 (element-at? SLOT_SECONDS (mod asset ASSETS)))
      ))
      (bits (bit-and (+ low (* high (pow u2 u24)) (* low (pow u2 u60))) (- (pow u2 slots) u1)))
    )
    (if (is-eq bits u0)
      u1
      bits
    )
  )
)

(define-private (add-sixteen
    (index uint)
    (all {
      asset-id: uint,
      base: uint,
      sums: {
        recorded-wh: uint,
        verified-wh: uint,
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
        recorded-wh: uint,
        verified-wh: uint,
      },
    })
  )
  (let (
      (row (get-row (get asset-id all) (+ (get base all) index)))
      (sums (get sums all))
      (wh (get wh row))
    )
    (merge all { sums: {
      recorded-wh: (+ (get recorded-wh sums) wh),
      verified-wh: (+ (get verified-wh sums)
        (if (is-eq (get state row) STATE_VERIFIED)
          wh
          u0
        )),
    } })
  )
)

(define-private (add-bits
    (base uint)
    (all {
      mask: uint,
      base: uint,
      count: uint,
    })
  )
  (fold add-bit INDEX (merge all { base: base }))
)

(define-private (add-bit
    (index uint)
    (all {
      mask: uint,
      base: uint,
      count: uint,
    })
  )
  (merge all { count: (+ (get count all)
    (if (is-eq (bit-and (get mask all) (pow u2 (+ (get base all) index))) u0)
      u0
      u1
    )) })
)

(define-private (build (slot-seconds uint))
  (contract-call? .asset-verification add-in-test CAPACITY_W slot-seconds)
)

(map build SLOT_SECONDS)
