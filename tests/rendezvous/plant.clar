;; plant: three verified and connected assets, and functions to record, verify, connect and sell for them.
;;
;; The tests run inside the contract under test, and the contracts check their caller. Through this contract, which
;; holds every role (grants.clar), any account of a random run can make the plant act.
;;
;; Asset u1 has slots of 900 s; u2 of 3600 s and a metered feed; u3 of 1800 s and an export limit below its capacity.

(define-constant SECONDS_PER_DAY u86400)
(define-constant CAPACITY_W u10000)
(define-constant SLOT_SECONDS (list u900 u3600 u1800))

(define-read-only (today)
  (/ stacks-block-time SECONDS_PER_DAY)
)

;; The tokens that the plant has withdrawn from its sales. This reference also makes sure that the token is deployed
;; before settlement.
(define-read-only (get-coins)
  (contract-call? .usdcx get-balance current-contract)
)

(define-public (offer-forward
    (asset-id uint)
    (day uint)
    (wh uint)
    (price uint)
    (min-fill-wh uint)
    (token (optional principal))
  )
  (contract-call? .market-participation create-offer asset-id day wh price min-fill-wh
    (* day SECONDS_PER_DAY) none token
  )
)

(define-public (offer-spot
    (asset-id uint)
    (day uint)
    (wh uint)
    (price uint)
    (min-fill-wh uint)
    (token (optional principal))
  )
  (contract-call? .market-participation create-offer asset-id day wh price min-fill-wh
    (+ stacks-block-time SECONDS_PER_DAY) none token
  )
)

(define-public (cancel (offer-id uint))
  (contract-call? .market-participation cancel-offer offer-id)
)

(define-public (retire
    (asset-id uint)
    (day uint)
    (wh uint)
  )
  (contract-call? .market-participation retire-energy asset-id day wh current-contract "test")
)

(define-public (record
    (asset-id uint)
    (day uint)
    (mask uint)
    (wh uint)
  )
  (contract-call? .production-tracking record-production asset-id day mask wh)
)

(define-public (dispute
    (asset-id uint)
    (day uint)
  )
  (contract-call? .production-tracking dispute-day asset-id day "test")
)

(define-public (adjust
    (asset-id uint)
    (day uint)
    (delta int)
  )
  (let (
      (before (get wh (row-of asset-id day)))
      (after (+ (to-int before) delta))
    )
    (contract-call? .production-tracking adjust-day asset-id day before
      (if (< after 0)
        u0
        (to-uint after)
      ))
  )
)

(define-public (verify
    (asset-id uint)
    (day uint)
  )
  (let ((row (row-of asset-id day)))
    (contract-call? .production-tracking verify-day asset-id day (get mask row) (get wh row))
  )
)

(define-public (reject
    (asset-id uint)
    (day uint)
  )
  (let ((row (row-of asset-id day)))
    (contract-call? .production-tracking reject-day asset-id day (get mask row) (get wh row) "test")
  )
)

(define-public (feed
    (asset-id uint)
    (day uint)
    (exported-wh uint)
  )
  (contract-call? .grid-integration record-feed asset-id day exported-wh u0)
)

;; Sets the asset's operator, which begins a new epoch.
(define-public (change-operator
    (asset-id uint)
    (operator principal)
  )
  (contract-call? .asset-verification set-operator asset-id (some operator) u1)
)

(define-private (row-of
    (asset-id uint)
    (day uint)
  )
  (default-to {
    state: u0,
    mask: u0,
    wh: u0,
  }
    (contract-call? .production-tracking get-day asset-id day)
  )
)

;; Connects the asset while somebody else owns it, since nobody can connect their own asset.
(define-private (build
    (slot-seconds uint)
    (metered bool)
    (export-limit-w uint)
  )
  (let ((asset-id (try! (contract-call? .asset-verification add-in-test CAPACITY_W slot-seconds))))
    (try! (contract-call? .grid-integration request-connection asset-id export-limit-w))
    (try! (contract-call? .asset-verification set-owner-in-test asset-id 'ST000000000000000000002AMW42H))
    (try! (contract-call? .grid-integration approve-connection asset-id export-limit-w metered))
    (contract-call? .asset-verification set-owner-in-test asset-id current-contract)
  )
)

(map build SLOT_SECONDS (list false true false) (list u10000 u10000 u7000))
