;; market-participation: offers, sales and retirements of a day's energy, and the book that keeps each Wh sold once.
;;
;; A forward offer sells energy of a day that has not begun; a spot offer sells what is left of a verified day. Days
;; before the approval of the asset's connection cannot be sold. The day book holds the open, funded, sold and retired
;; Wh of each (asset, day):
;;   forward-open + forward-funded           <= min(capacity, export limit) * 24 h
;;   spot-open + spot-sold + retired         <= D - min(forward-funded, D), D being what the day can deliver
;; First funded, first delivered: each forward fill keeps the Wh that were funded before it.
;;
;; Offer: pending (owner, operator) -> accepted (first fill, through settlement) -> completed (nothing open, every fill
;;        settled or refunded). The open part can be rejected (named taker), cancelled (owner, operator) or expired
;;        (anyone, from `expires-at` on, or once the offer's epoch is over); only an offer without fills takes that
;;        state.
;; Retired energy (owner): what is left of a verified day, claimed for a beneficiary; never sold. Energy from batteries
;;        and vehicles was counted when it was generated, and cannot be retired.
;;
;; The settlement contract handles the money; only it may fill and complete offers and list tokens.
;; Units: energy Wh, time unix seconds UTC, day = time / 86400. A price is per kWh, in the smallest unit of the offer's
;; token, or in microSTX if it has none.

;; Errors

(define-constant ERR_NOT_SETTLEMENT (err u4001)) ;; the caller is not the settlement contract
(define-constant ERR_NOT_SELLER (err u4002)) ;; the caller is neither the asset's owner nor its operator
(define-constant ERR_NOT_ASSET_OWNER (err u4003)) ;; the caller is not the asset's owner
(define-constant ERR_NOT_TAKER (err u4004)) ;; the offer names another taker, or none
(define-constant ERR_PAUSED (err u4005)) ;; no offer is made or accepted during a pause
(define-constant ERR_ASSET_NOT_FOUND (err u4006)) ;; no asset has this id
(define-constant ERR_ASSET_NOT_VERIFIED (err u4007)) ;; the asset is not verified
(define-constant ERR_TRANSFER_PROPOSED (err u4008)) ;; a transfer of the asset is proposed
(define-constant ERR_NOT_CONNECTED (err u4009)) ;; the asset is not connected to the grid
(define-constant ERR_INVALID_ENERGY (err u4010)) ;; energy is 1 to 10^15 Wh
(define-constant ERR_INVALID_PRICE (err u4011)) ;; a price is 1 to 10^15 per kWh
(define-constant ERR_BELOW_MIN_PRICE (err u4012)) ;; below the owner's minimum price, or in a token despite it
(define-constant ERR_INVALID_MIN_FILL (err u4013)) ;; zero, above the offer, or worth less than the smallest unit
(define-constant ERR_INVALID_EXPIRY (err u4014)) ;; in the past, or after a forward day has begun
(define-constant ERR_DAY_TOO_FAR (err u4015)) ;; more than 366 days ahead
(define-constant ERR_DAY_NOT_DELIVERABLE (err u4016)) ;; the day or its feed is not verified
(define-constant ERR_OVERSOLD (err u4017)) ;; more than is left to sell
(define-constant ERR_OFFER_NOT_FOUND (err u4018)) ;; no offer has this id
(define-constant ERR_OFFER_CLOSED (err u4019)) ;; no part of the offer is open
(define-constant ERR_OFFER_EXPIRED (err u4020)) ;; the offer has expired
(define-constant ERR_OFFER_NOT_EXPIRED (err u4021)) ;; the offer has not expired, and its epoch is not over
(define-constant ERR_EPOCH_OVER (err u4022)) ;; the asset's owner or operator changed after the offer was made
(define-constant ERR_INVALID_FILL (err u4023)) ;; zero, below the offer's smallest fill, or below the buyer's `min-wh`
(define-constant ERR_SELF_TRADE (err u4024)) ;; the offer's seller or maker cannot take it
(define-constant ERR_DAY_BEFORE_CONNECTION (err u4025)) ;; the asset was not connected yet on that day
(define-constant ERR_TOKEN_NOT_LISTED (err u4026)) ;; offers in this token are not allowed
(define-constant ERR_STORAGE_NOT_RETIRABLE (err u4027)) ;; energy from storage was counted when it was generated
(define-constant ERR_ABOVE_NET_EXPORT (err u4028)) ;; more than the day's export minus its import

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
(define-data-var retirement-count uint u0)

;; `seller` was the asset's owner when the offer was made, and is paid; `maker`, the owner or operator, made the offer.
;; `fills` counts all fills, `unsettled-fills` those whose payment is still locked.
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
    token: (optional principal),
    epoch: uint,
    state: uint,
    fills: uint,
    unsettled-fills: uint,
  }
)

