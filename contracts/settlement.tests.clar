;; Rendezvous tests of settlement, appended to the contract while they run (tests/rendezvous).
;;
;; act-*: extra functions for random runs, with arguments that are likely to succeed. Sellers and authorities act
;;        through the plant contract; the caller is the buyer.
;; invariant-*: must hold after any sequence of calls. test-*: must hold for all arguments; (ok false) discards the run.

(define-constant ASSETS u3)
(define-constant DAY_VERIFIED u3)
(define-constant DAY_REJECTED u4)
(define-constant WINDOW_DAYS u45)
(define-constant OFFER_COMPLETED u3)
(define-constant OFFER_REJECTED u4)
(define-constant ANY_AMOUNT u340282366920938463463374607431768211455)
(define-constant ERR_ENOUGH_PAYMENTS (err u9001))
(define-constant ERR_NOTHING_THERE (err u9002))
(define-constant ERR_NOTHING_DONE (err u9003))
(define-constant ERR_PROPERTY (err u9004))

;; Payments and offers are summed in blocks of 32: up to 1,024 of each.
(define-constant INDEX (list
  u0 u1 u2 u3 u4 u5 u6 u7 u8 u9 u10 u11 u12 u13 u14 u15
  u16 u17 u18 u19 u20 u21 u22 u23 u24 u25 u26 u27 u28 u29 u30 u31
))
(define-constant BLOCK u32)
(define-constant MOST u1000)
;; 24 slots: a whole day of asset u2, part of a day for the others.
(define-constant FULL_DAY u16777215)

;; The days recorded last and verified last. Acts use them, as a random day would mostly have no data.
(define-data-var recorded-day {
  asset-id: uint,
  day: uint,
} {
  asset-id: u1,
  day: u0,
})
(define-data-var verified-day {
  asset-id: uint,
  day: uint,
} {
  asset-id: u1,
  day: u0,
})

;; Payments and days as they were right after they ended, and the deliverable of these days.
(define-map ended-payments
  uint
  {
    state: uint,
    delivered-wh: uint,
    payout: uint,
    fee: uint,
    refund: uint,
  }
)
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
(define-map known-deliverables
  {
    asset-id: uint,
    day: uint,
  }
  uint
)
;; Wh retired from each day.
(define-map retirements
  {
    asset-id: uint,
    day: uint,
  }
  uint
)

;; Acts: offers and buyers

(define-public (act-sell-forward
    (asset uint)
    (ahead uint)
    (wh uint)
    (price uint)
    (part uint)
    (now bool)
  )
  (let (
      (terms (some-terms wh price))
      (offer-id (try! (contract-call? .plant offer-forward (some-asset asset)
        (+ (contract-call? .plant today) u1 (mod ahead u2))
        (get wh terms) (get price terms) (get min-fill-wh terms) (some-token price)
      )))
    )
    (if now
      (take offer-id part)
      (ok offer-id)
    )
  )
)

(define-public (act-sell-spot
    (wh uint)
    (price uint)
    (part uint)
    (now bool)
  )
  (let (
      (asset-id (get asset-id (var-get verified-day)))
      (day (get day (var-get verified-day)))
      (room (contract-call? .market-participation get-available asset-id day))
      (terms (some-terms wh price))
      (min-fill (get min-fill-wh terms))
    )
    (asserts! (>= room min-fill) ERR_NOTHING_THERE)
    (let ((offer-id (try! (contract-call? .plant offer-spot asset-id day (+ min-fill (mod wh (+ (- room min-fill) u1)))
        (get price terms) min-fill (some-token price)
      ))))
      (if now
        (take offer-id part)
        (ok offer-id)
      )
    )
  )
)

(define-public (act-take
    (offer uint)
    (part uint)
  )
  (take (try! (some-offer offer)) part)
)

(define-public (act-cancel (offer uint))
  (contract-call? .plant cancel (try! (some-offer offer)))
)

(define-public (act-expire (offer uint))
  (contract-call? .market-participation expire-offer (try! (some-offer offer)))
)

;; Acts in one of four calls, since it ends all open offers.
(define-public (act-new-epoch (asset uint))
  (begin
    (asserts! (is-eq (mod asset u4) u0) ERR_NOTHING_DONE)
    (contract-call? .plant change-operator (some-asset (/ asset u4)) tx-sender)
  )
)

