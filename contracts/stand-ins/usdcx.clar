;; usdcx: a token that works as specified.
;;
;; A stand-in for tests, with the interface of USDCx: 6 decimals, roles 0x00 (governance), 0x01 (mint) and 0x02 (pause).
;; The deployer holds all three.

(define-constant ERR_NOT_OWNER (err u4))
(define-constant ERR_UNAUTHORIZED (err u400))
(define-constant ERR_PAUSED (err u401))

(define-constant ROLE_GOVERNANCE 0x00)
(define-constant ROLE_MINT 0x01)
(define-constant ROLE_PAUSE 0x02)

(define-fungible-token usdcx-token)

(define-data-var name (string-ascii 32) "USDCx")
(define-data-var symbol (string-ascii 10) "USDCx")
(define-data-var uri (optional (string-utf8 256)) none)
(define-data-var paused bool false)

(define-map callers
  {
    who: principal,
    role: (buff 1),
  }
  bool
)

;; SIP-010

(define-public (transfer
    (amount uint)
    (sender principal)
    (recipient principal)
    (memo (optional (buff 34)))
  )
  (begin
    (asserts! (or (is-eq tx-sender sender) (is-eq contract-caller sender)) ERR_NOT_OWNER)
    (try! (ft-transfer? usdcx-token amount sender recipient))
    (match memo
      text (print text)
      0x
    )
    (ok true)
  )
)

(define-read-only (get-name)
  (ok (var-get name))
)

(define-read-only (get-symbol)
  (ok (var-get symbol))
)

(define-read-only (get-decimals)
  (ok u6)
)

(define-read-only (get-balance (who principal))
  (ok (ft-get-balance usdcx-token who))
)

(define-read-only (get-balance-available (who principal))
  (ok (ft-get-balance usdcx-token who))
)

(define-read-only (get-balance-locked (who principal))
  (ok (ft-get-balance usdcx-token who))
)

(define-read-only (get-total-supply)
  (ok (ft-get-supply usdcx-token))
)

(define-read-only (get-token-uri)
  (ok (var-get uri))
)

;; Roles and pause

(define-read-only (validate-protocol-caller
    (contract-flag (buff 1))
    (contract principal)
  )
  (ok (asserts! (has-role contract-flag contract) ERR_UNAUTHORIZED))
)

(define-read-only (is-protocol-caller
    (contract-flag (buff 1))
    (contract principal)
  )
  (validate-protocol-caller contract-flag contract)
)

(define-read-only (is-protocol-paused)
  (var-get paused)
)

(define-read-only (validate-protocol-active)
  (ok (asserts! (not (var-get paused)) ERR_PAUSED))
)

(define-public (set-active-protocol-caller
    (caller principal)
    (role (buff 1))
    (enabled bool)
  )
  (begin
    (try! (check ROLE_GOVERNANCE))
    (ok (map-set callers {
      who: caller,
      role: role,
    }
      enabled
    ))
  )
)

(define-public (pause)
  (set-pause true)
)

(define-public (unpause)
  (set-pause false)
)

;; Issuing

(define-public (protocol-mint
    (amount uint)
    (recipient principal)
  )
  (begin
    (try! (check ROLE_MINT))
    (ft-mint? usdcx-token amount recipient)
  )
)

(define-public (protocol-mint-many (recipients (list 200 {
  amount: uint,
  recipient: principal,
})))
  (begin
    (try! (check ROLE_MINT))
    (ok (map mint-one recipients))
  )
)

(define-public (protocol-burn
    (amount uint)
    (owner principal)
  )
  (begin
    (try! (check ROLE_MINT))
    (ft-burn? usdcx-token amount owner)
  )
)

(define-public (protocol-transfer
    (amount uint)
    (sender principal)
    (recipient principal)
  )
  (begin
    (try! (check ROLE_MINT))
    (ft-transfer? usdcx-token amount sender recipient)
  )
)

(define-public (protocol-set-name (new-name (string-ascii 32)))
  (begin
    (try! (check ROLE_GOVERNANCE))
    (ok (var-set name new-name))
  )
)

(define-public (protocol-set-symbol (new-symbol (string-ascii 10)))
  (begin
    (try! (check ROLE_GOVERNANCE))
    (ok (var-set symbol new-symbol))
  )
)

(define-public (protocol-set-token-uri (new-uri (optional (string-utf8 256))))
  (begin
    (try! (check ROLE_GOVERNANCE))
    (ok (var-set uri new-uri))
  )
)

;; Private

(define-private (has-role
    (role (buff 1))
    (who principal)
  )
  (default-to false
    (map-get? callers {
      who: who,
      role: role,
    })
  )
)

(define-private (check (role (buff 1)))
  (begin
    (try! (validate-protocol-active))
    (validate-protocol-caller role contract-caller)
  )
)

(define-private (set-pause (on bool))
  (begin
    (try! (validate-protocol-caller ROLE_PAUSE contract-caller))
    (print {
      topic: "pause",
      paused: on,
      caller: contract-caller,
    })
    (ok (var-set paused on))
  )
)

(define-private (mint-one (item {
  amount: uint,
  recipient: principal,
}))
  (ft-mint? usdcx-token (get amount item) (get recipient item))
)

(define-private (grant (role (buff 1)))
  (map-set callers {
    who: tx-sender,
    role: role,
  }
    true
  )
)

(map grant (list ROLE_GOVERNANCE ROLE_MINT ROLE_PAUSE))
