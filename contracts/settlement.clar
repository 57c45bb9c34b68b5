;; settlement: the money. Buyers lock the cost of the energy they take; what is delivered is paid, the rest refunded.
;;
;; Payment, one per fill: locked -> settled | refunded. A spot fill is settled at once.
;;   settle:  anyone, as soon as it is known what the day delivers. Nothing can stop it then: it never looks at the
;;            present state of asset, connection, pause or fee.
;;   refund:  anyone, once it is certain that the day will never deliver anything.
;;   release: the payee, at any time: gives everything back.
;; Never both settled and refunded, and one of them becomes possible.
;;
;;   cost = ceil(wh * price / 1000)               locked when the fill is funded
;;   delivered = min(wh, max(0, D - before))      first funded, first delivered; D what the day can deliver
;;   gross = floor(delivered * price / 1000), fee = floor(gross * bps / 10000)
;;   payout = gross - fee to the payee, refund = cost - gross to the buyer
;;
;; STX are paid out at once. Tokens become credits, which each party withdraws by itself: an issuer who pauses or
;; black-lists can delay that party's withdrawal and nothing else.
;; The locked costs, the credits and the fees never exceed the contract's balance of that currency. The contract owner
;; sets the fee of payments to come, and withdraws fees and what nobody is owed; nobody can take anything else.
;;
;; The buyer may claim what was delivered for a beneficiary, each Wh once, and may hand a payment over to another.
;; Units: money in the smallest unit of the payment's token, microSTX where it has none; price per kWh; energy Wh; fee
;; basis points; time unix seconds UTC; day = time / 86400.

;; Errors

(define-constant ERR_NOT_DIRECT_CALLER (err u5001)) ;; a contract in between must not spend for its caller
(define-constant ERR_PRICE_ABOVE_MAX (err u5002)) ;; dearer than the buyer allows
(define-constant ERR_BEFORE_ABOVE_MAX (err u5003)) ;; more is funded ahead than the buyer allows
(define-constant ERR_PAYMENT_NOT_FOUND (err u5004)) ;; no payment has this id
(define-constant ERR_PAYMENT_CLOSED (err u5005)) ;; settled or refunded already
(define-constant ERR_NOT_DELIVERABLE (err u5006)) ;; the day is not verified, or its feed not
(define-constant ERR_NOT_REFUNDABLE (err u5007)) ;; the day can still be settled
(define-constant ERR_TRANSFER_FAILED (err u5008)) ;; too little money, a refusal, or a transfer to the contract itself
(define-constant ERR_NOT_CONTRACT_OWNER (err u5009)) ;; the caller does not own the contracts
(define-constant ERR_FEE_TOO_HIGH (err u5010)) ;; a fee is at most 500 basis points
(define-constant ERR_INVALID_AMOUNT (err u5011)) ;; zero, or more than there is to withdraw
(define-constant ERR_WRONG_TOKEN (err u5012)) ;; the offer is priced in another currency
(define-constant ERR_TOKEN_NOT_MOVED (err u5013)) ;; the token said yes, but the amount did not move
(define-constant ERR_NOT_PAYEE (err u5014)) ;; only who is to be paid may
(define-constant ERR_NOT_BUYER (err u5015)) ;; only who holds the payment may
(define-constant ERR_NOT_SETTLED (err u5016)) ;; nothing is delivered yet, or ever
(define-constant ERR_NOT_CLAIMABLE (err u5017)) ;; what a storage gives back was counted when it was made
(define-constant ERR_INVALID_CLAIM (err u5018)) ;; zero, or more than was delivered and not claimed
(define-constant ERR_INVALID_RECIPIENT (err u5019)) ;; the holder already, or this contract
(define-constant ERR_NO_CREDIT (err u5020)) ;; nothing to withdraw in this token

;; Payment states

(define-constant STATE_LOCKED u1)
(define-constant STATE_SETTLED u2)
(define-constant STATE_REFUNDED u3)

;; Bounds and durations

(define-constant MAX_FEE_BPS u500)
(define-constant FIRST_FEE_BPS u100)
;; A higher fee is announced for 7 days before it holds.
(define-constant FEE_NOTICE_SECONDS u604800)
(define-constant BPS u10000)
;; Price is per kWh, energy in Wh.
(define-constant WH_PER_KWH u1000)

;; Of any token after SIP-010, what is needed here.
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

;; From `next-from` on, `next-fee-bps` holds.
(define-data-var fee-schedule {
  fee-bps: uint,
  next-fee-bps: uint,
  next-from: uint,
} {
  fee-bps: FIRST_FEE_BPS,
  next-fee-bps: FIRST_FEE_BPS,
  next-from: u0,
})

;; Per currency, none for STX: the costs of all locked payments, the fees not yet withdrawn, and the credits of all
;; parties.
(define-map ledgers
  (optional principal)
  {
    escrow: uint,
    fees: uint,
    credits: uint,
  }
)

;; What a party may withdraw of a token.
(define-map party-credits
  {
    who: principal,
    token: principal,
  }
  uint
)

;; `before-wh` is what was funded ahead of a forward fill. The last five are zero while the payment is locked.
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

;; What settling a locked payment would do now; none if it is closed, or if it is not known yet what its day delivers.
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

;; Of a token, or of STX: what is locked, what is earned and what is owed.
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

;; The fee of payments funded now.
(define-read-only (get-fee-bps)
  (let ((schedule (var-get fee-schedule)))
    (if (>= stacks-block-time (get next-from schedule))
      (get next-fee-bps schedule)
      (get fee-bps schedule)
    )
  )
)

;; The fee that was set last, and from when it holds.
(define-read-only (get-fee-schedule)
  (var-get fee-schedule)
)

;; microSTX that somebody sent to the contract without being asked: nobody is owed them.
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

