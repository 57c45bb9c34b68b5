;; production-tracking: what each asset produced, slot by slot, and whether it is verified.
;;
;; One row per (asset, day): a bit mask of the slots recorded (slot 0 is the lowest bit; 96, 48 or 24 slots a day) and
;; their energy in Wh. A slot is recorded at most once, whoever records it. On a day with a device key, only readings
;; that it signed are recorded; on other days an oracle records, also from a Merkle root that it anchored before.
;;
;; Day:  open -> recorded (device signature, oracle) -> verified | rejected (verifier);
;;       recorded -> disputed (verifier, arbiter) -> verified | rejected (arbiter);
;;       open -> rejected (verifier), once nothing can be recorded any more.
;;       Verified and rejected are final: no slot or adjustment can follow. A decision fails if the day has changed.
;;
;; Times: a slot is recorded from its end until 30 days after the day, a day verified from its end until 45 days after.
;; Units: energy Wh, time unix seconds UTC, day = time / 86400.

;; Errors

(define-constant ERR_NOT_ORACLE (err u2001)) ;; the caller is not an oracle
(define-constant ERR_NOT_VERIFIER (err u2002)) ;; the caller is not a verifier
(define-constant ERR_NOT_ARBITER (err u2003)) ;; the day is disputed, and the caller is not an arbiter
(define-constant ERR_NOT_VERIFIER_OR_ARBITER (err u2004)) ;; the caller is neither a verifier nor an arbiter
(define-constant ERR_ASSET_NOT_FOUND (err u2005)) ;; no asset has this id
(define-constant ERR_NOT_RECORDABLE (err u2006)) ;; the day is not between the asset's first and last day
(define-constant ERR_INVALID_SLOTS (err u2007)) ;; no slots, or a slot beyond the day
(define-constant ERR_SLOT_NOT_OVER (err u2008)) ;; a slot has not ended yet
(define-constant ERR_RECORDING_CLOSED (err u2009)) ;; more than 30 days after the day
(define-constant ERR_SLOT_ALREADY_RECORDED (err u2010)) ;; a slot is already recorded
(define-constant ERR_IMPLAUSIBLE_ENERGY (err u2011)) ;; more than the slots can yield
(define-constant ERR_DEVICE_MUST_SIGN (err u2012)) ;; a device key is bound for that day
(define-constant ERR_NO_DEVICE_KEY (err u2013)) ;; no device key is bound for that day
(define-constant ERR_INVALID_SIGNATURE (err u2014)) ;; not the bound device key's signature over these readings
(define-constant ERR_DAY_NOT_RECORDED (err u2015)) ;; nothing is recorded for the day
(define-constant ERR_DAY_FINAL (err u2016)) ;; the day is verified or rejected
(define-constant ERR_DAY_DISPUTED (err u2017)) ;; the day is disputed
(define-constant ERR_DAY_NOT_OVER (err u2018)) ;; the day has not ended
(define-constant ERR_WINDOW_CLOSED (err u2019)) ;; more than 45 days after the day
(define-constant ERR_REVIEW_MISMATCH (err u2020)) ;; the reviewed values differ from the stored ones
(define-constant ERR_INVALID_ADJUSTMENT (err u2021)) ;; the energy would stay the same
(define-constant ERR_DAY_STILL_OPEN (err u2022)) ;; nothing is recorded, but still can be
(define-constant ERR_ROOT_NOT_FOUND (err u2023)) ;; no root has this id
(define-constant ERR_INVALID_ROOT (err u2024)) ;; not 32 bytes, or leaves, energy or days out of bounds
(define-constant ERR_NOT_ANCHORING_ORACLE (err u2025)) ;; another oracle anchored the root
(define-constant ERR_LEAF_NOT_IN_ROOT (err u2026)) ;; the path does not lead to the root, or the day is not covered

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
;; A day can be recorded until the end of this many days after it; asset-verification has the same constant.
(define-constant RECORDING_DAYS u30)
;; A day and its feed can be verified until the end of this many days after it. grid-integration has the same constant;
;; asset-verification requires one day more between two changes of capacity or key.
(define-constant WINDOW_DAYS u45)
;; A meter may exceed the rated capacity by 10 %.
(define-constant TOLERANCE_PERCENT u110)
(define-constant MAX_SLOTS u96)
;; More than any capacity can yield in a day; keeps every sum far from an overflow.
(define-constant MAX_DAY_WH u1000000000000000)
(define-constant MAX_LEAVES u16777216)
(define-constant CURVE_P256 u2)

