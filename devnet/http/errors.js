/** Errors that know their HTTP answer. */

/** A refusal. Where it is answered decides its form: the node's is plain text, the API's and the devnet's own are JSON. */
export class RequestError extends Error {
  /** @param {number} statusCode @param {string} message @param {object} [body] of an answer of the devnet itself, instead of `{error: message}` */
  constructor(statusCode, message, body) {
    super(message);
    this.statusCode = statusCode;
    this.body = body ?? { error: message };
  }
}
