/** Learns of new blocks and transactions through the API's WebSocket, and polls from time to time in case that fails. */

const RETRY_MILLISECONDS = 5_000;
const ASK_MILLISECONDS = 5_000;
const GATHER_MILLISECONDS = 150;

/** @typedef {import("./answers.js").Block} Block */

export class Live {
  #ended = false;
  /** @type {Block | null | undefined} the latest block; undefined before the first request, null if there was no response */
  #tip = undefined;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #gathering;
  /** @type {ReturnType<typeof setTimeout>[]} */
  #timers = [];

  /**
   * @param {import("./api.js").Api} api
   * @param {(state: {tip: Block | null, isLive: boolean, hasChanged: boolean}) => void} onState tip: the latest block;
   *   null if it is not available; hasChanged: whether pages need a refresh
   */
  constructor(api, onState) {
    this.api = api;
    this.onState = onState;
    this.#connect();
    this.#askAgain();
  }

  get isLive() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  #connect() {
    if (this.#ended) return;
    const socket = new WebSocket(this.api.socketUrl);
    this.#socket = socket;
    socket.onopen = () => {
      for (const [id, event] of ["block", "mempool"].entries()) {
        socket.send(JSON.stringify({ jsonrpc: "2.0", id, method: "subscribe", params: { event } }));
      }
      this.#tell(false);
    };
    socket.onmessage = ({ data }) => {
      if (JSON.parse(data).method !== undefined) this.#gather();
    };
    socket.onclose = () => {
      this.#tell(false);
      this.#later(() => this.#connect(), RETRY_MILLISECONDS);
    };
  }

  /** Combines changes that follow each other quickly into one refresh of the page. */
  #gather() {
    this.#gathering ??= setTimeout(async () => {
      this.#gathering = undefined;
      await this.#ask(true);
    }, GATHER_MILLISECONDS);
  }

  async #askAgain() {
    await this.#ask(false);
    this.#later(() => this.#askAgain(), ASK_MILLISECONDS);
  }

  /** @param {boolean} happened whether something is known to have happened */
  async #ask(happened) {
    /** @type {Block | null} */
    let tip = null;
    try {
      [tip] = (await this.api.get("/extended/v2/blocks?limit=1")).results;
    } catch {
      // The page shows this.
    }
    if (this.#ended) return;
    // A chain that was set back has a different block at this height.
    const hasChanged = happened || this.#tip === undefined || tip?.hash !== this.#tip?.hash;
    this.#tip = tip;
    if (hasChanged) this.#tell(true);
  }

  /** @param {boolean} hasChanged */
  #tell(hasChanged) {
    if (!this.#ended && this.#tip !== undefined) this.onState({ tip: this.#tip, isLive: this.isLive, hasChanged });
  }

  /** @param {() => void} run @param {number} milliseconds */
  #later(run, milliseconds) {
    if (!this.#ended) this.#timers = [...this.#timers.slice(-3), setTimeout(run, milliseconds)];
  }

  close() {
    this.#ended = true;
    clearTimeout(this.#gathering);
    for (const timer of this.#timers) clearTimeout(timer);
    if (this.#socket) this.#socket.onclose = null;
    this.#socket?.close();
  }
}
