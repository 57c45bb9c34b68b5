/**
 * Balances, ownership and nonces of all principals, computed from the events of every transaction.
 *
 * The VM has the actual state; this is a copy, since reading a balance from the VM costs a call, and the mempool needs
 * balances with every transaction. Everything that moves an asset in the VM emits an event.
 */

/**
 * @typedef {{kind: "stx_transfer" | "stx_burn" | "stx_mint", sender: string | null, recipient: string | null, amount: bigint, memo: string}} StxEvent
 * @typedef {{kind: "ft_transfer" | "ft_burn" | "ft_mint", asset: string, sender: string | null, recipient: string | null, amount: bigint}} FtEvent
 * @typedef {{kind: "nft_transfer" | "nft_burn" | "nft_mint", asset: string, sender: string | null, recipient: string | null, valueHex: string}} NftEvent
 * @typedef {{kind: "print", contractId: string, topic: string, valueHex: string}} PrintEvent
 * @typedef {StxEvent | FtEvent | NftEvent | PrintEvent} ChainEvent valueHex without 0x
 */

/**
 * @param {string} text the events of an operation, as the VM returns them
 * @returns {ChainEvent[]}
 */
export function parseEvents(text) {
  return JSON.parse(text).map((/** @type {string} */ item) => {
    const { event, data } = JSON.parse(item);
    const kind = event.slice(0, -"_event".length);
    const [sender, recipient] = [data.sender ?? null, data.recipient ?? null];
    if (kind === "print") {
      return { kind, contractId: data.contract_identifier, topic: data.topic, valueHex: data.raw_value.slice(2) };
    }
    if (kind.startsWith("stx_")) return { kind, sender, recipient, amount: BigInt(data.amount), memo: data.memo ?? "" };
    if (kind.startsWith("ft_")) return { kind, asset: data.asset_identifier, sender, recipient, amount: BigInt(data.amount) };
    return { kind, asset: data.asset_identifier, sender, recipient, valueHex: data.raw_value.slice(2) };
  });
}

/** @typedef {{sent: bigint, received: bigint, fees: bigint}} Turnover `sent` excludes fees */

export class Ledger {
  constructor() {
    /** @type {Map<string, bigint>} µSTX by principal */
    this.stx = new Map();
    /** @type {Map<string, bigint>} the next nonce by address */
    this.nonces = new Map();
    /** @type {Map<string, bigint>} amount by `principal asset` */
    this.fungible = new Map();
    /** @type {Map<string, string>} owner by `asset value`, the value as hex */
    this.owners = new Map();
    /** @type {Map<string, Turnover>} µSTX by principal */
    this.turnover = new Map();
  }

  /** @returns {Ledger} an independent copy */
  copy() {
    const copy = new Ledger();
    copy.stx = new Map(this.stx);
    copy.nonces = new Map(this.nonces);
    copy.fungible = new Map(this.fungible);
    copy.owners = new Map(this.owners);
    copy.turnover = new Map([...this.turnover].map(([principal, turnover]) => [principal, { ...turnover }]));
    return copy;
  }

  /** @param {string} principal */
  balance(principal) {
    return this.stx.get(principal) ?? 0n;
  }

  /** @param {string} address */
  nonce(address) {
    return this.nonces.get(address) ?? 0n;
  }

  /** @param {string} address @param {bigint} nonce the nonce that was just used */
  useNonce(address, nonce) {
    this.nonces.set(address, nonce + 1n);
  }

  /** @param {string | null} sender @param {string | null} recipient @param {bigint} amount */
  moveStx(sender, recipient, amount) {
    if (sender) {
      add(this.stx, sender, -amount);
      this.#turnoverOf(sender).sent += amount;
    }
    if (recipient) {
      add(this.stx, recipient, amount);
      this.#turnoverOf(recipient).received += amount;
    }
  }

  /** @param {string} payer @param {string} recipient @param {bigint} amount */
  payFee(payer, recipient, amount) {
    add(this.stx, payer, -amount);
    this.#turnoverOf(payer).fees += amount;
    this.moveStx(null, recipient, amount);
  }

  /** @param {ChainEvent} event */
  apply(event) {
    if (event.kind === "print") return;
    if ("valueHex" in event) this.#moveToken(event);
    else if ("asset" in event) this.#moveFungible(event);
    else this.moveStx(event.sender, event.recipient, event.amount);
  }

  /** @param {FtEvent} event */
  #moveFungible({ sender, recipient, asset, amount }) {
    if (sender) add(this.fungible, `${sender} ${asset}`, -amount);
    if (recipient) add(this.fungible, `${recipient} ${asset}`, amount);
  }

  /** @param {NftEvent} event */
  #moveToken({ recipient, asset, valueHex }) {
    if (recipient) this.owners.set(`${asset} ${valueHex}`, recipient);
    else this.owners.delete(`${asset} ${valueHex}`);
  }

  /** @param {string} principal @returns {Turnover} */
  turnoverOf(principal) {
    return this.turnover.get(principal) ?? { sent: 0n, received: 0n, fees: 0n };
  }

  /** @param {string} principal @returns {Turnover} */
  #turnoverOf(principal) {
    let entry = this.turnover.get(principal);
    if (!entry) this.turnover.set(principal, (entry = { sent: 0n, received: 0n, fees: 0n }));
    return entry;
  }

  /** @param {string} principal @returns {{asset: string, amount: bigint}[]} what it holds, the largest amount first */
  fungiblesOf(principal) {
    const prefix = `${principal} `;
    return [...this.fungible]
      .filter(([key, amount]) => key.startsWith(prefix) && amount > 0n)
      .map(([key, amount]) => ({ asset: key.slice(prefix.length), amount }))
      .sort((a, b) => (a.amount === b.amount ? (a.asset < b.asset ? -1 : 1) : a.amount > b.amount ? -1 : 1));
  }

  /** @param {string} principal @returns {{asset: string, valueHex: string}[]} what it owns, by asset and value */
  tokensOf(principal) {
    const keys = [...this.owners].filter(([, owner]) => owner === principal).map(([key]) => key);
    return keys.sort().map((key) => {
      const [asset, valueHex] = key.split(" ");
      return { asset, valueHex };
    });
  }
}

/** @param {Map<string, bigint>} map @param {string} key @param {bigint} amount */
function add(map, key, amount) {
  map.set(key, (map.get(key) ?? 0n) + amount);
}
