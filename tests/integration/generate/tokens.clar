(define-trait token ((move (uint principal) (response bool uint))))
(define-public (move (amount uint) (to principal))
  (begin (print {notification: "moved", payload: {amount: amount, to: to}}) (ok (> amount u0))))
