/** The current place in the explorer: kept after the page's `#`, with the API if it is not the one that serves the page. */
import { baseUrl } from "./api.js";

/** @typedef {{path: string[], api: string}} Place path: `["tx", "0x…"]`; api: a base URL */

/** @param {string} [hash] @returns {Place} */
export function currentPlace(hash = location.hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").filter((part) => part !== "");
  const api = baseUrl(new URLSearchParams(query).get("api") ?? "");
  return { path: parts.map(decoded), api: api ?? location.origin };
}

/** @param {string} part @returns {string} */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** @param {string[]} path @param {string} [api] @returns {string} the part of a link after its `#` */
export function placeOf(path, api = currentPlace().api) {
  const query = api === location.origin ? "" : `?api=${encodeURIComponent(api)}`;
  return `#/${path.map(encodeURIComponent).join("/")}${query}`;
}
