/** The selected chain: its API, and what the pages know about it besides what they request. */
import { Api } from "./api.js";

/**
 * @typedef {object} About what an embedded devnet reports about itself
 * @property {Record<string, string>} accounts addresses by name
 * @property {string[]} contracts ids
 * @property {boolean} control
 * @property {boolean} needs_token
 * @property {string} epoch
 */

export class Chain {
  /** @type {Map<string, string>} names of accounts by address */
  #names = new Map();

  /** @param {Api} api @param {About | null} about null for another node */
  constructor(api, about) {
    this.api = api;
    this.about = about;
    for (const [name, address] of Object.entries(about?.accounts ?? {})) this.#names.set(address, name);
  }

  /** @param {string} url the URL of an API @returns {Promise<Chain>} */
  static async open(url) {
    const api = new Api(url);
    // Only a devnet returns this, and only to its own page.
    return new Chain(api, api.isOwn ? await api.get("/devnet") : null);
  }

  /** @param {string} address @returns {string | undefined} */
  nameOf(address) {
    return this.#names.get(address);
  }

  /** Whether transactions can be traced: only by the devnet that serves the page, and unless control is off. */
  get traces() {
    return this.about !== null && this.about.control && !this.about.needs_token;
  }

  /** @param {string} text @returns {string | undefined} the address or contract id with this name */
  findByName(text) {
    const name = text.toLowerCase();
    const address = Object.entries(this.about?.accounts ?? {}).find(([known]) => known.toLowerCase() === name)?.[1];
    return address ?? this.about?.contracts.find((id) => id.split(".")[1].toLowerCase() === name);
  }
}
