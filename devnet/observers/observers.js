/** Notifies event observers of changes of the chain, as a node does. */
import { Delivery } from "./delivery.js";
import { blockPayload, burnBlockPayload, droppedPayload, mempoolPayload } from "./payloads.js";
import { asksFor } from "./settings.js";

/** @typedef {import("./settings.js").Observer} Observer */

export class Observers {
  /**
   * @param {import("../chain/chain.js").Chain} chain
   * @param {Observer[]} observers
   */
  constructor(chain, observers) {
    const all = observers.map((observer) => ({ observer, delivery: new Delivery(observer.url) }));
    this.all = all;
    if (all.length === 0) return;
    const { feed } = chain;
    let burnHeight = 0;
    feed.on("pending", ({ transaction }) => this.#post("memtx", "/new_mempool_tx", () => mempoolPayload(transaction)));
    feed.on("dropped", (dropped) => this.#post("memtx", "/drop_mempool_tx", () => droppedPayload(dropped)));
    feed.on("block", (noted) => {
      const { block } = noted;
      if (block.burnHeight !== burnHeight) {
        burnHeight = block.burnHeight;
        this.#post("burn_blocks", "/new_burn_block", () => burnBlockPayload(burnHeight));
      }
      for (const { observer, delivery } of all) delivery.post("/new_block", blockPayload(noted, chain, observer));
    });
  }

  /** @param {string} word @param {string} path @param {() => string} make */
  #post(word, path, make) {
    for (const { observer, delivery } of this.all) if (asksFor(observer, word)) delivery.post(path, make());
  }

  async close() {
    await Promise.all(this.all.map(({ delivery }) => delivery.close()));
  }
}