;; Retires at most half of what is left, plus one Wh.
(define-public (act-retire (wh uint))
  (let (
      (asset-id (get asset-id (var-get verified-day)))
      (day (get day (var-get verified-day)))
      (room (contract-call? .market-participation get-available asset-id day))
      (part (+ u1 (mod wh (+ u1 (/ room u2)))))
      (last (var-get verified-day))
    )
    (try! (contract-call? .plant retire asset-id day part))
    (ok (map-set retirements last (+ part (default-to u0 (map-get? retirements last)))))
  )
)

;; Acts: production

(define-public (act-record
    (asset uint)
    (back uint)
    (mask uint)
    (wh uint)
  )
  (let (
      (asset-id (some-asset asset))
      (day (some-day back))
    )
    (try! (contract-call? .plant record asset-id day (+ u1 (mod mask FULL_DAY)) (mod wh u60000)))
    (var-set recorded-day {
      asset-id: asset-id,
      day: day,
    })
    (ok true)
  )
)

;; Completes a day: records it and its feed, and verifies both.
(define-public (act-produce
    (asset uint)
    (back uint)
    (wh uint)
    (exported-wh uint)
  )
  (produce (some-asset asset) (some-day back) wh exported-wh)
)

;; Completes the day of a payment, and settles the payment if `settled` is true.
(define-public (act-deliver
    (id uint)
    (wh uint)
    (exported-wh uint)
    (settled bool)
  )
  (let ((payment (try! (some-payment id))))
    (try! (produce (get asset-id payment) (get day payment) wh exported-wh))
    (if settled
      (settle (some-payment-id id))
      (ok true)
    )
  )
)

(define-public (act-feed
    (asset uint)
    (back uint)
    (exported-wh uint)
  )
  (feed (some-asset asset) (some-day back) exported-wh)
)

(define-public (act-verify)
  (let ((last (var-get recorded-day)))
    (try! (contract-call? .plant verify (get asset-id last) (get day last)))
    (var-set verified-day last)
    (ok true)
  )
)

(define-public (act-adjust
    (delta int)
    (disputed bool)
  )
  (let ((last (var-get recorded-day)))
    (and disputed (try! (contract-call? .plant dispute (get asset-id last) (get day last))))
    (contract-call? .plant adjust (get asset-id last) (get day last) (- (mod delta 20000) 10000))
  )
)

;; Rejects the day of a payment, in one of four calls.
(define-public (act-reject (id uint))
  (let ((payment (try! (some-payment (/ id u4)))))
    (asserts! (is-eq (mod id u4) u0) ERR_NOTHING_DONE)
    (contract-call? .plant reject (get asset-id payment) (get day payment))
  )
)

;; Acts: settlement

(define-public (act-settle (id uint))
  (settle (some-payment-id id))
)

(define-public (act-settle-all (from uint))
  (settle-batch (list
    (some-payment-id from) (some-payment-id (+ from u1)) (some-payment-id (+ from u2)) (some-payment-id (+ from u3))
    (some-payment-id (+ from u4)) (some-payment-id (+ from u5)) (some-payment-id (+ from u6))
    (some-payment-id from)
  ))
)

;; Chooses among all payments: if nobody verifies a day, its payments can only be refunded after 46 days.
(define-public (act-refund (id uint))
  (refund (any-payment-id id))
)

;; Withdraws the caller's credit from purchases and sales in the token.
(define-public (act-withdraw)
  (withdraw .usdcx)
)

;; Succeeds only for the payment's buyer.
(define-public (act-claim
    (id uint)
    (wh uint)
  )
  (let ((payment (try! (some-payment id))))
    (claim (some-payment-id id)
      (+ u1 (mod wh (+ u1 (get delivered-wh payment)))) tx-sender "test"
    )
  )
)

;; Assigns a payment of the caller to the plant, which can do nothing with it, or to another contract.
(define-public (act-assign
    (id uint)
    (plant bool)
  )
  (assign-payment (some-payment-id id) (if plant
    .plant
    .usdcx
  ))
)

(define-public (act-withdraw-token-fees (amount uint))
  (withdraw-fees-with .usdcx (mod amount (+ (get-fees (some .usdcx)) u2)) tx-sender)
)

(define-public (act-set-fee (bps uint))
  (set-fee-bps (mod bps (+ MAX_FEE_BPS u2)))
)

