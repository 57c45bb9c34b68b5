;; asset-verification: who runs the system, and which plants exist.
;;
;; Holds the roles, the pause switch and the register of assets: owner, operator, capacity, location and the meter's
;; device key. The other four contracts call this one; it calls none of them.
;;
;; Asset:      pending -> verified | rejected (registrar); verified <-> suspended (registrar);
;;             pending, verified, suspended -> retired (owner, registrar).
;; Change:     requested (owner) -> approved | refused (registrar); an approved change holds from the next day on.
;; Ownership:  proposed (owner) -> accepted (new owner) | cancelled (owner). Nothing about the asset changes meanwhile.
;;
;; To approve something, the caller passes the values that they reviewed; the call fails if the stored values differ. In
;; the same way, accepting a transfer takes the number of the proposal. Nobody approves their own asset.
;; A suspension and a retirement have a last day: days up to it can still be recorded, verified and delivered.
;; Units: power W, time unix seconds UTC, day = time / 86400, price microSTX per kWh.

;; Errors

(define-constant ERR_NOT_CONTRACT_OWNER (err u1001)) ;; the caller does not own the contracts
(define-constant ERR_NOT_PROPOSED_CONTRACT_OWNER (err u1002)) ;; the caller is not the proposed owner of the contracts
(define-constant ERR_UNKNOWN_ROLE (err u1003)) ;; a role is 1 to 6
(define-constant ERR_INVALID_REGION (err u1004)) ;; empty, or given for a role without a region
(define-constant ERR_NOT_REGISTRAR (err u1005)) ;; the caller is not a registrar
(define-constant ERR_NOT_PAUSER (err u1006)) ;; the caller is not a pauser
(define-constant ERR_PAUSED (err u1007)) ;; no asset is registered during a pause
(define-constant ERR_ASSET_NOT_FOUND (err u1008)) ;; no asset has this id
(define-constant ERR_NOT_ASSET_OWNER (err u1009)) ;; the caller is not the asset's owner
(define-constant ERR_NOT_OWNER_OR_REGISTRAR (err u1010)) ;; the caller is neither the asset's owner nor a registrar
(define-constant ERR_WRONG_ASSET_STATE (err u1011)) ;; not possible in the asset's current state
(define-constant ERR_INVALID_KIND (err u1012)) ;; a kind is 1 to 8
(define-constant ERR_INVALID_CAPACITY (err u1013)) ;; a capacity is 1 to 10^12 W
(define-constant ERR_INVALID_LOCATION (err u1014)) ;; not a geohash
(define-constant ERR_INVALID_METADATA_HASH (err u1015)) ;; not 32 bytes
(define-constant ERR_INVALID_SLOT_SECONDS (err u1016)) ;; a slot is 900, 1800 or 3600 s
(define-constant ERR_INVALID_DEVICE_KEY (err u1017)) ;; not 33 bytes, or of an unknown curve
(define-constant ERR_DEVICE_KEY_IN_USE (err u1018)) ;; another asset has this key or can still record days it signed
(define-constant ERR_REVIEW_MISMATCH (err u1019)) ;; the reviewed values differ from the stored ones
(define-constant ERR_NO_CHANGE_REQUESTED (err u1020)) ;; the owner has not requested a change
(define-constant ERR_NOTHING_TO_CHANGE (err u1021)) ;; the asset already has these values
(define-constant ERR_CHANGE_TOO_SOON (err u1022)) ;; its last change is less than 46 days old
(define-constant ERR_TRANSFER_PROPOSED (err u1023)) ;; a transfer of the asset is proposed
(define-constant ERR_NO_TRANSFER_PROPOSED (err u1024)) ;; no transfer of the asset is proposed
(define-constant ERR_NOT_PROPOSED_OWNER (err u1025)) ;; the caller is not the proposed new owner
(define-constant ERR_INVALID_NEW_OWNER (err u1026)) ;; the new owner already owns the asset
(define-constant ERR_INVALID_MIN_PRICE (err u1027)) ;; a minimum price is at most 10^15
(define-constant ERR_OWN_ASSET (err u1028)) ;; nobody approves an asset that they own or operate
(define-constant ERR_INVALID_PROOF (err u1029)) ;; not signed by the device key for this owner
(define-constant ERR_METADATA_IN_USE (err u1030)) ;; another asset has it, neither rejected nor past its last day

;; Roles

(define-constant ROLE_REGISTRAR u1) ;; verifies assets, binds device keys
(define-constant ROLE_VERIFIER u2) ;; verifies production
(define-constant ROLE_ARBITER u3) ;; decides disputed days
(define-constant ROLE_ORACLE u4) ;; records production of meters that cannot sign
(define-constant ROLE_GRID_OPERATOR u5) ;; connects, curtails and meters the feed of its region
(define-constant ROLE_PAUSER u6) ;; pauses registering, offering and buying

;; Asset states

(define-constant STATE_PENDING u1)
(define-constant STATE_VERIFIED u2)
(define-constant STATE_REJECTED u3)
(define-constant STATE_SUSPENDED u4)
(define-constant STATE_RETIRED u5)

;; Asset kinds: 1 solar, 2 wind, 3 hydro, 4 bioenergy, 5 combined heat and power, 6 battery, 7 vehicle, 8 other.
;; Batteries and vehicles are storage: the energy they return was counted when it was generated.

(define-constant MIN_KIND u1)
(define-constant MAX_KIND u8)
(define-constant KIND_BATTERY u6)
(define-constant KIND_VEHICLE u7)