;; What a device signs is a SIP-018 hash under the domain of asset-verification.
(define-constant SIGNING_PREFIX (contract-call? .asset-verification get-signing-prefix))

;; Prefixes in a Merkle tree, so that no node can pass for a leaf.
(define-constant LEAF_PREFIX 0x00)
(define-constant NODE_PREFIX 0x01)

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

;; Wh of an asset over all days: recorded (with adjustments, and including rejected days), and verified.
(define-map totals
  uint
  {
    recorded-wh: uint,
    verified-wh: uint,
  }
)

;; The roots of Merkle trees over meter-days that oracles have anchored. A root records no production; claiming its
;; leaves does.
(define-data-var root-count uint u0)
(define-map roots
  uint
  {
    oracle: principal,
    root: (buff 32),
    leaves: uint,
    total-wh: uint,
    from-day: uint,
    to-day: uint,
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

;; The hash that a meter signs for the readings `whs` of the slots from `start` on.
(define-read-only (get-reading-hash
    (asset-id uint)
    (day uint)
    (key-epoch uint)
    (start uint)
    (whs (list 96 uint))
  )
  (sha256 (concat SIGNING_PREFIX
    (sha256 (default-to 0x
      (to-consensus-buff? {
        asset-id: asset-id,
        contract: current-contract,
        day: day,
        key-epoch: key-epoch,
        start: start,
        whs: whs,
      })
    ))
  ))
)

(define-read-only (get-root (root-id uint))
  (map-get? roots root-id)
)

(define-read-only (get-root-count)
  (var-get root-count)
)

(define-read-only (get-leaf-hash (leaf {
  asset-id: uint,
  day: uint,
  mask: uint,
  wh: uint,
  whs-hash: (buff 32),
}))
  (sha256 (concat LEAF_PREFIX (default-to 0x (to-consensus-buff? leaf))))
)

;; Whether the path leads from the leaf to the root; `left` is true if the sibling is on the left.
(define-read-only (verify-leaf
    (root-id uint)
    (leaf {
      asset-id: uint,
      day: uint,
      mask: uint,
      wh: uint,
      whs-hash: (buff 32),
    })
    (path (list 24 {
      left: bool,
      hash: (buff 32),
    }))
  )
  (match (map-get? roots root-id)
    anchored (is-eq (get root anchored) (root-of leaf path))
    false
  )
)

;; Public: recording

;; Oracle: records the energy of all slots in `mask` together, on a day without a device key.
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
      (contract-call? .asset-verification get-recording-right asset-id day) {
      now: stacks-block-time,
      root-id: none,
    })
  )
)

;; Oracle: `record-production` for up to 200 asset-days. Returns one response per asset-day, in order. Prints
;; "production-recorded" per asset-day recorded.
;; Errors: ERR_NOT_ORACLE; per asset-day, those of `record-production`.
(define-public (record-batch (items (list 200 {
  asset-id: uint,
  day: uint,
  mask: uint,
  wh: uint,
})))
  (let ((keys (map get-key items)))
    (asserts! (has-role ROLE_ORACLE) ERR_NOT_ORACLE)
    (ok (map record-by-oracle items
      (contract-call? .asset-verification get-recording-rights keys) (get-stamps keys)
    ))
  )
)

;; Anyone: records readings that the asset's meter has signed, for the slots from `start` on. The signature is r and s.
;; Prints "production-recorded".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NO_DEVICE_KEY, ERR_INVALID_SLOTS, ERR_INVALID_SIGNATURE, those of `record-slots`.
(define-public (record-day
    (asset-id uint)
    (day uint)
    (start uint)
    (whs (list 96 uint))
    (signature (buff 64))
  )
  (record-signed {
    asset-id: asset-id,
    day: day,
    start: start,
    whs: whs,
    signature: signature,
  }
    (contract-call? .asset-verification get-recording-right asset-id day) {
    now: stacks-block-time,
    root-id: none,
  })
)

