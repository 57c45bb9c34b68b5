;; settlement: the money. Buyers lock the cost of the energy they take; what is delivered is paid, the rest refunded.
;;
;; Payment, one per fill: locked -> settled | refunded. A spot fill is settled at once.
;;   settle: anyone, as soon as the day is verified (and its feed recorded, where metered). Nothing can stop it then:
;;           it never looks at the present state of asset, connection, pause or fee.
;;   refund: anyone, once the day is rejected, or the window has ended and the day can't be delivered.
;; Never both, and one of them becomes possible.
;;
;;   cost = ceil(wh * price / 1000)               locked when the fill is funded
;;   delivered = min(wh, max(0, D - before))      first funded, first delivered; D what the day can deliver
;;   gross = floor(delivered * price / 1000), fee = floor(gross * bps / 10000)
;;   payout = gross - fee to the payee, refund = cost - gross to the buyer
;;
;; The locked costs and the fees never exceed the contract's balance. The contract owner sets the fee of payments to come,
;; and withdraws fees; nobody can take anything else.
;; Units: money microSTX, energy Wh, price microSTX per kWh, fee basis points, day = unix time / 86400.

;; Errors

(define-constant ERR_NOT_DIRECT_CALLER (err u5001)) ;; a contract in between must not spend for its caller
(define-constant ERR_COST_ABOVE_MAX (err u5002)) ;; dearer than the buyer allows
(define-constant ERR_BEFORE_ABOVE_MAX (err u5003)) ;; more is funded ahead than the buyer allows
(define-constant ERR_PAYMENT_NOT_FOUND (err u5004)) ;; no payment has this id
(define-constant ERR_PAYMENT_CLOSED (err u5005)) ;; settled or refunded already
(define-constant ERR_NOT_DELIVERABLE (err u5006)) ;; the day is not verified, or its feed not recorded
(define-constant ERR_NOT_REFUNDABLE (err u5007)) ;; the day can still be settled
(define-constant ERR_TRANSFER_FAILED (err u5008)) ;; too few STX, or a transfer to the contract itself
(define-constant ERR_NOT_CONTRACT_OWNER (err u5009)) ;; the caller does not own the contracts
(define-constant ERR_FEE_TOO_HIGH (err u5010)) ;; a fee is at most 500 basis points
(define-constant ERR_INVALID_AMOUNT (err u5011)) ;; zero, or more than the fees earned

;; State of a day in production-tracking

(define-constant DAY_REJECTED u4)

;; Payment states

(define-constant STATE_LOCKED u1)
(define-constant STATE_SETTLED u2)
(define-constant STATE_REFUNDED u3)

;; Bounds and durations

(define-constant SECONDS_PER_DAY u86400)
(define-constant WINDOW_DAYS u45)
(define-constant MAX_FEE_BPS u500)
(define-constant BPS u10000)
;; Price is per kWh, energy in Wh.
(define-constant WH_PER_KWH u1000)

;; Data

(define-data-var fee-bps uint u100)
(define-data-var payment-count uint u0)
;; Sum of the costs of all locked payments, microSTX.
(define-data-var escrow-total uint u0)
;; Fees earned and not yet withdrawn, microSTX.
(define-data-var fees uint u0)

;; `before-wh` is what was funded ahead of a forward fill. The last four are zero while the payment is locked.
(define-map payments
  uint
  {
    offer-id: uint,
    asset-id: uint,
    day: uint,
    spot: bool,
    buyer: principal,
    payee: principal,
    wh: uint,
    before-wh: uint,
    price: uint,
    fee-bps: uint,
    cost-ustx: uint,
    state: uint,
    delivered-wh: uint,
    payout-ustx: uint,
    fee-ustx: uint,
    refund-ustx: uint,
  }
)

;; Read-only

(define-read-only (get-payment (payment-id uint))
  (map-get? payments payment-id)
)

(define-read-only (get-payments (payment-ids (list 30 uint)))
  (map get-payment payment-ids)
)

(define-read-only (get-payment-count)
  (var-get payment-count)
)

;; What settling a locked payment would do now; none if it is closed or its day can't be delivered yet.
(define-read-only (preview-settlement (payment-id uint))
  (match (map-get? payments payment-id)
    payment (if (is-eq (get state payment) STATE_LOCKED)
      (match (contract-call? .grid-integration get-deliverable (get asset-id payment)
        (get day payment)
      )
        deliverable (some (shares (get cost-ustx payment) (get price payment) (get fee-bps payment)
          (delivered-of (get wh payment) (get before-wh payment) deliverable)
        ))
        none
      )
      none
    )
    none
  )
)

(define-read-only (get-escrow-total)
  (var-get escrow-total)
)

(define-read-only (get-fees)
  (var-get fees)
)

(define-read-only (get-fee-bps)
  (var-get fee-bps)
)

(define-read-only (is-solvent)
  (>= (stx-get-balance current-contract) (+ (var-get escrow-total) (var-get fees)))
)