(define-public (act-withdraw-fees (amount uint))
  (withdraw-fees (mod amount (+ (get-fees none) u2)) tx-sender)
)

;; Stores what has ended, so that the invariants can see that it stays the same.
(define-public (act-remember (id uint))
  (let (
      (payment (try! (some-payment id)))
      (key {
        asset-id: (get asset-id payment),
        day: (get day payment),
      })
    )
    (and (> (get state payment) STATE_LOCKED)
      (map-insert ended-payments (some-payment-id id) (end-of payment))
    )
    (match (contract-call? .production-tracking get-day (get asset-id payment) (get day payment))
      row (and (>= (get state row) DAY_VERIFIED) (map-insert ended-days key row))
      false
    )
    (match (contract-call? .grid-integration get-deliverable (get asset-id payment) (get day payment))
      deliverable (map-insert known-deliverables key deliverable)
      false
    )
    (ok true)
  )
)

;; Invariants: money

;; Nobody sends STX to the contract, so it holds exactly what it owes: nothing is missing, and nothing is trapped.
(define-read-only (invariant-balance-is-escrow-and-fees)
  (and
    (is-solvent)
    (is-eq (stx-get-balance current-contract) (+ (get-escrow-total none) (get-fees none)))
  )
)

(define-read-only (invariant-escrow-is-cost-of-locked-payments)
  (let ((sums (sum-payments u0 u0 u0)))
    (and
      (is-eq (get-escrow-total none) (get locked sums))
      (is-eq (get-escrow-total (some .usdcx)) (get locked-token sums))
    )
  )
)

;; The contract holds exactly the tokens in its ledger, and nobody's credit exceeds the sum of credits.
(define-read-only (invariant-token-balance-is-its-ledger (who principal))
  (let ((ledger (get-ledger (some .usdcx))))
    (and
      (is-eq (unwrap! (contract-call? .usdcx get-balance current-contract) false)
        (+ (get escrow ledger) (get fees ledger) (get credits ledger))
      )
      (<= (+ (get-credit .plant .usdcx) (get-credit who .usdcx))
        (+ (get credits ledger) (if (is-eq who .plant)
          (get credits ledger)
          u0
        ))
      )
      (is-eq (get credits (get-ledger none)) u0)
    )
  )
)

;; A fee never exceeds its maximum, and a higher fee never applies before its announced time.
(define-read-only (invariant-fee-within-its-cap)
  (let ((schedule (get-fee-schedule)))
    (and
      (<= (get-fee-bps) MAX_FEE_BPS)
      (<= (get next-fee-bps schedule) MAX_FEE_BPS)
      (<= (get fee-bps schedule) (get next-fee-bps schedule))
    )
  )
)

;; Each delivered Wh is claimed at most once.
(define-read-only (invariant-claimed-within-delivered (id uint))
  (match (map-get? payments (any-payment-id id))
    payment (<= (get claimed-wh payment) (get delivered-wh payment))
    true
  )
)

(define-read-only (invariant-closed-payment-is-shared-out (id uint))
  (match (map-get? payments (any-payment-id id))
    payment (let (
        (paid (+ (get payout payment) (get fee payment) (get refund payment)))
        (cost (get cost payment))
        (worth (* (get wh payment) (get price payment)))
      )
      (and
        (>= (* cost WH_PER_KWH) worth)
        (< (* (- cost u1) WH_PER_KWH) worth)
        (<= (get delivered-wh payment) (get wh payment))
        (<= (* (get fee payment) BPS) (* cost MAX_FEE_BPS))
        (if (is-eq (get state payment) STATE_LOCKED)
          (is-eq paid u0)
          (is-eq paid cost)
        )
        (or
          (not (is-eq (get state payment) STATE_REFUNDED))
          (is-eq (get refund payment) cost)
        )
        (or (not (get spot payment)) (is-eq (get state payment) STATE_SETTLED))
      )
    )
    (is-eq (var-get payment-count) u0)
  )
)

;; A settlement delivered what it would deliver now: no later fill, feed or adjustment changes it.
(define-read-only (invariant-settled-as-first-funded (id uint))
  (match (map-get? payments (any-payment-id id))
    payment (or
      (not (is-eq (get state payment) STATE_SETTLED))
      (get spot payment)
      (match (contract-call? .grid-integration get-delivered (get asset-id payment) (get day payment)
        (get wh payment) (get before-wh payment)
      )
        delivered-wh (is-eq (get delivered-wh payment) delivered-wh)
        false
      )
    )
    true
  )
)

