;; production-tracking: what each asset produced, slot by slot, and whether it is verified.
;;
;; One row per (asset, day): a bit mask of the slots recorded (slot 0 is the lowest bit; 96, 48 or 24 slots a day) and
;; their energy in Wh. A slot is recorded at most once, by whatever path. Where a device key is bound, from the day of
;; its binding on, only its signature records; otherwise the oracle does.
;;
;; Day:  open -> recorded (device signature, oracle) -> verified | rejected (verifier);
;;       recorded -> disputed (verifier, arbiter) -> verified | rejected (arbiter); open -> rejected (verifier).
;;       Verified and rejected are final: no slot and no adjustment after.
;;
;; Times: recorded from the slot's end until 30 days after the day; verified from the day's end until 45 days after it.
;; Units: energy Wh, time unix seconds UTC, day = time / 86400.

;; Errors

(define-constant ERR_NOT_ORACLE (err u2001)) ;; only an oracle may
(define-constant ERR_NOT_VERIFIER (err u2002)) ;; only a verifier may
(define-constant ERR_NOT_ARBITER (err u2003)) ;; only an arbiter may: the day is disputed
(define-constant ERR_NOT_VERIFIER_OR_ARBITER (err u2004)) ;; only a verifier or an arbiter may
(define-constant ERR_ASSET_NOT_FOUND (err u2005)) ;; no asset has this id
(define-constant ERR_NOT_RECORDABLE (err u2006)) ;; the asset is not verified, or was not on that day
(define-constant ERR_INVALID_SLOTS (err u2007)) ;; no slot, or one beyond the day
(define-constant ERR_SLOT_NOT_OVER (err u2008)) ;; a slot has not ended yet
(define-constant ERR_RECORDING_CLOSED (err u2009)) ;; more than 30 days after the day
(define-constant ERR_SLOT_ALREADY_RECORDED (err u2010)) ;; a slot was recorded before
(define-constant ERR_IMPLAUSIBLE_ENERGY (err u2011)) ;; more than the slots can yield
(define-constant ERR_DEVICE_MUST_SIGN (err u2012)) ;; a device key is bound for that day
(define-constant ERR_NO_DEVICE_KEY (err u2013)) ;; no device key is bound for that day
(define-constant ERR_INVALID_SIGNATURE (err u2014)) ;; not of the bound device key over these readings
(define-constant ERR_DAY_NOT_RECORDED (err u2015)) ;; nothing is recorded for the day
(define-constant ERR_DAY_FINAL (err u2016)) ;; the day is verified or rejected
(define-constant ERR_DAY_DISPUTED (err u2017)) ;; the day is disputed
(define-constant ERR_DAY_NOT_OVER (err u2018)) ;; the day has not ended
(define-constant ERR_WINDOW_CLOSED (err u2019)) ;; more than 45 days after the day
(define-constant ERR_REVIEW_MISMATCH (err u2020)) ;; what was reviewed is not what is stored
(define-constant ERR_INVALID_ADJUSTMENT (err u2021)) ;; zero, too large, or below an energy of zero

;; Roles of asset-verification

(define-constant ROLE_VERIFIER u2)
(define-constant ROLE_ARBITER u3)
(define-constant ROLE_ORACLE u4)

;; Day states; a day without a row is open

(define-constant STATE_OPEN u0)
(define-constant STATE_RECORDED u1)
(define-constant STATE_DISPUTED u2)
(define-constant STATE_VERIFIED u3)
(define-constant STATE_REJECTED u4)

;; Bounds and durations

(define-constant SECONDS_PER_DAY u86400)
(define-constant SECONDS_PER_HOUR u3600)
;; A day is recorded until the end of this many days after it.
(define-constant RECORDING_DAYS u30)
;; A day is verified, and its feed recorded, until the end of this many days after it. grid-integration, settlement and
;; asset-verification (between changes of capacity) hold the same number.
(define-constant WINDOW_DAYS u45)
;; A meter may exceed the rated capacity by 10 %.
(define-constant TOLERANCE_PERCENT u110)
(define-constant MAX_SLOTS u96)
;; No capacity yields as much in a day; keeps every sum far from overflow.
(define-constant MAX_DAY_WH u1000000000000000)
(define-constant MAX_ADJUSTMENT_WH 1000000000000000)
;; An item that fails at index i fails its batch with code * 1000 + i.
(define-constant BATCH_ERROR_FACTOR u1000)

