;; settlement: the money. Buyers lock the cost of the energy they buy; delivered energy is paid, the rest refunded.
;;
;; Payment, one per fill: locked -> settled | refunded. A spot fill is settled at once.
;;   settle:  anyone, as soon as the day's deliverable is known. Nothing can stop it then: the current state of asset,
;;            connection, pause and fee does not matter.
;;   refund:  anyone, once it is certain that the day will never deliver anything.
;;   release: the payee, at any time: returns the whole cost.
;; A payment is never both settled and refunded, and one of the two always becomes possible.
;;
;;   cost = ceil(wh * price / 1000)               locked when the fill is funded
;;   delivered = min(wh, max(0, D - before))      first funded, first delivered; D is the day's deliverable
;;   gross = floor(delivered * price / 1000), fee = floor(gross * bps / 10000)
;;   payout = gross - fee to the payee, refund = cost - gross to the buyer
;;
;; STX are paid out at once. Tokens become credits, which each party withdraws itself: an issuer who pauses the token or
;; blacklists a party can delay that party's withdrawal, and nothing else.
;; In each currency, the locked costs, credits and fees together never exceed the contract's balance. The contract owner
;; sets the fee of future payments and can withdraw fees and surplus; nobody can take anything else.
;;
;; The buyer can claim delivered energy for a beneficiary, each Wh once, and can assign the payment to somebody else.
;; Units: money in the smallest unit of the payment's token, microSTX if it has none; price per kWh; energy Wh; fee
;; basis points; time unix seconds UTC; day = time / 86400.

;; Errors

(define-constant ERR_NOT_DIRECT_CALLER (err u5001)) ;; a contract in between must not spend its caller's money
(define-constant ERR_PRICE_ABOVE_MAX (err u5002)) ;; the price is above the buyer's `max-price`
(define-constant ERR_BEFORE_ABOVE_MAX (err u5003)) ;; more is funded ahead than the buyer's `max-before`
(define-constant ERR_PAYMENT_NOT_FOUND (err u5004)) ;; no payment has this id
(define-constant ERR_PAYMENT_CLOSED (err u5005)) ;; the payment is already settled or refunded
(define-constant ERR_NOT_DELIVERABLE (err u5006)) ;; the day or its feed is not verified
(define-constant ERR_NOT_REFUNDABLE (err u5007)) ;; the day can still be settled
(define-constant ERR_TRANSFER_FAILED (err u5008)) ;; too little money, refused by the token, or sent to this contract
(define-constant ERR_NOT_CONTRACT_OWNER (err u5009)) ;; the caller does not own the contracts
(define-constant ERR_FEE_TOO_HIGH (err u5010)) ;; a fee is at most 500 basis points
(define-constant ERR_INVALID_AMOUNT (err u5011)) ;; zero, or more than can be withdrawn
(define-constant ERR_WRONG_TOKEN (err u5012)) ;; the offer is priced in another currency
(define-constant ERR_TOKEN_NOT_MOVED (err u5013)) ;; the token reported success, but moved less than the amount
(define-constant ERR_NOT_PAYEE (err u5014)) ;; the caller is not the payee
(define-constant ERR_NOT_BUYER (err u5015)) ;; the caller does not hold the payment
(define-constant ERR_NOT_SETTLED (err u5016)) ;; the payment is not settled
(define-constant ERR_NOT_CLAIMABLE (err u5017)) ;; energy from storage was counted when it was generated
(define-constant ERR_INVALID_CLAIM (err u5018)) ;; zero, or more than is delivered and not yet claimed
(define-constant ERR_INVALID_RECIPIENT (err u5019)) ;; the current holder, or this contract
(define-constant ERR_NO_CREDIT (err u5020)) ;; the caller has no credit in this token

;; Payment states

(define-constant STATE_LOCKED u1)
(define-constant STATE_SETTLED u2)
(define-constant STATE_REFUNDED u3)

;; Bounds and durations