;; Public: payments

;; Anyone who is allowed to take the offer, directly: takes `wh` of it and locks their cost, at most `max-cost`, with at
;; most `max-before` Wh funded ahead (forward). A spot fill is delivered and paid at once. Answers the payment's id.
;; Prints "payment-funded", and "payment-settled" for a spot fill.
;; Errors: ERR_NOT_DIRECT_CALLER, ERR_COST_ABOVE_MAX, ERR_BEFORE_ABOVE_MAX, ERR_TRANSFER_FAILED, and those of
;; market-participation's mark-accepted.
(define-public (accept-and-fund
    (offer-id uint)
    (wh uint)
    (max-cost uint)
    (max-before uint)
  )
  (let (
      (buyer contract-caller)
      (fill (try! (contract-call? .market-participation mark-accepted offer-id wh buyer)))
      (payment-id (+ (var-get payment-count) u1))
      (cost (/ (+ (* wh (get price fill)) (- WH_PER_KWH u1)) WH_PER_KWH))
      (payment (merge fill {
        offer-id: offer-id,
        buyer: buyer,
        wh: wh,
        fee-bps: (var-get fee-bps),
        cost-ustx: cost,
        state: STATE_LOCKED,
        delivered-wh: u0,
        payout-ustx: u0,
        fee-ustx: u0,
        refund-ustx: u0,
      }))
    )
    (asserts! (is-eq buyer tx-sender) ERR_NOT_DIRECT_CALLER)
    (asserts! (<= cost max-cost) ERR_COST_ABOVE_MAX)
    (asserts! (<= (get before-wh fill) max-before) ERR_BEFORE_ABOVE_MAX)
    (map-set payments payment-id payment)
    (var-set payment-count payment-id)
    (var-set escrow-total (+ (var-get escrow-total) cost))
    (unwrap! (stx-transfer? cost buyer current-contract) ERR_TRANSFER_FAILED)
    (print {
      topic: "payment-funded",
      version: u1,
      payment-id: payment-id,
      offer-id: offer-id,
      asset-id: (get asset-id fill),
      day: (get day fill),
      actor: buyer,
      spot: (get spot fill),
      payee: (get payee fill),
      wh: wh,
      before-wh: (get before-wh fill),
      price: (get price fill),
      fee-bps: (get fee-bps payment),
      cost-ustx: cost,
      state: STATE_LOCKED,
    })
    (and (get spot fill) (try! (close-payment payment-id payment STATE_SETTLED wh)))
    (ok payment-id)
  )
)

;; Anyone: pays out a locked payment whose day can be delivered, and refunds the shortfall. Prints "payment-settled".
;; Errors: ERR_PAYMENT_NOT_FOUND, ERR_PAYMENT_CLOSED, ERR_NOT_DELIVERABLE.
(define-public (settle (payment-id uint))
  (let (
      (payment (try! (get-locked payment-id)))
      (deliverable (unwrap!
        (contract-call? .grid-integration get-deliverable (get asset-id payment) (get day payment))
        ERR_NOT_DELIVERABLE
      ))
    )
    (try! (close-payment payment-id payment STATE_SETTLED
      (delivered-of (get wh payment) (get before-wh payment) deliverable)
    ))
    (complete-fill (get offer-id payment))
  )
)

;; Anyone: `settle` of up to 25 payments; one answer for each, a failing one alone is undone.
;; Prints "payment-settled" for each settled.
(define-public (settle-batch (payment-ids (list 25 uint)))
  (ok (map settle payment-ids))
)

;; Anyone: gives the buyer back a locked payment whose day was rejected, or can't be delivered although the window has
;; ended. Prints "payment-refunded".
;; Errors: ERR_PAYMENT_NOT_FOUND, ERR_PAYMENT_CLOSED, ERR_NOT_REFUNDABLE.
(define-public (refund (payment-id uint))
  (let ((payment (try! (get-locked payment-id))))
    (asserts! (is-refundable (get asset-id payment) (get day payment)) ERR_NOT_REFUNDABLE)
    (try! (close-payment payment-id payment STATE_REFUNDED u0))
    (complete-fill (get offer-id payment))
  )
)

;; Public: fees

;; Contract owner: sets the fee of payments funded from now on. Prints "fee-bps-set".
;; Errors: ERR_NOT_CONTRACT_OWNER, ERR_FEE_TOO_HIGH.
(define-public (set-fee-bps (bps uint))
  (begin
    (asserts! (is-contract-owner) ERR_NOT_CONTRACT_OWNER)
    (asserts! (<= bps MAX_FEE_BPS) ERR_FEE_TOO_HIGH)
    (var-set fee-bps bps)
    (print {
      topic: "fee-bps-set",
      version: u1,
      actor: contract-caller,
      fee-bps: bps,
    })
    (ok true)
  )
)

