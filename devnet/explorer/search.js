/** Finds the transaction, block, account or contract that a text names. */
import { ApiError } from "./api.js";
import { parsePrincipal } from "./c32.js";
import { principalText } from "./clarity.js";
import { h } from "./dom.js";
import { placeOf } from "./location.js";

/** @typedef {import("./chain.js").Chain} Chain */

const HASH = /^(?:0x)?[0-9a-fA-F]{64}$/;
const HEIGHT = /^\d{1,15}$/;

/** @param {Chain} chain @param {string} query @returns {Promise<import("./main.js").View>} */
export async function search(chain, query) {
  const path = await find(chain, query.trim());
  if (path) {
    location.replace(placeOf(path));
    return { title: "Search", content: [] };
  }
  return {
    title: "Not found",
    content: [
      h(
        "section",
        { class: "card notice", role: "alert" },
        h("h1", {}, "Not found"),
        h("p", {}, h("code", {}, query), " is not on this chain."),
        h("p", {}, "Search for a transaction id, a block's height or hash, an address, or a contract id."),
      ),
    ],
  };
}

/** @param {Chain} chain @param {string} query @returns {Promise<string[] | null>} the path to what was found */
async function find(chain, query) {
  if (HASH.test(query)) return findHash(chain, `0x${query.replace(/^0x/, "").toLowerCase()}`);
  if (HEIGHT.test(query)) return (await exists(chain, `/extended/v2/blocks/${query}`)) ? ["block", query] : null;
  const name = chain.findByName(query) ?? query;
  const principal = parsePrincipal(name);
  if (!principal) return null;
  return [principal.name === null ? "account" : "contract", principalText({ kind: "principal", ...principal })];
}

/** @param {Chain} chain @param {string} hash */
async function findHash(chain, hash) {
  if (await exists(chain, `/extended/v1/tx/${hash}?event_limit=0`)) return ["tx", hash];
  return (await exists(chain, `/extended/v2/blocks/${hash}`)) ? ["block", hash] : null;
}

/** @param {Chain} chain @param {string} path */
async function exists({ api }, path) {
  try {
    await api.get(path);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}