;; The tokens, besides STX, in which offers may be priced.
(define-map tokens
  principal
  bool
)

;; For each asset, the last day with funded energy, up to which a new owner has to deliver.
(define-map funded-until
  uint
  uint
)

;; The open sums belong to `epoch`; in a newer epoch they count as zero.
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

(define-read-only (get-retirement-count)
  (var-get retirement-count)
)

(define-read-only (is-token-listed (token principal))
  (default-to false (map-get? tokens token))
)

;; The last day of the asset with funded energy; none if there is no such day.
(define-read-only (get-funded-until (asset-id uint))
  (map-get? funded-until asset-id)
)

;; The book as last written; if the asset's epoch is newer, its open sums count as zero.
(define-read-only (get-day-book
    (asset-id uint)
    (day uint)
  )
  (map-get? day-books {
    asset-id: asset-id,
    day: day,
  })
)

(define-read-only (get-day-books (keys (list 30 {
  asset-id: uint,
  day: uint,
})))
  (map get-day-book-of keys)
)

;; The Wh of a day that can still be offered: within capacity and export limit for a day that has not begun and is at
;; most 366 days ahead; not offered, sold or retired for a verified day; zero for any other day. Ignores the pause, the
;; states of asset and connection, and proposed transfers.
(define-read-only (get-available
    (asset-id uint)
    (day uint)
  )
  (match (contract-call? .grid-integration get-market-terms asset-id)
    terms (let (
        (book (current-book asset-id day (get epoch terms)))
        (today (current-day))
      )
      (if (> day today)
        (if (and (get approved terms) (<= day (+ today MAX_FORWARD_DAYS)))
          (forward-room (get cap-w terms) book)
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

;; The cost of `wh` of an offer, in the smallest unit of its token, the Wh funded ahead of them, and the offer's open
;; Wh; none if nobody can take them now.
(define-read-only (quote
    (offer-id uint)
    (wh uint)
  )
  (match (get-fill offer-id wh wh)
    fill (some {
      cost: (/ (+ (* wh (get price (get offer fill))) (- WH_PER_KWH u1)) WH_PER_KWH),
      before-wh: (get before-wh fill),
      open-wh: (get open-wh (get offer fill)),
    })
    code none
  )
)

;; Public: offers

;; Owner or operator of a verified, connected asset, unless paused: offers energy of a day that has not begun (forward)
;; or is verified (spot), at a price per kWh in STX (no token) or in a listed token. The day must not be before the
;; connection's approval, nor an operator's price below the owner's minimum. Returns the offer's id. Prints
;; "offer-created".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NOT_SELLER, ERR_PAUSED, ERR_ASSET_NOT_VERIFIED, ERR_TRANSFER_PROPOSED,
;; ERR_NOT_CONNECTED, ERR_INVALID_PRICE, ERR_BELOW_MIN_PRICE, ERR_TOKEN_NOT_LISTED, ERR_INVALID_ENERGY,
;; ERR_INVALID_MIN_FILL, ERR_SELF_TRADE, ERR_INVALID_EXPIRY, ERR_DAY_TOO_FAR, ERR_DAY_BEFORE_CONNECTION,
;; ERR_DAY_NOT_DELIVERABLE, ERR_OVERSOLD.
(define-public (create-offer
    (asset-id uint)
    (day uint)
    (wh uint)
    (price uint) ;; per kWh, in the smallest unit of `token`, or microSTX
    (min-fill-wh uint)
    (expires-at uint)
    (taker (optional principal))
    (token (optional principal))
  )
  (let ((sheet (offer-day {
      day: day,
      wh: wh,
      expires-at: expires-at,
    }
      (try! (open-sheet asset-id price min-fill-wh taker token))
    )))
    (var-set offer-count (get offer-count sheet))
    (unwrap! (element-at? (get answers sheet) u0) ERR_INVALID_ENERGY)
  )
)

;; Owner or operator: `create-offer` for up to 31 days at one price. Returns one response per day, in order. Prints
;; "offer-created" per offer made.
;; Errors: those of `create-offer` about the asset, the price, the token, the smallest fill and the taker; per day, the
;; others.
(define-public (create-offers
    (asset-id uint)
    (price uint) ;; per kWh, in the smallest unit of `token`, or microSTX
    (min-fill-wh uint)
    (taker (optional principal))
    (token (optional principal))
    (days (list 31 {
      day: uint,
      wh: uint,
      expires-at: uint,
    }))
  )
  (let ((sheet (fold offer-day days
      (try! (open-sheet asset-id price min-fill-wh taker token))
    )))
    (var-set offer-count (get offer-count sheet))
    (ok (get answers sheet))
  )
)

;; Owner or operator: cancels the open part of an offer. Prints "offer-cancelled".
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

;; Owner or operator: `cancel-offer` for up to 31 offers. Returns one response per offer, in order. Prints
;; "offer-cancelled" per offer cancelled.
;; Errors: none; per offer, those of `cancel-offer`.
(define-public (cancel-offers (offer-ids (list 31 uint)))
  (ok (map cancel-offer offer-ids))
)

;; The offer's named taker: declines the open part of the offer. Prints "offer-rejected".
;; Errors: ERR_OFFER_NOT_FOUND, ERR_NOT_TAKER, ERR_OFFER_CLOSED.
(define-public (reject-offer (offer-id uint))
  (let ((offer (unwrap! (map-get? offers offer-id) ERR_OFFER_NOT_FOUND)))
    (asserts! (is-eq (some contract-caller) (get taker offer)) ERR_NOT_TAKER)
    (close-offer offer-id STATE_REJECTED "offer-rejected")
  )
)

;; Anyone: closes the open part of an offer that has expired or whose epoch is over. Prints "offer-expired".
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

;; Settlement only, for `buyer`, who funds the fill in the same transaction: fills `wh` of an offer, or its open part if
;; that is less, but at least `min-wh`. A spot fill counts as settled at once. Returns the terms of the fill. Prints
;; "offer-accepted".
;; Errors: ERR_NOT_SETTLEMENT, ERR_NOT_TAKER, ERR_SELF_TRADE, and those of `get-fill`.
(define-public (mark-accepted
    (offer-id uint)
    (wh uint)
    (min-wh uint)
    (buyer principal)
  )
  (begin
    (asserts! (is-eq contract-caller .settlement) ERR_NOT_SETTLEMENT)
    (let (
        (fill (try! (get-fill offer-id wh min-wh)))
        (offer (get offer fill))
        (asset-id (get asset-id offer))
        (day (get day offer))
        (spot (get spot offer))
        (taken-wh (get wh fill))
        (before-wh (get before-wh fill))
        (left-wh (- (get open-wh offer) taken-wh))
        (unsettled (if spot
          (get unsettled-fills offer)
          (+ (get unsettled-fills offer) u1)
        ))
        (fills (+ (get fills offer) u1))
        (state (filled-state left-wh unsettled))
      )
      (asserts! (is-eq (default-to buyer (get taker offer)) buyer) ERR_NOT_TAKER)
      (asserts!
        (not (or (is-eq buyer (get seller offer)) (is-eq buyer (get maker offer))))
        ERR_SELF_TRADE
      )
      (map-set offers offer-id
        (merge offer {
          open-wh: left-wh,
          state: state,
          fills: fills,
          unsettled-fills: unsettled,
        })
      )
      (book-fill asset-id day spot taken-wh (get book fill))
      (print {
        topic: "offer-accepted",
        version: u1,
        offer-id: offer-id,
        asset-id: asset-id,
        day: day,
        actor: buyer,
        wh: taken-wh,
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
        token: (get token offer),
        claimable: (not (get storage fill)),
        wh: taken-wh,
        before-wh: before-wh,
      })
    )
  )
)

;; Settlement only, for its caller `closer`: counts one fill of the offer as settled or refunded. Returns the offer's
;; state. Prints "offer-fill-closed".
;; Errors: ERR_NOT_SETTLEMENT, ERR_OFFER_NOT_FOUND.
(define-public (mark-completed
    (offer-id uint)
    (closer principal)
  )
  (begin
    (asserts! (is-eq contract-caller .settlement) ERR_NOT_SETTLEMENT)
    (let (
        (offer (unwrap! (map-get? offers offer-id) ERR_OFFER_NOT_FOUND))
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

;; Settlement only, for its caller `setter`: allows or stops new offers in a token. Prints "token-set".
;; Errors: ERR_NOT_SETTLEMENT.
(define-public (mark-token
    (token principal)
    (listed bool)
    (setter principal)
  )
  (begin
    (asserts! (is-eq contract-caller .settlement) ERR_NOT_SETTLEMENT)
    (map-set tokens token listed)
    (print {
      topic: "token-set",
      version: u1,
      actor: setter,
      token: token,
      listed: listed,
    })
    (ok true)
  )
)

;; Public: retiring

;; Owner of an asset that is not storage: retires energy of a verified day for a beneficiary and a purpose; it can never
;; be sold. If the feed is known, at most the day's export minus its import can be retired. Returns the retirement's
;; number. Prints "energy-retired", which is the certificate.
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NOT_ASSET_OWNER, ERR_STORAGE_NOT_RETIRABLE, ERR_TRANSFER_PROPOSED,
;; ERR_DAY_NOT_DELIVERABLE, ERR_INVALID_ENERGY, ERR_OVERSOLD, ERR_ABOVE_NET_EXPORT.
(define-public (retire-energy
    (asset-id uint)
    (day uint)
    (wh uint)
    (beneficiary principal)
    (purpose (string-ascii 64))
  )
  (let (
      (terms (unwrap! (contract-call? .asset-verification get-trading-terms asset-id)
        ERR_ASSET_NOT_FOUND
      ))
      (retirement-id (+ (var-get retirement-count) u1))
    )
    (asserts! (is-eq contract-caller (get owner terms)) ERR_NOT_ASSET_OWNER)
    (asserts! (not (get storage terms)) ERR_STORAGE_NOT_RETIRABLE)
    (asserts! (not (get transfer-proposed terms)) ERR_TRANSFER_PROPOSED)
    (let (
        (delivery (unwrap! (contract-call? .grid-integration get-delivery asset-id day)
          ERR_DAY_NOT_DELIVERABLE
        ))
        (book (current-book asset-id day (get epoch terms)))
        (retired-wh (get retired-wh book))
      )
      (asserts! (> wh u0) ERR_INVALID_ENERGY)
      (asserts! (<= wh (spot-room (get deliverable-wh delivery) book)) ERR_OVERSOLD)
      (asserts! (<= (+ retired-wh wh) (get retirable-wh delivery)) ERR_ABOVE_NET_EXPORT)
      (set-book asset-id day (merge book { retired-wh: (+ retired-wh wh) }))
      (var-set retirement-count retirement-id)
      (print {
        topic: "energy-retired",
        version: u1,
        retirement-id: retirement-id,
        asset-id: asset-id,
        day: day,
        mask: (get mask delivery),
        actor: contract-caller,
        wh: wh,
        beneficiary: beneficiary,
        purpose: purpose,
        day-retired-wh: (+ retired-wh wh),
      })
      (ok retirement-id)
    )
  )
)

;; Private: time and numbers

(define-private (current-day)
  (/ stacks-block-time SECONDS_PER_DAY)
)

;; a - b, or zero if b is more.
(define-private (minus-or-zero
    (a uint)
    (b uint)
  )
  (if (> a b)
    (- a b)
    u0
  )
)

;; Private: making offers. Each offer is checked completely before it is written, so one that fails in a batch leaves no
;; trace.

;; Checks and returns what all offers of one call share, with a list for their responses.
(define-private (open-sheet
    (asset-id uint)
    (price uint)
    (min-fill-wh uint)
    (taker (optional principal))
    (token (optional principal))
  )
  (let (
      (terms (unwrap! (contract-call? .grid-integration get-market-terms asset-id)
        ERR_ASSET_NOT_FOUND
      ))
      (owner (get owner terms))
    )
    (asserts!
      (or (is-eq contract-caller owner) (is-eq (some contract-caller) (get operator terms)))
      ERR_NOT_SELLER
    )
    (try! (check-tradable (get paused terms) (get verified terms) (get transfer-proposed terms)
      (get connected terms)
    ))
    (asserts! (and (>= price u1) (<= price MAX_PRICE)) ERR_INVALID_PRICE)
    ;; The owner's minimum price is in microSTX and cannot be compared with a price in a token.
    (asserts!
      (or
        (is-eq contract-caller owner)
        (is-eq (get min-price terms) u0)
        (and (is-none token) (>= price (get min-price terms)))
      )
      ERR_BELOW_MIN_PRICE
    )
    (asserts!
      (match token
        listed (is-token-listed listed)
        true
      )
      ERR_TOKEN_NOT_LISTED
    )
    ;; A fill worth less than the smallest unit would round to nothing.
    (asserts!
      (and
        (>= min-fill-wh u1)
        (<= min-fill-wh MAX_WH)
        (>= (* min-fill-wh price) WH_PER_KWH)
      )
      ERR_INVALID_MIN_FILL
    )
    ;; Seller and maker cannot take the offer, so nobody could take an offer reserved for one of them.
    (asserts!
      (not (or (is-eq taker (some owner)) (is-eq taker (some contract-caller))))
      ERR_SELF_TRADE
    )
    (ok {
      asset-id: asset-id,
      seller: owner,
      price: price,
      min-fill-wh: min-fill-wh,
      taker: taker,
      token: token,
      epoch: (get epoch terms),
      cap-w: (get cap-w terms),
      approved-day: (get approved-day terms),
      now: stacks-block-time,
      offer-count: (var-get offer-count),
      answers: (list),
    })
  )
)

(define-private (offer-day
    (item {
      day: uint,
      wh: uint,
      expires-at: uint,
    })
    (sheet {
      asset-id: uint,
      seller: principal,
      price: uint,
      min-fill-wh: uint,
      taker: (optional principal),
      token: (optional principal),
      epoch: uint,
      cap-w: uint,
      approved-day: uint,
      now: uint,
      offer-count: uint,
      answers: (list 31 (response uint uint)),
    })
  )
  (let (
      (answer (write-offer item sheet))
      (answers (append (get answers sheet) answer))
    )
    (merge sheet {
      offer-count: (match answer
        offer-id offer-id
        code (get offer-count sheet)
      ),
      answers: (unwrap! (as-max-len? answers u31) sheet),
    })
  )
)

;; Checks the day of an offer, and returns whether it would be a spot offer.
(define-private (check-day
    (day uint)
    (wh uint)
    (expires-at uint)
    (min-fill-wh uint)
    (approved-day uint)
    (now uint)
  )
  (let (
      (today (/ now SECONDS_PER_DAY))
      (spot (<= day today))
    )
    (asserts! (and (>= wh u1) (<= wh MAX_WH)) ERR_INVALID_ENERGY)
    (asserts! (<= min-fill-wh wh) ERR_INVALID_MIN_FILL)
    (asserts! (> expires-at now) ERR_INVALID_EXPIRY)
    (asserts! (<= day (+ today MAX_FORWARD_DAYS)) ERR_DAY_TOO_FAR)
    ;; Energy generated before the connection was not fed in. Days to come always pass.
    (asserts! (>= day approved-day) ERR_DAY_BEFORE_CONNECTION)
    (asserts! (or spot (<= expires-at (* day SECONDS_PER_DAY))) ERR_INVALID_EXPIRY)
    (ok spot)
  )
)

(define-private (write-offer
    (item {
      day: uint,
      wh: uint,
      expires-at: uint,
    })
    (sheet {
      asset-id: uint,
      seller: principal,
      price: uint,
      min-fill-wh: uint,
      taker: (optional principal),
      token: (optional principal),
      epoch: uint,
      cap-w: uint,
      approved-day: uint,
      now: uint,
      offer-count: uint,
      answers: (list 31 (response uint uint)),
    })
  )
  (let (
      (offer-id (+ (get offer-count sheet) u1))
      (asset-id (get asset-id sheet))
      (day (get day item))
      (wh (get wh item))
      (spot (try! (check-day day wh (get expires-at item) (get min-fill-wh sheet) (get approved-day sheet)
        (get now sheet)
      )))
      (book (current-book asset-id day (get epoch sheet)))
      (offered (merge item {
        asset-id: asset-id,
        spot: spot,
        seller: (get seller sheet),
        open-wh: wh,
        price: (get price sheet),
        min-fill-wh: (get min-fill-wh sheet),
        taker: (get taker sheet),
        token: (get token sheet),
        epoch: (get epoch sheet),
        state: STATE_PENDING,
      }))
    )
    (asserts! (<= wh (try! (get-room asset-id day spot (get cap-w sheet) book))) ERR_OVERSOLD)
    (map-set offers offer-id
      (merge offered {
        maker: contract-caller,
        fills: u0,
        unsettled-fills: u0,
      })
    )
    (book-offer asset-id day spot wh book)
    (print (merge offered {
      topic: "offer-created",
      version: u1,
      offer-id: offer-id,
      actor: contract-caller,
    }))
    (ok offer-id)
  )
)

;; Private: taking offers

;; The part of an offer that can be taken now: `wh`, or the open part if that is less, but at least `min-wh`.
;; Errors: ERR_OFFER_NOT_FOUND, ERR_ASSET_NOT_FOUND, ERR_OFFER_CLOSED, ERR_PAUSED, ERR_ASSET_NOT_VERIFIED,
;; ERR_TRANSFER_PROPOSED, ERR_NOT_CONNECTED, ERR_EPOCH_OVER, ERR_OFFER_EXPIRED, ERR_INVALID_FILL, ERR_OVERSOLD.
(define-private (get-fill
    (offer-id uint)
    (wh uint)
    (min-wh uint)
  )
  (let (
      (offer (unwrap! (map-get? offers offer-id) ERR_OFFER_NOT_FOUND))
      (asset-id (get asset-id offer))
      (spot (get spot offer))
      (open-wh (get open-wh offer))
      (terms (unwrap! (contract-call? .grid-integration get-market-terms asset-id)
        ERR_ASSET_NOT_FOUND
      ))
      (book (current-book asset-id (get day offer) (get epoch offer)))
      (before-wh (if spot
        u0
        (get forward-funded-wh book)
      ))
      (taken-wh (if (< wh open-wh)
        wh
        open-wh
      ))
    )
    (asserts! (> open-wh u0) ERR_OFFER_CLOSED)
    (try! (check-tradable (get paused terms) (get verified terms) (get transfer-proposed terms)
      (get connected terms)
    ))
    (asserts! (is-eq (get epoch offer) (get epoch terms)) ERR_EPOCH_OVER)
    (asserts! (< stacks-block-time (get expires-at offer)) ERR_OFFER_EXPIRED)
    (asserts!
      (and
        (>= taken-wh min-wh)
        (or
          (>= taken-wh (get min-fill-wh offer))
          (is-eq taken-wh open-wh)
        )
      )
      ERR_INVALID_FILL
    )
    ;; Capacity or export limit may have been lowered since the offer was made.
    (asserts! (or spot (<= (+ before-wh taken-wh) (* (get cap-w terms) HOURS_PER_DAY)))
      ERR_OVERSOLD
    )
    (ok {
      offer: offer,
      book: book,
      wh: taken-wh,
      before-wh: before-wh,
      storage: (get storage terms),
    })
  )
)

;; Checks what making and taking an offer both need: no pause, a verified asset that feeds in, no transfer under way.
(define-private (check-tradable
    (paused bool)
    (verified bool)
    (transfer-proposed bool)
    (connected bool)
  )
  (begin
    (asserts! (not paused) ERR_PAUSED)
    (asserts! verified ERR_ASSET_NOT_VERIFIED)
    (asserts! (not transfer-proposed) ERR_TRANSFER_PROPOSED)
    (asserts! connected ERR_NOT_CONNECTED)
    (ok true)
  )
)

;; Private: the day book

(define-private (get-day-book-of (key {
  asset-id: uint,
  day: uint,
}))
  (map-get? day-books key)
)

;; The book in `epoch`: the open sums of an older epoch count as zero.
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

;; Books energy that is offered.
(define-private (book-offer
    (asset-id uint)
    (day uint)
    (spot bool)
    (wh uint)
    (book {
      epoch: uint,
      forward-open-wh: uint,
      forward-funded-wh: uint,
      spot-open-wh: uint,
      spot-sold-wh: uint,
      retired-wh: uint,
    })
  )
  (set-book asset-id day
    (if spot
      (merge book { spot-open-wh: (+ (get spot-open-wh book) wh) })
      (merge book { forward-open-wh: (+ (get forward-open-wh book) wh) })
    ))
)

;; Moves energy from open to funded (forward) or to sold (spot).
(define-private (book-fill
    (asset-id uint)
    (day uint)
    (spot bool)
    (wh uint)
    (book {
      epoch: uint,
      forward-open-wh: uint,
      forward-funded-wh: uint,
      spot-open-wh: uint,
      spot-sold-wh: uint,
      retired-wh: uint,
    })
  )
  (begin
    (set-book asset-id day
      (if spot
        (merge book {
          spot-open-wh: (- (get spot-open-wh book) wh),
          spot-sold-wh: (+ (get spot-sold-wh book) wh),
        })
        (merge book {
          forward-open-wh: (- (get forward-open-wh book) wh),
          forward-funded-wh: (+ (get forward-funded-wh book) wh),
        })
      ))
    (and
      (not spot)
      (> day (default-to u0 (map-get? funded-until asset-id)))
      (map-set funded-until asset-id day)
    )
  )
)

;; How much more of a day can be offered.
(define-private (get-room
    (asset-id uint)
    (day uint)
    (spot bool)
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
  (ok (if spot
    (spot-room
      (unwrap! (contract-call? .grid-integration get-deliverable asset-id day)
        ERR_DAY_NOT_DELIVERABLE
      )
      book
    )
    (forward-room cap-w book)
  ))
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

;; Forward buyers are served first; only the rest of the deliverable can be sold on the spot or retired.
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

;; An offer with fills is completed once no part is open and no payment is locked.
(define-private (filled-state
    (open-wh uint)
    (unsettled-fills uint)
  )
  (if (and (is-eq open-wh u0) (is-eq unsettled-fills u0))
    STATE_COMPLETED
    STATE_ACCEPTED
  )
)

;; Private: closing offers

;; Whether an offer's epoch is over. The asset of an offer always exists.
(define-private (is-epoch-over
    (asset-id uint)
    (epoch uint)
  )
  (< epoch
    (get epoch
      (unwrap! (contract-call? .asset-verification get-trading-terms asset-id) false)
    ))
)

;; Closes the open part of an offer and takes it out of the book. If the book's epoch is newer than the offer's, the
;; book no longer contains it.
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