(define-constant MAX_FEE_BPS u500)
(define-constant FIRST_FEE_BPS u100)
;; A higher fee takes effect 7 days after it is announced.
(define-constant FEE_NOTICE_SECONDS u604800)
(define-constant BPS u10000)
;; Price is per kWh, energy in Wh.
(define-constant WH_PER_KWH u1000)

;; The functions of SIP-010 tokens that this contract calls.
(define-trait sip-010 (
  (transfer
    (uint principal principal (optional (buff 34)))
    (response bool uint)
  )
  (get-balance
    (principal)
    (response uint uint)
  )
))

;; Data

(define-data-var payment-count uint u0)
(define-data-var claim-count uint u0)

;; `fee-bps` applies until `next-from`, `next-fee-bps` from then on.
(define-data-var fee-schedule {
  fee-bps: uint,
  next-fee-bps: uint,
  next-from: uint,
} {
  fee-bps: FIRST_FEE_BPS,
  next-fee-bps: FIRST_FEE_BPS,
  next-from: u0,
})

;; For each currency (none means STX): the costs of all locked payments, the fees not yet withdrawn, and the credits of
;; all parties.
(define-map ledgers
  (optional principal)
  {
    escrow: uint,
    fees: uint,
    credits: uint,
  }
)

;; How much of a token a party can withdraw.
(define-map party-credits
  {
    who: principal,
    token: principal,
  }
  uint
)