;; Curves of device keys

(define-constant CURVE_SECP256K1 u1)
(define-constant CURVE_P256 u2)

;; Bounds and durations

(define-constant MAX_CAPACITY_W u1000000000000)
(define-constant MAX_PRICE u1000000000000000)
(define-constant SECONDS_PER_DAY u86400)
;; A day can be recorded until the end of this many days after it; production-tracking has the same constant.
(define-constant RECORDING_DAYS u30)
;; A day can be adjusted until 45 days after it. Only one former capacity and one former key are kept, so the next
;; change has to wait until no day before the previous change can be adjusted.
(define-constant DAYS_BETWEEN_CHANGES u46)
(define-constant GEOHASH_CHARACTERS "0123456789bcdefghjkmnpqrstuvwxyz")

;; A device signs a SIP-018 hash under the domain {name: "der-production", version: "1", chain-id}. The hashed bytes are
;; SIP-018's prefix, the domain's hash and the message's hash; this constant is the first two.
(define-constant SIGNING_PREFIX (concat 0x534950303138
  (sha256 (unwrap!
    (to-consensus-buff? {
      name: "der-production",
      version: "1",
      chain-id: chain-id,
    })
    ERR_INVALID_PROOF
  ))
))

;; Data

(define-data-var contract-owner principal tx-sender)
(define-data-var proposed-contract-owner (optional principal) none)
(define-data-var paused bool false)
(define-data-var asset-count uint u0)

(define-map roles
  {
    role: uint,
    who: principal,
    region: (string-ascii 8),
  }
  bool
)

;; `proposal` is the number of the asset's latest transfer proposal. `capacity-w` holds from `capacity-from-day` on,
;; `previous-capacity-w` before that day. `device-key` signs from `key-from-day` on, `previous-device-key` from
;; `previous-key-from-day` until then; earlier days have no key. `verified-day` is zero until the asset is verified.
;; `last-day` is none until the asset is suspended or retired; ignore it if the asset was never verified.
(define-map assets
  uint
  {
    owner: principal,
    operator: (optional principal),
    min-price: uint,
    epoch: uint,
    proposed-owner: (optional principal),
    proposal: uint,
    state: uint,
    kind: uint,
    capacity-w: uint,
    capacity-from-day: uint,
    previous-capacity-w: uint,
    location: (string-ascii 12),
    region: (string-ascii 8),
    metadata-hash: (buff 32),
    slot-seconds: uint,
    device-key: (optional {
      curve: uint,
      key: (buff 33),
    }),
    key-epoch: uint,
    key-from-day: uint,
    previous-device-key: (optional {
      curve: uint,
      key: (buff 33),
    }),
    previous-key-from-day: uint,
    verified-day: uint,
    last-day: (optional uint),
  }
)

;; The asset to which each device key was last bound.
(define-map device-keys
  (buff 33)
  uint
)

;; The asset last registered with each metadata hash.
(define-map metadata-hashes
  (buff 32)
  uint
)

;; The changes that owners have requested for verified or suspended assets.
(define-map changes
  uint
  {
    capacity-w: uint,
    device-key: (optional {
      curve: uint,
      key: (buff 33),
    }),
  }
)

;; Read-only

(define-read-only (get-asset (asset-id uint))
  (map-get? assets asset-id)
)

(define-read-only (get-assets (asset-ids (list 30 uint)))
  (map get-asset asset-ids)
)

(define-read-only (get-asset-count)
  (var-get asset-count)
)

(define-read-only (get-change (asset-id uint))
  (map-get? changes asset-id)
)

;; Everything needed to record a day's production: whether it can be recorded, the slot length and the capacity that
;; limit its energy, the key that signs, and its key epoch. `lost` is true if nothing more can ever be recorded for the
;; day.
(define-read-only (get-recording-right
    (asset-id uint)
    (day uint)
  )
  (match (map-get? assets asset-id)
    asset (let ((by-present-key (>= day (get key-from-day asset))))
      (some {
        recordable: (and
          (> (get verified-day asset) u0)
          (>= day (get verified-day asset))
          (not (is-after-last day (get last-day asset)))
        ),
        lost: (is-lost day (get state asset) (get verified-day asset) (get last-day asset)),
        slot-seconds: (get slot-seconds asset),
        capacity-w: (if (>= day (get capacity-from-day asset))
          (get capacity-w asset)
          (get previous-capacity-w asset)
        ),
        device-key: (if by-present-key
          (get device-key asset)
          (if (>= day (get previous-key-from-day asset))
            (get previous-device-key asset)
            none
          )
        ),
        key-epoch: (if by-present-key
          (get key-epoch asset)
          (- (get key-epoch asset) u1)
        ),
      })
    )
    none
  )
)

;; The recording rights for a whole batch, in one call.
(define-read-only (get-recording-rights (keys (list 200 {
  asset-id: uint,
  day: uint,
})))
  (map get-recording-right-of keys)
)

;; Whether nothing more can ever be recorded for a day: the asset is retired, and the day is after its last day.
(define-read-only (is-day-lost
    (asset-id uint)
    (day uint)
  )
  (match (map-get? assets asset-id)
    asset (is-lost day (get state asset) (get verified-day asset) (get last-day asset))
    false
  )
)

