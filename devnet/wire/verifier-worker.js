/** The other end of `SignatureVerifier`: gets transactions' bytes and returns the problems with their signatures. */
import { parentPort } from "node:worker_threads";
import { SignatureError, verifySignatures } from "./signatures.js";
import { parseTransaction } from "./transaction.js";

parentPort?.on("message", ({ id, raw }) => {
  parentPort?.postMessage({ id, problem: problemOf(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)) });
});

/** @param {Buffer} raw @returns {string | null} */
function problemOf(raw) {
  try {
    verifySignatures(parseTransaction(raw));
    return null;
  } catch (error) {
    if (error instanceof SignatureError) return error.message;
    throw error;
  }
}