;; A locked payment can never be both settled and refunded, and one of the two is possible once the window has ended.
(define-read-only (invariant-one-way-out (id uint))
  (match (map-get? payments (any-payment-id id))
    payment (let (
        (asset-id (get asset-id payment))
        (day (get day payment))
        (settles (is-some (preview-settlement (any-payment-id id))))
        (refunds (contract-call? .grid-integration is-undeliverable asset-id day))
      )
      (or
        (not (is-eq (get state payment) STATE_LOCKED))
        (and
          (not (and settles refunds))
          (or settles refunds (<= (contract-call? .plant today) (+ day WINDOW_DAYS)))
        )
      )
    )
    true
  )
)

;; Invariants: energy

;; The funded and sold Wh are the sums of all payments, closed ones included; nothing ever lowers them. If a day's
;; deliverable is known, no more than that is delivered, sold and retired.
(define-read-only (invariant-energy-is-sold-once (id uint))
  (match (map-get? payments (any-payment-id id))
    payment (let (
        (asset-id (get asset-id payment))
        (day (get day payment))
        (sums (sum-payments asset-id day u0))
        (book (unwrap! (contract-call? .market-participation get-day-book asset-id day) false))
        (taken (+ (get spot-sold-wh book) (get retired-wh book)))
      )
      (and
        (is-eq (get forward-wh sums) (get forward-funded-wh book))
        (is-eq (get spot-wh sums) (get spot-sold-wh book))
        (match (contract-call? .grid-integration get-deliverable asset-id day)
          deliverable (and
            (<= (+ (get delivered-wh sums) taken) deliverable)
            (<= (+ (get spot-open-wh book) taken)
              (- deliverable (least-of (get forward-funded-wh book) deliverable))
            )
          )
          (is-eq (+ (get delivered-wh sums) (get spot-open-wh book) taken) u0)
        )
      )
    )
    true
  )
)

;; The same for the day verified last, whoever bought its energy; and retired energy stays retired.
(define-read-only (invariant-retired-and-sold-within-deliverable)
  (let (
      (last (var-get verified-day))
      (asset-id (get asset-id last))
      (day (get day last))
      (deliverable (default-to u0 (contract-call? .grid-integration get-deliverable asset-id day)))
    )
    (match (contract-call? .market-participation get-day-book asset-id day)
      book (and
        (is-eq (get retired-wh book) (default-to u0 (map-get? retirements last)))
        (<=
          (+ (get spot-open-wh book) (get spot-sold-wh book) (get retired-wh book)
            (least-of (get forward-funded-wh book) deliverable)
          )
          deliverable
        )
      )
      true
    )
  )
)

(define-read-only (invariant-forward-within-capacity
    (asset uint)
    (offset uint)
  )
  (let (
      (asset-id (some-asset asset))
      (day (- (+ (contract-call? .plant today) u3) (mod offset u20)))
    )
    (match (contract-call? .market-participation get-day-book asset-id day)
      book (<= (+ (get forward-open-wh book) (get forward-funded-wh book))
        (* (default-to u0 (contract-call? .grid-integration get-export-cap asset-id)) u24)
      )
      true
    )
  )
)

;; The open sums of the book are the sums of the open offers of its epoch.
(define-read-only (invariant-book-is-sum-of-offers (offer uint))
  (match (contract-call? .market-participation get-offer (unwrap! (some-offer offer) true))
    chosen (let (
        (asset-id (get asset-id chosen))
        (day (get day chosen))
        (book (unwrap! (contract-call? .market-participation get-day-book asset-id day) false))
        (sums (get sums (fold add-offer-block INDEX {
          asset-id: asset-id,
          day: day,
          epoch: (get epoch book),
          count: (contract-call? .market-participation get-offer-count),
          base: u0,
          sums: {
            forward-wh: u0,
            spot-wh: u0,
          },
        })))
      )
      (and
        (is-eq (get forward-wh sums) (get forward-open-wh book))
        (is-eq (get spot-wh sums) (get spot-open-wh book))
      )
    )
    false
  )
)

