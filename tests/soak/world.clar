;; Counts each caller's committed calls, and has a function for each way in which a transaction can end.

(define-map counts principal uint)

(define-public (count)
  (ok (add-one)))

(define-public (count-and-pay (ustx uint))
  (begin
    (add-one)
    (stx-transfer? ustx tx-sender current-contract)))

(define-public (count-and-refuse)
  (begin
    (add-one)
    (err u1)))

(define-public (count-and-crash)
  (ok (/ (add-one) u0)))

(define-read-only (get-count (who principal))
  (default-to u0 (map-get? counts who)))

(define-read-only (get-balance (who principal))
  (stx-get-balance who))

(define-private (add-one)
  (let ((counted (+ u1 (get-count contract-caller))))
    (map-set counts contract-caller counted)
    (print {topic: "counted", who: contract-caller, count: counted})
    counted))
