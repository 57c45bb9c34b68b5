;; A contract with one function for everything whose treatment by the devnet is tested.

(define-trait readable ((look () (response uint uint))))

(define-constant ERR_REFUSED (err u77))
(define-constant LIMIT u1000)
(define-constant DOUBLE (* LIMIT u2))
(define-constant NOTE "a \"quoted\" ; text")
(define-constant PUBLISHER tx-sender)

(define-fungible-token watt)
(define-non-fungible-token plant uint)
(define-data-var counter uint u0)
(define-map entries {id: uint} {who: principal, note: (string-ascii 20)})

(print {topic: "published", by: tx-sender})

(define-read-only (get-counter) (var-get counter))
(define-read-only (get-time) stacks-block-time)
(define-read-only (get-balance (who principal)) (stx-get-balance who))
(define-read-only (who-reads) {sender: tx-sender, caller: contract-caller})
(define-read-only (divide (by uint)) (/ u100 by))
(define-read-only (read-often (times (list 200 uint))) (fold read-again times u0))
(define-private (read-again (time uint) (sum uint)) (+ sum (var-get counter)))

(define-public (look)
  (begin
    (print "looked")
    (ok (var-get counter))))

(define-public (look-through (other <readable>))
  (contract-call? other look))

(define-public (who-looks)
  (ok {
    sender: tx-sender,
    caller: contract-caller,
    sponsor: tx-sponsor?,
    height: stacks-block-height,
    time: stacks-block-time}))

(define-public (refuse-to-look)
  (err u78))

(define-public (forget (id uint))
  (ok (map-delete entries {id: id})))

(define-public (increment (by uint))
  (begin
    (var-set counter (+ (var-get counter) by))
    (print {topic: "incremented", by: by, at: stacks-block-time, height: stacks-block-height})
    (ok (var-get counter))))

(define-public (refuse (by uint))
  (begin
    (var-set counter (+ (var-get counter) by))
    ERR_REFUSED))

(define-public (increment-and-divide (by uint))
  (begin
    (var-set counter (+ (var-get counter) by))
    (ok (/ u100 (- by by)))))

(define-public (pay (amount uint) (to principal))
  (stx-transfer? amount tx-sender to))

(define-public (pay-with-memo (amount uint) (to principal))
  (stx-transfer-memo? amount tx-sender to 0x6d656d6f))

(define-public (burn (amount uint))
  (stx-burn? amount tx-sender))

(define-public (pay-out (amount uint) (to principal))
  (as-contract? ((with-stx amount)) (unwrap! (stx-transfer? amount tx-sender to) ERR_REFUSED)))

(define-public (mint-watt (amount uint))
  (ft-mint? watt amount tx-sender))

(define-public (send-watt (amount uint) (to principal))
  (ft-transfer? watt amount tx-sender to))

(define-public (mint-plant (id uint))
  (nft-mint? plant id tx-sender))

(define-public (send-plant (id uint) (to principal))
  (nft-transfer? plant id tx-sender to))

(define-public (burn-plant (id uint))
  (nft-burn? plant id tx-sender))

(define-public (remember (id uint) (note (string-ascii 20)))
  (ok (map-set entries {id: id} {who: tx-sender, note: note})))

(define-public (take-all
    (a int) (b bool) (c (buff 4)) (d (string-utf8 5)) (e (optional uint))
    (f (response uint bool)) (g (list 3 uint)) (h {x: uint, Y: principal}))
  (ok true))
