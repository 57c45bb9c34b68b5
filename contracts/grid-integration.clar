;; grid-integration: which assets feed into the grid, how much they may export, and what really passed the meter.
;;
;; Connection: none | rejected -> requested (owner) -> connected | rejected (grid operator of the asset's region);
;;             connected <-> curtailed, islanded, disconnected (grid operator). A curtailed asset still feeds in.
;;             Whether the feed is metered is fixed at approval, for good, and counts from the day of the approval on.
;; Feed:       one row per (asset, day), of days from the approval on; recorded from the day's end until 45 days after
;;             it; replaced until the day is verified, final from then on.
;; Deliverable of (asset, day), known once the day is verified: where the feed is metered on that day, the lesser of
;; verified and exported, and unknown before the feed is recorded; elsewhere what was verified. Of the days before the
;; approval, nothing was fed in: their energy can be retired, and never be sold.
;;
;; Units: power W, energy Wh, time unix seconds UTC, day = time / 86400.

;; Errors

(define-constant ERR_NOT_ASSET_OWNER (err u3001)) ;; only the asset's owner may
(define-constant ERR_NOT_GRID_OPERATOR (err u3002)) ;; only a grid operator of the region may
(define-constant ERR_ASSET_NOT_FOUND (err u3003)) ;; no asset has this id
(define-constant ERR_ASSET_NOT_VERIFIED (err u3004)) ;; the asset is not verified
(define-constant ERR_INVALID_EXPORT_LIMIT (err u3005)) ;; an export limit is 1 to 10^12 W
(define-constant ERR_CONNECTION_NOT_FOUND (err u3006)) ;; no connection was requested
(define-constant ERR_WRONG_CONNECTION_STATE (err u3007)) ;; not in this state of the connection
(define-constant ERR_UNKNOWN_STATUS (err u3008)) ;; a status is 3 to 6
(define-constant ERR_REVIEW_MISMATCH (err u3009)) ;; what was reviewed is not what is stored
(define-constant ERR_DAY_NOT_OVER (err u3010)) ;; the day has not ended
(define-constant ERR_WINDOW_CLOSED (err u3011)) ;; more than 45 days after the day
(define-constant ERR_FEED_FINAL (err u3012)) ;; recorded, and the day is verified
(define-constant ERR_IMPLAUSIBLE_FEED (err u3013)) ;; more than 10^15 Wh
(define-constant ERR_UNKNOWN_ALERT_LEVEL (err u3014)) ;; a level is 0 to 3
(define-constant ERR_DAY_BEFORE_CONNECTION (err u3015)) ;; the asset was not connected yet on that day

;; Roles of asset-verification

(define-constant ROLE_GRID_OPERATOR u5)

;; States of assets and days in other contracts

(define-constant ASSET_VERIFIED u2)
(define-constant DAY_VERIFIED u3)

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
(define-constant WINDOW_DAYS u45)
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
  }
)

(define-map total-feeds
  uint
  {
    exported-wh: uint,
    imported-wh: uint,
  }
)

;; What a grid operator tells its region; binds nothing.
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