;; SIP-018: the prefix of every structured data hash
(define-constant SIP018_PREFIX 0x534950303138)

;; Data

(define-map days
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

;; Wh of an asset over all days: recorded (adjustments included, whatever became of the day), and verified.
(define-map totals
  uint
  {
    recorded-wh: uint,
    verified-wh: uint,
  }
)

;; Read-only

(define-read-only (get-day
    (asset-id uint)
    (day uint)
  )
  (map-get? days {
    asset-id: asset-id,
    day: day,
  })
)

(define-read-only (get-days (keys (list 30 {
  asset-id: uint,
  day: uint,
})))
  (map get-day-of keys)
)

(define-read-only (is-slot-recorded
    (asset-id uint)
    (day uint)
    (slot uint)
  )
  (match (get-day asset-id day)
    row (and (< slot MAX_SLOTS) (> (bit-and (get mask row) (pow u2 slot)) u0))
    false
  )
)

(define-read-only (get-total-production (asset-id uint))
  (default-to {
    recorded-wh: u0,
    verified-wh: u0,
  }
    (map-get? totals asset-id)
  )
)

;; What a meter signs for the readings `whs` of the slots from `start` on: the SIP-018 hash under the domain
;; {name: "der-production", version: "1", chain-id}.
(define-read-only (get-reading-hash
    (asset-id uint)
    (day uint)
    (key-epoch uint)
    (start uint)
    (whs (list 96 uint))
  )
  (sha256 (concat SIP018_PREFIX
    (concat
      (consensus-hash (to-consensus-buff? {
        name: "der-production",
        version: "1",
        chain-id: chain-id,
      }))
      (consensus-hash (to-consensus-buff? {
        asset-id: asset-id,
        contract: current-contract,
        day: day,
        key-epoch: key-epoch,
        start: start,
        whs: whs,
      }))
    )))
)

;; Public: recording

;; Oracle: records the energy of the slots in `mask` together, where no device key is bound for that day.
;; Prints "production-recorded".
;; Errors: ERR_NOT_ORACLE, ERR_ASSET_NOT_FOUND, ERR_DEVICE_MUST_SIGN, and those of `record-slots`.
(define-public (record-production
    (asset-id uint)
    (day uint)
    (mask uint)
    (wh uint)
  )
  (begin
    (asserts! (has-role ROLE_ORACLE) ERR_NOT_ORACLE)
    (record-by-oracle {
      asset-id: asset-id,
      day: day,
      mask: mask,
      wh: wh,
    }
      (contract-call? .asset-verification get-recording-right asset-id)
      stacks-block-time
    )
  )
)

;; Oracle: `record-production` of up to 200 asset-days, all or nothing. Prints "production-recorded" for each.
;; Errors: ERR_NOT_ORACLE; those of `record-production` as code * 1000 + index.
(define-public (record-batch (items (list 200 {
  asset-id: uint,
  day: uint,
  mask: uint,
  wh: uint,
})))
  (let ((rights (contract-call? .asset-verification get-recording-rights (map get-asset-id items))))
    (asserts! (has-role ROLE_ORACLE) ERR_NOT_ORACLE)
    (try! (fold record-item (map with-right items rights)
      (ok {
        index: u0,
        now: stacks-block-time,
      })
    ))
    (ok true)
  )
)

;; Anyone: relays the readings of the slots from `start` on that the asset's meter has signed.
;; Prints "production-recorded".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NO_DEVICE_KEY, ERR_INVALID_SLOTS, ERR_INVALID_SIGNATURE, those of `record-slots`.
(define-public (record-day
    (asset-id uint)
    (day uint)
    (start uint)
    (whs (list 96 uint))
    (signature (buff 65))
  )
  (let (
      (right (unwrap!
        (contract-call? .asset-verification get-recording-right asset-id)
        ERR_ASSET_NOT_FOUND
      ))
      (device-key (unwrap! (get device-key right) ERR_NO_DEVICE_KEY))
      (count (len whs))
    )
    (asserts! (>= day (get key-from-day right)) ERR_NO_DEVICE_KEY)
    ;; Before the shift: it would drop bits, and the power overflow.
    (asserts! (and (< start MAX_SLOTS) (<= (+ start count) MAX_SLOTS)) ERR_INVALID_SLOTS)
    (asserts!
      (is-eq
        (secp256k1-recover? (get-reading-hash asset-id day (get key-epoch right) start whs)
          signature
        )
        (ok device-key)
      )
      ERR_INVALID_SIGNATURE
    )
    (record-slots asset-id day (bit-shift-left (- (pow u2 count) u1) start)
      (fold add-bounded whs u0) right true stacks-block-time
    )
  )
)

;; Public: review

;; Verifier, or the arbiter where it is disputed: verifies a recorded day for good; `wh` repeats what was reviewed.
;; Prints "day-verified".
;; Errors: ERR_DAY_NOT_RECORDED, ERR_DAY_FINAL, ERR_NOT_VERIFIER, ERR_NOT_ARBITER, ERR_DAY_NOT_OVER,
;; ERR_WINDOW_CLOSED, ERR_REVIEW_MISMATCH.
(define-public (verify-day
    (asset-id uint)
    (day uint)
    (wh uint)
  )
  (let ((row (unwrap! (get-day asset-id day) ERR_DAY_NOT_RECORDED)))
    (try! (check-decider (get state row)))
    (verify-reviewed asset-id day wh row (current-day))
  )
)

;; Verifier: `verify-day` of up to 100 recorded days, all or nothing. Prints "day-verified" for each.
;; Errors: ERR_NOT_VERIFIER; those of `verify-day` and ERR_DAY_DISPUTED as code * 1000 + index.
(define-public (verify-days (items (list 100 {
  asset-id: uint,
  day: uint,
  wh: uint,
})))
  (begin
    (asserts! (has-role ROLE_VERIFIER) ERR_NOT_VERIFIER)
    (try! (fold verify-item items
      (ok {
        index: u0,
        today: (current-day),
      })
    ))
    (ok true)
  )
)

;; Verifier, or the arbiter where it is disputed: rejects a day for good once it is over, recorded or not.
;; Prints "day-rejected".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_DAY_FINAL, ERR_NOT_VERIFIER, ERR_NOT_ARBITER, ERR_DAY_NOT_OVER.
(define-public (reject-day
    (asset-id uint)
    (day uint)
    (reason (string-ascii 64))
  )
  (let ((row (get-row asset-id day)))
    (asserts!
      (is-some (contract-call? .asset-verification get-recording-right asset-id))
      ERR_ASSET_NOT_FOUND
    )
    (try! (check-decider (get state row)))
    (asserts! (< day (current-day)) ERR_DAY_NOT_OVER)
    (set-row asset-id day (merge row { state: STATE_REJECTED }))
    (print {
      topic: "day-rejected",
      version: u1,
      asset-id: asset-id,
      day: day,
      actor: contract-caller,
      wh: (get wh row),
      reason: reason,
      state: STATE_REJECTED,
    })
    (ok true)
  )
)

;; Verifier or arbiter: leaves the decision on a recorded day to the arbiter. Prints "day-disputed".
;; Errors: ERR_DAY_NOT_RECORDED, ERR_DAY_FINAL, ERR_DAY_DISPUTED, ERR_NOT_VERIFIER_OR_ARBITER.
(define-public (dispute-day
    (asset-id uint)
    (day uint)
    (reason (string-ascii 64))
  )
  (let (
      (row (unwrap! (get-day asset-id day) ERR_DAY_NOT_RECORDED))
      (state (get state row))
    )
    (asserts! (or (has-role ROLE_VERIFIER) (has-role ROLE_ARBITER))
      ERR_NOT_VERIFIER_OR_ARBITER
    )
    (asserts! (not (is-final state)) ERR_DAY_FINAL)
    (asserts! (is-eq state STATE_RECORDED) ERR_DAY_DISPUTED)
    (set-row asset-id day (merge row { state: STATE_DISPUTED }))
    (print {
      topic: "day-disputed",
      version: u1,
      asset-id: asset-id,
      day: day,
      actor: contract-caller,
      wh: (get wh row),
      reason: reason,
      state: STATE_DISPUTED,
    })
    (ok true)
  )
)

;; Verifier, or the arbiter where it is disputed: corrects the energy of a recorded day by `delta` Wh, within what its
;; slots can yield, until the window ends. Answers the new energy. Prints "day-adjusted".
;; Errors: ERR_DAY_NOT_RECORDED, ERR_ASSET_NOT_FOUND, ERR_DAY_FINAL, ERR_NOT_VERIFIER, ERR_NOT_ARBITER,
;; ERR_WINDOW_CLOSED, ERR_INVALID_ADJUSTMENT, ERR_IMPLAUSIBLE_ENERGY.
(define-public (adjust-day
    (asset-id uint)
    (day uint)
    (delta int)
  )
  (let (
      (row (unwrap! (get-day asset-id day) ERR_DAY_NOT_RECORDED))
      (right (unwrap!
        (contract-call? .asset-verification get-recording-right asset-id)
        ERR_ASSET_NOT_FOUND
      ))
      (old-wh (get wh row))
      (total (get-total-production asset-id))
    )
    (try! (check-decider (get state row)))
    (asserts! (<= (current-day) (+ day WINDOW_DAYS)) ERR_WINDOW_CLOSED)
    (asserts!
      (and
        (not (is-eq delta 0))
        (<= delta MAX_ADJUSTMENT_WH)
        (>= delta (- 0 (to-int old-wh)))
      )
      ERR_INVALID_ADJUSTMENT
    )
    (let ((wh (to-uint (+ (to-int old-wh) delta))))
      (asserts! (<= wh (plausible-wh (get mask row) day right)) ERR_IMPLAUSIBLE_ENERGY)
      (set-row asset-id day (merge row { wh: wh }))
      (map-set totals asset-id
        (merge total { recorded-wh: (- (+ (get recorded-wh total) wh) old-wh) })
      )
      (print {
        topic: "day-adjusted",
        version: u1,
        asset-id: asset-id,
        day: day,
        actor: contract-caller,
        delta-wh: delta,
        day-wh: wh,
        state: (get state row),
      })
      (ok wh)
    )
  )
)

;; Private: time, roles, rows

(define-private (current-day)
  (/ stacks-block-time SECONDS_PER_DAY)
)

(define-private (has-role (role uint))
  (contract-call? .asset-verification has-role role contract-caller "")
)

(define-private (is-final (state uint))
  (>= state STATE_VERIFIED)
)

;; A disputed day is the arbiter's to decide, any other the verifier's, a final one nobody's.
(define-private (check-decider (state uint))
  (begin
    (asserts! (not (is-final state)) ERR_DAY_FINAL)
    (if (is-eq state STATE_DISPUTED)
      (asserts! (has-role ROLE_ARBITER) ERR_NOT_ARBITER)
      (asserts! (has-role ROLE_VERIFIER) ERR_NOT_VERIFIER)
    )
    (ok true)
  )
)

(define-private (get-row
    (asset-id uint)
    (day uint)
  )
  (default-to {
    state: STATE_OPEN,
    mask: u0,
    wh: u0,
  }
    (get-day asset-id day)
  )
)

(define-private (set-row
    (asset-id uint)
    (day uint)
    (row {
      state: uint,
      mask: uint,
      wh: uint,
    })
  )
  (map-set days {
    asset-id: asset-id,
    day: day,
  }
    row
  )
)

;; Private: recording

(define-private (get-day-of (key {
  asset-id: uint,
  day: uint,
}))
  (map-get? days key)
)

(define-private (get-asset-id (item {
  asset-id: uint,
  day: uint,
  mask: uint,
  wh: uint,
}))
  (get asset-id item)
)

(define-private (with-right
    (item {
      asset-id: uint,
      day: uint,
      mask: uint,
      wh: uint,
    })
    (right (optional {
      first-day: uint,
      last-day: uint,
      slot-seconds: uint,
      capacity-w: uint,
      capacity-from-day: uint,
      previous-capacity-w: uint,
      device-key: (optional (buff 33)),
      key-epoch: uint,
      key-from-day: uint,
    }))
  )
  {
    item: item,
    right: right,
  }
)

(define-private (record-item
    (entry {
      item: {
        asset-id: uint,
        day: uint,
        mask: uint,
        wh: uint,
      },
      right: (optional {
        first-day: uint,
        last-day: uint,
        slot-seconds: uint,
        capacity-w: uint,
        capacity-from-day: uint,
        previous-capacity-w: uint,
        device-key: (optional (buff 33)),
        key-epoch: uint,
        key-from-day: uint,
      }),
    })
    (progress (response {
      index: uint,
      now: uint,
    } uint))
  )
  (let (
      (state (try! progress))
      (index (get index state))
    )
    (match (record-by-oracle (get item entry) (get right entry) (get now state))
      recorded (ok (merge state { index: (+ index u1) }))
      code (err (+ (* code BATCH_ERROR_FACTOR) index))
    )
  )
)

(define-private (record-by-oracle
    (item {
      asset-id: uint,
      day: uint,
      mask: uint,
      wh: uint,
    })
    (asset-right (optional {
      first-day: uint,
      last-day: uint,
      slot-seconds: uint,
      capacity-w: uint,
      capacity-from-day: uint,
      previous-capacity-w: uint,
      device-key: (optional (buff 33)),
      key-epoch: uint,
      key-from-day: uint,
    }))
    (now uint)
  )
  (let ((right (unwrap! asset-right ERR_ASSET_NOT_FOUND)))
    (asserts!
      (or (is-none (get device-key right)) (< (get day item) (get key-from-day right)))
      ERR_DEVICE_MUST_SIGN
    )
    (record-slots (get asset-id item) (get day item) (get mask item) (get wh item) right
      false now
    )
  )
)

;; Adds the slots of `mask` and their energy to the day, whoever vouches for them.
;; Errors: ERR_NOT_RECORDABLE (asset not verified, or not on that day), ERR_SLOT_NOT_OVER, ERR_RECORDING_CLOSED,
;; ERR_INVALID_SLOTS (none, or beyond the day), ERR_DAY_FINAL, ERR_SLOT_ALREADY_RECORDED, ERR_IMPLAUSIBLE_ENERGY.
(define-private (record-slots
    (asset-id uint)
    (day uint)
    (mask uint)
    (wh uint)
    (right {
      first-day: uint,
      last-day: uint,
      slot-seconds: uint,
      capacity-w: uint,
      capacity-from-day: uint,
      previous-capacity-w: uint,
      device-key: (optional (buff 33)),
      key-epoch: uint,
      key-from-day: uint,
    })
    (signed bool)
    (now uint)
  )
  (let (
      (today (/ now SECONDS_PER_DAY))
      (slots-per-day (/ SECONDS_PER_DAY (get slot-seconds right)))
      (row (get-row asset-id day))
      (new-mask (bit-or (get mask row) mask))
      (limit (plausible-wh new-mask day right))
      (total (get-total-production asset-id))
    )
    (asserts! (and (>= day (get first-day right)) (<= day (get last-day right)))
      ERR_NOT_RECORDABLE
    )
    (asserts! (and (> mask u0) (< mask (pow u2 slots-per-day))) ERR_INVALID_SLOTS)
    (asserts! (<= day today) ERR_SLOT_NOT_OVER)
    (asserts! (<= today (+ day RECORDING_DAYS)) ERR_RECORDING_CLOSED)
    ;; On the day itself, only the slots that have ended: so many of the lowest bits.
    (asserts!
      (or
        (< day today)
        (< mask (pow u2 (/ (mod now SECONDS_PER_DAY) (get slot-seconds right))))
      )
      ERR_SLOT_NOT_OVER
    )
    (asserts! (not (is-final (get state row))) ERR_DAY_FINAL)
    (asserts! (is-eq (bit-and (get mask row) mask) u0) ERR_SLOT_ALREADY_RECORDED)
    ;; First alone: the sum of anything could overflow.
    (asserts! (and (<= wh limit) (<= (+ (get wh row) wh) limit)) ERR_IMPLAUSIBLE_ENERGY)
    (let (
        (day-wh (+ (get wh row) wh))
        (state (if (is-eq (get state row) STATE_DISPUTED)
          STATE_DISPUTED
          STATE_RECORDED
        ))
      )
      (set-row asset-id day {
        state: state,
        mask: new-mask,
        wh: day-wh,
      })
      (map-set totals asset-id
        (merge total { recorded-wh: (+ (get recorded-wh total) wh) })
      )
      (print {
        topic: "production-recorded",
        version: u1,
        asset-id: asset-id,
        day: day,
        actor: contract-caller,
        signed: signed,
        mask: mask,
        wh: wh,
        day-mask: new-mask,
        day-wh: day-wh,
        state: state,
      })
      (ok true)
    )
  )
)

;; The most that the slots of `mask` can yield at the capacity of that day, tolerance included. On the day of a change,
;; the larger capacity counts for all slots: which of them are older is not known, and the lower one would leave no room
;; for the rest of a day of which more is recorded.
(define-private (plausible-wh
    (mask uint)
    (day uint)
    (right {
      first-day: uint,
      last-day: uint,
      slot-seconds: uint,
      capacity-w: uint,
      capacity-from-day: uint,
      previous-capacity-w: uint,
      device-key: (optional (buff 33)),
      key-epoch: uint,
      key-from-day: uint,
    })
  )
  (/
    (* (count-slots mask)
      (capacity-on day (get capacity-w right) (get capacity-from-day right)
        (get previous-capacity-w right)
      )
      (get slot-seconds right) TOLERANCE_PERCENT
    )
    (* SECONDS_PER_HOUR u100)
  )
)

(define-private (capacity-on
    (day uint)
    (capacity-w uint)
    (from-day uint)
    (previous-capacity-w uint)
  )
  (if (or
      (< day from-day)
      (and (is-eq day from-day) (> previous-capacity-w capacity-w))
    )
    previous-capacity-w
    capacity-w
  )
)

;; The number of bits set in a mask, by adding neighbouring fields of 1, 2, 4, 8 and so on bits.
(define-private (count-slots (mask uint))
  (let (
      (by2 (- mask (bit-and (bit-shift-right mask u1) u113427455640312821154458202477256070485)))
      (by4 (+ (bit-and by2 u68056473384187692692674921486353642291)
        (bit-and (bit-shift-right by2 u2) u68056473384187692692674921486353642291)
      ))
      (by8 (bit-and (+ by4 (bit-shift-right by4 u4))
        u20016609818878733144904388672456953615
      ))
      (by16 (+ by8 (bit-shift-right by8 u8)))
      (by32 (+ by16 (bit-shift-right by16 u16)))
      (by64 (+ by32 (bit-shift-right by32 u32)))
    )
    (bit-and (+ by64 (bit-shift-right by64 u64)) u255)
  )
)

;; One reading above every bound makes the sum implausible; bounding each keeps the sum from overflowing.
(define-private (add-bounded
    (wh uint)
    (sum uint)
  )
  (+ sum (if (< wh MAX_DAY_WH)
    wh
    MAX_DAY_WH
  ))
)

(define-private (consensus-hash (serialized (optional (buff 4096))))
  (sha256 (default-to 0x serialized))
)

;; Private: review

(define-private (verify-item
    (item {
      asset-id: uint,
      day: uint,
      wh: uint,
    })
    (progress (response {
      index: uint,
      today: uint,
    } uint))
  )
  (let (
      (state (try! progress))
      (index (get index state))
    )
    (match (verify-undisputed (get asset-id item) (get day item) (get wh item)
      (get today state)
    )
      verified (ok (merge state { index: (+ index u1) }))
      code (err (+ (* code BATCH_ERROR_FACTOR) index))
    )
  )
)

(define-private (verify-undisputed
    (asset-id uint)
    (day uint)
    (wh uint)
    (today uint)
  )
  (let ((row (unwrap! (get-day asset-id day) ERR_DAY_NOT_RECORDED)))
    (asserts! (not (is-final (get state row))) ERR_DAY_FINAL)
    (asserts! (is-eq (get state row) STATE_RECORDED) ERR_DAY_DISPUTED)
    (verify-reviewed asset-id day wh row today)
  )
)

(define-private (verify-reviewed
    (asset-id uint)
    (day uint)
    (wh uint)
    (row {
      state: uint,
      mask: uint,
      wh: uint,
    })
    (today uint)
  )
  (let ((total (get-total-production asset-id)))
    (asserts! (< day today) ERR_DAY_NOT_OVER)
    (asserts! (<= today (+ day WINDOW_DAYS)) ERR_WINDOW_CLOSED)
    (asserts! (is-eq wh (get wh row)) ERR_REVIEW_MISMATCH)
    (set-row asset-id day (merge row { state: STATE_VERIFIED }))
    (map-set totals asset-id
      (merge total { verified-wh: (+ (get verified-wh total) wh) })
    )
    (print {
      topic: "day-verified",
      version: u1,
      asset-id: asset-id,
      day: day,
      actor: contract-caller,
      mask: (get mask row),
      wh: wh,
      state: STATE_VERIFIED,
    })
    (ok true)
  )
)

(print {
  topic: "production-tracking-deployed",
  version: u1,
  recording-days: RECORDING_DAYS,
  window-days: WINDOW_DAYS,
  tolerance-percent: TOLERANCE_PERCENT,
})
