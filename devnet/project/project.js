/** The parts of a Clarinet project that the devnet uses: the accounts and observers of settings/Devnet.toml. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse as parseToml } from "smol-toml";
import { addressOf, DEFAULT_DERIVATION, derivePrivateKey } from "./wallet.js";

const SETTINGS = "settings/Devnet.toml";
/** The VM takes the amounts of transfers as JavaScript numbers, which are exact up to this value. */
const MAX_SUPPLY = 2 ** 53;

/**
 * @typedef {{name: string, address: string, privateKey: Buffer, mnemonic: string, balance: bigint}} Account
 * @typedef {{mnemonic?: unknown, derivation?: string, balance?: number | bigint}} AccountEntry
 * @typedef {{accounts?: Record<string, AccountEntry>, devnet?: {stacks_node_events_observers?: unknown}}} Settings the settings of a Clarinet project
 */

/** The project cannot be used; the text says which file is wrong, and why. */
export class ProjectError extends Error {}

/**
 * @param {string} directory the directory of the Clarinet project
 * @returns {Account[]}
 */
export function readAccounts(directory) {
  const settings = /** @type {Settings} */ (readWith(parseToml, join(directory, SETTINGS)));
  const accounts = Object.entries(settings.accounts ?? {}).map(([name, entry]) => readAccount(name, entry));
  const supply = accounts.reduce((sum, { balance }) => sum + balance, 0n);
  if (supply > MAX_SUPPLY) throw new ProjectError(`${SETTINGS}: the sum of all balances is above ${MAX_SUPPLY} µSTX`);
  if (!accounts.some(({ name }) => name === "deployer")) throw new ProjectError(`${SETTINGS} has no [accounts.deployer]`);
  return accounts;
}

/** @param {string} name @param {AccountEntry} entry @returns {Account} */
function readAccount(name, { mnemonic, derivation, balance = 0 }) {
  const amount = typeof balance === "bigint" ? Number(balance) : balance;
  if (typeof mnemonic !== "string") throw new ProjectError(`${SETTINGS}: accounts.${name} has no mnemonic`);
  if (!Number.isInteger(amount) || amount < 0) {
    throw new ProjectError(`${SETTINGS}: the balance of accounts.${name} must be a number of µSTX, not ${balance}`);
  }
  const privateKey = derivePrivateKey(mnemonic, derivation ?? DEFAULT_DERIVATION);
  return { name, address: addressOf(privateKey), privateKey, mnemonic, balance: BigInt(amount) };
}

/** @param {string} directory the directory of the Clarinet project @returns {boolean} */
export function hasSettings(directory) {
  return existsSync(join(directory, SETTINGS));
}

/**
 * @param {string} directory the directory of the Clarinet project
 * @returns {string[]} the event observers of its settings, `HOST:PORT` each
 */
export function readObservers(directory) {
  if (!hasSettings(directory)) return [];
  const settings = /** @type {Settings} */ (readWith(parseToml, join(directory, SETTINGS)));
  const observers = settings.devnet?.stacks_node_events_observers ?? [];
  if (Array.isArray(observers) && observers.every((observer) => typeof observer === "string")) return observers;
  throw new ProjectError(`${SETTINGS}: devnet.stacks_node_events_observers must be a list of texts such as "localhost:3700"`);
}

/**
 * @param {(text: string) => unknown} parse
 * @param {string} path
 */
export function readWith(parse, path) {
  if (!existsSync(path)) throw new ProjectError(`${path} does not exist`);
  try {
    return parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new ProjectError(`${path}: ${/** @type {Error} */ (error).message}`);
  }
}