;; `before-wh` is the energy funded ahead of a forward fill. The last five fields are zero while the payment is locked.
(define-map payments
  uint
  {
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

(define-read-only (get-claim-count)
  (var-get claim-count)
)

;; The result of settling a locked payment now; none if it is closed, or if the day's deliverable is not known yet.
(define-read-only (preview-settlement (payment-id uint))
  (match (get-locked payment-id)
    payment (match (contract-call? .grid-integration get-delivered (get asset-id payment) (get day payment)
      (get wh payment) (get before-wh payment)
    )
      delivered-wh (some (shares (get cost payment) (get price payment) (get fee-bps payment) delivered-wh))
      none
    )
    code none
  )
)

;; The locked costs, fees and credits in a token, or in STX.
(define-read-only (get-ledger (token (optional principal)))
  (default-to {
    escrow: u0,
    fees: u0,
    credits: u0,
  }
    (map-get? ledgers token)
  )
)

(define-read-only (get-escrow-total (token (optional principal)))
  (get escrow (get-ledger token))
)

(define-read-only (get-fees (token (optional principal)))
  (get fees (get-ledger token))
)

(define-read-only (get-credit
    (who principal)
    (token principal)
  )
  (default-to u0
    (map-get? party-credits {
      who: who,
      token: token,
    })
  )
)

;; The fee of a payment that is funded now.
(define-read-only (get-fee-bps)
  (let ((schedule (var-get fee-schedule)))
    (if (>= stacks-block-time (get next-from schedule))
      (get next-fee-bps schedule)
      (get fee-bps schedule)
    )
  )
)

;; The fee before and after the last change, and the time of the change.
(define-read-only (get-fee-schedule)
  (var-get fee-schedule)
)

;; microSTX that somebody sent to the contract unasked. They are owed to nobody.
(define-read-only (get-surplus)
  (let (
      (ledger (get-ledger none))
      (owed (+ (get escrow ledger) (get fees ledger)))
      (balance (stx-get-balance current-contract))
    )
    (if (> balance owed)
      (- balance owed)
      u0
    )
  )
)

;; Whether the contract's STX balance covers its ledger. For a token, compare the sum of `get-ledger` with the
;; contract's balance in the token.
(define-read-only (is-solvent)
  (let ((ledger (get-ledger none)))
    (>= (stx-get-balance current-contract) (+ (get escrow ledger) (get fees ledger)))
  )
)

;; Public: funding

;; Anyone who may take the offer, calling directly: buys `wh` of an offer in STX, or its open part if that is less but
;; at least `min-wh`, and locks the cost. Fails if the price is above `max-price` microSTX per kWh or, forward, if more
;; than `max-before` Wh are funded ahead. A spot fill is delivered and paid at once. Returns the payment's id. Prints
;; "payment-funded", and "payment-settled" for a spot fill.
;; Errors: ERR_NOT_DIRECT_CALLER, ERR_WRONG_TOKEN, ERR_PRICE_ABOVE_MAX, ERR_BEFORE_ABOVE_MAX, ERR_TRANSFER_FAILED, and
;; those of market-participation's mark-accepted.
(define-public (accept-and-fund
    (offer-id uint)
    (wh uint)
    (min-wh uint)
    (max-price uint) ;; per kWh, microSTX
    (max-before uint)
  )
  (let (
      (funded (try! (lock none offer-id wh min-wh max-price max-before)))
      (payment-id (get payment-id funded))
    )
    (unwrap! (stx-transfer? (get cost funded) contract-caller current-contract)
      ERR_TRANSFER_FAILED
    )
    (try! (complete-funding payment-id))
    (ok payment-id)
  )
)

;; Anyone, calling directly: `accept-and-fund` for up to 31 offers. Returns one response per offer, in order; one that
;; fails changes nothing. Prints the events of `accept-and-fund` per offer taken.
;; Errors: none; per offer, those of `accept-and-fund`.
(define-public (accept-offers
    (fills (list 31 {
      offer-id: uint,
      wh: uint,
      min-wh: uint,
    }))
    (max-price uint) ;; per kWh, microSTX
    (max-before uint)
  )
  (ok (get answers (fold accept-next fills {
    max-price: max-price,
    max-before: max-before,
    answers: (list),
  })))
)

;; Anyone, calling directly: `accept-and-fund` for an offer in this token; price and cost are in the token's smallest
;; unit. Payouts and refunds later become credits of payee and buyer. Returns the payment's id. Prints "payment-funded",
;; and "payment-settled" for a spot fill.
;; Errors: ERR_TOKEN_NOT_MOVED, and those of `accept-and-fund`.
(define-public (accept-and-fund-with
    (token <sip-010>)
    (offer-id uint)
    (wh uint)
    (min-wh uint)
    (max-price uint) ;; per kWh, in the smallest unit of `token`
    (max-before uint)
  )
  (let (
      (funded (try! (lock (some (contract-of token)) offer-id wh min-wh max-price max-before)))
      (payment-id (get payment-id funded))
      (cost (get cost funded))
      ;; All state is written by now: the token may call back.
      (before (unwrap! (contract-call? token get-balance current-contract) ERR_TRANSFER_FAILED))
    )
    (unwrap! (contract-call? token transfer cost contract-caller current-contract none)
      ERR_TRANSFER_FAILED
    )
    (asserts!
      (is-risen-by cost before
        (unwrap! (contract-call? token get-balance current-contract) ERR_TRANSFER_FAILED)
      )
      ERR_TOKEN_NOT_MOVED
    )
    (try! (complete-funding payment-id))
    (ok payment-id)
  )
)

;; Public: closing payments

;; Anyone: pays out a locked payment once the day's deliverable is known, and refunds the shortfall.
;; Prints "payment-settled".
;; Errors: ERR_PAYMENT_NOT_FOUND, ERR_PAYMENT_CLOSED, ERR_NOT_DELIVERABLE.
(define-public (settle (payment-id uint))
  (let ((payment (try! (get-locked payment-id))))
    (try! (close-payment payment-id payment "payment-settled"
      (unwrap!
        (contract-call? .grid-integration get-delivered (get asset-id payment) (get day payment)
          (get wh payment) (get before-wh payment)
        )
        ERR_NOT_DELIVERABLE
      )))
    (complete-fill (get offer-id payment))
  )
)

;; Anyone: `settle` for up to 25 payments. Returns one response per payment, in order; one that fails changes nothing.
;; Prints "payment-settled" per payment settled.
;; Errors: none; per payment, those of `settle`.
(define-public (settle-batch (payment-ids (list 25 uint)))
  (ok (map settle payment-ids))
)

;; Anyone: refunds a locked payment whose day will never deliver anything: the day was rejected, nothing is recorded for
;; it and nothing can be any more, or its window ended before the deliverable was known. Prints "payment-refunded".
;; Errors: ERR_PAYMENT_NOT_FOUND, ERR_PAYMENT_CLOSED, ERR_NOT_REFUNDABLE.
(define-public (refund (payment-id uint))
  (let ((payment (try! (get-locked payment-id))))
    (asserts!
      (contract-call? .grid-integration is-undeliverable (get asset-id payment) (get day payment))
      ERR_NOT_REFUNDABLE
    )
    (try! (close-payment payment-id payment "payment-refunded" u0))
    (complete-fill (get offer-id payment))
  )
)

;; Anyone: `refund` for up to 25 payments. Returns one response per payment, in order; one that fails changes nothing.
;; Prints "payment-refunded" per payment refunded.
;; Errors: none; per payment, those of `refund`.
(define-public (refund-batch (payment-ids (list 25 uint)))
  (ok (map refund payment-ids))
)

;; The payee: returns a locked payment to its buyer in full. The energy stays sold. Prints "payment-released".
;; Errors: ERR_PAYMENT_NOT_FOUND, ERR_PAYMENT_CLOSED, ERR_NOT_PAYEE.
(define-public (release (payment-id uint))
  (let ((payment (try! (get-locked payment-id))))
    (asserts! (is-eq contract-caller (get payee payment)) ERR_NOT_PAYEE)
    (try! (close-payment payment-id payment "payment-released" u0))
    (complete-fill (get offer-id payment))
  )
)

;; Any party: withdraws all its credit in a token. Returns the amount. Prints "credit-withdrawn".
;; Errors: ERR_NO_CREDIT, ERR_TRANSFER_FAILED, ERR_TOKEN_NOT_MOVED.
(define-public (withdraw (token <sip-010>))
  (let (
      (who contract-caller)
      (id (contract-of token))
      (amount (get-credit who id))
      (ledger (get-ledger (some id)))
    )
    (asserts! (> amount u0) ERR_NO_CREDIT)
    (map-delete party-credits {
      who: who,
      token: id,
    })
    (map-set ledgers (some id)
      (merge ledger { credits: (- (get credits ledger) amount) })
    )
    (try! (send-token token amount who))
    (print {
      topic: "credit-withdrawn",
      version: u1,
      actor: who,
      token: id,
      amount: amount,
    })
    (ok amount)
  )
)

;; Public: purchased energy

;; The buyer: claims delivered energy for a beneficiary and a purpose, each Wh once. Energy from storage cannot be
;; claimed. Returns the claim's number. Prints "energy-claimed", which is the certificate.
;; Errors: ERR_PAYMENT_NOT_FOUND, ERR_NOT_BUYER, ERR_NOT_SETTLED, ERR_NOT_CLAIMABLE, ERR_INVALID_CLAIM.
(define-public (claim
    (payment-id uint)
    (wh uint)
    (beneficiary principal)
    (purpose (string-ascii 64))
  )
  (let (
      (payment (unwrap! (map-get? payments payment-id) ERR_PAYMENT_NOT_FOUND))
      (asset-id (get asset-id payment))
      (day (get day payment))
      (claim-id (+ (var-get claim-count) u1))
      (claimed-wh (get claimed-wh payment))
    )
    (asserts! (is-eq contract-caller (get buyer payment)) ERR_NOT_BUYER)
    (asserts! (is-eq (get state payment) STATE_SETTLED) ERR_NOT_SETTLED)
    (asserts! (get claimable payment) ERR_NOT_CLAIMABLE)
    (asserts! (and (> wh u0) (<= wh (- (get delivered-wh payment) claimed-wh)))
      ERR_INVALID_CLAIM
    )
    (map-set payments payment-id (merge payment { claimed-wh: (+ claimed-wh wh) }))
    (var-set claim-count claim-id)
    (print {
      topic: "energy-claimed",
      version: u1,
      claim-id: claim-id,
      payment-id: payment-id,
      asset-id: asset-id,
      day: day,
      mask: (get mask
        (unwrap! (contract-call? .production-tracking get-day asset-id day) ERR_NOT_SETTLED)
      ),
      actor: contract-caller,
      wh: wh,
      beneficiary: beneficiary,
      purpose: purpose,
      claimed-wh: (+ claimed-wh wh),
    })
    (ok claim-id)
  )
)

;; The buyer: assigns a payment that was not refunded to somebody else, with its refund and its claims. Prints
;; "payment-assigned".
;; Errors: ERR_PAYMENT_NOT_FOUND, ERR_NOT_BUYER, ERR_PAYMENT_CLOSED, ERR_INVALID_RECIPIENT.
(define-public (assign-payment
    (payment-id uint)
    (to principal)
  )
  (let ((payment (unwrap! (map-get? payments payment-id) ERR_PAYMENT_NOT_FOUND)))
    (asserts! (is-eq contract-caller (get buyer payment)) ERR_NOT_BUYER)
    (asserts! (not (is-eq (get state payment) STATE_REFUNDED)) ERR_PAYMENT_CLOSED)
    ;; The contract cannot pay itself, so the payment could never be closed.
    (asserts!
      (not (or (is-eq to (get buyer payment)) (is-eq to current-contract)))
      ERR_INVALID_RECIPIENT
    )
    (map-set payments payment-id (merge payment { buyer: to }))
    (print {
      topic: "payment-assigned",
      version: u1,
      payment-id: payment-id,
      actor: contract-caller,
      to: to,
    })
    (ok true)
  )
)

;; Public: tokens, fees and surplus

;; Contract owner: allows or stops new offers in a token. Existing offers and payments in it remain valid. Prints
;; "token-set" in market-participation. Errors: ERR_NOT_CONTRACT_OWNER.
(define-public (set-token
    (token principal)
    (listed bool)
  )
  (begin
    (try! (check-contract-owner))
    (try! (contract-call? .market-participation mark-token token listed contract-caller))
    (ok true)
  )
)

;; Contract owner: sets the fee of payments funded from now on, or 7 days from now if it is higher. Prints
;; "fee-bps-set".
;; Errors: ERR_NOT_CONTRACT_OWNER, ERR_FEE_TOO_HIGH.
(define-public (set-fee-bps (bps uint))
  (let (
      (present (get-fee-bps))
      (schedule (if (<= bps present)
        {
          fee-bps: bps,
          next-fee-bps: bps,
          next-from: stacks-block-time,
        }
        {
          fee-bps: present,
          next-fee-bps: bps,
          next-from: (+ stacks-block-time FEE_NOTICE_SECONDS),
        }
      ))
    )
    (try! (check-contract-owner))
    (asserts! (<= bps MAX_FEE_BPS) ERR_FEE_TOO_HIGH)
    (var-set fee-schedule schedule)
    (print (merge schedule {
      topic: "fee-bps-set",
      version: u1,
      actor: contract-caller,
    }))
    (ok true)
  )
)

;; Contract owner: sends fees earned in STX to a recipient. Prints "fees-withdrawn".
;; Errors: ERR_NOT_CONTRACT_OWNER, ERR_INVALID_AMOUNT, ERR_TRANSFER_FAILED.
(define-public (withdraw-fees
    (amount uint) ;; microSTX
    (recipient principal)
  )
  (begin
    (try! (take-fees none amount recipient))
    (pay amount recipient)
  )
)

;; Contract owner: sends fees earned in a token to a recipient. Prints "fees-withdrawn".
;; Errors: ERR_NOT_CONTRACT_OWNER, ERR_INVALID_AMOUNT, ERR_TRANSFER_FAILED, ERR_TOKEN_NOT_MOVED.
(define-public (withdraw-fees-with
    (token <sip-010>)
    (amount uint) ;; in the smallest unit of `token`
    (recipient principal)
  )
  (begin
    (try! (take-fees (some (contract-of token)) amount recipient))
    (send-token token amount recipient)
  )
)

;; Contract owner: sends surplus STX to a recipient. Prints "surplus-withdrawn".
;; Errors: ERR_NOT_CONTRACT_OWNER, ERR_INVALID_AMOUNT, ERR_TRANSFER_FAILED.
(define-public (withdraw-surplus
    (amount uint) ;; microSTX
    (recipient principal)
  )
  (begin
    (try! (check-contract-owner))
    (asserts! (and (> amount u0) (<= amount (get-surplus))) ERR_INVALID_AMOUNT)
    (try! (pay amount recipient))
    (print {
      topic: "surplus-withdrawn",
      version: u1,
      actor: contract-caller,
      recipient: recipient,
      amount: amount,
    })
    (ok true)
  )
)

;; Private: funding

;; The payer must be the transaction's sender, or a contract that acts for itself.
(define-private (get-direct-caller)
  (begin
    (asserts! (is-eq contract-caller tx-sender) ERR_NOT_DIRECT_CALLER)
    (ok contract-caller)
  )
)

;; Fills an offer in this currency for the caller and writes the payment. No money has moved yet.
(define-private (lock
    (token (optional principal))
    (offer-id uint)
    (wh uint)
    (min-wh uint)
    (max-price uint)
    (max-before uint)
  )
  (let (
      (buyer (try! (get-direct-caller)))
      (fill (try! (contract-call? .market-participation mark-accepted offer-id wh min-wh buyer)))
      (payment-id (+ (var-get payment-count) u1))
      (cost (/ (+ (* (get wh fill) (get price fill)) (- WH_PER_KWH u1)) WH_PER_KWH))
      (ledger (get-ledger token))
      (locked (merge fill {
        offer-id: offer-id,
        fee-bps: (get-fee-bps),
        cost: cost,
        state: STATE_LOCKED,
      }))
    )
    (asserts! (is-eq token (get token fill)) ERR_WRONG_TOKEN)
    (asserts! (<= (get price fill) max-price) ERR_PRICE_ABOVE_MAX)
    (asserts! (<= (get before-wh fill) max-before) ERR_BEFORE_ABOVE_MAX)
    (map-set payments payment-id
      (merge locked {
        buyer: buyer,
        delivered-wh: u0,
        payout: u0,
        fee: u0,
        refund: u0,
        claimed-wh: u0,
      })
    )
    (var-set payment-count payment-id)
    (map-set ledgers token (merge ledger { escrow: (+ (get escrow ledger) cost) }))
    (print (merge locked {
      topic: "payment-funded",
      version: u1,
      payment-id: payment-id,
      actor: buyer,
    }))
    (ok {
      payment-id: payment-id,
      cost: cost,
    })
  )
)

;; Called once the money has arrived: settles a spot fill.
(define-private (complete-funding (payment-id uint))
  (let ((payment (unwrap! (map-get? payments payment-id) ERR_PAYMENT_NOT_FOUND)))
    (if (get spot payment)
      (close-payment payment-id payment "payment-settled" (get wh payment))
      (ok true)
    )
  )
)

(define-private (accept-next
    (fill {
      offer-id: uint,
      wh: uint,
      min-wh: uint,
    })
    (batch {
      max-price: uint,
      max-before: uint,
      answers: (list 31 (response uint uint)),
    })
  )
  (let (
      (answer (accept-and-fund (get offer-id fill) (get wh fill) (get min-wh fill) (get max-price batch)
        (get max-before batch)
      ))
      (answers (append (get answers batch) answer))
    )
    (merge batch { answers: (unwrap! (as-max-len? answers u31) batch) })
  )
)

;; Private: closing payments

;; A payment that can still be closed. Its own funding settles a spot payment; nobody else can close it while the token
;; moves.
(define-private (get-locked (payment-id uint))
  (let ((payment (unwrap! (map-get? payments payment-id) ERR_PAYMENT_NOT_FOUND)))
    (asserts! (and (is-eq (get state payment) STATE_LOCKED) (not (get spot payment)))
      ERR_PAYMENT_CLOSED
    )
    (ok payment)
  )
)

;; How the cost of a payment is divided when `delivered-wh` are delivered.
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
      payout: (- gross fee),
      fee: fee,
      refund: (- cost gross),
    }
  )
)

