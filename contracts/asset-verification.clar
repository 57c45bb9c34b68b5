;; asset-verification: who runs the system, and which plants exist.
;;
;; Holds the roles, the pause switch and the register of assets: owner, operator, capacity, location and the meter's
;; device key. The other four contracts ask this one; it asks nobody.
;;
;; Asset:      pending -> verified | rejected (registrar); verified <-> suspended (registrar);
;;             pending, verified, suspended -> retired (owner, registrar).
;; Change:     requested (owner) -> approved | refused (registrar); until then the old values hold.
;; Ownership:  proposed (owner) -> accepted (new owner) | cancelled (owner).
;;
;; An approval repeats the values that were reviewed and fails when they differ from what is stored. So does accepting a
;; transfer: it repeats the number of the proposal.
;; Units: power W, time unix seconds UTC, day = time / 86400, price microSTX per kWh.

;; Errors

(define-constant ERR_NOT_CONTRACT_OWNER (err u1001)) ;; the caller does not own the contracts
(define-constant ERR_NOT_PROPOSED_CONTRACT_OWNER (err u1002)) ;; the caller is not the proposed owner of the contracts
(define-constant ERR_UNKNOWN_ROLE (err u1003)) ;; a role is 1 to 6
(define-constant ERR_INVALID_REGION (err u1004)) ;; empty, or given for a role that has none
(define-constant ERR_NOT_REGISTRAR (err u1005)) ;; only a registrar may
(define-constant ERR_NOT_PAUSER (err u1006)) ;; only a pauser may
(define-constant ERR_PAUSED (err u1007)) ;; nothing new is registered during a pause
(define-constant ERR_ASSET_NOT_FOUND (err u1008)) ;; no asset has this id
(define-constant ERR_NOT_ASSET_OWNER (err u1009)) ;; only the asset's owner may
(define-constant ERR_NOT_OWNER_OR_REGISTRAR (err u1010)) ;; only the asset's owner or a registrar may
(define-constant ERR_WRONG_ASSET_STATE (err u1011)) ;; not in this state of the asset
(define-constant ERR_INVALID_KIND (err u1012)) ;; a kind is 1 to 8
(define-constant ERR_INVALID_CAPACITY (err u1013)) ;; a capacity is 1 to 10^12 W
(define-constant ERR_INVALID_LOCATION (err u1014)) ;; empty
(define-constant ERR_INVALID_METADATA_HASH (err u1015)) ;; not 32 bytes
(define-constant ERR_INVALID_SLOT_SECONDS (err u1016)) ;; a slot is 900, 1800 or 3600 s
(define-constant ERR_INVALID_DEVICE_KEY (err u1017)) ;; not 33 bytes
(define-constant ERR_DEVICE_KEY_IN_USE (err u1018)) ;; it serves another asset, or one retired less than 31 days ago
(define-constant ERR_REVIEW_MISMATCH (err u1019)) ;; what was reviewed is not what is stored
(define-constant ERR_NO_CHANGE_REQUESTED (err u1020)) ;; the owner asked for no change
(define-constant ERR_NOTHING_TO_CHANGE (err u1021)) ;; the asset has these values already
(define-constant ERR_CHANGE_TOO_SOON (err u1022)) ;; the last change of capacity is less than 46 days old
(define-constant ERR_TRANSFER_PROPOSED (err u1023)) ;; a transfer is proposed already
(define-constant ERR_NO_TRANSFER_PROPOSED (err u1024)) ;; no transfer is proposed
(define-constant ERR_NOT_PROPOSED_OWNER (err u1025)) ;; the asset was proposed to another
(define-constant ERR_INVALID_NEW_OWNER (err u1026)) ;; the owner has it already
(define-constant ERR_INVALID_MIN_PRICE (err u1027)) ;; a price is at most 10^15

;; Roles

