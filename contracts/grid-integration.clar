;; grid-integration: which assets feed into the grid, how much they may export, and what their meter counted.
;;
;; Connection: none | rejected -> requested (owner) -> connected | rejected (grid operator of the asset's region), or
;;             withdrawn (owner); connected <-> curtailed, islanded, disconnected (grid operator). A curtailed asset
;;             still feeds in. Whether the feed is metered is fixed at approval, for good.
;; Export:     a schedule of caps, each from a day on. A higher cap applies from the same day, a lower one from the
;;             next: the cap of a day is the largest that applied on it, final once the day is over. Islanded and
;;             disconnected assets export nothing.
;; Feed:       one row per (asset, day) of an approved connection: recorded (grid operator; may be replaced) -> verified
;;             (verifier, another principal), final. Both from the day's end until 45 days after it.
;; Deliverable of (asset, day), final once it is known: if the feed is metered, the lesser of verified production and
;; verified export, known once both are verified; otherwise, the lesser of verified production and 24 h at that day's
;; cap, known once the day is verified. Days before the approval have a cap of zero and deliver nothing.
;;
;; Units: power W, energy Wh, time unix seconds UTC, day = time / 86400.

;; Errors

(define-constant ERR_NOT_ASSET_OWNER (err u3001)) ;; the caller is not the asset's owner
(define-constant ERR_NOT_GRID_OPERATOR (err u3002)) ;; the caller is not a grid operator of the region
(define-constant ERR_ASSET_NOT_FOUND (err u3003)) ;; no asset has this id
(define-constant ERR_ASSET_NOT_VERIFIED (err u3004)) ;; the asset is not verified
(define-constant ERR_INVALID_EXPORT_LIMIT (err u3005)) ;; an export limit is 1 to 10^12 W
(define-constant ERR_CONNECTION_NOT_FOUND (err u3006)) ;; no connection was requested
(define-constant ERR_WRONG_CONNECTION_STATE (err u3007)) ;; not possible in the connection's current state
(define-constant ERR_UNKNOWN_STATUS (err u3008)) ;; a status is 3 to 6
(define-constant ERR_REVIEW_MISMATCH (err u3009)) ;; the reviewed values differ from the stored ones
(define-constant ERR_DAY_NOT_OVER (err u3010)) ;; the day has not ended
(define-constant ERR_WINDOW_CLOSED (err u3011)) ;; more than 45 days after the day
(define-constant ERR_FEED_FINAL (err u3012)) ;; the feed is verified
(define-constant ERR_IMPLAUSIBLE_FEED (err u3013)) ;; more than 10^15 Wh
(define-constant ERR_UNKNOWN_ALERT_LEVEL (err u3014)) ;; a level is 0 to 3
(define-constant ERR_DAY_BEFORE_CONNECTION (err u3015)) ;; the asset was not connected yet on that day
(define-constant ERR_NOT_VERIFIER (err u3016)) ;; the caller is not a verifier
(define-constant ERR_FEED_NOT_FOUND (err u3017)) ;; no feed is recorded for the day
(define-constant ERR_OWN_FEED (err u3018)) ;; nobody verifies a feed that they recorded
(define-constant ERR_OWN_ASSET (err u3019)) ;; nobody connects an asset that they own or operate
(define-constant ERR_TRANSFER_PROPOSED (err u3020)) ;; a transfer of the asset is proposed

;; Roles of asset-verification

(define-constant ROLE_VERIFIER u2)
(define-constant ROLE_GRID_OPERATOR u5)

;; States of assets and days in other contracts

(define-constant ASSET_VERIFIED u2)
(define-constant DAY_VERIFIED u3)
(define-constant DAY_REJECTED u4)

;; Connection states

(define-constant STATE_REQUESTED u1)
(define-constant STATE_REJECTED u2)
(define-constant STATE_CONNECTED u3)
(define-constant STATE_CURTAILED u4)
(define-constant STATE_ISLANDED u5)
(define-constant STATE_DISCONNECTED u6)

;; Alert levels: 0 none, 1 watch, 2 warning, 3 emergency

(define-constant MAX_ALERT_LEVEL u3)

;; Bounds and durations

(define-constant SECONDS_PER_DAY u86400)
(define-constant HOURS_PER_DAY u24)
;; A feed can be recorded and verified until the end of this many days after its day; production-tracking has the same
;; constant.
(define-constant WINDOW_DAYS u45)
(define-constant MAX_SCHEDULE u16)
(define-constant CAPS_PER_SPAN u64)
(define-constant CAP_SPANS (list u64 u4096 u262144)) ;; days
(define-constant MAX_EXPORT_LIMIT_W u1000000000000)
(define-constant MAX_DAY_WH u1000000000000000)

;; Data

;; `feed-metered` is false and `approved-day` zero until the approval.
(define-map connections
  uint
  {
    state: uint,
    region: (string-ascii 8),
    export-limit-w: uint,
    feed-metered: bool,
    approved-day: uint,
  }
)

(define-map feeds
  {
    asset-id: uint,
    day: uint,
  }
  {
    exported-wh: uint,
    imported-wh: uint,
    recorder: principal,
    verified: bool,
  }
)

;; The newest caps, sorted by day. Each cap applies until the next.
(define-map export-schedules
  uint
  (list 16 {
    from-day: uint,
    cap-w: uint,
  })
)

;; The caps that no longer fit into the schedule, kept so that the cap of a day never changes. Each is stored three
;; times, under the spans of 64, 64^2 and 64^3 days (700 years) that contain its first day. A row keeps the last cap of
;; each 64th of its span. A cap applies until the next; before the first one, the cap is zero.
(define-map former-caps
  {
    asset-id: uint,
    span: uint,
    index: uint,
  }
  (list 64 {
    from-day: uint,
    cap-w: uint,
  })
)

(define-map total-feeds
  uint
  {
    exported-wh: uint,
    imported-wh: uint,
  }
)

;; What grid operators announce for their regions; it has no effect on the contracts.
(define-map region-alerts
  (string-ascii 8)
  {
    level: uint,
    until: uint,
  }
)

;; Read-only

(define-read-only (get-connection (asset-id uint))
  (map-get? connections asset-id)
)

(define-read-only (get-connections (asset-ids (list 30 uint)))
  (map get-connection asset-ids)
)

;; Whether the asset is verified and its connection feeds in.
(define-read-only (is-connected (asset-id uint))
  (match (map-get? connections asset-id)
    connection (and
      (is-feeding (get state connection))
      (contract-call? .asset-verification is-verified asset-id)
    )
    false
  )
)

(define-read-only (get-feed
    (asset-id uint)
    (day uint)
  )
  (map-get? feeds {
    asset-id: asset-id,
    day: day,
  })
)

(define-read-only (get-feeds (keys (list 30 {
  asset-id: uint,
  day: uint,
})))
  (map get-feed-of keys)
)

(define-read-only (get-total-feed (asset-id uint))
  (default-to {
    exported-wh: u0,
    imported-wh: u0,
  }
    (map-get? total-feeds asset-id)
  )
)

;; The deliverable and retirable Wh of a day and its recorded slots, final once known; none until then. If there is a
;; verified feed, at most the export minus the import is retirable.
(define-read-only (get-delivery
    (asset-id uint)
    (day uint)
  )
  (match (contract-call? .production-tracking get-day asset-id day)
    row (if (is-eq (get state row) DAY_VERIFIED)
      (match (get-deliverable-of asset-id day (get wh row))
        deliverable (some {
          deliverable-wh: deliverable,
          retirable-wh: (match (get-verified-feed asset-id day)
            feed (min-of deliverable (minus-or-zero (get exported-wh feed) (get imported-wh feed)))
            deliverable
          ),
          mask: (get mask row),
        })
        none
      )
      none
    )
    none
  )
)

;; The deliverable Wh of a day, final once known; none until then.
(define-read-only (get-deliverable
    (asset-id uint)
    (day uint)
  )
  (match (contract-call? .production-tracking get-day asset-id day)
    row (get-deliverable-of-row asset-id day (get state row) (get wh row))
    none
  )
)

;; How much a day delivers of `wh` that were funded after `before-wh` others; none until that is known.
(define-read-only (get-delivered
    (asset-id uint)
    (day uint)
    (wh uint)
    (before-wh uint)
  )
  (match (get-deliverable asset-id day)
    deliverable (some (delivered-of wh before-wh deliverable))
    none
  )
)

;; Whether a day will never deliver anything: it was rejected, nothing is recorded for it and nothing can be any more,
;; or its window ended before the deliverable was known.
(define-read-only (is-undeliverable
    (asset-id uint)
    (day uint)
  )
  (match (contract-call? .production-tracking get-day asset-id day)
    row (or
      (is-eq (get state row) DAY_REJECTED)
      (and
        (is-window-over day)
        (is-none (get-deliverable-of-row asset-id day (get state row) (get wh row)))
      )
    )
    (or
      (is-window-over day)
      (contract-call? .asset-verification is-day-lost asset-id day)
    )
  )
)

;; The most W that an asset with an approved connection may export: the lesser of its capacity and its export limit.
(define-read-only (get-export-cap (asset-id uint))
  (match (get-market-terms asset-id)
    terms (if (get approved terms)
      (some (get cap-w terms))
      none
    )
    none
  )
)

;; The newest caps of an asset, at most sixteen; `get-cap-on` also finds older ones.
(define-read-only (get-export-schedule (asset-id uint))
  (default-to (list) (map-get? export-schedules asset-id))
)

;; The export cap of a day, in W; of a future day, as scheduled now.
(define-read-only (get-cap-on
    (asset-id uint)
    (day uint)
  )
  (match (cap-in (get-export-schedule asset-id) day)
    cap-w cap-w
    (default-to u0
      (get cap-w
        (fold find-former CAP_SPANS {
          asset-id: asset-id,
          day: day,
          cap-w: none,
        })
      ))
  )
)

;; Everything needed to make or take an offer of an asset's energy, in one call: the trading terms of
;; asset-verification, and whether and how much the asset may feed in.
(define-read-only (get-market-terms (asset-id uint))
  (match (contract-call? .asset-verification get-trading-terms asset-id)
    terms (match (map-get? connections asset-id)
      connection (some (merge terms {
        approved: (is-approved (get state connection)),
        connected: (is-feeding (get state connection)),
        approved-day: (get approved-day connection),
        cap-w: (min-of (get capacity-w terms) (get export-limit-w connection)),
      }))
      (some (merge terms {
        approved: false,
        connected: false,
        approved-day: u0,
        cap-w: u0,
      }))
    )
    none
  )
)

(define-read-only (get-region-alert (region (string-ascii 8)))
  (map-get? region-alerts region)
)

;; Public: connection

;; Owner of a verified asset: requests a connection, for the first time or after a rejection, or replaces a request that
;; is not decided yet. Prints "connection-requested".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NOT_ASSET_OWNER, ERR_ASSET_NOT_VERIFIED, ERR_TRANSFER_PROPOSED,
;; ERR_INVALID_EXPORT_LIMIT, ERR_WRONG_CONNECTION_STATE.
(define-public (request-connection
    (asset-id uint)
    (export-limit-w uint)
  )
  (let ((asset (unwrap! (contract-call? .asset-verification get-asset asset-id)
      ERR_ASSET_NOT_FOUND
    )))
    (asserts! (is-eq contract-caller (get owner asset)) ERR_NOT_ASSET_OWNER)
    (asserts! (is-eq (get state asset) ASSET_VERIFIED) ERR_ASSET_NOT_VERIFIED)
    (asserts! (is-none (get proposed-owner asset)) ERR_TRANSFER_PROPOSED)
    (asserts! (is-export-limit export-limit-w) ERR_INVALID_EXPORT_LIMIT)
    (asserts!
      (match (map-get? connections asset-id)
        connection (not (is-approved (get state connection)))
        true
      )
      ERR_WRONG_CONNECTION_STATE
    )
    (map-set connections asset-id {
      state: STATE_REQUESTED,
      region: (get region asset),
      export-limit-w: export-limit-w,
      feed-metered: false,
      approved-day: u0,
    })
    (print {
      topic: "connection-requested",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      region: (get region asset),
      export-limit-w: export-limit-w,
      state: STATE_REQUESTED,
    })
    (ok true)
  )
)

;; Owner: withdraws a request that is not decided yet. Prints "connection-withdrawn".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NOT_ASSET_OWNER, ERR_CONNECTION_NOT_FOUND, ERR_WRONG_CONNECTION_STATE.
(define-public (withdraw-request (asset-id uint))
  (let ((asset (unwrap! (contract-call? .asset-verification get-asset asset-id)
      ERR_ASSET_NOT_FOUND
    )))
    (asserts! (is-eq contract-caller (get owner asset)) ERR_NOT_ASSET_OWNER)
    (asserts!
      (is-eq STATE_REQUESTED
        (get state (unwrap! (map-get? connections asset-id) ERR_CONNECTION_NOT_FOUND))
      )
      ERR_WRONG_CONNECTION_STATE
    )
    (map-delete connections asset-id)
    (print {
      topic: "connection-withdrawn",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
    })
    (ok true)
  )
)

;; Grid operator of the region who neither owns nor operates the asset: connects it, from today on. `export-limit-w`
;; must equal the requested limit. `feed-metered` can never change again. Prints "connection-approved".
;; Errors: ERR_CONNECTION_NOT_FOUND, ERR_NOT_GRID_OPERATOR, ERR_ASSET_NOT_FOUND, ERR_OWN_ASSET, ERR_TRANSFER_PROPOSED,
;; ERR_WRONG_CONNECTION_STATE, ERR_REVIEW_MISMATCH.
(define-public (approve-connection
    (asset-id uint)
    (export-limit-w uint)
    (feed-metered bool)
  )
  (let (
      (connection (try! (get-for-operator asset-id)))
      (terms (unwrap! (contract-call? .asset-verification get-trading-terms asset-id)
        ERR_ASSET_NOT_FOUND
      ))
      (today (current-day))
      (schedule (list {
        from-day: today,
        cap-w: export-limit-w,
      }))
    )
    (asserts!
      (not (or
        (is-eq contract-caller (get owner terms))
        (is-eq (some contract-caller) (get operator terms))
      ))
      ERR_OWN_ASSET
    )
    (asserts! (not (get transfer-proposed terms)) ERR_TRANSFER_PROPOSED)
    (asserts! (is-eq (get state connection) STATE_REQUESTED) ERR_WRONG_CONNECTION_STATE)
    (asserts! (is-eq export-limit-w (get export-limit-w connection)) ERR_REVIEW_MISMATCH)
    (map-set connections asset-id
      (merge connection {
        state: STATE_CONNECTED,
        feed-metered: feed-metered,
        approved-day: today,
      })
    )
    (map-set export-schedules asset-id schedule)
    (print {
      topic: "connection-approved",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      export-limit-w: export-limit-w,
      feed-metered: feed-metered,
      approved-day: today,
      export-schedule: schedule,
      state: STATE_CONNECTED,
    })
    (ok true)
  )
)

;; Grid operator of the region: rejects a request. Prints "connection-rejected".
;; Errors: ERR_CONNECTION_NOT_FOUND, ERR_NOT_GRID_OPERATOR, ERR_WRONG_CONNECTION_STATE.
(define-public (reject-connection
    (asset-id uint)
    (reason (string-ascii 64))
  )
  (let ((connection (try! (get-for-operator asset-id))))
    (asserts! (is-eq (get state connection) STATE_REQUESTED) ERR_WRONG_CONNECTION_STATE)
    (map-set connections asset-id (merge connection { state: STATE_REJECTED }))
    (print {
      topic: "connection-rejected",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      reason: reason,
      state: STATE_REJECTED,
    })
    (ok true)
  )
)

;; Grid operator of the region: moves a connected asset to curtailed, islanded or disconnected, or back to connected. An
;; islanded or disconnected asset may export nothing from tomorrow on. Prints "connection-status-set".
;; Errors: ERR_CONNECTION_NOT_FOUND, ERR_NOT_GRID_OPERATOR, ERR_UNKNOWN_STATUS, ERR_WRONG_CONNECTION_STATE.
(define-public (set-status
    (asset-id uint)
    (status uint)
  )
  (let (
      (connection (try! (get-for-operator asset-id)))
      (state (get state connection))
    )
    (asserts! (is-approved status) ERR_UNKNOWN_STATUS)
    (asserts! (is-approved state) ERR_WRONG_CONNECTION_STATE)
    ;; Exactly one of the two states is connected.
    (asserts!
      (not (is-eq (is-eq state STATE_CONNECTED) (is-eq status STATE_CONNECTED)))
      ERR_WRONG_CONNECTION_STATE
    )
    (map-set connections asset-id (merge connection { state: status }))
    (print {
      topic: "connection-status-set",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      export-schedule: (schedule-cap asset-id (allowed-w status (get export-limit-w connection))),
      state: status,
    })
    (ok true)
  )
)

;; Grid operator of the region: sets the export limit of an approved connection, while no transfer is proposed. A higher
;; limit applies from today on, a lower one from tomorrow; making and taking offers is bound by it from now on.
;; Prints "export-limit-set".
;; Errors: ERR_CONNECTION_NOT_FOUND, ERR_NOT_GRID_OPERATOR, ERR_ASSET_NOT_FOUND, ERR_TRANSFER_PROPOSED,
;; ERR_WRONG_CONNECTION_STATE, ERR_INVALID_EXPORT_LIMIT.
(define-public (set-export-limit
    (asset-id uint)
    (export-limit-w uint)
  )
  (let (
      (connection (try! (get-for-operator asset-id)))
      (terms (unwrap! (contract-call? .asset-verification get-trading-terms asset-id)
        ERR_ASSET_NOT_FOUND
      ))
    )
    (asserts! (not (get transfer-proposed terms)) ERR_TRANSFER_PROPOSED)
    (asserts! (is-approved (get state connection)) ERR_WRONG_CONNECTION_STATE)
    (asserts! (is-export-limit export-limit-w) ERR_INVALID_EXPORT_LIMIT)
    (map-set connections asset-id (merge connection { export-limit-w: export-limit-w }))
    (print {
      topic: "export-limit-set",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      export-limit-w: export-limit-w,
      export-schedule: (schedule-cap asset-id (allowed-w (get state connection) export-limit-w)),
    })
    (ok true)
  )
)

;; Public: feed

;; Grid operator of the region: records the export and import of an asset with an approved connection on a day, from the
;; day of approval on. Possible once the day is over and until the window ends. Replaces an earlier feed until that is
;; verified. Prints "feed-recorded".
;; Errors: ERR_CONNECTION_NOT_FOUND, ERR_NOT_GRID_OPERATOR, ERR_WRONG_CONNECTION_STATE, ERR_IMPLAUSIBLE_FEED,
;; ERR_DAY_BEFORE_CONNECTION, ERR_DAY_NOT_OVER, ERR_WINDOW_CLOSED, ERR_FEED_FINAL.
(define-public (record-feed
    (asset-id uint)
    (day uint)
    (exported-wh uint)
    (imported-wh uint)
  )
  (record {
    asset-id: asset-id,
    day: day,
    exported-wh: exported-wh,
    imported-wh: imported-wh,
  }
    (is-grid-operator (get-region asset-id)) (current-day)
  )
)

;; Grid operator: `record-feed` for up to 100 asset-days in their regions. Returns one response per asset-day, in order.
;; Prints "feed-recorded" per feed recorded.
;; Errors: none; per feed, those of `record-feed`.
(define-public (record-feeds (feeds-read (list 100 {
  asset-id: uint,
  day: uint,
  exported-wh: uint,
  imported-wh: uint,
})))
  (ok (get answers (fold record-next feeds-read {
    operates: (contract-call? .asset-verification operates-regions contract-caller
      (map get-region-of feeds-read)
    ),
    today: (current-day),
    answers: (list),
  })))
)

;; Verifier who did not record the feed: verifies the feed of a day for good, until the window ends. Both energies must
;; equal the stored values. Prints "feed-verified".
;; Errors: ERR_NOT_VERIFIER, ERR_FEED_NOT_FOUND, ERR_OWN_FEED, ERR_FEED_FINAL, ERR_WINDOW_CLOSED, ERR_REVIEW_MISMATCH.
(define-public (verify-feed
    (asset-id uint)
    (day uint)
    (exported-wh uint)
    (imported-wh uint)
  )
  (begin
    (asserts! (is-verifier) ERR_NOT_VERIFIER)
    (verify {
      asset-id: asset-id,
      day: day,
      exported-wh: exported-wh,
      imported-wh: imported-wh,
    }
      (current-day)
    )
  )
)

;; Verifier: `verify-feed` for up to 100 asset-days. Returns one response per asset-day, in order. Prints
;; "feed-verified" per feed verified.
;; Errors: ERR_NOT_VERIFIER; per feed, those of `verify-feed`.
(define-public (verify-feeds (feeds-read (list 100 {
  asset-id: uint,
  day: uint,
  exported-wh: uint,
  imported-wh: uint,
})))
  (begin
    (asserts! (is-verifier) ERR_NOT_VERIFIER)
    (ok (get answers (fold verify-next feeds-read {
      today: (current-day),
      answers: (list),
    })))
  )
)

;; Public: alerts

;; Grid operator of the region: announces an alert level, valid until `until`. Prints "region-alert-set".
;; Errors: ERR_NOT_GRID_OPERATOR, ERR_UNKNOWN_ALERT_LEVEL.
(define-public (set-region-alert
    (region (string-ascii 8))
    (level uint)
    (until uint)
  )
  (begin
    (asserts! (is-grid-operator region) ERR_NOT_GRID_OPERATOR)
    (asserts! (<= level MAX_ALERT_LEVEL) ERR_UNKNOWN_ALERT_LEVEL)
    (map-set region-alerts region {
      level: level,
      until: until,
    })
    (print {
      topic: "region-alert-set",
      version: u1,
      actor: contract-caller,
      region: region,
      level: level,
      until: until,
    })
    (ok true)
  )
)

;; Private: numbers and roles

(define-private (current-day)
  (/ stacks-block-time SECONDS_PER_DAY)
)

(define-private (is-window-over (day uint))
  (let ((today (current-day)))
    (and (< day today) (> today (+ day WINDOW_DAYS)))
  )
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

;; a - b, or zero if b is more.
(define-private (minus-or-zero
    (a uint)
    (b uint)
  )
  (- a (min-of a b))
)

(define-private (is-verifier)
  (contract-call? .asset-verification has-role ROLE_VERIFIER contract-caller "")
)

(define-private (is-grid-operator (region (string-ascii 8)))
  (contract-call? .asset-verification has-role ROLE_GRID_OPERATOR contract-caller region)
)

;; The connection of an asset, if the caller is a grid operator of its region.
(define-private (get-for-operator (asset-id uint))
  (let ((connection (unwrap! (map-get? connections asset-id) ERR_CONNECTION_NOT_FOUND)))
    (asserts! (is-grid-operator (get region connection)) ERR_NOT_GRID_OPERATOR)
    (ok connection)
  )
)

;; Private: connections

(define-private (is-export-limit (export-limit-w uint))
  (and (>= export-limit-w u1) (<= export-limit-w MAX_EXPORT_LIMIT_W))
)

;; Connected, curtailed, islanded or disconnected. An approval is never taken back.
(define-private (is-approved (state uint))
  (and (>= state STATE_CONNECTED) (<= state STATE_DISCONNECTED))
)

(define-private (is-feeding (state uint))
  (or (is-eq state STATE_CONNECTED) (is-eq state STATE_CURTAILED))
)

;; The W that an asset in this state may export under a limit.
(define-private (allowed-w
    (state uint)
    (export-limit-w uint)
  )
  (if (is-feeding state)
    export-limit-w
    u0
  )
)

;; Private: the export schedule

;; Schedules `cap-w` as the export cap from now on, and returns the schedule. A higher cap applies to all of today, a
;; lower one from tomorrow on, so today keeps the largest cap that applied.
(define-private (schedule-cap
    (asset-id uint)
    (cap-w uint)
  )
  (let (
      (today (current-day))
      (from-day (if (>= cap-w (get-cap-on asset-id today))
        today
        (+ today u1)
      ))
      (kept (caps-before from-day (get-export-schedule asset-id)))
      (schedule (if (is-eq (some cap-w) (cap-in kept from-day))
        kept
        (append-cap asset-id kept {
          from-day: from-day,
          cap-w: cap-w,
        })
      ))
      (changed (unwrap! (as-max-len? schedule u16) (get-export-schedule asset-id)))
    )
    (map-set export-schedules asset-id changed)
    changed
  )
)

;; Appends an entry to a schedule. If the schedule is full, its oldest entry moves to the former caps.
(define-private (append-cap
    (asset-id uint)
    (schedule (list 64 {
      from-day: uint,
      cap-w: uint,
    }))
    (entry {
      from-day: uint,
      cap-w: uint,
    })
  )
  (let ((longer (append schedule entry)))
    (if (> (len longer) MAX_SCHEDULE)
      (begin
        (fold keep-former CAP_SPANS {
          asset-id: asset-id,
          entry: (default-to entry (element-at? longer u0)),
        })
        (default-to schedule (as-max-len? (default-to schedule (slice? longer u1 (len longer))) u64))
      )
      (default-to schedule (as-max-len? longer u64))
    )
  )
)

(define-private (keep-former
    (span uint)
    (former {
      asset-id: uint,
      entry: {
        from-day: uint,
        cap-w: uint,
      },
    })
  )
  (let (
      (entry (get entry former))
      (from-day (get from-day entry))
      (part (/ span CAPS_PER_SPAN))
      (key (former-key (get asset-id former) span from-day))
      (caps (caps-before (* (/ from-day part) part)
        (default-to (list) (map-get? former-caps key))
      ))
    )
    (map-set former-caps key (unwrap! (as-max-len? (append caps entry) u64) former))
    former
  )
)

;; Looks for the former cap of a day, from the shortest span around it to the longest.
(define-private (find-former
    (span uint)
    (found {
      asset-id: uint,
      day: uint,
      cap-w: (optional uint),
    })
  )
  (let ((day (get day found)))
    (if (is-some (get cap-w found))
      found
      (merge found { cap-w: (cap-in
        (default-to (list) (map-get? former-caps (former-key (get asset-id found) span day)))
        day
      ) })
    )
  )
)

(define-private (former-key
    (asset-id uint)
    (span uint)
    (day uint)
  )
  {
    asset-id: asset-id,
    span: span,
    index: (/ day span),
  }
)

;; The entries that begin before a day.
(define-private (caps-before
    (day uint)
    (caps (list 64 {
      from-day: uint,
      cap-w: uint,
    }))
  )
  (get kept
    (fold keep-before caps {
      day: day,
      kept: (list),
    })
  )
)

(define-private (keep-before
    (entry {
      from-day: uint,
      cap-w: uint,
    })
    (all {
      day: uint,
      kept: (list 64 {
        from-day: uint,
        cap-w: uint,
      }),
    })
  )
  (if (< (get from-day entry) (get day all))
    (merge all { kept: (unwrap! (as-max-len? (append (get kept all) entry) u64) all) })
    all
  )
)

;; The cap of a day among entries sorted by day; none if all of them begin later.
(define-private (cap-in
    (caps (list 64 {
      from-day: uint,
      cap-w: uint,
    }))
    (day uint)
  )
  (get cap-w
    (fold later-cap caps {
      day: day,
      cap-w: none,
    })
  )
)

(define-private (later-cap
    (entry {
      from-day: uint,
      cap-w: uint,
    })
    (found {
      day: uint,
      cap-w: (optional uint),
    })
  )
  (if (<= (get from-day entry) (get day found))
    (merge found { cap-w: (some (get cap-w entry)) })
    found
  )
)

;; Private: deliverables

;; First funded, first delivered: a fill gets what is left after all that was funded before it.
(define-private (delivered-of
    (wh uint)
    (before-wh uint)
    (deliverable uint)
  )
  (min-of wh (minus-or-zero deliverable before-wh))
)

(define-private (get-deliverable-of-row
    (asset-id uint)
    (day uint)
    (state uint)
    (verified-wh uint)
  )
  (if (is-eq state DAY_VERIFIED)
    (get-deliverable-of asset-id day verified-wh)
    none
  )
)

;; The deliverable of a verified day; none if its metered feed is not verified yet.
(define-private (get-deliverable-of
    (asset-id uint)
    (day uint)
    (verified-wh uint)
  )
  (if (is-feed-metered asset-id day)
    (match (get-verified-feed asset-id day)
      feed (some (min-of verified-wh (get exported-wh feed)))
      none
    )
    (some (min-of verified-wh (* (get-cap-on asset-id day) HOURS_PER_DAY)))
  )
)

;; Whether the feed is metered on a day, from the day of the approval on. These days cannot be verified before the
;; approval, so a known deliverable never changes.
(define-private (is-feed-metered
    (asset-id uint)
    (day uint)
  )
  (match (map-get? connections asset-id)
    connection (and (get feed-metered connection) (>= day (get approved-day connection)))
    false
  )
)

(define-private (get-verified-feed
    (asset-id uint)
    (day uint)
  )
  (match (get-feed asset-id day)
    feed (if (get verified feed)
      (some feed)
      none
    )
    none
  )
)

;; Private: feeds. Each feed is checked completely before it is written, so one that fails in a batch leaves no trace.

(define-private (get-feed-of (key {
  asset-id: uint,
  day: uint,
}))
  (map-get? feeds key)
)

;; The region of an asset's connection. Without a connection it is empty, and no grid operator has an empty region.
(define-private (get-region (asset-id uint))
  (default-to "" (get region (map-get? connections asset-id)))
)

(define-private (get-region-of (reading {
  asset-id: uint,
  day: uint,
  exported-wh: uint,
  imported-wh: uint,
}))
  (get-region (get asset-id reading))
)

(define-private (record-next
    (reading {
      asset-id: uint,
      day: uint,
      exported-wh: uint,
      imported-wh: uint,
    })
    (batch {
      operates: (list 100 bool),
      today: uint,
      answers: (list 100 (response bool uint)),
    })
  )
  (let (
      (operates (unwrap! (element-at? (get operates batch) (len (get answers batch))) batch))
      (answers (append (get answers batch) (record reading operates (get today batch))))
    )
    (merge batch { answers: (unwrap! (as-max-len? answers u100) batch) })
  )
)

(define-private (record
    (reading {
      asset-id: uint,
      day: uint,
      exported-wh: uint,
      imported-wh: uint,
    })
    (operates bool)
    (today uint)
  )
  (let (
      (asset-id (get asset-id reading))
      (day (get day reading))
      (exported-wh (get exported-wh reading))
      (imported-wh (get imported-wh reading))
      (connection (unwrap! (map-get? connections asset-id) ERR_CONNECTION_NOT_FOUND))
      (old-feed (get-feed asset-id day))
      (total (get-total-feed asset-id))
    )
    (asserts! operates ERR_NOT_GRID_OPERATOR)
    (asserts! (is-approved (get state connection)) ERR_WRONG_CONNECTION_STATE)
    (asserts! (and (<= exported-wh MAX_DAY_WH) (<= imported-wh MAX_DAY_WH))
      ERR_IMPLAUSIBLE_FEED
    )
    (asserts! (>= day (get approved-day connection)) ERR_DAY_BEFORE_CONNECTION)
    (asserts! (< day today) ERR_DAY_NOT_OVER)
    (asserts! (<= today (+ day WINDOW_DAYS)) ERR_WINDOW_CLOSED)
    (asserts! (not (default-to false (get verified old-feed))) ERR_FEED_FINAL)
    (map-set feeds {
      asset-id: asset-id,
      day: day,
    } {
      exported-wh: exported-wh,
      imported-wh: imported-wh,
      recorder: contract-caller,
      verified: false,
    })
    (map-set total-feeds asset-id {
      exported-wh: (- (+ (get exported-wh total) exported-wh) (default-to u0 (get exported-wh old-feed))),
      imported-wh: (- (+ (get imported-wh total) imported-wh) (default-to u0 (get imported-wh old-feed))),
    })
    (print (merge reading {
      topic: "feed-recorded",
      version: u1,
      actor: contract-caller,
      replaced: (is-some old-feed),
    }))
    (ok true)
  )
)

(define-private (verify-next
    (reading {
      asset-id: uint,
      day: uint,
      exported-wh: uint,
      imported-wh: uint,
    })
    (batch {
      today: uint,
      answers: (list 100 (response bool uint)),
    })
  )
  (let ((answers (append (get answers batch) (verify reading (get today batch)))))
    (merge batch { answers: (unwrap! (as-max-len? answers u100) batch) })
  )
)

(define-private (verify
    (reading {
      asset-id: uint,
      day: uint,
      exported-wh: uint,
      imported-wh: uint,
    })
    (today uint)
  )
  (let (
      (asset-id (get asset-id reading))
      (day (get day reading))
      (feed (unwrap! (get-feed asset-id day) ERR_FEED_NOT_FOUND))
    )
    (asserts! (not (is-eq contract-caller (get recorder feed))) ERR_OWN_FEED)
    (asserts! (not (get verified feed)) ERR_FEED_FINAL)
    (asserts! (<= today (+ day WINDOW_DAYS)) ERR_WINDOW_CLOSED)
    (asserts!
      (and
        (is-eq (get exported-wh reading) (get exported-wh feed))
        (is-eq (get imported-wh reading) (get imported-wh feed))
      )
      ERR_REVIEW_MISMATCH
    )
    (map-set feeds {
      asset-id: asset-id,
      day: day,
    }
      (merge feed { verified: true })
    )
    (print (merge reading {
      topic: "feed-verified",
      version: u1,
      actor: contract-caller,
    }))
    (ok true)
  )
)

(print {
  topic: "grid-integration-deployed",
  version: u1,
  window-days: WINDOW_DAYS,
})
