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
;; Retired energy (owner): what is left of a verified day, claimed for a beneficiary; never sold. What a battery or a
;;        vehicle gives back was counted when it was made, and is not retired.
;;
;; Money is the business of settlement, which alone may fill and complete offers and list tokens.
;; Units: energy Wh, time unix seconds UTC, day = time / 86400. A price is per kWh, in the smallest unit of the offer's
;; token: microSTX where it has none.

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
(define-constant ERR_INVALID_PRICE (err u4011)) ;; a price is 1 to 10^15 per kWh
(define-constant ERR_BELOW_MIN_PRICE (err u4012)) ;; below the owner's price, or in a token although there is one
(define-constant ERR_INVALID_MIN_FILL (err u4013)) ;; zero, above the offer, or worth less than the smallest unit
(define-constant ERR_INVALID_EXPIRY (err u4014)) ;; past, or after a forward day has begun
(define-constant ERR_DAY_TOO_FAR (err u4015)) ;; more than 366 days ahead
(define-constant ERR_DAY_NOT_DELIVERABLE (err u4016)) ;; the day is not verified, or its feed not
(define-constant ERR_OVERSOLD (err u4017)) ;; more than there is left to sell
(define-constant ERR_OFFER_NOT_FOUND (err u4018)) ;; no offer has this id
(define-constant ERR_OFFER_CLOSED (err u4019)) ;; nothing is open any more
(define-constant ERR_OFFER_EXPIRED (err u4020)) ;; its time is over
(define-constant ERR_OFFER_NOT_EXPIRED (err u4021)) ;; neither its time nor its epoch is over
(define-constant ERR_EPOCH_OVER (err u4022)) ;; the asset's owner or operator changed since
(define-constant ERR_INVALID_FILL (err u4023)) ;; zero, or less than the smallest fill, or than the buyer asks for
(define-constant ERR_SELF_TRADE (err u4024)) ;; the buyer sells this energy
(define-constant ERR_DAY_BEFORE_CONNECTION (err u4025)) ;; the asset was not connected yet on that day
(define-constant ERR_TOKEN_NOT_LISTED (err u4026)) ;; nothing is priced in this token
(define-constant ERR_STORAGE_NOT_RETIRABLE (err u4027)) ;; what a storage gives back was counted when it was made
(define-constant ERR_ABOVE_NET_EXPORT (err u4028)) ;; more than the day exported beyond what it imported

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

;; `seller` is the owner when the offer was made, who is paid; `maker` who made it for them. `fills` counts all fills,
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
    token: (optional principal),
    epoch: uint,
    state: uint,
    fills: uint,
    unsettled-fills: uint,
  }
)

;; The tokens that offers may be priced in, beside STX.
(define-map tokens
  principal
  bool
)

;; The last day of an asset of which energy is funded: what a new owner has to deliver.
(define-map funded-until
  uint
  uint
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

(define-read-only (get-retirement-count)
  (var-get retirement-count)
)

(define-read-only (is-token-listed (token principal))
  (default-to false (map-get? tokens token))
)

;; The last day of an asset of which energy is funded, if there is one.
(define-read-only (get-funded-until (asset-id uint))
  (map-get? funded-until asset-id)
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

(define-read-only (get-day-books (keys (list 30 {
  asset-id: uint,
  day: uint,
})))
  (map get-day-book-of keys)
)

;; The Wh of a day that are left: of one that has not begun, 366 days ahead at most, within capacity and export limit;
;; of a verified one, what is neither offered, sold nor retired. Zero of any other. What else an offer needs is not
;; looked at: no pause, the states of asset and connection, no transfer under way.
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

;; What `wh` of an offer cost now, in the smallest unit of its token, and how much is ahead of them; none if nobody
;; could take them now.
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
;; or is verified (spot), of those since the connection was approved, at a price per kWh in STX (no token) or in a
;; listed token. The operator never below the owner's price. Returns the offer's id. Prints "offer-created".
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

;; Owner or operator: `create-offer` of up to 31 days at one price; one answer for each, in order. Prints
;; "offer-created" for each offer.
;; Errors: those of `create-offer` about the asset, the price, the token, the smallest fill and the taker; of each day,
;; the others.
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

;; Owner or operator: `cancel-offer` of up to 31 offers; one answer for each, in order. Prints "offer-cancelled" for
;; each cancelled.
;; Errors: none; of each offer, those of `cancel-offer`.
(define-public (cancel-offers (offer-ids (list 31 uint)))
  (ok (map cancel-offer offer-ids))
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

;; Settlement only, for `buyer`, who funds it in the same transaction: fills `wh` of an offer, or what is open if that
;; is less, but not less than `min-wh`. A spot fill counts as settled at once. Returns what settlement has to know of
;; it. Prints "offer-accepted".
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

;; Settlement only, for `closer`, who called it: one fill of the offer is settled or refunded. Returns the offer's
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

;; Settlement only, for `setter`, who called it: allows offers in a token, or no new ones. Prints "token-set".
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

;; Owner of an asset that is not a storage: claims energy of a verified day for a beneficiary and a purpose; it can
;; never be sold. Where the feed is known, no more than was exported beyond what was imported. Returns the number of the
;; retirement. Prints "energy-retired", which is the certificate.
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

;; a - b, or zero where b is more.
(define-private (minus-or-zero
    (a uint)
    (b uint)
  )
  (if (> a b)
    (- a b)
    u0
  )
)

;; Private: making offers. Nothing is written before all is checked: a batch goes on after an item that fails.

;; What all offers of one call have in common, once it is checked, with their answers so far.
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
    ;; The owner's price is in microSTX: it says nothing about a token.
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
    ;; Seller and maker cannot take the offer: reserved for one of them, nobody could.
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

;; Whether an offer of the day would be a spot offer, once it is one that can be made.
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
    ;; What was made before the connection was not fed in. A day to come is never before it.
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

;; What anybody could take of an offer now: `wh`, or what is open if that is less, but not less than `min-wh`.
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
    ;; Capacity or export limit may be lower than when the offer was made.
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

;; What making and taking an offer both need: no pause, a verified asset that feeds in, no transfer under way.
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

;; Books energy that was open and is sold.
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

;; Private: the end of offers

;; Whether the epoch of an offer has passed; its asset exists.
(define-private (is-epoch-over
    (asset-id uint)
    (epoch uint)
  )
  (< epoch
    (get epoch
      (unwrap! (contract-call? .asset-verification get-trading-terms asset-id) false)
    ))
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
