/** Requests to the selected API: the devnet that serves this page, or another one. */

/** A response other than 2xx, or no response. */
export class ApiError extends Error {
  /** @param {string} message @param {number} status 0 if there was no response */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

export class Api {
  /** @param {string} url the API's base URL, without a slash at the end */
  constructor(url) {
    this.url = url;
    this.isOwn = url === location.origin;
  }

  /** @returns {string} the URL of the API's WebSocket */
  get socketUrl() {
    return `${this.url.replace(/^http/, "ws")}/extended/v1/ws`;
  }

  /**
   * @template T
   * @param {string} path
   * @returns {Promise<T>} JSON, whose type depends on the path: the caller names a type of answers.d.ts
   * @throws {ApiError}
   */
  get(path) {
    return this.#ask(path, {});
  }

  /** @template T @param {string} path @param {unknown} body sent as JSON @returns {Promise<T>} the same as for `get` @throws {ApiError} */
  post(path, body) {
    return this.#ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  }

  /** @param {string} path @param {RequestInit} options */
  async #ask(path, options) {
    let response;
    try {
      response = await fetch(this.url + path, { ...options, credentials: "omit", referrerPolicy: "no-referrer" });
    } catch {
      throw new ApiError(`${this.url} does not respond`, 0);
    }
    const text = await response.text();
    if (!response.ok) throw new ApiError(problemOf(text) || `${response.status} ${response.statusText}`, response.status);
    try {
      return JSON.parse(text);
    } catch {
      throw new ApiError(`${this.url}${path} did not return JSON`, response.status);
    }
  }
}

/** @param {string} text the text of a response: JSON of the API or the devnet, or a node's plain text @returns {string} */
function problemOf(text) {
  try {
    const { message, error, cause } = JSON.parse(text);
    return String(message ?? error ?? cause ?? "");
  } catch {
    return text.slice(0, 300).trim();
  }
}

/** @param {string} text what the user entered @returns {string | null} the base of an API; null if it is not a URL */
export function baseUrl(text) {
  const full = /^https?:\/\//i.test(text) ? text : `${/^(?:localhost|127\.|\[::1\])/.test(text) ? "http" : "https"}://${text}`;
  if (!/^\S+$/.test(text) || !URL.canParse(full)) return null;
  const { origin, pathname } = new URL(full);
  return `${origin}${pathname}`.replace(/\/+$/, "");
}