;; Everything needed to make or take an offer of an asset's energy, in one call.
(define-read-only (get-trading-terms (asset-id uint))
  (match (map-get? assets asset-id)
    asset (some {
      owner: (get owner asset),
      operator: (get operator asset),
      min-price: (get min-price asset),
      epoch: (get epoch asset),
      capacity-w: (get capacity-w asset),
      storage: (is-storage (get kind asset)),
      verified: (is-eq (get state asset) STATE_VERIFIED),
      transfer-proposed: (is-some (get proposed-owner asset)),
      paused: (var-get paused),
    })
    none
  )
)

(define-read-only (get-asset-by-device-key (key (buff 33)))
  (map-get? device-keys key)
)

(define-read-only (get-asset-by-metadata-hash (metadata-hash (buff 32)))
  (map-get? metadata-hashes metadata-hash)
)

;; SIP-018's prefix and the domain's hash; everything that a device signs begins with them.
(define-read-only (get-signing-prefix)
  SIGNING_PREFIX
)

;; The hash that a device key signs to prove that `owner` holds it.
(define-read-only (get-key-proof-hash (owner principal))
  (sha256 (concat SIGNING_PREFIX
    (sha256 (default-to 0x
      (to-consensus-buff? {
        contract: current-contract,
        owner: owner,
      })
    ))
  ))
)

(define-read-only (is-verified (asset-id uint))
  (match (map-get? assets asset-id)
    asset (is-eq (get state asset) STATE_VERIFIED)
    false
  )
)

;; Whether `who` may trade for the asset: its owner or its operator.
(define-read-only (can-operate
    (asset-id uint)
    (who principal)
  )
  (match (map-get? assets asset-id)
    asset (is-operated-by (get owner asset) (get operator asset) who)
    false
  )
)

;; `region` is empty except for grid operators.
(define-read-only (has-role
    (role uint)
    (who principal)
    (region (string-ascii 8))
  )
  (is-some (map-get? roles {
    role: role,
    who: who,
    region: region,
  }))
)

;; Whether `who` is a verifier, and whether an arbiter, in one call.
(define-read-only (get-review-roles (who principal))
  {
    verifier: (has-role ROLE_VERIFIER who ""),
    arbiter: (has-role ROLE_ARBITER who ""),
  }
)

;; For each region, whether `who` is a grid operator there.
(define-read-only (operates-regions
    (who principal)
    (regions (list 100 (string-ascii 8)))
  )
  (get answers (fold add-region regions {
    who: who,
    answers: (list),
  }))
)

(define-read-only (get-contract-owner)
  (var-get contract-owner)
)

(define-read-only (get-proposed-contract-owner)
  (var-get proposed-contract-owner)
)

(define-read-only (is-paused)
  (var-get paused)
)

;; Public: the register

;; Anyone, unless paused: registers an asset that the caller owns; a registrar verifies it later. A device key's proof
;; is its signature (r and s) over `get-key-proof-hash` of the caller. Returns the asset's id.
;; Prints "asset-registered".
;; Errors: ERR_PAUSED, ERR_INVALID_KIND, ERR_INVALID_CAPACITY, ERR_INVALID_LOCATION, ERR_INVALID_REGION,
;; ERR_INVALID_METADATA_HASH, ERR_INVALID_SLOT_SECONDS, ERR_METADATA_IN_USE, ERR_INVALID_DEVICE_KEY, ERR_INVALID_PROOF.
(define-public (register-asset
    (kind uint)
    (capacity-w uint)
    (location (string-ascii 12))
    (region (string-ascii 8))
    (metadata-hash (buff 32))
    (slot-seconds uint)
    (device-key (optional {
      curve: uint,
      key: (buff 33),
      proof: (buff 64),
    }))
  )
  (begin
    (asserts! (not (var-get paused)) ERR_PAUSED)
    (register {
      kind: kind,
      capacity-w: capacity-w,
      location: location,
      region: region,
      metadata-hash: metadata-hash,
      slot-seconds: slot-seconds,
      device-key: device-key,
    })
  )
)

;; Anyone, unless paused: `register-asset` for up to 20 plants of the caller. Returns one response per plant, in order.
;; Prints "asset-registered" per plant registered.
;; Errors: ERR_PAUSED; per plant, those of `register-asset`.
(define-public (register-assets (plants (list 20 {
  kind: uint,
  capacity-w: uint,
  location: (string-ascii 12),
  region: (string-ascii 8),
  metadata-hash: (buff 32),
  slot-seconds: uint,
  device-key: (optional {
    curve: uint,
    key: (buff 33),
    proof: (buff 64),
  }),
})))
  (begin
    (asserts! (not (var-get paused)) ERR_PAUSED)
    (ok (map register plants))
  )
)

;; Registrar who neither owns nor operates the asset: verifies a pending asset and binds its device key, which signs
;; from tomorrow on. `capacity-w` and `device-key` must equal the stored values. Prints "asset-verified".
;; Errors: ERR_NOT_REGISTRAR, ERR_ASSET_NOT_FOUND, ERR_OWN_ASSET, ERR_WRONG_ASSET_STATE, ERR_REVIEW_MISMATCH,
;; ERR_DEVICE_KEY_IN_USE.
(define-public (verify-asset
    (asset-id uint)
    (capacity-w uint)
    (device-key (optional {
      curve: uint,
      key: (buff 33),
    }))
  )
  (begin
    (asserts! (is-registrar) ERR_NOT_REGISTRAR)
    (verify {
      asset-id: asset-id,
      capacity-w: capacity-w,
      device-key: device-key,
    })
  )
)

