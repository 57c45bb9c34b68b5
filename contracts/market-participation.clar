;; market-participation: energy of a day offered for sale, taken, or retired; and the book that keeps it sold only once.
;;
;; Forward offers sell a day that has not begun, spot offers what is left of a verified day, of those since the asset's
;; connection was approved. The day book holds, per (asset, day), what is open, funded, sold and retired:
;;   forward-open + forward-funded           <= min(capacity, export limit) * 24 h
;;   spot-open + spot-sold + retired         <= D - min(forward-funded, D), D being what the day can deliver
;; First funded, first delivered: a forward fill remembers the Wh funded `before` it.
;;
;; Offer: pending (owner, operator) -> accepted (first fill, through settlement) -> completed (nothing open, every fill
;;        settled or refunded). What is still open can be rejected (named taker), cancelled (owner, operator) or expired
;;        (anyone, from `expires-at`, or at once when the asset's epoch is over); the offer takes that state only if it
;;        has no fill.
;; Retired energy (owner): what is left of a verified day, claimed for a beneficiary; never sold.
;;
;; Money is the business of settlement, which alone may fill and complete offers.
;; Units: energy Wh, price microSTX per kWh, time unix seconds UTC, day = time / 86400.

;; Errors

(define-constant ERR_NOT_SETTLEMENT (err u4001)) ;; only the settlement contract may
(define-constant ERR_NOT_SELLER (err u4002)) ;; only the asset's owner or operator may
(define-constant ERR_NOT_ASSET_OWNER (err u4003)) ;; only the asset's owner may
(define-constant ERR_NOT_TAKER (err u4004)) ;; the offer names another taker, or none
(define-constant ERR_PAUSED (err u4005)) ;; nothing is offered or accepted during a pause
(define-constant ERR_ASSET_NOT_FOUND (err u4006)) ;; no asset has this id
(define-constant ERR_ASSET_NOT_VERIFIED (err u4007)) ;; the asset is not verified
(define-constant ERR_TRANSFER_PROPOSED (err u4008)) ;; the asset is changing hands
(define-constant ERR_NOT_CONNECTED (err u4009)) ;; the asset is not connected to the grid
(define-constant ERR_INVALID_ENERGY (err u4010)) ;; energy is 1 to 10^15 Wh
(define-constant ERR_INVALID_PRICE (err u4011)) ;; a price is 1 to 10^15 microSTX per kWh
(define-constant ERR_BELOW_MIN_PRICE (err u4012)) ;; the operator must not sell below the owner's price
(define-constant ERR_INVALID_MIN_FILL (err u4013)) ;; zero, above the offer, or worth less than 1 microSTX
(define-constant ERR_INVALID_EXPIRY (err u4014)) ;; past, or after a forward day has begun
(define-constant ERR_DAY_TOO_FAR (err u4015)) ;; more than 366 days ahead
(define-constant ERR_DAY_NOT_DELIVERABLE (err u4016)) ;; the day is not verified, or its feed not recorded
(define-constant ERR_OVERSOLD (err u4017)) ;; more than there is left to sell
(define-constant ERR_OFFER_NOT_FOUND (err u4018)) ;; no offer has this id
(define-constant ERR_OFFER_CLOSED (err u4019)) ;; nothing is open any more
(define-constant ERR_OFFER_EXPIRED (err u4020)) ;; its time is over
(define-constant ERR_OFFER_NOT_EXPIRED (err u4021)) ;; neither its time nor its epoch is over
(define-constant ERR_EPOCH_OVER (err u4022)) ;; the asset's owner or operator changed since
(define-constant ERR_INVALID_FILL (err u4023)) ;; more than is open, or less than the smallest fill
(define-constant ERR_SELF_TRADE (err u4024)) ;; the buyer sells this energy
(define-constant ERR_DAY_BEFORE_CONNECTION (err u4025)) ;; the asset was not connected yet on that day

;; States of assets in asset-verification

(define-constant ASSET_VERIFIED u2)
(define-constant ASSET_RETIRED u5)

;; Connection states of grid-integration in which an asset feeds in

(define-constant CONNECTION_CONNECTED u3)
(define-constant CONNECTION_CURTAILED u4)

;; Offer states

(define-constant STATE_PENDING u1)
(define-constant STATE_ACCEPTED u2)
(define-constant STATE_COMPLETED u3)
(define-constant STATE_REJECTED u4)
(define-constant STATE_CANCELLED u5)
(define-constant STATE_EXPIRED u6)

;; Bounds and durations

(define-constant SECONDS_PER_DAY u86400)
(define-constant HOURS_PER_DAY u24)
(define-constant MAX_FORWARD_DAYS u366)
(define-constant MAX_WH u1000000000000000)
(define-constant MAX_PRICE u1000000000000000)
;; Price is per kWh, energy in Wh.
(define-constant WH_PER_KWH u1000)

;; Data

(define-data-var offer-count uint u0)

;; `seller` is the owner when the offer was made, who is paid; `maker` who made it for him. `fills` counts all fills,
;; `unsettled-fills` those whose payment is still locked.
(define-map offers
  uint
  {
    asset-id: uint,
    day: uint,
    spot: bool,
    seller: principal,
    maker: principal,
    wh: uint,
    open-wh: uint,
    price: uint,
    min-fill-wh: uint,
    expires-at: uint,
    taker: (optional principal),
    epoch: uint,
    state: uint,
    fills: uint,
    unsettled-fills: uint,
  }
)

;; The open sums belong to `epoch`: a newer epoch finds them zero.
(define-map day-books
  {
    asset-id: uint,
    day: uint,
  }
  {
    epoch: uint,
    forward-open-wh: uint,
    forward-funded-wh: uint,
    spot-open-wh: uint,
    spot-sold-wh: uint,
    retired-wh: uint,
  }
)

;; Read-only

(define-read-only (get-offer (offer-id uint))
  (map-get? offers offer-id)
)

(define-read-only (get-offers (offer-ids (list 30 uint)))
  (map get-offer offer-ids)
)

(define-read-only (get-offer-count)
  (var-get offer-count)
)

;; The book as the last write left it: where the asset's epoch is newer, the open sums count as zero.
(define-read-only (get-day-book
    (asset-id uint)
    (day uint)
  )
  (map-get? day-books {
    asset-id: asset-id,
    day: day,
  })
)

;; The Wh of a day that are left: of one that has not begun, 366 days ahead at most, within capacity and export limit; of
;; a verified one, what is neither offered, sold nor retired. Zero of any other. What else an offer needs is not looked
;; at: no pause, the states of asset and connection, no transfer under way. What is left of a day before the connection
;; can be retired only.
(define-read-only (get-available
    (asset-id uint)
    (day uint)
  )
  (match (contract-call? .asset-verification get-asset asset-id)
    asset (let (
        (book (current-book asset-id day (get epoch asset)))
        (today (current-day))
      )
      (if (> day today)
        (match (contract-call? .grid-integration get-export-cap asset-id)
          cap-w (if (<= day (+ today MAX_FORWARD_DAYS))
            (forward-room cap-w book)
            u0
          )
          u0
        )
        (match (contract-call? .grid-integration get-deliverable asset-id day)
          deliverable (spot-room deliverable book)
          u0
        )
      )
    )
    u0
  )
)

;; What `wh` of an offer cost now, and how much is ahead of them; none if the offer has not that much open.
(define-read-only (quote
    (offer-id uint)
    (wh uint)
  )
  (match (map-get? offers offer-id)
    offer (if (<= wh (get open-wh offer))
      (some {
        cost-ustx: (/ (+ (* wh (get price offer)) (- WH_PER_KWH u1)) WH_PER_KWH),
        before-wh: (if (get spot offer)
          u0
          (get forward-funded-wh
            (current-book (get asset-id offer) (get day offer) (get epoch offer))
          )
        ),
        open-wh: (get open-wh offer),
      })
      none
    )
    none
  )
)

;; Public: offers

;; Owner or operator of a verified, connected asset, unless paused: offers energy of a day that has not begun (forward)
;; or is verified (spot), of those since the connection was approved. The operator never below the owner's price.
;; Answers the offer's id. Prints "offer-created".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NOT_SELLER, ERR_PAUSED, ERR_ASSET_NOT_VERIFIED, ERR_TRANSFER_PROPOSED,
;; ERR_NOT_CONNECTED, ERR_INVALID_ENERGY, ERR_INVALID_PRICE, ERR_BELOW_MIN_PRICE, ERR_INVALID_MIN_FILL,
;; ERR_INVALID_EXPIRY, ERR_DAY_TOO_FAR, ERR_DAY_BEFORE_CONNECTION, ERR_DAY_NOT_DELIVERABLE, ERR_OVERSOLD.
(define-public (create-offer
    (asset-id uint)
    (day uint)
    (wh uint)
    (price uint)
    (min-fill-wh uint)
    (expires-at uint)
    (taker (optional principal))
  )
  (let (
      (offer-id (+ (var-get offer-count) u1))
      (terms (unwrap! (contract-call? .asset-verification get-trading-terms asset-id)
        ERR_ASSET_NOT_FOUND
      ))
      (connection (unwrap! (contract-call? .grid-integration get-connection asset-id)
        ERR_NOT_CONNECTED
      ))
      (owner (get owner terms))
      (epoch (get epoch terms))
      (book (current-book asset-id day epoch))
      (today (current-day))
      (spot (<= day today))
      (state STATE_PENDING)
    )
    (asserts!
      (or (is-eq contract-caller owner) (is-eq (some contract-caller) (get operator terms)))
      ERR_NOT_SELLER
    )
    (try! (check-tradable (get paused terms) (get verified terms) (get transfer-proposed terms)
      (get state connection)
    ))
    (asserts! (and (>= wh u1) (<= wh MAX_WH)) ERR_INVALID_ENERGY)
    (asserts! (and (>= price u1) (<= price MAX_PRICE)) ERR_INVALID_PRICE)
    (asserts! (or (is-eq contract-caller owner) (>= price (get min-price terms)))
      ERR_BELOW_MIN_PRICE
    )
    (asserts! (and (>= min-fill-wh u1) (<= min-fill-wh wh)) ERR_INVALID_MIN_FILL)
    ;; A fill worth less than a microSTX would round to nothing.
    (asserts! (>= (* min-fill-wh price) WH_PER_KWH) ERR_INVALID_MIN_FILL)
    (asserts! (> expires-at stacks-block-time) ERR_INVALID_EXPIRY)
    (asserts! (<= day (+ today MAX_FORWARD_DAYS)) ERR_DAY_TOO_FAR)
    ;; A day to come never is. What was made before the connection was not fed in; it may be retired.
    (asserts! (>= day (get approved-day connection)) ERR_DAY_BEFORE_CONNECTION)
    (asserts! (or spot (<= expires-at (* day SECONDS_PER_DAY))) ERR_INVALID_EXPIRY)
    (asserts!
      (<= wh (if spot
        (spot-room
          (unwrap! (contract-call? .grid-integration get-deliverable asset-id day)
            ERR_DAY_NOT_DELIVERABLE
          )
          book
        )
        (forward-room (min-of (get capacity-w terms) (get export-limit-w connection)) book)
      ))
      ERR_OVERSOLD
    )
    (map-set offers offer-id {
      asset-id: asset-id,
      day: day,
      spot: spot,
      seller: owner,
      maker: contract-caller,
      wh: wh,
      open-wh: wh,
      price: price,
      min-fill-wh: min-fill-wh,
      expires-at: expires-at,
      taker: taker,
      epoch: epoch,
      state: state,
      fills: u0,
      unsettled-fills: u0,
    })
    (var-set offer-count offer-id)
    (set-book asset-id day
      (if spot
        (merge book { spot-open-wh: (+ (get spot-open-wh book) wh) })
        (merge book { forward-open-wh: (+ (get forward-open-wh book) wh) })
      ))
    (print {
      topic: "offer-created",
      version: u1,
      offer-id: offer-id,
      asset-id: asset-id,
      day: day,
      actor: contract-caller,
      spot: spot,
      seller: owner,
      wh: wh,
      open-wh: wh,
      price: price,
      min-fill-wh: min-fill-wh,
      expires-at: expires-at,
      taker: taker,
      epoch: epoch,
      state: state,
    })
    (ok offer-id)
  )
)

;; Owner or operator: takes back what is open of an offer. Prints "offer-cancelled".
;; Errors: ERR_OFFER_NOT_FOUND, ERR_NOT_SELLER, ERR_OFFER_CLOSED.
(define-public (cancel-offer (offer-id uint))
  (let ((offer (unwrap! (map-get? offers offer-id) ERR_OFFER_NOT_FOUND)))
    (asserts!
      (contract-call? .asset-verification can-operate (get asset-id offer) contract-caller)
      ERR_NOT_SELLER
    )
    (close-offer offer-id STATE_CANCELLED "offer-cancelled")
  )
)

;; The taker that an offer names: declines what is open of it. Prints "offer-rejected".
;; Errors: ERR_OFFER_NOT_FOUND, ERR_NOT_TAKER, ERR_OFFER_CLOSED.
(define-public (reject-offer (offer-id uint))
  (let ((offer (unwrap! (map-get? offers offer-id) ERR_OFFER_NOT_FOUND)))
    (asserts! (is-eq (some contract-caller) (get taker offer)) ERR_NOT_TAKER)
    (close-offer offer-id STATE_REJECTED "offer-rejected")
  )
)

;; Anyone: closes what is open of an offer that has expired, or whose epoch is over. Prints "offer-expired".
;; Errors: ERR_OFFER_NOT_FOUND, ERR_OFFER_NOT_EXPIRED, ERR_OFFER_CLOSED.
(define-public (expire-offer (offer-id uint))
  (let ((offer (unwrap! (map-get? offers offer-id) ERR_OFFER_NOT_FOUND)))
    (asserts!
      (or
        (>= stacks-block-time (get expires-at offer))
        (is-epoch-over (get asset-id offer) (get epoch offer))
      )
      ERR_OFFER_NOT_EXPIRED
    )
    (close-offer offer-id STATE_EXPIRED "offer-expired")
  )
)

;; Settlement only, for `buyer`, who funds it in the same transaction: fills `wh` of an offer. A spot fill counts as
;; settled at once. Answers what settlement has to know of it. Prints "offer-accepted".
;; Errors: ERR_NOT_SETTLEMENT, ERR_OFFER_NOT_FOUND, ERR_ASSET_NOT_FOUND, ERR_NOT_CONNECTED, ERR_PAUSED,
;; ERR_ASSET_NOT_VERIFIED, ERR_TRANSFER_PROPOSED, ERR_OFFER_CLOSED, ERR_EPOCH_OVER, ERR_OFFER_EXPIRED, ERR_NOT_TAKER,
;; ERR_SELF_TRADE, ERR_INVALID_FILL.
(define-public (mark-accepted
    (offer-id uint)
    (wh uint)
    (buyer principal)
  )
  (let (
      (offer (unwrap! (map-get? offers offer-id) ERR_OFFER_NOT_FOUND))
      (asset-id (get asset-id offer))
      (day (get day offer))
      (spot (get spot offer))
      (open-wh (get open-wh offer))
      (terms (unwrap! (contract-call? .asset-verification get-trading-terms asset-id)
        ERR_ASSET_NOT_FOUND
      ))
      (connection (unwrap! (contract-call? .grid-integration get-connection asset-id)
        ERR_NOT_CONNECTED
      ))
      (book (current-book asset-id day (get epoch offer)))
      (before-wh (if spot
        u0
        (get forward-funded-wh book)
      ))
    )
    (asserts! (is-eq contract-caller .settlement) ERR_NOT_SETTLEMENT)
    (asserts! (> open-wh u0) ERR_OFFER_CLOSED)
    (try! (check-tradable (get paused terms) (get verified terms) (get transfer-proposed terms)
      (get state connection)
    ))
    (asserts! (is-eq (get epoch offer) (get epoch terms)) ERR_EPOCH_OVER)
    (asserts! (< stacks-block-time (get expires-at offer)) ERR_OFFER_EXPIRED)
    (asserts! (is-eq (default-to buyer (get taker offer)) buyer) ERR_NOT_TAKER)
    (asserts! (not (or (is-eq buyer (get seller offer)) (is-eq buyer (get maker offer))))
      ERR_SELF_TRADE
    )
    (asserts!
      (and
        (<= wh open-wh)
        (or (>= wh (get min-fill-wh offer)) (is-eq wh open-wh))
      )
      ERR_INVALID_FILL
    )
    (let (
        (left-wh (- open-wh wh))
        (unsettled (if spot
          (get unsettled-fills offer)
          (+ (get unsettled-fills offer) u1)
        ))
        (fills (+ (get fills offer) u1))
        (state (filled-state left-wh unsettled))
      )
      (map-set offers offer-id
        (merge offer {
          open-wh: left-wh,
          state: state,
          fills: fills,
          unsettled-fills: unsettled,
        })
      )
      (set-book asset-id day
        (if spot
          (merge book {
            spot-open-wh: (- (get spot-open-wh book) wh),
            spot-sold-wh: (+ (get spot-sold-wh book) wh),
          })
          (merge book {
            forward-open-wh: (- (get forward-open-wh book) wh),
            forward-funded-wh: (+ before-wh wh),
          })
        ))
      (print {
        topic: "offer-accepted",
        version: u1,
        offer-id: offer-id,
        asset-id: asset-id,
        day: day,
        actor: buyer,
        wh: wh,
        before-wh: before-wh,
        open-wh: left-wh,
        fills: fills,
        unsettled-fills: unsettled,
        state: state,
      })
      (ok {
        asset-id: asset-id,
        day: day,
        spot: spot,
        payee: (get seller offer),
        price: (get price offer),
        before-wh: before-wh,
      })
    )
  )
)

;; Settlement only, for `closer`, who called it: one fill of the offer is settled or refunded. Answers the offer's
;; state. Prints "offer-fill-closed".
;; Errors: ERR_NOT_SETTLEMENT, ERR_OFFER_NOT_FOUND.
(define-public (mark-completed
    (offer-id uint)
    (closer principal)
  )
  (let ((offer (unwrap! (map-get? offers offer-id) ERR_OFFER_NOT_FOUND)))
    (asserts! (is-eq contract-caller .settlement) ERR_NOT_SETTLEMENT)
    (let (
        (unsettled (- (get unsettled-fills offer) u1))
        (state (filled-state (get open-wh offer) unsettled))
      )
      (map-set offers offer-id
        (merge offer {
          state: state,
          unsettled-fills: unsettled,
        })
      )
      (print {
        topic: "offer-fill-closed",
        version: u1,
        offer-id: offer-id,
        asset-id: (get asset-id offer),
        day: (get day offer),
        actor: closer,
        open-wh: (get open-wh offer),
        unsettled-fills: unsettled,
        state: state,
      })
      (ok state)
    )
  )
)

;; Owner of an asset that is verified, or was when it was retired: claims energy of a verified day for a beneficiary; it
;; can never be sold. Prints "energy-retired".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NOT_ASSET_OWNER, ERR_ASSET_NOT_VERIFIED, ERR_TRANSFER_PROPOSED, ERR_INVALID_ENERGY,
;; ERR_DAY_NOT_DELIVERABLE, ERR_OVERSOLD.
(define-public (retire-energy
    (asset-id uint)
    (day uint)
    (wh uint)
    (beneficiary principal)
  )
  (let (
      (asset (unwrap! (contract-call? .asset-verification get-asset asset-id)
        ERR_ASSET_NOT_FOUND
      ))
      (deliverable (unwrap! (contract-call? .grid-integration get-deliverable asset-id day)
        ERR_DAY_NOT_DELIVERABLE
      ))
      (book (current-book asset-id day (get epoch asset)))
    )
    (asserts! (is-eq contract-caller (get owner asset)) ERR_NOT_ASSET_OWNER)
    ;; Retired without a last day, it was suspended, which retiring does not lift.
    (asserts!
      (or
        (is-eq (get state asset) ASSET_VERIFIED)
        (and (is-eq (get state asset) ASSET_RETIRED) (> (get retired-day asset) u0))
      )
      ERR_ASSET_NOT_VERIFIED
    )
    (asserts! (is-none (get proposed-owner asset)) ERR_TRANSFER_PROPOSED)
    (asserts! (> wh u0) ERR_INVALID_ENERGY)
    (asserts! (<= wh (spot-room deliverable book)) ERR_OVERSOLD)
    (set-book asset-id day (merge book { retired-wh: (+ (get retired-wh book) wh) }))
    (print {
      topic: "energy-retired",
      version: u1,
      asset-id: asset-id,
      day: day,
      actor: contract-caller,
      wh: wh,
      beneficiary: beneficiary,
      day-retired-wh: (+ (get retired-wh book) wh),
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

;; a - b, or zero where b is more.
(define-private (minus-or-zero
    (a uint)
    (b uint)
  )
  (- a (min-of a b))
)

;; What making and taking an offer both need: no pause, a verified asset that feeds in, no transfer under way.
(define-private (check-tradable
    (paused bool)
    (verified bool)
    (transfer-proposed bool)
    (connection-state uint)
  )
  (begin
    (asserts! (not paused) ERR_PAUSED)
    (asserts! verified ERR_ASSET_NOT_VERIFIED)
    (asserts! (not transfer-proposed) ERR_TRANSFER_PROPOSED)
    (asserts!
      (or
        (is-eq connection-state CONNECTION_CONNECTED)
        (is-eq connection-state CONNECTION_CURTAILED)
      )
      ERR_NOT_CONNECTED
    )
    (ok true)
  )
)

;; The book as it counts in `epoch`: the open sums of an older one are zero.
(define-private (current-book
    (asset-id uint)
    (day uint)
    (epoch uint)
  )
  (match (get-day-book asset-id day)
    book (if (< (get epoch book) epoch)
      (merge book {
        epoch: epoch,
        forward-open-wh: u0,
        spot-open-wh: u0,
      })
      book
    )
    {
      epoch: epoch,
      forward-open-wh: u0,
      forward-funded-wh: u0,
      spot-open-wh: u0,
      spot-sold-wh: u0,
      retired-wh: u0,
    }
  )
)

(define-private (set-book
    (asset-id uint)
    (day uint)
    (book {
      epoch: uint,
      forward-open-wh: uint,
      forward-funded-wh: uint,
      spot-open-wh: uint,
      spot-sold-wh: uint,
      retired-wh: uint,
    })
  )
  (map-set day-books {
    asset-id: asset-id,
    day: day,
  }
    book
  )
)

(define-private (forward-room
    (cap-w uint)
    (book {
      epoch: uint,
      forward-open-wh: uint,
      forward-funded-wh: uint,
      spot-open-wh: uint,
      spot-sold-wh: uint,
      retired-wh: uint,
    })
  )
  (minus-or-zero (* cap-w HOURS_PER_DAY)
    (+ (get forward-open-wh book) (get forward-funded-wh book))
  )
)

;; What was funded forward is served first, as far as it can be; the rest may be sold on the spot or retired.
(define-private (spot-room
    (deliverable uint)
    (book {
      epoch: uint,
      forward-open-wh: uint,
      forward-funded-wh: uint,
      spot-open-wh: uint,
      spot-sold-wh: uint,
      retired-wh: uint,
    })
  )
  (minus-or-zero (minus-or-zero deliverable (get forward-funded-wh book))
    (+ (get spot-open-wh book) (get spot-sold-wh book) (get retired-wh book))
  )
)

;; An offer with fills is completed once nothing is open and no payment locked.
(define-private (filled-state
    (open-wh uint)
    (unsettled-fills uint)
  )
  (if (and (is-eq open-wh u0) (is-eq unsettled-fills u0))
    STATE_COMPLETED
    STATE_ACCEPTED
  )
)

;; Whether the epoch of an offer has passed; its asset exists.
(define-private (is-epoch-over
    (asset-id uint)
    (epoch uint)
  )
  (< epoch
    (default-to u0 (get epoch (contract-call? .asset-verification get-asset asset-id)))
  )
)

;; Closes what is open of an offer and gives the energy back to the book. An offer of an older epoch than the book's has
;; nothing in it any more.
(define-private (close-offer
    (offer-id uint)
    (end-state uint)
    (topic (string-ascii 16))
  )
  (let (
      (offer (unwrap! (map-get? offers offer-id) ERR_OFFER_NOT_FOUND))
      (asset-id (get asset-id offer))
      (day (get day offer))
      (open-wh (get open-wh offer))
      (book (current-book asset-id day (get epoch offer)))
      (state (if (is-eq (get fills offer) u0)
        end-state
        (filled-state u0 (get unsettled-fills offer))
      ))
    )
    (asserts! (> open-wh u0) ERR_OFFER_CLOSED)
    (map-set offers offer-id
      (merge offer {
        open-wh: u0,
        state: state,
      })
    )
    (and
      (is-eq (get epoch book) (get epoch offer))
      (set-book asset-id day
        (if (get spot offer)
          (merge book { spot-open-wh: (- (get spot-open-wh book) open-wh) })
          (merge book { forward-open-wh: (- (get forward-open-wh book) open-wh) })
        ))
    )
    (print {
      topic: topic,
      version: u1,
      offer-id: offer-id,
      asset-id: asset-id,
      day: day,
      actor: contract-caller,
      closed-wh: open-wh,
      open-wh: u0,
      state: state,
    })
    (ok true)
  )
)

(print {
  topic: "market-participation-deployed",
  version: u1,
  max-forward-days: MAX_FORWARD_DAYS,
  max-price: MAX_PRICE,
  max-wh: MAX_WH,
})