;; Anyone: `record-day` for up to 20 days, of any meters. Returns one response per day, in order. Prints
;; "production-recorded" per day recorded.
;; Errors: none; per day, those of `record-day`.
(define-public (record-days (readings (list 20 {
  asset-id: uint,
  day: uint,
  start: uint,
  whs: (list 96 uint),
  signature: (buff 64),
})))
  (let ((keys (map get-key-of-readings readings)))
    (ok (map record-signed readings
      (contract-call? .asset-verification get-recording-rights keys) (get-stamps keys)
    ))
  )
)

;; Public: Merkle roots

;; Oracle: anchors the root of a Merkle tree over up to 2^24 meter-days between `from-day` and `to-day`, with `total-wh`
;; in all. Records no production. Returns the root's id. Prints "root-anchored".
;; Errors: ERR_NOT_ORACLE, ERR_INVALID_ROOT.
(define-public (anchor-root
    (root (buff 32))
    (leaves uint)
    (total-wh uint)
    (from-day uint)
    (to-day uint)
  )
  (let ((root-id (+ (var-get root-count) u1)))
    (asserts! (has-role ROLE_ORACLE) ERR_NOT_ORACLE)
    (asserts! (is-eq (len root) u32) ERR_INVALID_ROOT)
    (asserts! (and (>= leaves u1) (<= leaves MAX_LEAVES)) ERR_INVALID_ROOT)
    (asserts! (<= total-wh (* leaves MAX_DAY_WH)) ERR_INVALID_ROOT)
    (asserts! (<= from-day to-day) ERR_INVALID_ROOT)
    (map-set roots root-id {
      oracle: contract-caller,
      root: root,
      leaves: leaves,
      total-wh: total-wh,
      from-day: from-day,
      to-day: to-day,
    })
    (var-set root-count root-id)
    (print {
      topic: "root-anchored",
      version: u1,
      root-id: root-id,
      actor: contract-caller,
      oracle: contract-caller,
      root: root,
      leaves: leaves,
      total-wh: total-wh,
      from-day: from-day,
      to-day: to-day,
    })
    (ok root-id)
  )
)

;; The oracle that anchored the root: records the meter-day of one of its leaves, as `record-production` would.
;; Prints "production-recorded".
;; Errors: ERR_NOT_ORACLE, ERR_ROOT_NOT_FOUND, ERR_NOT_ANCHORING_ORACLE, ERR_LEAF_NOT_IN_ROOT, and those of
;; `record-production`.
(define-public (claim-leaf
    (root-id uint)
    (leaf {
      asset-id: uint,
      day: uint,
      mask: uint,
      wh: uint,
      whs-hash: (buff 32),
    })
    (path (list 24 {
      left: bool,
      hash: (buff 32),
    }))
  )
  (let (
      (asset-id (get asset-id leaf))
      (day (get day leaf))
    )
    (asserts! (has-role ROLE_ORACLE) ERR_NOT_ORACLE)
    (let ((anchored (unwrap! (map-get? roots root-id) ERR_ROOT_NOT_FOUND)))
      (asserts! (is-eq contract-caller (get oracle anchored)) ERR_NOT_ANCHORING_ORACLE)
      (asserts! (and (>= day (get from-day anchored)) (<= day (get to-day anchored)))
        ERR_LEAF_NOT_IN_ROOT
      )
      (asserts! (is-eq (get root anchored) (root-of leaf path)) ERR_LEAF_NOT_IN_ROOT)
      (record-by-oracle {
        asset-id: asset-id,
        day: day,
        mask: (get mask leaf),
        wh: (get wh leaf),
      }
        (contract-call? .asset-verification get-recording-right asset-id day) {
        now: stacks-block-time,
        root-id: (some root-id),
      })
    )
  )
)

;; Public: review

