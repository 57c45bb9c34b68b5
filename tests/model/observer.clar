;; model-observer: what the model is compared with, in one read: `glance` is cheap, `look` shows all.
;;
;; A test's own contract, published on the devnet beside the five; it needs a node that sets no limits to reads.

(define-read-only (glance (people (list 40 principal)))
  {
    time: stacks-block-time,
    balances: (map balance-of people),
  })

(define-read-only (look
  (people (list 40 principal))
  (regions (list 8 (string-ascii 8)))
  (device-keys (list 20 (buff 33)))
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
    offers: (contract-call? .market-participation get-offer-count),
    payments: (contract-call? .settlement get-payment-count),
    escrow-ustx: (contract-call? .settlement get-escrow-total),
    fees-ustx: (contract-call? .settlement get-fees),
    fee-bps: (contract-call? .settlement get-fee-bps),
    solvent: (contract-call? .settlement is-solvent),
    balances: (map balance-of people),
    alerts: (map alert-of regions),
    key-holders: (map holder-of device-keys),
    asset-list: (contract-call? .asset-verification get-assets asset-ids),
    right-list: (contract-call? .asset-verification get-recording-rights asset-ids),
    connection-list: (contract-call? .grid-integration get-connections asset-ids),
    asset-details: (map asset-details-of asset-ids),
    production-list: (contract-call? .production-tracking get-days days),
    day-details: (map day-details-of days),
    offer-list: (contract-call? .market-participation get-offers offer-ids),
    payment-list: (contract-call? .settlement get-payments payment-ids),
    preview-list: (map preview-of payment-ids),
  })

(define-private (balance-of (who principal))
  (stx-get-balance who))

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
    feed: (contract-call? .grid-integration get-total-feed asset-id),
  })

(define-private (day-details-of (key {asset-id: uint, day: uint}))
  (let (
      (asset-id (get asset-id key))
      (day (get day key))
    )
    {
      feed: (contract-call? .grid-integration get-feed asset-id day),
      deliverable: (contract-call? .grid-integration get-deliverable asset-id day),
      book: (contract-call? .market-participation get-day-book asset-id day),
      available-wh: (contract-call? .market-participation get-available asset-id day),
    }))

(define-private (preview-of (payment-id uint))
  (contract-call? .settlement preview-settlement payment-id))
