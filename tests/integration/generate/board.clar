;; title: board
;; summary: A board of bids, with whatever names and types make a declaration hard.

(use-trait token .tokens.token)

(define-constant ERR-NOT-OWNER (err u100)) ;; only the owner may do this
(define-constant err_no_bid u101)
(define-constant ERR-TEXT (err "text"))
(define-constant PREFIX u1000)
(define-constant MAX-BIDS u5)
(define-constant name "board") ;; a name that every contract class has

(define-fungible-token point)
(define-non-fungible-token seat {row: uint, number: uint})

(define-data-var owner principal tx-sender)
(define-data-var totals {all: uint, by-kind: (list 3 {kind: (string-ascii 4), sum: int})} {all: u0, by-kind: (list)})

;; What was bid for what.
(define-map bids {item: uint, from: principal} {price: uint, memo: (optional (buff 34)), class: bool})
(define-map id-to-name uint (string-utf8 20))

;; @desc Bid for an item; the bid is kept.
;; @param item; which item
;; @param from; who bids
(define-public (bid! (item uint) (from principal) (memo (optional (buff 34))))
  (begin
    (asserts! (> item u0) (err err_no_bid))
    (map-set bids {item: item, from: from} {price: item, memo: memo, class: true})
    (map-set id-to-name item u"a\u{e9}")
    (print {topic: "bid", item: item, from: from, memo: memo})
    (print {event: "seen", items: (list item)})
    (print item)
    (ok item)))

(define-public (fail-with-text) (begin (asserts! false ERR-TEXT) (ok true)))
(define-public (fail-with-tuple (code uint)) (if (> code u0) (err {code: code, why: "many"}) (ok true)))
(define-public (only-owner) (begin (asserts! (is-eq tx-sender (var-get owner)) ERR-NOT-OWNER) (ok (some u1))))
(define-public (pay (what <token>) (amount uint)) (contract-call? what move amount tx-sender))
(define-public (batch (items (list 200 {item: uint, lambda: (buff 1), pay: bool})) (self uint))
  (let ((result {what: "batch", count: (len items)}))
    (print result)
    (print {count: (len items), self: self})
    (ok result)))
(define-public (nested (yield (list 3 (optional {tuple: {bool: bool}}))))
  (ok yield))

(define-read-only (get-bid (item uint) (from principal)) (map-get? bids {item: item, from: from}))
(define-read-only (get-totals) (var-get totals))
(define-read-only (is-any?) true)
(define-read-only (is-any!) (ok false))
(define-read-only (is_any) (err u7))
(define-read-only (client) (some none))
(define-read-only (maybe (deep bool)) (some (if deep (ok u1) (err u2))))
(define-read-only (maybeMaybe) (some (some u1)))
(define-read-only (import) {class: u1, model_config: u2, json: u3, copy: u4})
(define-read-only (sum (int int) (str (string-ascii 3)) (bool bool)) (+ int 1))
