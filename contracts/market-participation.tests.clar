;; Rendezvous properties of market-participation, appended to the contract while they run (tests/rendezvous).
;;
;; Its invariants are in settlement.tests.clar, as offers can be filled only there. test-*: must hold for all arguments.

(define-constant ERR_PROPERTY (err u9004))
(define-constant CAPACITY_W u10000)
(define-constant OPEN_OFFER u1)
(define-constant OPEN_WH u1000)

;; Opening, funding and closing forward energy in any parts never exceeds the capacity, and the room is the rest up to
;; it.
(define-public (test-forward-room
    (cap-w uint)
    (open uint)
    (funded uint)
    (wh uint)
  )
  (let (
      (limit (* cap-w HOURS_PER_DAY))
      (book (merge (empty-book) {
        forward-open-wh: open,
        forward-funded-wh: funded,
      }))
      (room (forward-room cap-w book))
      (more (merge book { forward-open-wh: (+ open (least-of wh room)) }))
    )
    (asserts!
      (if (> (+ open funded) limit)
        (is-eq room u0)
        (is-eq (+ open funded room) limit)
      )
      ERR_PROPERTY
    )
    (asserts! (is-eq (forward-room cap-w more) (- room (least-of wh room))) ERR_PROPERTY)
    ;; Moving energy from open to funded leaves the room unchanged: a fill cannot oversell a day.
    (asserts!
      (is-eq room
        (forward-room cap-w (merge book {
          forward-open-wh: u0,
          forward-funded-wh: (+ open funded),
        }))
      )
      ERR_PROPERTY
    )
    (ok true)
  )
)

;; The spot room plus all that is sold, retired and owed to forward buyers never exceeds the deliverable.
(define-public (test-spot-room
    (deliverable uint)
    (funded uint)
    (open uint)
    (sold uint)
    (retired uint)
  )
  (let (
      (book (merge (empty-book) {
        forward-funded-wh: funded,
        spot-open-wh: open,
        spot-sold-wh: sold,
        retired-wh: retired,
      }))
      (room (spot-room deliverable book))
      (owed (+ (least-of funded deliverable) open sold retired))
    )
    (asserts!
      (if (>= owed deliverable)
        (is-eq room u0)
        (is-eq (+ room owed) deliverable)
      )
      ERR_PROPERTY
    )
    ;; The three uses share one room.
    (asserts!
      (is-eq room
        (spot-room deliverable (merge book {
          spot-open-wh: u0,
          spot-sold-wh: u0,
          retired-wh: (+ open sold retired),
        }))
      )
      ERR_PROPERTY
    )
    (asserts! (<= (spot-room deliverable (merge book { forward-funded-wh: (+ funded u1) })) room) ERR_PROPERTY)
    (ok true)
  )
)

;; In a newer epoch nothing is open; all that was funded, sold and retired remains.
(define-public (test-new-epoch-keeps-what-was-bought
    (asset uint)
    (day uint)
    (epoch uint)
    (newer uint)
    (open uint)
    (bought uint)
  )
  (let ((book {
      epoch: epoch,
      forward-open-wh: open,
      forward-funded-wh: bought,
      spot-open-wh: (+ open u1),
      spot-sold-wh: (+ bought u1),
      retired-wh: (+ bought u2),
    }))
    (set-book asset day book)
    (asserts! (is-eq (current-book asset day epoch) book) ERR_PROPERTY)
    (asserts!
      (is-eq (current-book asset day (+ epoch newer u1))
        (merge book {
          epoch: (+ epoch newer u1),
          forward-open-wh: u0,
          spot-open-wh: u0,
        })
      )
      ERR_PROPERTY
    )
    (ok true)
  )
)

;; Only settlement can fill or complete an offer; this one could be filled.
(define-public (test-only-settlement-fills
    (wh uint)
    (buyer principal)
  )
  (begin
    (asserts! (is-eq (mark-accepted OPEN_OFFER (+ u1 (mod wh OPEN_WH)) u1 buyer) ERR_NOT_SETTLEMENT) ERR_PROPERTY)
    (asserts! (is-eq (mark-completed OPEN_OFFER buyer) ERR_NOT_SETTLEMENT) ERR_PROPERTY)
    (asserts! (is-eq (mark-token buyer true buyer) ERR_NOT_SETTLEMENT) ERR_PROPERTY)
    (ok true)
  )
)

(define-private (least-of
    (a uint)
    (b uint)
  )
  (if (< a b)
    a
    b
  )
)

(define-private (empty-book)
  (current-book u0 u0 u0)
)

;; Builds a plant of this contract, connects it while somebody else owns it, and offers its energy.
(define-private (build (day uint))
  (let ((asset-id (try! (contract-call? .asset-verification add-in-test CAPACITY_W u3600))))
    (try! (contract-call? .grid-integration request-connection asset-id CAPACITY_W))
    (try! (contract-call? .asset-verification set-owner-in-test asset-id 'ST000000000000000000002AMW42H))
    (try! (contract-call? .grid-integration approve-connection asset-id CAPACITY_W false))
    (try! (contract-call? .asset-verification set-owner-in-test asset-id current-contract))
    (as-contract? ()
      (try! (create-offer asset-id day OPEN_WH u1000 u1 (* day SECONDS_PER_DAY) none none))
    )
  )
)

;; Runs end long before this day.
(map build (list (+ (current-day) MAX_FORWARD_DAYS)))