;; Contract owner: sends earned fees to a recipient; never anything else. Prints "fees-withdrawn".
;; Errors: ERR_NOT_CONTRACT_OWNER, ERR_INVALID_AMOUNT, ERR_TRANSFER_FAILED.
(define-public (withdraw-fees
    (amount uint)
    (recipient principal)
  )
  (let ((left (var-get fees)))
    (asserts! (is-contract-owner) ERR_NOT_CONTRACT_OWNER)
    (asserts! (and (> amount u0) (<= amount left)) ERR_INVALID_AMOUNT)
    (var-set fees (- left amount))
    (try! (pay amount recipient))
    (print {
      topic: "fees-withdrawn",
      version: u1,
      actor: contract-caller,
      recipient: recipient,
      amount-ustx: amount,
      fees-ustx: (- left amount),
    })
    (ok true)
  )
)

;; Private

(define-private (is-contract-owner)
  (is-eq contract-caller (contract-call? .asset-verification get-contract-owner))
)

(define-private (get-locked (payment-id uint))
  (let ((payment (unwrap! (map-get? payments payment-id) ERR_PAYMENT_NOT_FOUND)))
    (asserts! (is-eq (get state payment) STATE_LOCKED) ERR_PAYMENT_CLOSED)
    (ok payment)
  )
)

;; First funded, first delivered: what is left of the day after all that was funded before.
(define-private (delivered-of
    (wh uint)
    (before-wh uint)
    (deliverable uint)
  )
  (min-of wh (- deliverable (min-of before-wh deliverable)))
)

;; How the cost of a payment is shared out when `delivered-wh` are delivered.
(define-private (shares
    (cost uint)
    (price uint)
    (bps uint)
    (delivered-wh uint)
  )
  (let (
      (gross (/ (* delivered-wh price) WH_PER_KWH))
      (fee (/ (* gross bps) BPS))
    )
    {
      delivered-wh: delivered-wh,
      payout-ustx: (- gross fee),
      fee-ustx: fee,
      refund-ustx: (- cost gross),
    }
  )
)

;; Whether a locked payment can never be settled: the day was rejected, or the window has ended without what it takes.
(define-private (is-refundable
    (asset-id uint)
    (day uint)
  )
  (or
    (match (contract-call? .production-tracking get-day asset-id day)
      row (is-eq (get state row) DAY_REJECTED)
      false
    )
    (and
      (> (/ stacks-block-time SECONDS_PER_DAY) (+ day WINDOW_DAYS))
      (is-none (contract-call? .grid-integration get-deliverable asset-id day))
    )
  )
)

;; Moves a locked payment to its end: writes it, takes its cost out of the escrow, pays payee and buyer, keeps the fee.
(define-private (close-payment
    (payment-id uint)
    (payment {
      offer-id: uint,
      asset-id: uint,
      day: uint,
      spot: bool,
      buyer: principal,
      payee: principal,
      wh: uint,
      before-wh: uint,
      price: uint,
      fee-bps: uint,
      cost-ustx: uint,
      state: uint,
      delivered-wh: uint,
      payout-ustx: uint,
      fee-ustx: uint,
      refund-ustx: uint,
    })
    (state uint)
    (delivered-wh uint)
  )
  (let (
      (cost (get cost-ustx payment))
      (parts (shares cost (get price payment) (get fee-bps payment) delivered-wh))
    )
    (map-set payments payment-id (merge (merge payment parts) { state: state }))
    (var-set escrow-total (- (var-get escrow-total) cost))
    (var-set fees (+ (var-get fees) (get fee-ustx parts)))
    (try! (pay (get payout-ustx parts) (get payee payment)))
    (try! (pay (get refund-ustx parts) (get buyer payment)))
    (print (merge parts {
      topic: (if (is-eq state STATE_SETTLED)
        "payment-settled"
        "payment-refunded"
      ),
      version: u1,
      payment-id: payment-id,
      offer-id: (get offer-id payment),
      asset-id: (get asset-id payment),
      day: (get day payment),
      actor: contract-caller,
      buyer: (get buyer payment),
      payee: (get payee payment),
      cost-ustx: cost,
      state: state,
    }))
    (ok true)
  )
)

(define-private (complete-fill (offer-id uint))
  (begin
    (try! (contract-call? .market-participation mark-completed offer-id contract-caller))
    (ok true)
  )
)

;; Sends from the contract; nothing to do for an amount of zero, which a transfer would refuse.
(define-private (pay
    (amount uint)
    (recipient principal)
  )
  (if (is-eq amount u0)
    (ok true)
    (ok (unwrap!
      (as-contract? ((with-stx amount))
        (unwrap! (stx-transfer? amount current-contract recipient) ERR_TRANSFER_FAILED)
      )
      ERR_TRANSFER_FAILED
    ))
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

(print {
  topic: "settlement-deployed",
  version: u1,
  fee-bps: (var-get fee-bps),
  max-fee-bps: MAX_FEE_BPS,
  window-days: WINDOW_DAYS,
})