;; Registrar: `verify-asset` for up to 50 assets. Returns one response per asset, in order. Prints "asset-verified" per
;; asset verified.
;; Errors: ERR_NOT_REGISTRAR; per asset, those of `verify-asset`.
(define-public (verify-assets (reviews (list 50 {
  asset-id: uint,
  capacity-w: uint,
  device-key: (optional {
    curve: uint,
    key: (buff 33),
  }),
})))
  (begin
    (asserts! (is-registrar) ERR_NOT_REGISTRAR)
    (ok (map verify reviews))
  )
)

;; Registrar: rejects a pending asset for good. Prints "asset-rejected".
;; Errors: ERR_NOT_REGISTRAR, ERR_ASSET_NOT_FOUND, ERR_WRONG_ASSET_STATE.
(define-public (reject-asset
    (asset-id uint)
    (reason (string-ascii 64))
  )
  (let ((asset (try! (get-for-registrar asset-id))))
    (asserts! (is-eq (get state asset) STATE_PENDING) ERR_WRONG_ASSET_STATE)
    (map-set assets asset-id
      (merge asset {
        state: STATE_REJECTED,
        proposed-owner: none,
      })
    )
    (print {
      topic: "asset-rejected",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      reason: reason,
      state: STATE_REJECTED,
    })
    (ok true)
  )
)

;; Registrar: suspends a verified asset. Until it is reinstated, its energy cannot be offered or bought, and no day
;; after today can be recorded. Prints "asset-suspended".
;; Errors: ERR_NOT_REGISTRAR, ERR_ASSET_NOT_FOUND, ERR_WRONG_ASSET_STATE.
(define-public (suspend-asset
    (asset-id uint)
    (reason (string-ascii 64))
  )
  (let (
      (asset (try! (get-for-registrar asset-id)))
      (today (current-day))
    )
    (asserts! (is-eq (get state asset) STATE_VERIFIED) ERR_WRONG_ASSET_STATE)
    (map-set assets asset-id
      (merge asset {
        state: STATE_SUSPENDED,
        last-day: (some today),
      })
    )
    (print {
      topic: "asset-suspended",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      reason: reason,
      last-day: today,
      state: STATE_SUSPENDED,
    })
    (ok true)
  )
)

;; Registrar: makes a suspended asset verified again. Prints "asset-reinstated".
;; Errors: ERR_NOT_REGISTRAR, ERR_ASSET_NOT_FOUND, ERR_WRONG_ASSET_STATE.
(define-public (reinstate-asset (asset-id uint))
  (let ((asset (try! (get-for-registrar asset-id))))
    (asserts! (is-eq (get state asset) STATE_SUSPENDED) ERR_WRONG_ASSET_STATE)
    (map-set assets asset-id
      (merge asset {
        state: STATE_VERIFIED,
        last-day: none,
      })
    )
    (print {
      topic: "asset-reinstated",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      state: STATE_VERIFIED,
    })
    (ok true)
  )
)

;; Owner or registrar: retires an asset for good. Days up to today, or up to its suspension, can still be recorded,
;; verified and delivered. Drops a proposed transfer and a requested change. Another asset can get the device key once
;; no day signed with it can be recorded any more. Prints "asset-retired".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NOT_OWNER_OR_REGISTRAR, ERR_WRONG_ASSET_STATE.
(define-public (retire-asset (asset-id uint))
  (let (
      (asset (unwrap! (map-get? assets asset-id) ERR_ASSET_NOT_FOUND))
      (state (get state asset))
      (last-day (if (is-eq state STATE_VERIFIED)
        (some (current-day))
        (get last-day asset)
      ))
    )
    (asserts! (or (is-eq contract-caller (get owner asset)) (is-registrar))
      ERR_NOT_OWNER_OR_REGISTRAR
    )
    (asserts! (is-alive state) ERR_WRONG_ASSET_STATE)
    (map-set assets asset-id
      (merge asset {
        state: STATE_RETIRED,
        last-day: last-day,
        proposed-owner: none,
      })
    )
    (map-delete changes asset-id)
    (print {
      topic: "asset-retired",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      last-day: last-day,
      state: STATE_RETIRED,
    })
    (ok true)
  )
)

;; Public: changes of capacity and device key

;; Owner: asks for another capacity or device key of a verified or suspended asset; replaces an earlier request. A new
;; key needs a proof, as in `register-asset`. Nothing changes until a registrar approves it. Prints "change-requested".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NOT_ASSET_OWNER, ERR_WRONG_ASSET_STATE, ERR_TRANSFER_PROPOSED, ERR_INVALID_CAPACITY,
;; ERR_INVALID_DEVICE_KEY, ERR_INVALID_PROOF, ERR_NOTHING_TO_CHANGE.
(define-public (request-change
    (asset-id uint)
    (capacity-w uint)
    (device-key (optional {
      curve: uint,
      key: (buff 33),
      proof: (buff 64),
    }))
  )
  (let ((asset (unwrap! (map-get? assets asset-id) ERR_ASSET_NOT_FOUND)))
    (asserts! (is-eq contract-caller (get owner asset)) ERR_NOT_ASSET_OWNER)
    (asserts! (is-changeable (get state asset)) ERR_WRONG_ASSET_STATE)
    (asserts! (is-none (get proposed-owner asset)) ERR_TRANSFER_PROPOSED)
    (asserts! (is-capacity capacity-w) ERR_INVALID_CAPACITY)
    (let ((new-key (try! (check-claim device-key (get device-key asset)))))
      (asserts!
        (not (and
          (is-eq capacity-w (get capacity-w asset))
          (is-eq new-key (get device-key asset))
        ))
        ERR_NOTHING_TO_CHANGE
      )
      (map-set changes asset-id {
        capacity-w: capacity-w,
        device-key: new-key,
      })
      (print {
        topic: "change-requested",
        version: u1,
        asset-id: asset-id,
        actor: contract-caller,
        capacity-w: capacity-w,
        device-key: new-key,
      })
      (ok true)
    )
  )
)