(define-read-only (is-connected (asset-id uint))
  (match (map-get? connections asset-id)
    connection (is-feeding (get state connection))
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

(define-read-only (get-total-feed (asset-id uint))
  (default-to {
    exported-wh: u0,
    imported-wh: u0,
  }
    (map-get? total-feeds asset-id)
  )
)

;; The Wh that can be delivered from a day, once it is known; final then.
(define-read-only (get-deliverable
    (asset-id uint)
    (day uint)
  )
  (match (contract-call? .production-tracking get-day asset-id day)
    row (if (is-eq (get state row) DAY_VERIFIED)
      (if (is-feed-metered asset-id day)
        (match (get-feed asset-id day)
          feed (some (min-of (get wh row) (get exported-wh feed)))
          none
        )
        (some (get wh row))
      )
      none
    )
    none
  )
)

;; The most W that an asset with an approved connection may export: the lesser of its capacity and its export limit.
(define-read-only (get-export-cap (asset-id uint))
  (match (map-get? connections asset-id)
    connection (if (is-approved (get state connection))
      (some (min-of (get-capacity-w asset-id) (get export-limit-w connection)))
      none
    )
    none
  )
)

(define-read-only (get-region-alert (region (string-ascii 8)))
  (map-get? region-alerts region)
)

;; Public: connection

;; Owner of a verified asset: asks for a connection, for the first time or after a rejection.
;; Prints "connection-requested".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NOT_ASSET_OWNER, ERR_ASSET_NOT_VERIFIED, ERR_INVALID_EXPORT_LIMIT,
;; ERR_WRONG_CONNECTION_STATE.
(define-public (request-connection
    (asset-id uint)
    (export-limit-w uint)
  )
  (let ((asset (unwrap! (contract-call? .asset-verification get-asset asset-id)
      ERR_ASSET_NOT_FOUND
    )))
    (asserts! (is-eq contract-caller (get owner asset)) ERR_NOT_ASSET_OWNER)
    (asserts! (is-eq (get state asset) ASSET_VERIFIED) ERR_ASSET_NOT_VERIFIED)
    (asserts! (is-export-limit export-limit-w) ERR_INVALID_EXPORT_LIMIT)
    (asserts!
      (match (map-get? connections asset-id)
        connection (is-eq (get state connection) STATE_REJECTED)
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

;; Grid operator of the region: connects the asset; the export limit repeats what was reviewed. `feed-metered` can never
;; change again, and counts from today on: days before have a final deliverable already. Prints "connection-approved".
;; Errors: ERR_CONNECTION_NOT_FOUND, ERR_NOT_GRID_OPERATOR, ERR_WRONG_CONNECTION_STATE, ERR_REVIEW_MISMATCH.
(define-public (approve-connection
    (asset-id uint)
    (export-limit-w uint)
    (feed-metered bool)
  )
  (let (
      (connection (unwrap! (map-get? connections asset-id) ERR_CONNECTION_NOT_FOUND))
      (today (current-day))
    )
    (asserts! (is-grid-operator (get region connection)) ERR_NOT_GRID_OPERATOR)
    (asserts! (is-eq (get state connection) STATE_REQUESTED) ERR_WRONG_CONNECTION_STATE)
    (asserts! (is-eq export-limit-w (get export-limit-w connection)) ERR_REVIEW_MISMATCH)
    (map-set connections asset-id
      (merge connection {
        state: STATE_CONNECTED,
        feed-metered: feed-metered,
        approved-day: today,
      })
    )
    (print {
      topic: "connection-approved",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      export-limit-w: export-limit-w,
      feed-metered: feed-metered,
      approved-day: today,
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
  (let ((connection (unwrap! (map-get? connections asset-id) ERR_CONNECTION_NOT_FOUND)))
    (asserts! (is-grid-operator (get region connection)) ERR_NOT_GRID_OPERATOR)
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

;; Grid operator of the region: moves a connected asset to curtailed, islanded or disconnected, or back to connected.
;; Prints "connection-status-set".
;; Errors: ERR_CONNECTION_NOT_FOUND, ERR_NOT_GRID_OPERATOR, ERR_UNKNOWN_STATUS, ERR_WRONG_CONNECTION_STATE.
(define-public (set-status
    (asset-id uint)
    (status uint)
  )
  (let (
      (connection (unwrap! (map-get? connections asset-id) ERR_CONNECTION_NOT_FOUND))
      (state (get state connection))
    )
    (asserts! (is-grid-operator (get region connection)) ERR_NOT_GRID_OPERATOR)
    (asserts! (is-approved status) ERR_UNKNOWN_STATUS)
    (asserts! (is-approved state) ERR_WRONG_CONNECTION_STATE)
    ;; One of the two is connected, and only one.
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
      state: status,
    })
    (ok true)
  )
)

;; Grid operator of the region: sets the export limit of an approved connection, for offers made from now on.
;; Prints "export-limit-set".
;; Errors: ERR_CONNECTION_NOT_FOUND, ERR_NOT_GRID_OPERATOR, ERR_WRONG_CONNECTION_STATE, ERR_INVALID_EXPORT_LIMIT.
(define-public (set-export-limit
    (asset-id uint)
    (export-limit-w uint)
  )
  (let ((connection (unwrap! (map-get? connections asset-id) ERR_CONNECTION_NOT_FOUND)))
    (asserts! (is-grid-operator (get region connection)) ERR_NOT_GRID_OPERATOR)
    (asserts! (is-approved (get state connection)) ERR_WRONG_CONNECTION_STATE)
    (asserts! (is-export-limit export-limit-w) ERR_INVALID_EXPORT_LIMIT)
    (map-set connections asset-id (merge connection { export-limit-w: export-limit-w }))
    (print {
      topic: "export-limit-set",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      export-limit-w: export-limit-w,
    })
    (ok true)
  )
)

;; Public: feed

;; Grid operator of the region: records what an asset with an approved connection exported and imported on a day, of
;; those from the approval on, once the day is over and until the window ends. Replaces an earlier feed until the day is
;; verified. Prints "feed-recorded".
;; Errors: ERR_CONNECTION_NOT_FOUND, ERR_NOT_GRID_OPERATOR, ERR_WRONG_CONNECTION_STATE, ERR_IMPLAUSIBLE_FEED,
;; ERR_DAY_BEFORE_CONNECTION, ERR_DAY_NOT_OVER, ERR_WINDOW_CLOSED, ERR_FEED_FINAL.
(define-public (record-feed
    (asset-id uint)
    (day uint)
    (exported-wh uint)
    (imported-wh uint)
  )
  (let (
      (connection (unwrap! (map-get? connections asset-id) ERR_CONNECTION_NOT_FOUND))
      (today (current-day))
      (old-feed (get-feed asset-id day))
      (old-exported-wh (default-to u0 (get exported-wh old-feed)))
      (old-imported-wh (default-to u0 (get imported-wh old-feed)))
      (total (get-total-feed asset-id))
    )
    (asserts! (is-grid-operator (get region connection)) ERR_NOT_GRID_OPERATOR)
    (asserts! (is-approved (get state connection)) ERR_WRONG_CONNECTION_STATE)
    (asserts! (and (<= exported-wh MAX_DAY_WH) (<= imported-wh MAX_DAY_WH))
      ERR_IMPLAUSIBLE_FEED
    )
    (asserts! (>= day (get approved-day connection)) ERR_DAY_BEFORE_CONNECTION)
    (asserts! (< day today) ERR_DAY_NOT_OVER)
    (asserts! (<= today (+ day WINDOW_DAYS)) ERR_WINDOW_CLOSED)
    (asserts! (or (is-none old-feed) (not (is-day-verified asset-id day))) ERR_FEED_FINAL)
    (map-set feeds {
      asset-id: asset-id,
      day: day,
    } {
      exported-wh: exported-wh,
      imported-wh: imported-wh,
    })
    (map-set total-feeds asset-id {
      exported-wh: (- (+ (get exported-wh total) exported-wh) old-exported-wh),
      imported-wh: (- (+ (get imported-wh total) imported-wh) old-imported-wh),
    })
    (print {
      topic: "feed-recorded",
      version: u1,
      asset-id: asset-id,
      day: day,
      actor: contract-caller,
      exported-wh: exported-wh,
      imported-wh: imported-wh,
      replaced: (is-some old-feed),
    })
    (ok true)
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

;; Private

(define-private (current-day)
  (/ stacks-block-time SECONDS_PER_DAY)
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

;; Of an asset that exists.
(define-private (get-capacity-w (asset-id uint))
  (default-to u0 (get capacity-w (contract-call? .asset-verification get-asset asset-id)))
)

(define-private (is-grid-operator (region (string-ascii 8)))
  (contract-call? .asset-verification has-role ROLE_GRID_OPERATOR contract-caller region)
)

(define-private (is-export-limit (export-limit-w uint))
  (and (>= export-limit-w u1) (<= export-limit-w MAX_EXPORT_LIMIT_W))
)

;; Connected, curtailed, islanded or disconnected: approved once, and never unapproved.
(define-private (is-approved (state uint))
  (and (>= state STATE_CONNECTED) (<= state STATE_DISCONNECTED))
)

(define-private (is-feeding (state uint))
  (or (is-eq state STATE_CONNECTED) (is-eq state STATE_CURTAILED))
)

;; From the day of the approval on: none of these days can be verified before the approval, so that what a day can
;; deliver never changes once it is known.
(define-private (is-feed-metered
    (asset-id uint)
    (day uint)
  )
  (match (map-get? connections asset-id)
    connection (and (get feed-metered connection) (>= day (get approved-day connection)))
    false
  )
)

(define-private (is-day-verified
    (asset-id uint)
    (day uint)
  )
  (match (contract-call? .production-tracking get-day asset-id day)
    row (is-eq (get state row) DAY_VERIFIED)
    false
  )
)

(print {
  topic: "grid-integration-deployed",
  version: u1,
  window-days: WINDOW_DAYS,
})