(define-read-only (invariant-offer-state-fits (offer uint))
  (let ((offer-id (unwrap! (some-offer offer) true)))
    (match (contract-call? .market-participation get-offer offer-id)
      chosen (let (
          (state (get state chosen))
          (fills (get fills chosen))
          (unsettled (get unsettled-fills chosen))
          (open-wh (get open-wh chosen))
          (sums (sum-payments u0 u0 offer-id))
        )
        (and
          (is-eq unsettled (get unsettled sums))
          (is-eq fills (get fills sums))
          (is-eq (is-eq state OFFER_COMPLETED) (and (> fills u0) (is-eq open-wh u0) (is-eq unsettled u0)))
          (or (< state OFFER_REJECTED) (and (is-eq fills u0) (is-eq open-wh u0)))
          ;; Sold and open energy together never exceed the offer.
          (<= (+ open-wh (get offer-wh sums)) (get wh chosen))
        )
      )
      false
    )
  )
)

;; Invariants: what has ended stays

(define-read-only (invariant-ended-payment-stays (id uint))
  (match (map-get? ended-payments (any-payment-id id))
    ended (match (map-get? payments (any-payment-id id))
      payment (is-eq ended (end-of payment))
      false
    )
    true
  )
)

(define-read-only (invariant-ended-day-stays (id uint))
  (match (map-get? payments (any-payment-id id))
    payment (let (
        (asset-id (get asset-id payment))
        (day (get day payment))
        (key {
          asset-id: asset-id,
          day: day,
        })
        (ended (map-get? ended-days key))
        (deliverable (map-get? known-deliverables key))
      )
      (and
        (or (is-none ended) (is-eq ended (contract-call? .production-tracking get-day asset-id day)))
        (or
          (is-none deliverable)
          (is-eq deliverable (contract-call? .grid-integration get-deliverable asset-id day))
        )
      )
    )
    true
  )
)

;; Properties

(define-public (test-shares-add-up
    (wh uint)
    (wh-factor uint)
    (price uint)
    (price-factor uint)
    (bps uint)
    (part uint)
  )
  (let (
      (taken (+ u1 (mod (* wh wh-factor) u1000000000000000)))
      (unit-price (+ u1 (mod (* price price-factor) u1000000000000000)))
      (cost (/ (+ (* taken unit-price) (- WH_PER_KWH u1)) WH_PER_KWH))
      (rate (mod bps (+ MAX_FEE_BPS u1)))
      (delivered (mod (* part wh-factor) (+ taken u1)))
      (parts (shares cost unit-price rate delivered))
      (gross (+ (get payout parts) (get fee parts)))
    )
    (asserts! (is-eq (+ gross (get refund parts)) cost) ERR_PROPERTY)
    (asserts! (<= (* gross WH_PER_KWH) (* delivered unit-price)) ERR_PROPERTY)
    (asserts! (<= (* (get fee parts) BPS) (* gross rate)) ERR_PROPERTY)
    ;; For a buyer who gets everything, rounding costs less than one microSTX.
    (asserts! (or (< delivered taken) (<= (get refund parts) u1)) ERR_PROPERTY)
    (ok true)
  )
)

;; A purchase moves the cost from the buyer to the contract, and its energy from open to funded.
(define-public (test-purchase-moves-its-cost
    (asset uint)
    (ahead uint)
    (wh uint)
    (price uint)
    (part uint)
  )
  (let (
      (buyer-before (stx-get-balance tx-sender))
      (held-before (stx-get-balance current-contract))
      (escrow-before (get-escrow-total none))
      (payment-id (unwrap! (act-sell-forward asset ahead wh price part true) (ok false)))
      (payment (unwrap! (map-get? payments payment-id) ERR_PROPERTY))
      (cost (if (is-none (get token payment))
        (get cost payment)
        u0
      ))
      (book (unwrap!
        (contract-call? .market-participation get-day-book (get asset-id payment) (get day payment))
        ERR_PROPERTY
      ))
    )
    (asserts! (is-eq (- buyer-before cost) (stx-get-balance tx-sender)) ERR_PROPERTY)
    (asserts! (is-eq (+ held-before cost) (stx-get-balance current-contract)) ERR_PROPERTY)
    (asserts! (is-eq (+ escrow-before cost) (get-escrow-total none)) ERR_PROPERTY)
    (asserts! (is-eq (+ (get before-wh payment) (get wh payment)) (get forward-funded-wh book)) ERR_PROPERTY)
    ;; The day has not begun, so the payment cannot be closed yet.
    (asserts! (is-eq (settle payment-id) ERR_NOT_DELIVERABLE) ERR_PROPERTY)
    (asserts! (is-eq (refund payment-id) ERR_NOT_REFUNDABLE) ERR_PROPERTY)
    (ok true)
  )
)