;; Registrar who neither owns nor operates the asset: approves a requested change, which takes effect tomorrow.
;; `capacity-w` and `device-key` must equal the requested values. Days up to today keep the former capacity and key. A
;; new key starts a new key epoch.
;; Prints "change-approved".
;; Errors: ERR_NOT_REGISTRAR, ERR_ASSET_NOT_FOUND, ERR_OWN_ASSET, ERR_NO_CHANGE_REQUESTED, ERR_TRANSFER_PROPOSED,
;; ERR_REVIEW_MISMATCH, ERR_CHANGE_TOO_SOON, ERR_DEVICE_KEY_IN_USE.
(define-public (approve-change
    (asset-id uint)
    (capacity-w uint)
    (device-key (optional {
      curve: uint,
      key: (buff 33),
    }))
  )
  (let (
      (asset (try! (get-for-approval asset-id)))
      (change (unwrap! (map-get? changes asset-id) ERR_NO_CHANGE_REQUESTED))
      (tomorrow (+ (current-day) u1))
      (same-capacity (is-eq capacity-w (get capacity-w asset)))
      (same-key (is-eq device-key (get device-key asset)))
      (capacity (if same-capacity
        {
          capacity-w: capacity-w,
          capacity-from-day: (get capacity-from-day asset),
          previous-capacity-w: (get previous-capacity-w asset),
        }
        {
          capacity-w: capacity-w,
          capacity-from-day: tomorrow,
          previous-capacity-w: (get capacity-w asset),
        }
      ))
      (key (if same-key
        {
          device-key: device-key,
          key-epoch: (get key-epoch asset),
          key-from-day: (get key-from-day asset),
          previous-device-key: (get previous-device-key asset),
          previous-key-from-day: (get previous-key-from-day asset),
        }
        {
          device-key: device-key,
          key-epoch: (+ (get key-epoch asset) u1),
          key-from-day: tomorrow,
          previous-device-key: (get device-key asset),
          previous-key-from-day: (get key-from-day asset),
        }
      ))
    )
    (asserts! (is-none (get proposed-owner asset)) ERR_TRANSFER_PROPOSED)
    (asserts! (is-eq capacity-w (get capacity-w change)) ERR_REVIEW_MISMATCH)
    (asserts! (is-eq device-key (get device-key change)) ERR_REVIEW_MISMATCH)
    (asserts!
      (or
        same-capacity
        (>= tomorrow (+ (get capacity-from-day asset) DAYS_BETWEEN_CHANGES))
      )
      ERR_CHANGE_TOO_SOON
    )
    ;; The first key has no predecessor to keep, so the second can follow at any time.
    (asserts!
      (or
        same-key
        (is-eq (get key-epoch asset) u1)
        (>= tomorrow (+ (get key-from-day asset) DAYS_BETWEEN_CHANGES))
      )
      ERR_CHANGE_TOO_SOON
    )
    (asserts! (bind-device-key asset-id device-key) ERR_DEVICE_KEY_IN_USE)
    (map-set assets asset-id (merge (merge asset capacity) key))
    (map-delete changes asset-id)
    (print (merge (merge capacity key) {
      topic: "change-approved",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
    }))
    (ok true)
  )
)

;; Registrar: refuses a requested change; the asset keeps its values. Prints "change-refused".
;; Errors: ERR_NOT_REGISTRAR, ERR_NO_CHANGE_REQUESTED.
(define-public (refuse-change
    (asset-id uint)
    (reason (string-ascii 64))
  )
  (begin
    (asserts! (is-registrar) ERR_NOT_REGISTRAR)
    (asserts! (map-delete changes asset-id) ERR_NO_CHANGE_REQUESTED)
    (print {
      topic: "change-refused",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      reason: reason,
    })
    (ok true)
  )
)

;; Public: ownership and operation of an asset

;; Owner: proposes the asset to a new owner, who has to accept. Until then, its energy cannot be offered, bought or
;; retired, and neither the asset nor its connection can be changed. Returns the proposal's number, one more than the
;; previous one. Prints "transfer-proposed".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NOT_ASSET_OWNER, ERR_WRONG_ASSET_STATE, ERR_TRANSFER_PROPOSED,
;; ERR_INVALID_NEW_OWNER.
(define-public (propose-transfer
    (asset-id uint)
    (new-owner principal)
  )
  (let (
      (asset (unwrap! (map-get? assets asset-id) ERR_ASSET_NOT_FOUND))
      (proposal (+ (get proposal asset) u1))
    )
    (asserts! (is-eq contract-caller (get owner asset)) ERR_NOT_ASSET_OWNER)
    (asserts! (is-alive (get state asset)) ERR_WRONG_ASSET_STATE)
    (asserts! (is-none (get proposed-owner asset)) ERR_TRANSFER_PROPOSED)
    (asserts! (not (is-eq new-owner contract-caller)) ERR_INVALID_NEW_OWNER)
    (map-set assets asset-id
      (merge asset {
        proposed-owner: (some new-owner),
        proposal: proposal,
      })
    )
    (print {
      topic: "transfer-proposed",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      new-owner: new-owner,
      proposal: proposal,
    })
    (ok proposal)
  )
)

