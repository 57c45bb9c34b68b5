/** Errors that know their HTTP answer. */

/** A refusal in the node's manner: status and plain text. */
export class TextError extends Error {
  /** @param {number} statusCode @param {string} message */
  constructor(statusCode, message) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** A refusal in the API's manner: status and JSON with `error`. */
export class JsonError extends Error {
  /** @param {number} statusCode @param {string} message @param {object} [body] instead of `{error: message}` */
  constructor(statusCode, message, body) {
    super(message);
    this.statusCode = statusCode;
    this.body = body ?? { error: message };
  }
}
