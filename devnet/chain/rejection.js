/** Refusals by the mempool, in the node's form (POST /v2/transactions, HTTP 400). */

export class Rejection extends Error {
  /**
   * @param {string} reason the node's name for the reason
   * @param {Record<string, unknown>} [data]
   */
  constructor(reason, data) {
    super(reason);
    this.reason = reason;
    this.data = data;
    this.txid = "";
  }

  /** @param {{txid: string}} transaction the refused transaction @returns {this} */
  of({ txid }) {
    this.txid = txid;
    return this;
  }

  toJson() {
    const json = { txid: this.txid, error: "transaction rejected", reason: this.reason };
    return this.data === undefined ? json : { ...json, reason_data: this.data };
  }
}

/** @param {bigint} amount @returns {string} the amount as a node writes 128-bit amounts */
export function hexAmount(amount) {
  return `0x${amount.toString(16).padStart(32, "0")}`;
}