;; The proposed owner: takes over the asset. `proposal` is the number of the proposal that they reviewed: nothing is
;; sold while it is open, but between two proposals the owner could sell a year ahead. Drops the operator and any
;; requested change, and raises the epoch by one, which voids the open offers; funded energy stays funded.
;; Prints "transfer-accepted".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NO_TRANSFER_PROPOSED, ERR_NOT_PROPOSED_OWNER, ERR_REVIEW_MISMATCH.
(define-public (accept-transfer
    (asset-id uint)
    (proposal uint)
  )
  (let (
      (asset (unwrap! (map-get? assets asset-id) ERR_ASSET_NOT_FOUND))
      (new-owner (unwrap! (get proposed-owner asset) ERR_NO_TRANSFER_PROPOSED))
      (epoch (+ (get epoch asset) u1))
    )
    (asserts! (is-eq contract-caller new-owner) ERR_NOT_PROPOSED_OWNER)
    (asserts! (is-eq proposal (get proposal asset)) ERR_REVIEW_MISMATCH)
    (map-set assets asset-id
      (merge asset {
        owner: new-owner,
        operator: none,
        min-price: u0,
        epoch: epoch,
        proposed-owner: none,
      })
    )
    (map-delete changes asset-id)
    (print {
      topic: "transfer-accepted",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      old-owner: (get owner asset),
      new-owner: new-owner,
      proposal: proposal,
      epoch: epoch,
    })
    (ok true)
  )
)

;; Owner: cancels a proposed transfer. Prints "transfer-cancelled".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NOT_ASSET_OWNER, ERR_NO_TRANSFER_PROPOSED.
(define-public (cancel-transfer (asset-id uint))
  (let ((asset (unwrap! (map-get? assets asset-id) ERR_ASSET_NOT_FOUND)))
    (asserts! (is-eq contract-caller (get owner asset)) ERR_NOT_ASSET_OWNER)
    (asserts! (is-some (get proposed-owner asset)) ERR_NO_TRANSFER_PROPOSED)
    (map-set assets asset-id (merge asset { proposed-owner: none }))
    (print {
      topic: "transfer-cancelled",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      proposal: (get proposal asset),
    })
    (ok true)
  )
)

;; Owner: names an operator, who can trade for them at `min-price` or above, or removes the operator. Raises the epoch
;; by one, which voids the open offers. Prints "operator-set".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NOT_ASSET_OWNER, ERR_WRONG_ASSET_STATE, ERR_INVALID_MIN_PRICE.
(define-public (set-operator
    (asset-id uint)
    (operator (optional principal))
    (min-price uint) ;; per kWh, microSTX
  )
  (let (
      (asset (unwrap! (map-get? assets asset-id) ERR_ASSET_NOT_FOUND))
      (epoch (+ (get epoch asset) u1))
    )
    (asserts! (is-eq contract-caller (get owner asset)) ERR_NOT_ASSET_OWNER)
    (asserts! (is-alive (get state asset)) ERR_WRONG_ASSET_STATE)
    (asserts! (<= min-price MAX_PRICE) ERR_INVALID_MIN_PRICE)
    (map-set assets asset-id
      (merge asset {
        operator: operator,
        min-price: min-price,
        epoch: epoch,
      })
    )
    (print {
      topic: "operator-set",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      operator: operator,
      min-price: min-price,
      epoch: epoch,
    })
    (ok true)
  )
)

;; Public: running the system

;; Contract owner: grants or revokes a role. `region` is the grid operator's region, and empty for all other roles.
;; Prints "role-set".
;; Errors: ERR_NOT_CONTRACT_OWNER, ERR_UNKNOWN_ROLE, ERR_INVALID_REGION.
(define-public (set-role
    (role uint)
    (who principal)
    (region (string-ascii 8))
    (granted bool)
  )
  (let ((key {
      role: role,
      who: who,
      region: region,
    }))
    (asserts! (is-eq contract-caller (var-get contract-owner)) ERR_NOT_CONTRACT_OWNER)
    (asserts! (and (>= role ROLE_REGISTRAR) (<= role ROLE_PAUSER)) ERR_UNKNOWN_ROLE)
    (asserts! (is-eq (is-eq role ROLE_GRID_OPERATOR) (> (len region) u0))
      ERR_INVALID_REGION
    )
    (if granted
      (map-set roles key true)
      (map-delete roles key)
    )
    (print {
      topic: "role-set",
      version: u1,
      actor: contract-caller,
      role: role,
      who: who,
      region: region,
      granted: granted,
    })
    (ok true)
  )
)

;; Contract owner: proposes the next owner of the contracts; replaces an earlier proposal.
;; Prints "contract-owner-proposed". Errors: ERR_NOT_CONTRACT_OWNER.
(define-public (propose-owner (new-owner principal))
  (begin
    (asserts! (is-eq contract-caller (var-get contract-owner)) ERR_NOT_CONTRACT_OWNER)
    (var-set proposed-contract-owner (some new-owner))
    (print {
      topic: "contract-owner-proposed",
      version: u1,
      actor: contract-caller,
      new-owner: new-owner,
    })
    (ok true)
  )
)