;; Verifier, or an arbiter if the day is disputed: verifies a recorded day for good. `mask` and `wh` must equal the
;; stored values. Prints "day-verified".
;; Errors: ERR_NOT_VERIFIER_OR_ARBITER, ERR_DAY_NOT_RECORDED, ERR_DAY_FINAL, ERR_NOT_VERIFIER, ERR_NOT_ARBITER,
;; ERR_DAY_NOT_OVER, ERR_WINDOW_CLOSED, ERR_REVIEW_MISMATCH.
(define-public (verify-day
    (asset-id uint)
    (day uint)
    (mask uint)
    (wh uint)
  )
  (verify {
    asset-id: asset-id,
    day: day,
    mask: mask,
    wh: wh,
  }
    (try! (get-reviewer)) (current-day)
  )
)

;; Verifier or arbiter: `verify-day` for up to 100 days. Returns one response per day, in order. Prints "day-verified"
;; per day verified.
;; Errors: ERR_NOT_VERIFIER_OR_ARBITER; per day, those of `verify-day`.
(define-public (verify-days (items (list 100 {
  asset-id: uint,
  day: uint,
  mask: uint,
  wh: uint,
})))
  (let ((reviewer (try! (get-reviewer))))
    (ok (get answers (fold verify-next items {
      reviewer: reviewer,
      today: (current-day),
      answers: (list),
    })))
  )
)

;; Verifier, or an arbiter if the day is disputed: rejects a day for good once it is over. `mask` and `wh` must equal
;; the stored values, which are zero for an open day; an open day can be rejected once nothing can be recorded for it
;; any more. Prints "day-rejected".
;; Errors: ERR_NOT_VERIFIER_OR_ARBITER, ERR_ASSET_NOT_FOUND, ERR_DAY_FINAL, ERR_NOT_VERIFIER, ERR_NOT_ARBITER,
;; ERR_DAY_NOT_OVER, ERR_DAY_STILL_OPEN, ERR_REVIEW_MISMATCH.
(define-public (reject-day
    (asset-id uint)
    (day uint)
    (mask uint)
    (wh uint)
    (reason (string-ascii 64))
  )
  (let (
      (reviewer (try! (get-reviewer)))
      (right (unwrap!
        (contract-call? .asset-verification get-recording-right asset-id day)
        ERR_ASSET_NOT_FOUND
      ))
      (row (get-row asset-id day))
      (today (current-day))
    )
    (try! (check-decider reviewer (get state row)))
    (asserts! (< day today) ERR_DAY_NOT_OVER)
    (asserts!
      (or
        (not (is-eq (get state row) STATE_OPEN))
        (get lost right)
        (> today (+ day RECORDING_DAYS))
      )
      ERR_DAY_STILL_OPEN
    )
    (asserts! (is-reviewed row mask wh) ERR_REVIEW_MISMATCH)
    (set-row asset-id day (merge row { state: STATE_REJECTED }))
    (print {
      topic: "day-rejected",
      version: u1,
      asset-id: asset-id,
      day: day,
      actor: contract-caller,
      mask: mask,
      wh: wh,
      reason: reason,
      state: STATE_REJECTED,
    })
    (ok true)
  )
)

;; Verifier or arbiter: leaves the decision on a recorded day to an arbiter. Prints "day-disputed".
;; Errors: ERR_NOT_VERIFIER_OR_ARBITER, ERR_DAY_NOT_RECORDED, ERR_DAY_FINAL, ERR_DAY_DISPUTED.
(define-public (dispute-day
    (asset-id uint)
    (day uint)
    (reason (string-ascii 64))
  )
  (let (
      (reviewer (try! (get-reviewer)))
      (row (unwrap! (get-day asset-id day) ERR_DAY_NOT_RECORDED))
      (state (get state row))
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
      mask: (get mask row),
      wh: (get wh row),
      reason: reason,
      state: STATE_DISPUTED,
    })
    (ok true)
  )
)