;; A buyer never pays more per kWh, never has more energy ahead, and never gets less than they allow.
(define-public (test-buyer-sets-the-limits
    (asset uint)
    (ahead uint)
    (wh uint)
    (price uint)
  )
  (let (
      (offer-id (unwrap! (act-sell-forward asset ahead wh (+ u1 (* price u3)) u0 false) (ok false)))
      (offer (unwrap! (contract-call? .market-participation get-offer offer-id) ERR_PROPERTY))
      (quoted (unwrap! (contract-call? .market-participation quote offer-id (get wh offer)) ERR_PROPERTY))
      (limit (get price offer))
      (before-wh (get before-wh quoted))
      (more (+ (get wh offer) u1))
    )
    (asserts!
      (is-eq (accept-and-fund offer-id more u1 (- limit u1) before-wh) ERR_PRICE_ABOVE_MAX)
      ERR_PROPERTY
    )
    (asserts!
      (or
        (is-eq before-wh u0)
        (is-eq (accept-and-fund offer-id more u1 limit (- before-wh u1)) ERR_BEFORE_ABOVE_MAX)
      )
      ERR_PROPERTY
    )
    (asserts! (is-err (accept-and-fund offer-id more more limit before-wh)) ERR_PROPERTY)
    (asserts! (is-eq (accept-and-fund-with .usdcx offer-id more u1 limit before-wh) ERR_WRONG_TOKEN)
      ERR_PROPERTY
    )
    (asserts! (is-ok (accept-and-fund offer-id more u1 limit before-wh)) ERR_PROPERTY)
    (ok true)
  )
)

;; A settlement pays once, and a closed payment never changes again.
(define-public (test-close-once (id uint))
  (let (
      (payment-id (some-payment-id id))
      (closed (or (is-ok (settle payment-id)) (is-ok (refund payment-id))))
      (held (stx-get-balance current-contract))
    )
    (asserts! closed (ok false))
    (asserts! (is-eq (settle payment-id) ERR_PAYMENT_CLOSED) ERR_PROPERTY)
    (asserts! (is-eq (refund payment-id) ERR_PAYMENT_CLOSED) ERR_PROPERTY)
    (asserts! (is-eq held (stx-get-balance current-contract)) ERR_PROPERTY)
    (ok true)
  )
)

;; Delivers or rejects the days of payments, so that test-close-once finds some to close.
(define-public (test-day-is-decided
    (id uint)
    (wh uint)
    (exported-wh uint)
    (rejected bool)
  )
  (let (
      (payment (unwrap! (some-payment id) (ok false)))
      (decided (if rejected
        (is-ok (contract-call? .plant reject (get asset-id payment) (get day payment)))
        (is-ok (act-deliver id wh exported-wh false))
      ))
      (row (contract-call? .production-tracking get-day (get asset-id payment) (get day payment)))
      (state (default-to u0 (get state row)))
    )
    (asserts! decided (ok false))
    (asserts! (or (not rejected) (is-eq state DAY_REJECTED)) ERR_PROPERTY)
    (asserts! (is-none (preview-if-rejected (some-payment-id id) state)) ERR_PROPERTY)
    (ok true)
  )
)

;; Private: choices

(define-private (some-asset (seed uint))
  (+ u1 (mod seed ASSETS))
)

;; Today or one of the five days before.
(define-private (some-day (back uint))
  (- (contract-call? .plant today) (mod back u6))
)

(define-private (any-payment-id (seed uint))
  (+ u1 (mod seed (max-of u1 (var-get payment-count))))
)

;; One of the latest 10 ids; u0 if there are none.
(define-private (some-payment-id (seed uint))
  (let ((count (var-get payment-count)))
    (- count (mod seed (max-of u1 (least-of count u10))))
  )
)

(define-private (some-payment (seed uint))
  (ok (unwrap! (map-get? payments (some-payment-id seed)) ERR_NOTHING_THERE))
)