;; The proposed contract owner: takes over the contracts. Prints "contract-owner-accepted".
;; Errors: ERR_NOT_PROPOSED_CONTRACT_OWNER.
(define-public (accept-owner)
  (let ((old-owner (var-get contract-owner)))
    (asserts! (is-eq (some contract-caller) (var-get proposed-contract-owner))
      ERR_NOT_PROPOSED_CONTRACT_OWNER
    )
    (var-set contract-owner contract-caller)
    (var-set proposed-contract-owner none)
    (print {
      topic: "contract-owner-accepted",
      version: u1,
      actor: contract-caller,
      old-owner: old-owner,
      new-owner: contract-caller,
    })
    (ok true)
  )
)

;; Pauser: pauses or resumes registering, offering and buying. A pause never stops recording, settling or refunding.
;; Prints "paused-set". Errors: ERR_NOT_PAUSER.
(define-public (set-paused (on bool))
  (begin
    (asserts! (has-role ROLE_PAUSER contract-caller "") ERR_NOT_PAUSER)
    (var-set paused on)
    (print {
      topic: "paused-set",
      version: u1,
      actor: contract-caller,
      paused: on,
    })
    (ok true)
  )
)

;; Private: reading

(define-private (current-day)
  (/ stacks-block-time SECONDS_PER_DAY)
)

(define-private (is-registrar)
  (has-role ROLE_REGISTRAR contract-caller "")
)

;; The asset, if the caller is a registrar.
(define-private (get-for-registrar (asset-id uint))
  (begin
    (asserts! (is-registrar) ERR_NOT_REGISTRAR)
    (ok (unwrap! (map-get? assets asset-id) ERR_ASSET_NOT_FOUND))
  )
)

;; The asset, if the caller is a registrar who neither owns nor operates it.
(define-private (get-for-approval (asset-id uint))
  (let ((asset (try! (get-for-registrar asset-id))))
    (asserts!
      (not (is-operated-by (get owner asset) (get operator asset) contract-caller))
      ERR_OWN_ASSET
    )
    (ok asset)
  )
)

(define-private (is-operated-by
    (owner principal)
    (operator (optional principal))
    (who principal)
  )
  (or (is-eq who owner) (is-eq (some who) operator))
)

(define-private (add-region
    (region (string-ascii 8))
    (all {
      who: principal,
      answers: (list 100 bool),
    })
  )
  (let ((answers (append (get answers all) (has-role ROLE_GRID_OPERATOR (get who all) region))))
    (merge all { answers: (unwrap! (as-max-len? answers u100) all) })
  )
)

(define-private (get-recording-right-of (key {
  asset-id: uint,
  day: uint,
}))
  (get-recording-right (get asset-id key) (get day key))
)

(define-private (is-after-last
    (day uint)
    (last-day (optional uint))
  )
  (match last-day
    last (> day last)
    false
  )
)

;; Whether the asset is retired and the day is after its last day. Every day counts as after it if the asset was never
;; verified.
(define-private (is-lost
    (day uint)
    (state uint)
    (verified-day uint)
    (last-day (optional uint))
  )
  (and
    (is-eq state STATE_RETIRED)
    (or (is-eq verified-day u0) (is-after-last day last-day))
  )
)

(define-private (is-storage (kind uint))
  (and (>= kind KIND_BATTERY) (<= kind KIND_VEHICLE))
)

;; Neither rejected nor retired.
(define-private (is-alive (state uint))
  (or (is-eq state STATE_PENDING) (is-changeable state))
)

(define-private (is-changeable (state uint))
  (or (is-eq state STATE_VERIFIED) (is-eq state STATE_SUSPENDED))
)

;; Private: checking an owner's claims

(define-private (is-capacity (capacity-w uint))
  (and (>= capacity-w u1) (<= capacity-w MAX_CAPACITY_W))
)

;; A quarter, half or full hour.
(define-private (is-slot-seconds (seconds uint))
  (or (is-eq seconds u900) (is-eq seconds u1800) (is-eq seconds u3600))
)

(define-private (is-geohash (location (string-ascii 12)))
  (and (> (len location) u0) (fold is-geohash-so-far location true))
)

(define-private (is-geohash-so-far
    (character (string-ascii 1))
    (so-far bool)
  )
  (and so-far (is-some (index-of? GEOHASH_CHARACTERS character)))
)

;; Whether the asset last registered with this metadata is rejected, or retired and past its last day. Two assets must
;; never count one plant's production of the same day.
(define-private (is-metadata-free (metadata-hash (buff 32)))
  (let ((asset (unwrap! (map-get? assets (default-to u0 (map-get? metadata-hashes metadata-hash))) true)))
    (and
      (not (is-alive (get state asset)))
      (> (current-day) (default-to u0 (get last-day asset)))
    )
  )
)

;; The device key that the caller claims, if any, after checking its proof. `present`, the asset's own key, needs no new
;; proof.
(define-private (check-claim
    (claim (optional {
      curve: uint,
      key: (buff 33),
      proof: (buff 64),
    }))
    (present (optional {
      curve: uint,
      key: (buff 33),
    }))
  )
  (match claim
    claimed (let (
        (curve (get curve claimed))
        (key (get key claimed))
        (device-key (some {
          curve: curve,
          key: key,
        }))
      )
      (asserts!
        (and (is-eq (len key) u33) (>= curve CURVE_SECP256K1) (<= curve CURVE_P256))
        ERR_INVALID_DEVICE_KEY
      )
      (asserts!
        (or (is-eq device-key present) (is-proof curve key (get proof claimed)))
        ERR_INVALID_PROOF
      )
      (ok device-key)
    )
    (ok none)
  )
)

(define-private (is-proof
    (curve uint)
    (key (buff 33))
    (proof (buff 64))
  )
  (let ((hash (get-key-proof-hash contract-caller)))
    (if (is-eq curve CURVE_P256)
      (secp256r1-verify hash proof key)
      (secp256k1-verify hash proof key)
    )
  )
)