;; Verifier, or an arbiter if the day is disputed: corrects the energy of a recorded day, up to what its slots can
;; yield, until the window ends. `wh-before` must equal the stored energy. Returns the new energy. Prints
;; "day-adjusted".
;; Errors: ERR_NOT_VERIFIER_OR_ARBITER, ERR_DAY_NOT_RECORDED, ERR_ASSET_NOT_FOUND, ERR_DAY_FINAL, ERR_NOT_VERIFIER,
;; ERR_NOT_ARBITER, ERR_WINDOW_CLOSED, ERR_REVIEW_MISMATCH, ERR_INVALID_ADJUSTMENT, ERR_IMPLAUSIBLE_ENERGY.
(define-public (adjust-day
    (asset-id uint)
    (day uint)
    (wh-before uint)
    (wh-after uint)
  )
  (let (
      (reviewer (try! (get-reviewer)))
      (row (unwrap! (get-day asset-id day) ERR_DAY_NOT_RECORDED))
      (right (unwrap!
        (contract-call? .asset-verification get-recording-right asset-id day)
        ERR_ASSET_NOT_FOUND
      ))
      (total (get-total-production asset-id))
    )
    (try! (check-decider reviewer (get state row)))
    (asserts! (<= (current-day) (+ day WINDOW_DAYS)) ERR_WINDOW_CLOSED)
    (asserts! (is-eq wh-before (get wh row)) ERR_REVIEW_MISMATCH)
    (asserts! (not (is-eq wh-after wh-before)) ERR_INVALID_ADJUSTMENT)
    (asserts!
      (<= wh-after
        (plausible-wh (get mask row) (get slot-seconds right) (get capacity-w right))
      )
      ERR_IMPLAUSIBLE_ENERGY
    )
    (set-row asset-id day (merge row { wh: wh-after }))
    (map-set totals asset-id
      (merge total { recorded-wh: (- (+ (get recorded-wh total) wh-after) wh-before) })
    )
    (print {
      topic: "day-adjusted",
      version: u1,
      asset-id: asset-id,
      day: day,
      actor: contract-caller,
      before-wh: wh-before,
      day-wh: wh-after,
      state: (get state row),
    })
    (ok wh-after)
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

;; The caller's review roles; an error if the caller has none.
(define-private (get-reviewer)
  (let ((reviewer (contract-call? .asset-verification get-review-roles contract-caller)))
    (asserts! (or (get verifier reviewer) (get arbiter reviewer)) ERR_NOT_VERIFIER_OR_ARBITER)
    (ok reviewer)
  )
)

;; An arbiter decides a disputed day, a verifier any other, and nobody a final one.
(define-private (check-decider
    (reviewer {
      verifier: bool,
      arbiter: bool,
    })
    (state uint)
  )
  (begin
    (asserts! (not (is-final state)) ERR_DAY_FINAL)
    (if (is-eq state STATE_DISPUTED)
      (asserts! (get arbiter reviewer) ERR_NOT_ARBITER)
      (asserts! (get verifier reviewer) ERR_NOT_VERIFIER)
    )
    (ok true)
  )
)

(define-private (is-reviewed
    (row {
      state: uint,
      mask: uint,
      wh: uint,
    })
    (mask uint)
    (wh uint)
  )
  (and (is-eq mask (get mask row)) (is-eq wh (get wh row)))
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

;; The asset and day of an item.
(define-private (get-key (item {
  asset-id: uint,
  day: uint,
  mask: uint,
  wh: uint,
}))
  {
    asset-id: (get asset-id item),
    day: (get day item),
  }
)

(define-private (get-key-of-readings (readings {
  asset-id: uint,
  day: uint,
  start: uint,
  whs: (list 96 uint),
  signature: (buff 64),
}))
  {
    asset-id: (get asset-id readings),
    day: (get day readings),
  }
)

;; A list with the same stamp for each item of a batch, since each look at the time costs a read. It must be as long as
;; the batch: `map` over an empty and a non-empty list aborts the call.
(define-private (get-stamps (keys (list 200 {
  asset-id: uint,
  day: uint,
})))
  (get stamps (fold repeat-stamp keys {
    now: stacks-block-time,
    stamps: (list),
  }))
)

(define-private (repeat-stamp
    (key {
      asset-id: uint,
      day: uint,
    })
    (all {
      now: uint,
      stamps: (list 200 {
        now: uint,
        root-id: (optional uint),
      }),
    })
  )
  (let ((stamps (append (get stamps all) {
      now: (get now all),
      root-id: none,
    })))
    (merge all { stamps: (unwrap! (as-max-len? stamps u200) all) })
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
      recordable: bool,
      lost: bool,
      slot-seconds: uint,
      capacity-w: uint,
      device-key: (optional {
        curve: uint,
        key: (buff 33),
      }),
      key-epoch: uint,
    }))
    (stamp {
      now: uint,
      root-id: (optional uint),
    })
  )
  (let ((right (unwrap! asset-right ERR_ASSET_NOT_FOUND)))
    (asserts! (is-none (get device-key right)) ERR_DEVICE_MUST_SIGN)
    (asserts! (get recordable right) ERR_NOT_RECORDABLE)
    (record-slots item (get slot-seconds right) (get capacity-w right) false stamp)
  )
)

