/** Errors with their HTTP response. */

/** A refused request. The route determines the form of the response: plain text for the node, JSON for the API and the devnet. */
export class RequestError extends Error {
  /** @param {number} statusCode @param {string} message @param {object} [body] the body of a response by the devnet itself, instead of `{error: message}` */
  constructor(statusCode, message, body) {
    super(message);
    this.statusCode = statusCode;
    this.body = body ?? { error: message };
  }
}