;; One of the latest 4 offers.
(define-private (some-offer (seed uint))
  (let ((count (contract-call? .market-participation get-offer-count)))
    (asserts! (> count u0) ERR_NOTHING_THERE)
    (ok (- count (mod seed (least-of count u4))))
  )
)

;; Odd prices, from less than one microSTX per Wh to about 3 STX per kWh, and a smallest fill worth at least one
;; microSTX.
(define-private (some-terms
    (wh uint)
    (price uint)
  )
  (let (
      (unit-price (+ u1 (mod price u3000000)))
      (min-fill (+ u1 (/ WH_PER_KWH unit-price)))
    )
    {
      price: unit-price,
      min-fill-wh: min-fill,
      wh: (+ min-fill (mod wh u60000)),
    }
  )
)

;; The plant records the feed, and this contract verifies it, except in one of sixteen cases.
(define-private (feed
    (asset-id uint)
    (day uint)
    (exported-wh uint)
  )
  (let ((wh (mod exported-wh u80000)))
    (try! (contract-call? .plant feed asset-id day wh))
    (and (> (mod exported-wh u16) u0) (try! (verify-feed asset-id day wh)))
    (ok true)
  )
)

(define-private (verify-feed
    (asset-id uint)
    (day uint)
    (wh uint)
  )
  (as-contract? () (try! (contract-call? .grid-integration verify-feed asset-id day wh u0)))
)

;; Does every step that is possible and not done yet.
(define-private (produce
    (asset-id uint)
    (day uint)
    (wh uint)
    (exported-wh uint)
  )
  (let (
      (recorded (is-ok (contract-call? .plant record asset-id day FULL_DAY (mod wh u60000))))
      (fed (is-ok (feed asset-id day exported-wh)))
      (verified (is-ok (contract-call? .plant verify asset-id day)))
    )
    (asserts! (or recorded fed verified) ERR_NOTHING_DONE)
    (and verified (var-set verified-day {
      asset-id: asset-id,
      day: day,
    }))
    (ok true)
  )
)

;; The caller buys a part of the offer, between the smallest fill and the whole open part. If the offer is in a token,
;; the cost is minted first.
(define-private (take
    (offer-id uint)
    (part uint)
  )
  (let (
      (offer (unwrap! (contract-call? .market-participation get-offer offer-id) ERR_NOTHING_THERE))
      (open-wh (get open-wh offer))
      (least (least-of open-wh (get min-fill-wh offer)))
      (wh (+ least (mod part (+ u1 (- open-wh least)))))
    )
    (asserts! (< (var-get payment-count) MOST) ERR_ENOUGH_PAYMENTS)
    (if (is-none (get token offer))
      (accept-and-fund offer-id wh least ANY_AMOUNT ANY_AMOUNT)
      (begin
        (try! (contract-call? .usdcx protocol-mint
          (/ (+ (* wh (get price offer)) (- WH_PER_KWH u1)) WH_PER_KWH) tx-sender
        ))
        (accept-and-fund-with .usdcx offer-id wh least ANY_AMOUNT ANY_AMOUNT)
      )
    )
  )
)

;; The currency of an offer: in one of three cases, the token.
(define-private (some-token (seed uint))
  (if (is-eq (mod seed u3) u0)
    (some .usdcx)
    none
  )
)

(define-private (least-of
    (a uint)
    (b uint)
  )
  (if (< a b)
    a
    b
  )
)

(define-private (max-of
    (a uint)
    (b uint)
  )
  (if (> a b)
    a
    b
  )
)

(define-private (end-of (payment {
  offer-id: uint,
  asset-id: uint,
  day: uint,
  spot: bool,
  buyer: principal,
  payee: principal,
  token: (optional principal),
  claimable: bool,
  wh: uint,
  before-wh: uint,
  price: uint,
  fee-bps: uint,
  cost: uint,
  state: uint,
  delivered-wh: uint,
  payout: uint,
  fee: uint,
  refund: uint,
  claimed-wh: uint,
}))
  {
    state: (get state payment),
    delivered-wh: (get delivered-wh payment),
    payout: (get payout payment),
    fee: (get fee payment),
    refund: (get refund payment),
  }
)

(define-private (preview-if-rejected
    (payment-id uint)
    (state uint)
  )
  (if (is-eq state DAY_REJECTED)
    (preview-settlement payment-id)
    none
  )
)