(define-private (record-signed
    (readings {
      asset-id: uint,
      day: uint,
      start: uint,
      whs: (list 96 uint),
      signature: (buff 64),
    })
    (asset-right (optional {
      recordable: bool,
      lost: bool,
      slot-seconds: uint,
      capacity-w: uint,
      device-key: (optional {
        curve: uint,
        key: (buff 33),
      }),
      key-epoch: uint,
    }))
    (stamp {
      now: uint,
      root-id: (optional uint),
    })
  )
  (let (
      (right (unwrap! asset-right ERR_ASSET_NOT_FOUND))
      (device-key (unwrap! (get device-key right) ERR_NO_DEVICE_KEY))
      (asset-id (get asset-id readings))
      (day (get day readings))
      (start (get start readings))
      (whs (get whs readings))
      (count (len whs))
    )
    ;; Checked before the shift, which would drop bits, and before the power, which would overflow.
    (asserts! (and (< start MAX_SLOTS) (<= (+ start count) MAX_SLOTS)) ERR_INVALID_SLOTS)
    (asserts!
      (is-signed-by device-key
        (get-reading-hash asset-id day (get key-epoch right) start whs)
        (get signature readings)
      )
      ERR_INVALID_SIGNATURE
    )
    (asserts! (get recordable right) ERR_NOT_RECORDABLE)
    (record-slots {
      asset-id: asset-id,
      day: day,
      mask: (bit-shift-left (- (pow u2 count) u1) start),
      wh: (fold add-bounded whs u0),
    }
      (get slot-seconds right) (get capacity-w right) true stamp
    )
  )
)

(define-private (is-signed-by
    (device-key {
      curve: uint,
      key: (buff 33),
    })
    (hash (buff 32))
    (signature (buff 64))
  )
  (if (is-eq (get curve device-key) CURVE_P256)
    (secp256r1-verify hash signature (get key device-key))
    (secp256k1-verify hash signature (get key device-key))
  )
)

;; Adds the slots of `mask` and their energy to the day, signed or not. The item is checked completely before anything
;; is written, so one that fails in a batch leaves no trace.
;; Errors: ERR_NOT_RECORDABLE (checked by the callers), ERR_INVALID_SLOTS (no slots, or beyond the day),
;; ERR_SLOT_NOT_OVER, ERR_RECORDING_CLOSED, ERR_DAY_FINAL, ERR_SLOT_ALREADY_RECORDED, ERR_IMPLAUSIBLE_ENERGY.
(define-private (record-slots
    (item {
      asset-id: uint,
      day: uint,
      mask: uint,
      wh: uint,
    })
    (slot-seconds uint)
    (capacity-w uint)
    (signed bool)
    (stamp {
      now: uint,
      root-id: (optional uint),
    })
  )
  (let (
      (asset-id (get asset-id item))
      (day (get day item))
      (mask (get mask item))
      (wh (get wh item))
      (row (get-row asset-id day))
      (new-mask (bit-or (get mask row) mask))
      (limit (plausible-wh new-mask slot-seconds capacity-w))
      (total (get-total-production asset-id))
    )
    (try! (check-slots-over day mask slot-seconds (get now stamp)))
    (asserts! (not (is-final (get state row))) ERR_DAY_FINAL)
    (asserts! (is-eq (bit-and (get mask row) mask) u0) ERR_SLOT_ALREADY_RECORDED)
    ;; Checked alone first, since the sum could overflow.
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
      (print (merge item {
        topic: "production-recorded",
        version: u1,
        actor: contract-caller,
        signed: signed,
        root-id: (get root-id stamp),
        day-mask: new-mask,
        day-wh: day-wh,
        state: state,
      }))
      (ok true)
    )
  )
)

