;; plant: three verified and connected assets, and whoever records, verifies, connects and sells for them.
;;
;; The tests run inside the contract under test, and the contracts look at who calls them. Through this contract, which
;; holds every role (grants.clar), any account of a random run can make the plant act.
;;
;; Asset u1 has slots of 900 s; u2 of 3600 s and a metered feed; u3 of 1800 s and an export limit below its capacity.

(define-constant SECONDS_PER_DAY u86400)
(define-constant CAPACITY_W u10000)
(define-constant SLOT_SECONDS (list u900 u3600 u1800))

(define-read-only (today)
  (/ stacks-block-time SECONDS_PER_DAY)
)

(define-public (offer-forward
    (asset-id uint)
    (day uint)
    (wh uint)
    (price uint)
    (min-fill-wh uint)
  )
  (contract-call? .market-participation create-offer asset-id day wh price min-fill-wh
    (* day SECONDS_PER_DAY) none
  )
)

(define-public (offer-spot
    (asset-id uint)
    (day uint)
    (wh uint)
    (price uint)
    (min-fill-wh uint)
  )
  (contract-call? .market-participation create-offer asset-id day wh price min-fill-wh
    (+ stacks-block-time SECONDS_PER_DAY) none
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
  (contract-call? .market-participation retire-energy asset-id day wh current-contract)
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
  (contract-call? .production-tracking adjust-day asset-id day delta)
)

(define-public (verify
    (asset-id uint)
    (day uint)
  )
  (contract-call? .production-tracking verify-day asset-id day
    (default-to u0
      (get wh (contract-call? .production-tracking get-day asset-id day))
    )
  )
)

(define-public (reject
    (asset-id uint)
    (day uint)
  )
  (contract-call? .production-tracking reject-day asset-id day "test")
)

(define-public (feed
    (asset-id uint)
    (day uint)
    (exported-wh uint)
  )
  (contract-call? .grid-integration record-feed asset-id day exported-wh u0)
)

;; Begins a new epoch of the asset.
(define-public (change-operator
    (asset-id uint)
    (operator principal)
  )
  (contract-call? .asset-verification set-operator asset-id (some operator) u1)
)

(define-private (build
    (slot-seconds uint)
    (metered bool)
    (export-limit-w uint)
  )
  (let ((asset-id (try! (contract-call? .asset-verification register-asset u1 CAPACITY_W "u33db" "test"
      0x0000000000000000000000000000000000000000000000000000000000000000 slot-seconds none
    ))))
    (try! (contract-call? .asset-verification verify-asset asset-id CAPACITY_W none))
    (try! (contract-call? .grid-integration request-connection asset-id export-limit-w))
    (contract-call? .grid-integration approve-connection asset-id export-limit-w metered)
  )
)

(map build SLOT_SECONDS (list false true false) (list u10000 u10000 u7000))
