;; Prepared for the cases: one of everything that can be read, and one function for every way in which a call can end.

(define-constant LIMIT u1000)
(define-constant ERR_REFUSED (err u77))

(define-trait readable ((look () (response uint uint))))

(define-fungible-token watt)
(define-non-fungible-token plant uint)
(define-data-var counter uint u7)
(define-map notes {id: uint} {who: principal, note: (string-ascii 20)})

(map-set notes {id: u1} {who: tx-sender, note: "first"})
(print {topic: "published"})

(define-read-only (get-counter) (var-get counter))
(define-read-only (refuse-to-tell) (if (> (var-get counter) u0) ERR_REFUSED (ok u0)))
(define-read-only (divide (by uint)) (/ u100 by))
(define-read-only (who-reads) {sender: tx-sender, caller: contract-caller})
(define-read-only (read-often (times (list 200 uint))) (fold read-again times u0))
(define-public (read-too-often (times (list 200 uint))) (ok (len (fold read-all-again times times))))
(define-private (read-all-again (time uint) (times (list 200 uint))) (begin (fold read-again times u0) times))
(define-private (read-again (time uint) (sum uint)) (+ sum (var-get counter)))

;; Public, but does not write.
(define-public (peek) (ok (var-get counter)))

(define-public (note (id uint) (text (string-ascii 20)))
  (begin
    (print {topic: "noted", id: id})
    (ok (map-set notes {id: id} {who: tx-sender, note: text}))))

(define-public (refuse)
  (begin
    (print {topic: "refused"})
    ERR_REFUSED))

(define-public (fail (by uint)) (ok (/ u100 by)))

(define-public (pay (amount uint) (to principal)) (stx-transfer? amount tx-sender to))

(define-public (mint (amount uint))
  (begin
    (try! (ft-mint? watt amount tx-sender))
    (nft-mint? plant amount tx-sender)))

(define-public (take-tuple (pair {x: uint, Y: principal})) (ok (get x pair)))

(define-public (look-through (other <readable>)) (contract-call? other look))