;; Of STX. That of a token is for the token to say: the sum of its ledger is at most the contract's balance.
(define-read-only (is-solvent)
  (let ((ledger (get-ledger none)))
    (>= (stx-get-balance current-contract) (+ (get escrow ledger) (get fees ledger)))
  )
)

;; Public: funding

;; Anyone who is allowed to take the offer, directly: takes `wh` of an offer in STX, or what is open if that is less but
;; at least `min-wh`, and locks their cost, at a price of at most `max-price` microSTX per kWh, with at most
;; `max-before` Wh funded ahead (forward). A spot fill is delivered and paid at once. Returns the payment's id. Prints
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

;; Anyone, directly: `accept-and-fund` of up to 31 offers; one answer for each, in order. One that fails is undone
;; alone. Prints as `accept-and-fund` does for each taken.
;; Errors: none; of each offer, those of `accept-and-fund`.
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

;; Anyone, directly: `accept-and-fund` of an offer in this token; price and cost in the token's smallest unit. What is
;; due to the payee and the buyer later becomes their credit. Returns the payment's id. Prints "payment-funded", and
;; "payment-settled" for a spot fill.
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
      ;; After all is written: the token may call back.
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

;; Public: the end of payments

;; Anyone: pays out a locked payment once it is known what its day delivers, and refunds the shortfall.
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

;; Anyone: `settle` of up to 25 payments; one answer for each, in order. One that fails is undone alone.
;; Prints "payment-settled" for each settled.
;; Errors: none; of each payment, those of `settle`.
(define-public (settle-batch (payment-ids (list 25 uint)))
  (ok (map settle payment-ids))
)

;; Anyone: gives the buyer back a locked payment whose day will never deliver anything: it was rejected, or nothing is
;; recorded of it and nothing can be any more, or the window is over. Prints "payment-refunded".
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

;; Anyone: `refund` of up to 25 payments; one answer for each, in order. One that fails is undone alone.
;; Prints "payment-refunded" for each refunded.
;; Errors: none; of each payment, those of `refund`.
(define-public (refund-batch (payment-ids (list 25 uint)))
  (ok (map refund payment-ids))
)

;; The payee: gives a locked payment back to its buyer in full. The energy stays sold. Prints "payment-released".
;; Errors: ERR_PAYMENT_NOT_FOUND, ERR_PAYMENT_CLOSED, ERR_NOT_PAYEE.
(define-public (release (payment-id uint))
  (let ((payment (try! (get-locked payment-id))))
    (asserts! (is-eq contract-caller (get payee payment)) ERR_NOT_PAYEE)
    (try! (close-payment payment-id payment "payment-released" u0))
    (complete-fill (get offer-id payment))
  )
)

;; Any party: withdraws all its credit of a token, to itself. Returns the amount. Prints "credit-withdrawn".
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

;; Public: what was bought

;; The buyer: claims delivered energy, unless it comes from a storage, for a beneficiary and a purpose, each Wh once.
;; Returns the claim's number. Prints "energy-claimed", which is the certificate.
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

;; The buyer: hands a payment that was not refunded to another, with its refund and its claims. Prints
;; "payment-assigned".
;; Errors: ERR_PAYMENT_NOT_FOUND, ERR_NOT_BUYER, ERR_PAYMENT_CLOSED, ERR_INVALID_RECIPIENT.
(define-public (assign-payment
    (payment-id uint)
    (to principal)
  )
  (let ((payment (unwrap! (map-get? payments payment-id) ERR_PAYMENT_NOT_FOUND)))
    (asserts! (is-eq contract-caller (get buyer payment)) ERR_NOT_BUYER)
    (asserts! (not (is-eq (get state payment) STATE_REFUNDED)) ERR_PAYMENT_CLOSED)
    ;; Nothing can be paid from this contract to itself: the payment could never be closed.
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

;; Contract owner: allows offers in a token, or no new ones; what is offered or locked in it goes on. Prints "token-set"
;; in market-participation. Errors: ERR_NOT_CONTRACT_OWNER.
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

;; Contract owner: sets the fee of payments funded from now on, or in 7 days if it is higher. Prints "fee-bps-set".
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

;; Contract owner: sends STX that nobody is owed to a recipient. Prints "surplus-withdrawn".
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

;; Who pays must have signed, or be the contract that acts for itself.
(define-private (get-direct-caller)
  (begin
    (asserts! (is-eq contract-caller tx-sender) ERR_NOT_DIRECT_CALLER)
    (ok contract-caller)
  )
)

;; Fills an offer in this currency for the caller and writes the payment, before any money moves.
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

;; Once the money is here: a spot fill is delivered.
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

;; Private: the end of payments

;; A payment that can still be ended. A spot payment is settled as it is funded; while its token moves, nobody else ends
;; it.
(define-private (get-locked (payment-id uint))
  (let ((payment (unwrap! (map-get? payments payment-id) ERR_PAYMENT_NOT_FOUND)))
    (asserts! (and (is-eq (get state payment) STATE_LOCKED) (not (get spot payment)))
      ERR_PAYMENT_CLOSED
    )
    (ok payment)
  )
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
      payout: (- gross fee),
      fee: fee,
      refund: (- cost gross),
    }
  )
)

;; Moves a locked payment to its end: writes it, takes its cost out of the escrow, pays or credits payee and buyer,
;; keeps the fee.
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

;; Takes earned fees out of the ledger, for the contract owner alone.
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

;; Sends STX from the contract; nothing to do for an amount of zero, which a transfer would refuse.
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

;; Sends a token from the contract. The token may move no more than the amount, and nothing else that the contract
;; holds; and it must have moved as much.
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

;; Whether a balance of `low` has risen to `high` by at least the amount.
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
