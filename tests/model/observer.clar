;; model-observer: the state that the model is compared with, in one read: `glance` is cheap, `look` returns everything.
;;
;; A test publishes it on the devnet beside the five contracts. It needs a node without limits on read-only calls.

(define-read-only (glance
  (people (list 40 principal))
  (holders (list 40 principal)))
  {
    time: stacks-block-time,
    balances: (map balance-of people),
    tokens: (map tokens-of holders),
  })

(define-read-only (look
  (people (list 40 principal))
  (creditors (list 40 principal))
  (regions (list 8 (string-ascii 8)))
  (device-keys (list 20 (buff 33)))
  (token principal)
  (asset-ids (list 30 uint))
  (days (list 30 {asset-id: uint, day: uint}))
  (offer-ids (list 30 uint))
  (payment-ids (list 30 uint)))
  {
    time: stacks-block-time,
    contract-owner: (contract-call? .asset-verification get-contract-owner),
    proposed-contract-owner: (contract-call? .asset-verification get-proposed-contract-owner),
    paused: (contract-call? .asset-verification is-paused),
    assets: (contract-call? .asset-verification get-asset-count),
    roots: (contract-call? .production-tracking get-root-count),
    offers: (contract-call? .market-participation get-offer-count),
    retirements: (contract-call? .market-participation get-retirement-count),
    payments: (contract-call? .settlement get-payment-count),
    claims: (contract-call? .settlement get-claim-count),
    token-listed: (contract-call? .market-participation is-token-listed token),
    ledger: (contract-call? .settlement get-ledger none),
    token-ledger: (contract-call? .settlement get-ledger (some token)),
    escrow: (contract-call? .settlement get-escrow-total none),
    fees: (contract-call? .settlement get-fees (some token)),
    surplus-ustx: (contract-call? .settlement get-surplus),
    fee-bps: (contract-call? .settlement get-fee-bps),
    fee-schedule: (contract-call? .settlement get-fee-schedule),
    solvent: (contract-call? .settlement is-solvent),
    balances: (map balance-of people),
    tokens: (map tokens-of people),
    credits: (get credits (fold add-credit creditors {token: token, credits: (list)})),
    alerts: (map alert-of regions),
    key-holders: (map holder-of device-keys),
    asset-list: (contract-call? .asset-verification get-assets asset-ids),
    connection-list: (contract-call? .grid-integration get-connections asset-ids),
    asset-details: (map asset-details-of asset-ids),
    right-list: (contract-call? .asset-verification get-recording-rights days),
    production-list: (contract-call? .production-tracking get-days days),
    feed-list: (contract-call? .grid-integration get-feeds days),
    day-details: (map day-details-of days),
    offer-list: (contract-call? .market-participation get-offers offer-ids),
    quote-list: (map quote-of offer-ids),
    payment-list: (contract-call? .settlement get-payments payment-ids),
    preview-list: (map preview-of payment-ids),
  })

(define-private (balance-of (who principal))
  (stx-get-balance who))

(define-private (tokens-of (who principal))
  (unwrap-panic (contract-call? .usdcx get-balance who)))

(define-private (add-credit (who principal) (all {token: principal, credits: (list 40 uint)}))
  (merge all {credits: (unwrap-panic (as-max-len?
    (append (get credits all) (contract-call? .settlement get-credit who (get token all))) u40))}))

(define-private (alert-of (region (string-ascii 8)))
  (contract-call? .grid-integration get-region-alert region))

(define-private (holder-of (device-key (buff 33)))
  (contract-call? .asset-verification get-asset-by-device-key device-key))

(define-private (asset-details-of (asset-id uint))
  {
    change: (contract-call? .asset-verification get-change asset-id),
    verified: (contract-call? .asset-verification is-verified asset-id),
    production: (contract-call? .production-tracking get-total-production asset-id),
    connected: (contract-call? .grid-integration is-connected asset-id),
    export-cap-w: (contract-call? .grid-integration get-export-cap asset-id),
    export-schedule: (contract-call? .grid-integration get-export-schedule asset-id),
    feed: (contract-call? .grid-integration get-total-feed asset-id),
    funded-until: (contract-call? .market-participation get-funded-until asset-id),
  })

(define-private (day-details-of (key {asset-id: uint, day: uint}))
  (let (
      (asset-id (get asset-id key))
      (day (get day key))
    )
    {
      lost: (contract-call? .asset-verification is-day-lost asset-id day),
      cap-w: (contract-call? .grid-integration get-cap-on asset-id day),
      deliverable: (contract-call? .grid-integration get-deliverable asset-id day),
      delivery: (contract-call? .grid-integration get-delivery asset-id day),
      book: (contract-call? .market-participation get-day-book asset-id day),
      available-wh: (contract-call? .market-participation get-available asset-id day),
    }))

;; The cost of an offer's open energy, if it can be taken.
(define-private (quote-of (offer-id uint))
  (match (contract-call? .market-participation get-offer offer-id)
    offer (contract-call? .market-participation quote offer-id (get open-wh offer))
    none))

(define-private (preview-of (payment-id uint))
  (contract-call? .settlement preview-settlement payment-id))
