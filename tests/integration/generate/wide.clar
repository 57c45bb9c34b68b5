;; Accepts collateral in many forms, saves it in the reserve and calculates the price and ratio of all of it every time.

(define-map pools {token-y: principal, token-x: principal} {y: uint, x: uint, note: (string-ascii 4)})
(define-data-var settings {zeta: uint, alpha: bool} {zeta: u1, alpha: true})

;; get pools by number; the list may be as long as there are pools, and any pool may be missing.
(define-read-only (get-pools (numbers (list 26 uint)))
  (map get-pool numbers))
(define-private (get-pool (number uint))
  (if (> number u5) (err (map-get? pools {token-y: tx-sender, token-x: tx-sender})) (ok (list {expiry: number, token-x: tx-sender, token-y: tx-sender}))))
;; Clarity 1 lets two parameters have one name.
;; It can be declared, but never be run.
(define-read-only (get-twice (factor uint) (factor uint)) factor)
(define-read-only (get-balances (token principal) (factor uint))
  (ok {seller: token, amount: factor, buyer: {name: "x", id: u1}}))
(define-public (claim-many (tokens (list 10 principal)) (cycles (list 200 uint)))
  (ok (map claim-one tokens)))
(define-private (claim-one (token principal))
  (if (is-eq token tx-sender) (ok (list (if (is-standard token) (ok {claimed-amount: u1, and-staked-amount: u2}) (err u1)))) (err u2)))
(define-public (buy)
  (begin (print {topic: "bought", seller: tx-sender, amount: u5}) (ok true)))
