;; sbtc-token: a token that works as specified.
;;
;; A stand-in for tests, with the interface of sBTC: 8 decimals; a balance is the sum of the available and the locked
;; amount. The deployer is the protocol.

(define-constant ERR_NOT_OWNER (err u4))
(define-constant ERR_UNAUTHORIZED (err u400))
;; The index of the first failed transfer of a call is added to this code.
(define-constant FAILED_TRANSFER u1000)
(define-constant PROTOCOL tx-sender)

(define-fungible-token sbtc-token)
(define-fungible-token sbtc-token-locked)

(define-data-var name (string-ascii 32) "sBTC")
(define-data-var symbol (string-ascii 10) "sBTC")
(define-data-var uri (optional (string-utf8 256)) none)

;; SIP-010

(define-public (transfer
    (amount uint)
    (sender principal)
    (recipient principal)
    (memo (optional (buff 34)))
  )
  (begin
    (asserts! (or (is-eq tx-sender sender) (is-eq contract-caller sender)) ERR_NOT_OWNER)
    (try! (ft-transfer? sbtc-token amount sender recipient))
    (match memo
      text (print text)
      0x
    )
    (ok true)
  )
)

(define-public (transfer-many (recipients (list 200 {
  amount: uint,
  sender: principal,
  to: principal,
  memo: (optional (buff 34)),
})))
  (fold transfer-next recipients (ok u0))
)

(define-read-only (get-name)
  (ok (var-get name))
)

(define-read-only (get-symbol)
  (ok (var-get symbol))
)

(define-read-only (get-decimals)
  (ok u8)
)

(define-read-only (get-balance (who principal))
  (ok (+ (ft-get-balance sbtc-token who) (ft-get-balance sbtc-token-locked who)))
)

(define-read-only (get-balance-available (who principal))
  (ok (ft-get-balance sbtc-token who))
)

(define-read-only (get-balance-locked (who principal))
  (ok (ft-get-balance sbtc-token-locked who))
)

(define-read-only (get-total-supply)
  (ok (+ (ft-get-supply sbtc-token) (ft-get-supply sbtc-token-locked)))
)

(define-read-only (get-token-uri)
  (ok (var-get uri))
)

;; Functions of the protocol

(define-public (protocol-mint
    (amount uint)
    (recipient principal)
    (contract-flag (buff 1))
  )
  (begin
    (try! (check contract-flag))
    (ft-mint? sbtc-token amount recipient)
  )
)

(define-public (protocol-mint-many
    (recipients (list 200 {
      amount: uint,
      recipient: principal,
    }))
    (contract-flag (buff 1))
  )
  (begin
    (try! (check contract-flag))
    (ok (map mint-one recipients))
  )
)

(define-public (protocol-burn
    (amount uint)
    (owner principal)
    (contract-flag (buff 1))
  )
  (begin
    (try! (check contract-flag))
    (ft-burn? sbtc-token amount owner)
  )
)

(define-public (protocol-burn-locked
    (amount uint)
    (owner principal)
    (contract-flag (buff 1))
  )
  (begin
    (try! (check contract-flag))
    (ft-burn? sbtc-token-locked amount owner)
  )
)

(define-public (protocol-lock
    (amount uint)
    (owner principal)
    (contract-flag (buff 1))
  )
  (begin
    (try! (check contract-flag))
    (try! (ft-burn? sbtc-token amount owner))
    (ft-mint? sbtc-token-locked amount owner)
  )
)

(define-public (protocol-unlock
    (amount uint)
    (owner principal)
    (contract-flag (buff 1))
  )
  (begin
    (try! (check contract-flag))
    (try! (ft-burn? sbtc-token-locked amount owner))
    (ft-mint? sbtc-token amount owner)
  )
)

(define-public (protocol-set-name
    (new-name (string-ascii 32))
    (contract-flag (buff 1))
  )
  (begin
    (try! (check contract-flag))
    (ok (var-set name new-name))
  )
)

(define-public (protocol-set-symbol
    (new-symbol (string-ascii 10))
    (contract-flag (buff 1))
  )
  (begin
    (try! (check contract-flag))
    (ok (var-set symbol new-symbol))
  )
)

(define-public (protocol-set-token-uri
    (new-uri (optional (string-utf8 256)))
    (contract-flag (buff 1))
  )
  (begin
    (try! (check contract-flag))
    (ok (var-set uri new-uri))
  )
)

;; Private

;; The real token looks up the flag in its registry; here, one protocol has all rights.
(define-private (check (contract-flag (buff 1)))
  (ok (asserts! (is-eq contract-caller PROTOCOL) ERR_UNAUTHORIZED))
)

(define-private (mint-one (item {
  amount: uint,
  recipient: principal,
}))
  (ft-mint? sbtc-token (get amount item) (get recipient item))
)

(define-private (transfer-next
    (item {
      amount: uint,
      sender: principal,
      to: principal,
      memo: (optional (buff 34)),
    })
    (progress (response uint uint))
  )
  (let ((index (try! progress)))
    (unwrap! (transfer (get amount item) (get sender item) (get to item) (get memo item))
      (err (+ FAILED_TRANSFER index))
    )
    (ok (+ index u1))
  )
)