(define-constant ROLE_REGISTRAR u1) ;; verifies assets, binds device keys
(define-constant ROLE_VERIFIER u2) ;; verifies production
(define-constant ROLE_ARBITER u3) ;; decides disputed days
(define-constant ROLE_ORACLE u4) ;; records production of meters that cannot sign
(define-constant ROLE_GRID_OPERATOR u5) ;; connects, curtails and meters the feed of its region
(define-constant ROLE_PAUSER u6) ;; stops new exposure

;; Asset states

(define-constant STATE_PENDING u1)
(define-constant STATE_VERIFIED u2)
(define-constant STATE_REJECTED u3)
(define-constant STATE_SUSPENDED u4)
(define-constant STATE_RETIRED u5)

;; Asset kinds: 1 solar, 2 wind, 3 hydro, 4 bioenergy, 5 combined heat and power, 6 battery, 7 vehicle, 8 other

(define-constant MIN_KIND u1)
(define-constant MAX_KIND u8)

;; Bounds and durations

(define-constant MAX_CAPACITY_W u1000000000000)
(define-constant MAX_PRICE u1000000000000000)
(define-constant SECONDS_PER_DAY u86400)
;; A day is recorded and adjusted until 45 days after it. One former capacity is kept, so the next change has to wait
;; until no day before the last one can be touched any more.
(define-constant DAYS_BETWEEN_CAPACITY_CHANGES u46)
;; A day is recorded until the end of this many days after it; production-tracking holds the same number.
(define-constant RECORDING_DAYS u30)
;; The last recordable day of a verified asset: none in sight.
(define-constant NO_LAST_DAY u340282366920938463463374607431768211455)

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

;; `proposal` is the number of the last transfer that was proposed of the asset. `retired-day` stays zero where the asset
;; was not verified when it was retired.
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
    device-key: (optional (buff 33)),
    key-epoch: uint,
    key-from-day: uint,
    verified-day: uint,
    retired-day: uint,
  }
)

;; The asset that a bound device key serves, or served last.
(define-map device-keys
  (buff 33)
  uint
)

