/** The configuration of event observers, and which events each of them wants (stacks-core, docs/event-dispatcher.md). */
import { parsePrincipal } from "../address.js";

const WORDS = ["*", "stx", "memtx", "burn_blocks", "microblocks", "stackerdb", "block_proposal"];
const NAME = /^[a-zA-Z][a-zA-Z0-9_!?+<>=/*-]{0,127}$/;
const SCHEME = /^https?:\/\//;
const PORT = /^[^/]+:\d+(?:\/|$)/;
/** The name of the host machine in containers of Clarinet's devnet; here, this machine. */
const HOST_OF_DOCKER = "host.docker.internal";

/** Invalid settings of an observer. */
export class ObserverError extends Error {}

/**
 * @typedef {object} Observer
 * @property {string} url to which the node's paths are appended
 * @property {string[]} keys the events that it wants
 */

/**
 * @param {string} text `HOST:PORT`, as in the settings of Clarinet or a node, or `HOST:PORT=KEY,KEY…`; all events without keys
 * @returns {Observer}
 * @throws {ObserverError}
 */
export function parseObserver(text) {
  const equals = text.indexOf("=");
  const endpoint = equals < 0 ? text : text.slice(0, equals);
  const keys = equals < 0 ? ["*"] : text.slice(equals + 1).split(",");
  for (const key of keys) checkKey(key, text);
  return { url: urlOf(endpoint), keys };
}

/** @param {string} endpoint @returns {string} */
function urlOf(endpoint) {
  const text = SCHEME.test(endpoint) ? endpoint : `http://${endpoint}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  const hasPort = SCHEME.test(endpoint) || PORT.test(endpoint);
  if (!url || !hasPort || url.search || url.hash || url.username) {
    throw new ObserverError(`event observer ${endpoint}: expected HOST:PORT, such as localhost:3700`);
  }
  if (url.hostname === HOST_OF_DOCKER) url.hostname = "127.0.0.1";
  return url.href.replace(/\/$/, "");
}

/** @param {string} key @param {string} text */
function checkKey(key, text) {
  if (WORDS.includes(key) || isContractEvent(key) || isAsset(key)) return;
  throw new ObserverError(
    `event observer ${text}: ${key || "(nothing)"} is not an event key; ` +
      `expected one of ${WORDS.join(", ")}, ADDRESS.contract::event, or ADDRESS.contract.asset`,
  );
}

/** @param {string} key */
function isContractEvent(key) {
  const [contract, event, ...rest] = key.split("::");
  return rest.length === 0 && event !== undefined && NAME.test(event) && typeof parsePrincipal(contract)?.name === "string";
}

/** @param {string} key */
function isAsset(key) {
  const [address, contract, asset, ...rest] = key.split(".");
  return rest.length === 0 && asset !== undefined && NAME.test(asset) && typeof parsePrincipal(`${address}.${contract}`)?.name === "string";
}

/** @param {Observer} observer @param {string} word @returns {boolean} */
export function asksFor({ keys }, word) {
  return keys.includes("*") || keys.includes(word);
}

/** @param {Observer} observer @param {import("../chain/ledger.js").ChainEvent} event @returns {boolean} whether it gets this event */
export function wantsEvent(observer, event) {
  const { keys } = observer;
  if (keys.includes("*")) return true;
  if (event.kind === "print") return keys.includes(`${event.contractId}::${event.topic}`);
  // An asset is `ADDRESS.contract::asset` everywhere else, but has a dot in the keys.
  if ("asset" in event) return keys.includes(event.asset.replace("::", "."));
  return keys.includes("stx");
}