;; Closes a locked payment: writes it, takes its cost out of escrow, pays or credits payee and buyer, and keeps the fee.
(define-private (close-payment
    (payment-id uint)
    (payment {
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
    })
    (topic (string-ascii 16))
    (delivered-wh uint)
  )
  (let (
      (token (get token payment))
      (cost (get cost payment))
      (parts (shares cost (get price payment) (get fee-bps payment) delivered-wh))
      (payout (get payout parts))
      (back (get refund parts))
      (ledger (get-ledger token))
      (state (if (is-eq topic "payment-settled")
        STATE_SETTLED
        STATE_REFUNDED
      ))
    )
    (map-set payments payment-id (merge (merge payment parts) { state: state }))
    (map-set ledgers token {
      escrow: (- (get escrow ledger) cost),
      fees: (+ (get fees ledger) (get fee parts)),
      credits: (if (is-some token)
        (+ (get credits ledger) payout back)
        (get credits ledger)
      ),
    })
    (try! (give token payout (get payee payment)))
    (try! (give token back (get buyer payment)))
    (print (merge parts {
      topic: topic,
      version: u1,
      payment-id: payment-id,
      offer-id: (get offer-id payment),
      asset-id: (get asset-id payment),
      day: (get day payment),
      actor: contract-caller,
      buyer: (get buyer payment),
      payee: (get payee payment),
      token: token,
      cost: cost,
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

;; Pays STX, or credits a token.
(define-private (give
    (token (optional principal))
    (amount uint)
    (who principal)
  )
  (match token
    id (ok (and
      (> amount u0)
      (map-set party-credits {
        who: who,
        token: id,
      }
        (+ (get-credit who id) amount)
      )
    ))
    (pay amount who)
  )
)

;; Private: money

(define-private (check-contract-owner)
  (ok (asserts!
    (is-eq contract-caller (contract-call? .asset-verification get-contract-owner))
    ERR_NOT_CONTRACT_OWNER
  ))
)

;; Takes earned fees out of the ledger, if the caller is the contract owner.
(define-private (take-fees
    (token (optional principal))
    (amount uint)
    (recipient principal)
  )
  (let (
      (ledger (get-ledger token))
      (left (get fees ledger))
    )
    (try! (check-contract-owner))
    (asserts! (and (> amount u0) (<= amount left)) ERR_INVALID_AMOUNT)
    (map-set ledgers token (merge ledger { fees: (- left amount) }))
    (print {
      topic: "fees-withdrawn",
      version: u1,
      actor: contract-caller,
      token: token,
      recipient: recipient,
      amount: amount,
      fees: (- left amount),
    })
    (ok true)
  )
)

;; Sends STX from the contract. Skips an amount of zero, which a transfer would refuse.
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

;; Sends a token from the contract. The token can move at most the amount, and nothing else that the contract holds; the
;; balance must then have fallen by at least the amount.
(define-private (send-token
    (token <sip-010>)
    (amount uint)
    (recipient principal)
  )
  (let ((before (unwrap! (contract-call? token get-balance current-contract) ERR_TRANSFER_FAILED)))
    (unwrap!
      (as-contract? ((with-ft (contract-of token) "*" amount))
        (unwrap! (contract-call? token transfer amount current-contract recipient none)
          ERR_TRANSFER_FAILED
        ))
      ERR_TRANSFER_FAILED
    )
    (asserts!
      (is-risen-by amount
        (unwrap! (contract-call? token get-balance current-contract) ERR_TRANSFER_FAILED) before
      )
      ERR_TOKEN_NOT_MOVED
    )
    (ok true)
  )
)

;; Whether `high` exceeds `low` by at least the amount.
(define-private (is-risen-by
    (amount uint)
    (low uint)
    (high uint)
  )
  (and (>= high low) (>= (- high low) amount))
)

(print {
  topic: "settlement-deployed",
  version: u1,
  fee-bps: FIRST_FEE_BPS,
  max-fee-bps: MAX_FEE_BPS,
  fee-notice-seconds: FEE_NOTICE_SECONDS,
})
