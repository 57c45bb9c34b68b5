/** A change cannot be saved, so it is not made: a disk is full or not writable. */
export class StorageError extends Error {
  /** @param {string} what cannot be saved @param {Error} cause */
  constructor(what, cause) {
    super(`${what} cannot be written (${cause.message}), so nothing was changed; free some space there and try again`, { cause });
    this.statusCode = 503;
    this.retryAfterSeconds = 5;
  }
}