;; The change of a verified or suspended asset that its owner asked for.
(define-map changes
  uint
  {
    capacity-w: uint,
    device-key: (optional (buff 33)),
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

;; What has to be known to record production: which days may be recorded, by whom, and how much is plausible.
;; `last-day` is before `first-day` while nothing may be recorded.
(define-read-only (get-recording-right (asset-id uint))
  (match (map-get? assets asset-id)
    asset (some {
      first-day: (get verified-day asset),
      last-day: (if (is-eq (get state asset) STATE_VERIFIED)
        NO_LAST_DAY
        (get retired-day asset)
      ),
      slot-seconds: (get slot-seconds asset),
      capacity-w: (get capacity-w asset),
      capacity-from-day: (get capacity-from-day asset),
      previous-capacity-w: (get previous-capacity-w asset),
      device-key: (get device-key asset),
      key-epoch: (get key-epoch asset),
      key-from-day: (get key-from-day asset),
    })
    none
  )
)

;; The rights of a whole batch in one call.
(define-read-only (get-recording-rights (asset-ids (list 200 uint)))
  (map get-recording-right asset-ids)
)

;; What has to be known to make or take an offer of an asset's energy, in one call.
(define-read-only (get-trading-terms (asset-id uint))
  (match (map-get? assets asset-id)
    asset (some {
      owner: (get owner asset),
      operator: (get operator asset),
      min-price: (get min-price asset),
      epoch: (get epoch asset),
      capacity-w: (get capacity-w asset),
      verified: (is-eq (get state asset) STATE_VERIFIED),
      transfer-proposed: (is-some (get proposed-owner asset)),
      paused: (var-get paused),
    })
    none
  )
)

(define-read-only (get-asset-by-device-key (device-key (buff 33)))
  (map-get? device-keys device-key)
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
    asset (or (is-eq who (get owner asset)) (is-eq (some who) (get operator asset)))
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

;; Anyone, unless paused: registers an asset that the caller owns; a registrar verifies it later. Answers its id.
;; Prints "asset-registered".
;; Errors: ERR_PAUSED, ERR_INVALID_KIND, ERR_INVALID_CAPACITY, ERR_INVALID_LOCATION, ERR_INVALID_REGION,
;; ERR_INVALID_METADATA_HASH, ERR_INVALID_SLOT_SECONDS, ERR_INVALID_DEVICE_KEY.
(define-public (register-asset
    (kind uint)
    (capacity-w uint)
    (location (string-ascii 12))
    (region (string-ascii 8))
    (metadata-hash (buff 32))
    (slot-seconds uint)
    (device-key (optional (buff 33)))
  )
  (let ((asset-id (+ (var-get asset-count) u1)))
    (asserts! (not (var-get paused)) ERR_PAUSED)
    (asserts! (and (>= kind MIN_KIND) (<= kind MAX_KIND)) ERR_INVALID_KIND)
    (asserts! (is-capacity capacity-w) ERR_INVALID_CAPACITY)
    (asserts! (> (len location) u0) ERR_INVALID_LOCATION)
    (asserts! (> (len region) u0) ERR_INVALID_REGION)
    (asserts! (is-eq (len metadata-hash) u32) ERR_INVALID_METADATA_HASH)
    (asserts! (is-slot-seconds slot-seconds) ERR_INVALID_SLOT_SECONDS)
    (asserts! (is-device-key device-key) ERR_INVALID_DEVICE_KEY)
    (map-set assets asset-id {
      owner: contract-caller,
      operator: none,
      min-price: u0,
      epoch: u1,
      proposed-owner: none,
      proposal: u0,
      state: STATE_PENDING,
      kind: kind,
      capacity-w: capacity-w,
      capacity-from-day: u0,
      previous-capacity-w: capacity-w,
      location: location,
      region: region,
      metadata-hash: metadata-hash,
      slot-seconds: slot-seconds,
      device-key: device-key,
      key-epoch: u1,
      key-from-day: u0,
      verified-day: u0,
      retired-day: u0,
    })
    (var-set asset-count asset-id)
    (print {
      topic: "asset-registered",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      kind: kind,
      capacity-w: capacity-w,
      location: location,
      region: region,
      metadata-hash: metadata-hash,
      slot-seconds: slot-seconds,
      device-key: device-key,
      epoch: u1,
      key-epoch: u1,
      state: STATE_PENDING,
    })
    (ok asset-id)
  )
)

;; Registrar: verifies a pending asset and binds its device key, also one of a retired asset of which nothing can be
;; recorded any more; capacity and key repeat what was reviewed. Prints "asset-verified".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NOT_REGISTRAR, ERR_WRONG_ASSET_STATE, ERR_REVIEW_MISMATCH, ERR_DEVICE_KEY_IN_USE.
(define-public (verify-asset
    (asset-id uint)
    (capacity-w uint)
    (device-key (optional (buff 33)))
  )
  (let (
      (asset (unwrap! (map-get? assets asset-id) ERR_ASSET_NOT_FOUND))
      (today (current-day))
    )
    (asserts! (is-registrar) ERR_NOT_REGISTRAR)
    (asserts! (is-eq (get state asset) STATE_PENDING) ERR_WRONG_ASSET_STATE)
    (asserts! (is-eq capacity-w (get capacity-w asset)) ERR_REVIEW_MISMATCH)
    (asserts! (is-eq device-key (get device-key asset)) ERR_REVIEW_MISMATCH)
    (asserts! (bind-device-key asset-id device-key) ERR_DEVICE_KEY_IN_USE)
    (map-set assets asset-id
      (merge asset {
        state: STATE_VERIFIED,
        verified-day: today,
        key-from-day: today,
      })
    )
    (print {
      topic: "asset-verified",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      capacity-w: capacity-w,
      device-key: device-key,
      verified-day: today,
      key-from-day: today,
      state: STATE_VERIFIED,
    })
    (ok true)
  )
)

;; Registrar: rejects a pending asset for good. Prints "asset-rejected".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NOT_REGISTRAR, ERR_WRONG_ASSET_STATE.
(define-public (reject-asset
    (asset-id uint)
    (reason (string-ascii 64))
  )
  (let ((asset (unwrap! (map-get? assets asset-id) ERR_ASSET_NOT_FOUND)))
    (asserts! (is-registrar) ERR_NOT_REGISTRAR)
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

;; Registrar: suspends a verified asset: nothing is recorded, offered or accepted until it is reinstated.
;; Prints "asset-suspended".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NOT_REGISTRAR, ERR_WRONG_ASSET_STATE.
(define-public (suspend-asset
    (asset-id uint)
    (reason (string-ascii 64))
  )
  (let ((asset (unwrap! (map-get? assets asset-id) ERR_ASSET_NOT_FOUND)))
    (asserts! (is-registrar) ERR_NOT_REGISTRAR)
    (asserts! (is-eq (get state asset) STATE_VERIFIED) ERR_WRONG_ASSET_STATE)
    (map-set assets asset-id (merge asset { state: STATE_SUSPENDED }))
    (print {
      topic: "asset-suspended",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      reason: reason,
      state: STATE_SUSPENDED,
    })
    (ok true)
  )
)

;; Registrar: makes a suspended asset verified again. Prints "asset-reinstated".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NOT_REGISTRAR, ERR_WRONG_ASSET_STATE.
(define-public (reinstate-asset (asset-id uint))
  (let ((asset (unwrap! (map-get? assets asset-id) ERR_ASSET_NOT_FOUND)))
    (asserts! (is-registrar) ERR_NOT_REGISTRAR)
    (asserts! (is-eq (get state asset) STATE_SUSPENDED) ERR_WRONG_ASSET_STATE)
    (map-set assets asset-id (merge asset { state: STATE_VERIFIED }))
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

;; Owner or registrar: retires an asset for good. Days up to today can still be recorded, and their energy retired,
;; unless it was suspended: retiring must not lift a suspension. A proposed transfer and a requested change fall away.
;; The device key is free for another asset when no day can be recorded any more. Prints "asset-retired".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NOT_OWNER_OR_REGISTRAR, ERR_WRONG_ASSET_STATE.
(define-public (retire-asset (asset-id uint))
  (let (
      (asset (unwrap! (map-get? assets asset-id) ERR_ASSET_NOT_FOUND))
      (state (get state asset))
      (retired-day (if (is-eq state STATE_VERIFIED)
        (current-day)
        u0
      ))
    )
    (asserts! (or (is-eq contract-caller (get owner asset)) (is-registrar))
      ERR_NOT_OWNER_OR_REGISTRAR
    )
    (asserts! (is-alive state) ERR_WRONG_ASSET_STATE)
    (map-set assets asset-id
      (merge asset {
        state: STATE_RETIRED,
        retired-day: retired-day,
        proposed-owner: none,
      })
    )
    (map-delete changes asset-id)
    (print {
      topic: "asset-retired",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      retired-day: retired-day,
      state: STATE_RETIRED,
    })
    (ok true)
  )
)

;; Public: changes of capacity and device key

;; Owner: asks for another capacity or device key of a verified or suspended asset; replaces an earlier request.
;; Nothing changes until a registrar approves it. Prints "change-requested".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NOT_ASSET_OWNER, ERR_WRONG_ASSET_STATE, ERR_INVALID_CAPACITY,
;; ERR_INVALID_DEVICE_KEY, ERR_NOTHING_TO_CHANGE.
(define-public (request-change
    (asset-id uint)
    (capacity-w uint)
    (device-key (optional (buff 33)))
  )
  (let ((asset (unwrap! (map-get? assets asset-id) ERR_ASSET_NOT_FOUND)))
    (asserts! (is-eq contract-caller (get owner asset)) ERR_NOT_ASSET_OWNER)
    (asserts! (is-changeable (get state asset)) ERR_WRONG_ASSET_STATE)
    (asserts! (is-capacity capacity-w) ERR_INVALID_CAPACITY)
    (asserts! (is-device-key device-key) ERR_INVALID_DEVICE_KEY)
    (asserts!
      (not (and
        (is-eq capacity-w (get capacity-w asset))
        (is-eq device-key (get device-key asset))
      ))
      ERR_NOTHING_TO_CHANGE
    )
    (map-set changes asset-id {
      capacity-w: capacity-w,
      device-key: device-key,
    })
    (print {
      topic: "change-requested",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      capacity-w: capacity-w,
      device-key: device-key,
    })
    (ok true)
  )
)

;; Registrar: puts a requested change into force from today on; capacity and key repeat what was reviewed. Days before
;; today keep the old capacity, and today has the larger of both. A new key signs from today on, under a new key epoch,
;; and the old key is free again. What the old one signed and nobody relayed is void: its days are left to the oracle.
;; Prints "change-approved".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NOT_REGISTRAR, ERR_NO_CHANGE_REQUESTED, ERR_REVIEW_MISMATCH, ERR_CHANGE_TOO_SOON,
;; ERR_DEVICE_KEY_IN_USE.
(define-public (approve-change
    (asset-id uint)
    (capacity-w uint)
    (device-key (optional (buff 33)))
  )
  (let (
      (asset (unwrap! (map-get? assets asset-id) ERR_ASSET_NOT_FOUND))
      (change (unwrap! (map-get? changes asset-id) ERR_NO_CHANGE_REQUESTED))
      (today (current-day))
      (old-capacity-w (get capacity-w asset))
      (from-day (get capacity-from-day asset))
      (capacity (changed-capacity capacity-w old-capacity-w from-day
        (get previous-capacity-w asset) today
      ))
      (same-key (is-eq device-key (get device-key asset)))
      (key-epoch (if same-key
        (get key-epoch asset)
        (+ (get key-epoch asset) u1)
      ))
      (key-from-day (if same-key
        (get key-from-day asset)
        today
      ))
    )
    (asserts! (is-registrar) ERR_NOT_REGISTRAR)
    (asserts! (is-eq capacity-w (get capacity-w change)) ERR_REVIEW_MISMATCH)
    (asserts! (is-eq device-key (get device-key change)) ERR_REVIEW_MISMATCH)
    (asserts! (may-change-capacity capacity-w old-capacity-w from-day today) ERR_CHANGE_TOO_SOON)
    (asserts! (or same-key (rebind-device-key asset-id (get device-key asset) device-key))
      ERR_DEVICE_KEY_IN_USE
    )
    (map-set assets asset-id
      (merge (merge asset capacity) {
        device-key: device-key,
        key-epoch: key-epoch,
        key-from-day: key-from-day,
      })
    )
    (map-delete changes asset-id)
    (print (merge capacity {
      topic: "change-approved",
      version: u1,
      asset-id: asset-id,
      actor: contract-caller,
      device-key: device-key,
      key-epoch: key-epoch,
      key-from-day: key-from-day,
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

;; Owner: offers the asset to a new owner, who has to accept. Until then no offer of its energy is made or accepted, and
;; none of it retired. Answers the proposal's number, one more than that of the proposal before. Prints
;; "transfer-proposed".
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

;; The proposed owner: takes the asset over. `proposal` repeats the number of the proposal that was reviewed: nothing is
;; sold while it stands, but between two proposals the owner could sell a year ahead. The operator and any requested
;; change fall away, and the epoch goes up by one, which voids the open offers; what was funded stays funded.
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

;; Owner: takes a proposed transfer back. Prints "transfer-cancelled".
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

;; Owner: names who trades for him, never below `min-price`, or nobody. The epoch goes up by one, which voids the open
;; offers. Prints "operator-set".
;; Errors: ERR_ASSET_NOT_FOUND, ERR_NOT_ASSET_OWNER, ERR_WRONG_ASSET_STATE, ERR_INVALID_MIN_PRICE.
(define-public (set-operator
    (asset-id uint)
    (operator (optional principal))
    (min-price uint)
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

;; Contract owner: grants or takes a role. The region is that of a grid operator, and empty for all other roles.
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

;; Contract owner: proposes who shall own the contracts next; replaces an earlier proposal.
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

;; The proposed contract owner: takes the contracts over. Prints "contract-owner-accepted".
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

;; Pauser: stops or allows new exposure: registering, offering, accepting. Never a recording, a settlement or a refund.
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

;; Private

(define-private (current-day)
  (/ stacks-block-time SECONDS_PER_DAY)
)

(define-private (is-registrar)
  (has-role ROLE_REGISTRAR contract-caller "")
)

(define-private (is-capacity (capacity-w uint))
  (and (>= capacity-w u1) (<= capacity-w MAX_CAPACITY_W))
)

;; A quarter, half or full hour.
(define-private (is-slot-seconds (seconds uint))
  (or (is-eq seconds u900) (is-eq seconds u1800) (is-eq seconds u3600))
)

;; No key, or a compressed one of 33 bytes.
(define-private (is-device-key (device-key (optional (buff 33))))
  (match device-key
    key (is-eq (len key) u33)
    true
  )
)

;; Neither rejected nor retired.
(define-private (is-alive (state uint))
  (or (is-eq state STATE_PENDING) (is-changeable state))
)

(define-private (is-changeable (state uint))
  (or (is-eq state STATE_VERIFIED) (is-eq state STATE_SUSPENDED))
)

;; Binds a key to an asset; false if it serves another already, and still can.
(define-private (bind-device-key
    (asset-id uint)
    (device-key (optional (buff 33)))
  )
  (match device-key
    key (or
      (map-insert device-keys key asset-id)
      (and (is-key-done key) (map-set device-keys key asset-id))
    )
    true
  )
)

;; Whether the asset that a bound key serves is retired, and its last day can't be recorded any more; of one that was
;; suspended no day could. The meter may go on elsewhere: what it signed names the asset, and counts for no other.
(define-private (is-key-done (key (buff 33)))
  (let ((asset (map-get? assets (default-to u0 (map-get? device-keys key)))))
    (and
      (is-eq (get state asset) (some STATE_RETIRED))
      (> (current-day) (+ (default-to u0 (get retired-day asset)) RECORDING_DAYS))
    )
  )
)

(define-private (rebind-device-key
    (asset-id uint)
    (old-key (optional (buff 33)))
    (new-key (optional (buff 33)))
  )
  (begin
    (match old-key
      key (map-delete device-keys key)
      true
    )
    (bind-device-key asset-id new-key)
  )
)

(define-private (may-change-capacity
    (capacity-w uint)
    (old-capacity-w uint)
    (from-day uint)
    (today uint)
  )
  (or
    (is-eq capacity-w old-capacity-w)
    (is-eq today from-day)
    (>= today (+ from-day DAYS_BETWEEN_CAPACITY_CHANGES))
  )
)

;; The capacities once `capacity-w` is in force today. A second change on one day keeps the capacity of the days before.
(define-private (changed-capacity
    (capacity-w uint)
    (old-capacity-w uint)
    (from-day uint)
    (previous-capacity-w uint)
    (today uint)
  )
  (if (is-eq capacity-w old-capacity-w)
    {
      capacity-w: capacity-w,
      capacity-from-day: from-day,
      previous-capacity-w: previous-capacity-w,
    }
    {
      capacity-w: capacity-w,
      capacity-from-day: today,
      previous-capacity-w: (if (is-eq today from-day)
        previous-capacity-w
        old-capacity-w
      ),
    }
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
  days-between-capacity-changes: DAYS_BETWEEN_CAPACITY_CHANGES,
})