;; Private: sums

;; For all payments: the locked cost. For those of (asset, day): the Wh bought forward, delivered of these, and bought
;; on the spot. For those of the offer: how many there are, how many are locked, and their Wh.
(define-private (sum-payments
    (asset-id uint)
    (day uint)
    (offer-id uint)
  )
  (fold add-block INDEX {
    asset-id: asset-id,
    day: day,
    offer-id: offer-id,
    base: u0,
    locked: u0,
    locked-token: u0,
    forward-wh: u0,
    delivered-wh: u0,
    spot-wh: u0,
    fills: u0,
    unsettled: u0,
    offer-wh: u0,
  })
)

(define-private (add-block
    (block uint)
    (sums {
      asset-id: uint,
      day: uint,
      offer-id: uint,
      base: uint,
      locked: uint,
      locked-token: uint,
      forward-wh: uint,
      delivered-wh: uint,
      spot-wh: uint,
      fills: uint,
      unsettled: uint,
      offer-wh: uint,
    })
  )
  (let ((base (* block BLOCK)))
    (if (< base (var-get payment-count))
      (fold add-payment INDEX (merge sums { base: base }))
      sums
    )
  )
)

(define-private (add-payment
    (index uint)
    (sums {
      asset-id: uint,
      day: uint,
      offer-id: uint,
      base: uint,
      locked: uint,
      locked-token: uint,
      forward-wh: uint,
      delivered-wh: uint,
      spot-wh: uint,
      fills: uint,
      unsettled: uint,
      offer-wh: uint,
    })
  )
  (match (map-get? payments (+ (get base sums) index u1))
    payment (let (
        (wh (get wh payment))
        (locked (is-eq (get state payment) STATE_LOCKED))
        (of-day (and
          (is-eq (get asset-id payment) (get asset-id sums))
          (is-eq (get day payment) (get day sums))
        ))
        (of-offer (is-eq (get offer-id payment) (get offer-id sums)))
        (spot (get spot payment))
      )
      (merge sums {
        locked: (+ (get locked sums) (if (and locked (is-none (get token payment))) (get cost payment) u0)),
        locked-token: (+ (get locked-token sums)
          (if (and locked (is-some (get token payment))) (get cost payment) u0)
        ),
        forward-wh: (+ (get forward-wh sums) (if (and of-day (not spot)) wh u0)),
        delivered-wh: (+ (get delivered-wh sums) (if (and of-day (not spot)) (get delivered-wh payment) u0)),
        spot-wh: (+ (get spot-wh sums) (if (and of-day spot) wh u0)),
        fills: (+ (get fills sums) (if of-offer u1 u0)),
        unsettled: (+ (get unsettled sums) (if (and of-offer locked) u1 u0)),
        offer-wh: (+ (get offer-wh sums) (if of-offer wh u0)),
      })
    )
    sums
  )
)

(define-private (add-offer-block
    (block uint)
    (all {
      asset-id: uint,
      day: uint,
      epoch: uint,
      count: uint,
      base: uint,
      sums: {
        forward-wh: uint,
        spot-wh: uint,
      },
    })
  )
  (let ((base (* block BLOCK)))
    (if (< base (get count all))
      (fold add-offer INDEX (merge all { base: base }))
      all
    )
  )
)

(define-private (add-offer
    (index uint)
    (all {
      asset-id: uint,
      day: uint,
      epoch: uint,
      count: uint,
      base: uint,
      sums: {
        forward-wh: uint,
        spot-wh: uint,
      },
    })
  )
  (match (contract-call? .market-participation get-offer (+ (get base all) index u1))
    offer (let (
        (counts (and
          (is-eq (get asset-id offer) (get asset-id all))
          (is-eq (get day offer) (get day all))
          (is-eq (get epoch offer) (get epoch all))
        ))
        (open-wh (if counts (get open-wh offer) u0))
        (sums (get sums all))
      )
      (merge all { sums: (if (get spot offer)
        (merge sums { spot-wh: (+ (get spot-wh sums) open-wh) })
        (merge sums { forward-wh: (+ (get forward-wh sums) open-wh) })
      ) })
    )
    all
  )
)

;; This contract verifies the feeds that the plant records; the contract owner lists the token.
(contract-call? .asset-verification set-verifier-in-test current-contract true)
(contract-call? .market-participation list-in-test .usdcx)
