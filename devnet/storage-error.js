/** Something cannot be kept, so it is not done either: a disk is full, or cannot be written to. */
export class StorageError extends Error {
  /** @param {string} what cannot be kept @param {Error} cause */
  constructor(what, cause) {
    super(`${what} cannot be written (${cause.message}), so nothing was changed; make room there and try again`, { cause });
    this.statusCode = 503;
    this.retryAfterSeconds = 5;
  }
}
