/** Hears of new blocks and transactions through the API's WebSocket, and asks now and then in case it does not. */

const RETRY_MILLISECONDS = 5_000;
const ASK_MILLISECONDS = 5_000;
const GATHER_MILLISECONDS = 200;

export class Live {
  #ended = false;
  #tip = "";
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #gathering;
  /** @type {ReturnType<typeof setTimeout>[]} */
  #timers = [];

  /**
   * @param {import("./api.js").Api} api
   * @param {(state: {tip: any, isLive: boolean}) => void} onChange tip: the latest block, as the API tells it; null if it cannot be had
   */
  constructor(api, onChange) {
    this.api = api;
    this.onChange = onChange;
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
    };
    socket.onmessage = ({ data }) => {
      if (JSON.parse(data).method !== undefined) this.#gather();
    };
    socket.onclose = () => this.#later(() => this.#connect(), RETRY_MILLISECONDS);
  }

  /** Blocks may come faster than a page can be read. */
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
    let tip = null;
    try {
      [tip] = (await this.api.get("/extended/v2/blocks?limit=1")).results;
    } catch {
      // The page says so.
    }
    if (this.#ended) return;
    // A chain that was set back has another block there.
    const seen = tip?.hash ?? "";
    if (!happened && seen === this.#tip && tip !== null) return;
    this.#tip = seen;
    this.onChange({ tip, isLive: this.isLive });
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