;; Checks that the slots belong to the day and have all ended, not too long ago.
(define-private (check-slots-over
    (day uint)
    (mask uint)
    (slot-seconds uint)
    (now uint)
  )
  (let ((today (/ now SECONDS_PER_DAY)))
    (asserts! (and (> mask u0) (< mask (pow u2 (/ SECONDS_PER_DAY slot-seconds))))
      ERR_INVALID_SLOTS
    )
    (asserts! (<= day today) ERR_SLOT_NOT_OVER)
    (asserts! (<= today (+ day RECORDING_DAYS)) ERR_RECORDING_CLOSED)
    ;; For today, the mask may only have the lowest bits: those of the slots that have ended.
    (asserts!
      (or
        (< day today)
        (< mask (pow u2 (/ (mod now SECONDS_PER_DAY) slot-seconds)))
      )
      ERR_SLOT_NOT_OVER
    )
    (ok true)
  )
)

;; The most that the slots of `mask` can yield, tolerance included.
(define-private (plausible-wh
    (mask uint)
    (slot-seconds uint)
    (capacity-w uint)
  )
  (/ (* (count-slots mask) capacity-w slot-seconds TOLERANCE_PERCENT)
    (* SECONDS_PER_HOUR u100)
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

;; A reading above the bound makes the sum implausible in any case; bounding each keeps the sum from overflowing.
(define-private (add-bounded
    (wh uint)
    (sum uint)
  )
  (+ sum (if (< wh MAX_DAY_WH)
    wh
    MAX_DAY_WH
  ))
)

;; Private: Merkle trees

(define-private (root-of
    (leaf {
      asset-id: uint,
      day: uint,
      mask: uint,
      wh: uint,
      whs-hash: (buff 32),
    })
    (path (list 24 {
      left: bool,
      hash: (buff 32),
    }))
  )
  (fold climb path (get-leaf-hash leaf))
)

;; One step from a node of a Merkle tree to the one above.
(define-private (climb
    (step {
      left: bool,
      hash: (buff 32),
    })
    (node (buff 32))
  )
  (sha256 (concat NODE_PREFIX
    (if (get left step)
      (concat (get hash step) node)
      (concat node (get hash step))
    )
  ))
)

;; Private: review

(define-private (verify-next
    (item {
      asset-id: uint,
      day: uint,
      mask: uint,
      wh: uint,
    })
    (batch {
      reviewer: {
        verifier: bool,
        arbiter: bool,
      },
      today: uint,
      answers: (list 100 (response bool uint)),
    })
  )
  (let ((answers (append (get answers batch) (verify item (get reviewer batch) (get today batch)))))
    (merge batch { answers: (unwrap! (as-max-len? answers u100) batch) })
  )
)

(define-private (verify
    (item {
      asset-id: uint,
      day: uint,
      mask: uint,
      wh: uint,
    })
    (reviewer {
      verifier: bool,
      arbiter: bool,
    })
    (today uint)
  )
  (let (
      (asset-id (get asset-id item))
      (day (get day item))
      (row (unwrap! (get-day asset-id day) ERR_DAY_NOT_RECORDED))
      (total (get-total-production asset-id))
    )
    (try! (check-decider reviewer (get state row)))
    (asserts! (< day today) ERR_DAY_NOT_OVER)
    (asserts! (<= today (+ day WINDOW_DAYS)) ERR_WINDOW_CLOSED)
    (asserts! (is-reviewed row (get mask item) (get wh item)) ERR_REVIEW_MISMATCH)
    (set-row asset-id day (merge row { state: STATE_VERIFIED }))
    (map-set totals asset-id
      (merge total { verified-wh: (+ (get verified-wh total) (get wh item)) })
    )
    (print (merge item {
      topic: "day-verified",
      version: u1,
      actor: contract-caller,
      state: STATE_VERIFIED,
    }))
    (ok true)
  )
)

(print {
  topic: "production-tracking-deployed",
  version: u1,
  recording-days: RECORDING_DAYS,
  window-days: WINDOW_DAYS,
  tolerance-percent: TOLERANCE_PERCENT,
  max-leaves: MAX_LEAVES,
})