;; Private: registering and verifying. Each item is checked completely before anything is written for it, so an item
;; that fails in a batch leaves no trace.

(define-private (register (plant {
  kind: uint,
  capacity-w: uint,
  location: (string-ascii 12),
  region: (string-ascii 8),
  metadata-hash: (buff 32),
  slot-seconds: uint,
  device-key: (optional {
    curve: uint,
    key: (buff 33),
    proof: (buff 64),
  }),
}))
  (let (
      (asset-id (+ (var-get asset-count) u1))
      (metadata-hash (get metadata-hash plant))
    )
    (asserts! (and (>= (get kind plant) MIN_KIND) (<= (get kind plant) MAX_KIND))
      ERR_INVALID_KIND
    )
    (asserts! (is-capacity (get capacity-w plant)) ERR_INVALID_CAPACITY)
    (asserts! (is-geohash (get location plant)) ERR_INVALID_LOCATION)
    (asserts! (> (len (get region plant)) u0) ERR_INVALID_REGION)
    (asserts! (is-eq (len metadata-hash) u32) ERR_INVALID_METADATA_HASH)
    (asserts! (is-slot-seconds (get slot-seconds plant)) ERR_INVALID_SLOT_SECONDS)
    (asserts! (is-metadata-free metadata-hash) ERR_METADATA_IN_USE)
    (let (
        (device-key (try! (check-claim (get device-key plant) none)))
        (described (merge plant { device-key: device-key }))
      )
      (map-set assets asset-id
        (merge described {
          owner: contract-caller,
          operator: none,
          min-price: u0,
          epoch: u1,
          proposed-owner: none,
          proposal: u0,
          state: STATE_PENDING,
          capacity-from-day: u0,
          previous-capacity-w: (get capacity-w plant),
          key-epoch: u1,
          key-from-day: u0,
          previous-device-key: none,
          previous-key-from-day: u0,
          verified-day: u0,
          last-day: none,
        })
      )
      (map-set metadata-hashes metadata-hash asset-id)
      (var-set asset-count asset-id)
      (print (merge described {
        topic: "asset-registered",
        version: u1,
        asset-id: asset-id,
        actor: contract-caller,
        epoch: u1,
        key-epoch: u1,
        state: STATE_PENDING,
      }))
      (ok asset-id)
    )
  )
)

(define-private (verify (review {
  asset-id: uint,
  capacity-w: uint,
  device-key: (optional {
    curve: uint,
    key: (buff 33),
  }),
}))
  (let (
      (asset-id (get asset-id review))
      (asset (try! (get-for-approval asset-id)))
      (device-key (get device-key review))
      (today (current-day))
      (key-from-day (if (is-some device-key)
        (+ today u1)
        u0
      ))
    )
    (asserts! (is-eq (get state asset) STATE_PENDING) ERR_WRONG_ASSET_STATE)
    (asserts! (is-eq (get capacity-w review) (get capacity-w asset)) ERR_REVIEW_MISMATCH)
    (asserts! (is-eq device-key (get device-key asset)) ERR_REVIEW_MISMATCH)
    (asserts! (bind-device-key asset-id device-key) ERR_DEVICE_KEY_IN_USE)
    (map-set assets asset-id
      (merge asset {
        state: STATE_VERIFIED,
        verified-day: today,
        key-from-day: key-from-day,
      })
    )
    (print (merge review {
      topic: "asset-verified",
      version: u1,
      actor: contract-caller,
      verified-day: today,
      key-from-day: key-from-day,
      state: STATE_VERIFIED,
    }))
    (ok true)
  )
)

;; Private: device keys and their assets

;; Binds a key to an asset; false if another asset has it or can still record days signed with it.
(define-private (bind-device-key
    (asset-id uint)
    (device-key (optional {
      curve: uint,
      key: (buff 33),
    }))
  )
  (match device-key
    bound (and
      (is-key-free (get key bound) asset-id)
      (map-set device-keys (get key bound) asset-id)
    )
    true
  )
)

(define-private (is-key-free
    (key (buff 33))
    (asset-id uint)
  )
  (match (map-get? device-keys key)
    holder (or (is-eq holder asset-id) (is-key-done key holder))
    true
  )
)

;; Whether the asset that holds the key can no longer record any day signed with it, because it was retired or got
;; another key long enough ago. The meter can then serve another asset: each reading that it signed names its asset, and
;; cannot be recorded for another.
(define-private (is-key-done
    (key (buff 33))
    (holder uint)
  )
  (let (
      (asset (unwrap! (map-get? assets holder) true))
      (last-day (default-to (get verified-day asset) (get last-day asset)))
    )
    (or
      (and
        (is-eq (get state asset) STATE_RETIRED)
        (> (current-day) (+ last-day RECORDING_DAYS))
      )
      (and
        (not (is-eq (some key) (get key (get device-key asset))))
        (>= (current-day) (+ (get key-from-day asset) RECORDING_DAYS))
      )
    )
  )
)

(print {
  topic: "asset-verification-deployed",
  version: u1,
  contract-owner: tx-sender,
  paused: false,
  seconds-per-day: SECONDS_PER_DAY,
  max-capacity-w: MAX_CAPACITY_W,
  max-price: MAX_PRICE,
  days-between-changes: DAYS_BETWEEN_CHANGES,
  recording-days: RECORDING_DAYS,
})
