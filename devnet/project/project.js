/** What the devnet takes from a Clarinet project: the accounts of settings/Devnet.toml and the contracts of its plan. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse as parseToml } from "smol-toml";
import { parse as parseYaml } from "yaml";
import { addressOf, DEFAULT_DERIVATION, derivePrivateKey } from "./wallet.js";

const SETTINGS = "settings/Devnet.toml";
const PLAN = "deployments/default.devnet-plan.yaml";
const DEFAULT_CLARITY_VERSION = 4;
/** The VM takes the amounts of transfers as JavaScript numbers, which are exact up to here. */
const MAX_SUPPLY = 2 ** 53;

/**
 * @typedef {{name: string, address: string, privateKey: Buffer, mnemonic: string, balance: bigint}} Account
 * @typedef {{name: string, sender: string, path: string, source: string, clarityVersion: number, feeUstx: bigint}} PlannedContract
 */

/** The project cannot be used as it is; the text says which file and why. */
export class ProjectError extends Error {}

/**
 * @param {string} directory of the Clarinet project
 * @returns {Account[]}
 */
export function readAccounts(directory) {
  const settings = /** @type {any} */ (readWith(parseToml, join(directory, SETTINGS)));
  const accounts = Object.entries(settings.accounts ?? {}).map(([name, entry]) => readAccount(name, entry));
  const supply = accounts.reduce((sum, { balance }) => sum + balance, 0n);
  if (supply > MAX_SUPPLY) throw new ProjectError(`${SETTINGS}: all balances together are above ${MAX_SUPPLY} µSTX`);
  if (!accounts.some(({ name }) => name === "deployer")) throw new ProjectError(`${SETTINGS} has no [accounts.deployer]`);
  return accounts;
}

/** @param {string} name @param {any} entry @returns {Account} */
function readAccount(name, { mnemonic, derivation, balance }) {
  const amount = typeof balance === "bigint" ? Number(balance) : balance;
  if (typeof mnemonic !== "string") throw new ProjectError(`${SETTINGS}: accounts.${name} has no mnemonic`);
  if (!Number.isInteger(amount) || amount < 0) {
    throw new ProjectError(`${SETTINGS}: the balance of accounts.${name} must be a number of µSTX, not ${balance}`);
  }
  const privateKey = derivePrivateKey(mnemonic, derivation ?? DEFAULT_DERIVATION);
  return { name, address: addressOf(privateKey), privateKey, mnemonic, balance: BigInt(amount) };
}

/**
 * @param {string} directory of the Clarinet project
 * @returns {string[]} the event observers of its settings, `HOST:PORT` each
 */
export function readObservers(directory) {
  const settings = /** @type {any} */ (readWith(parseToml, join(directory, SETTINGS)));
  const observers = settings.devnet?.stacks_node_events_observers ?? [];
  if (Array.isArray(observers) && observers.every((observer) => typeof observer === "string")) return observers;
  throw new ProjectError(`${SETTINGS}: devnet.stacks_node_events_observers must be a list of texts such as "localhost:3700"`);
}

/**
 * The contracts that the devnet plan publishes, in its order.
 *
 * @param {string} directory
 * @returns {PlannedContract[]}
 */
export function readPlannedContracts(directory) {
  const plan = /** @type {any} */ (readWith(parseYaml, join(directory, PLAN)));
  const transactions = (plan?.plan?.batches ?? []).flatMap((/** @type {any} */ batch) => batch.transactions ?? []);
  return transactions.map((/** @type {any} */ transaction) => {
    // Older plans nest what newer ones mark by a transaction-type.
    const publish = transaction["contract-publish"] ?? transaction;
    if (publish === transaction && transaction["transaction-type"] !== "contract-publish") {
      throw new ProjectError(
        `${PLAN}: at its start the devnet only carries out contract-publish, not ${JSON.stringify(transaction)}; ` +
          "start it with --no-contracts, and have the plan carried out by der deploy",
      );
    }
    const path = resolve(directory, publish.path);
    if (!existsSync(path)) throw new ProjectError(`${PLAN} publishes ${publish.path}, which does not exist`);
    return {
      name: publish["contract-name"],
      sender: publish["expected-sender"],
      path: publish.path,
      source: readFileSync(path, "utf8").replaceAll("\r\n", "\n"),
      clarityVersion: publish["clarity-version"] ?? DEFAULT_CLARITY_VERSION,
      feeUstx: BigInt(publish.cost ?? 0),
    };
  });
}

/**
 * @param {(text: string) => unknown} parse
 * @param {string} path
 */
function readWith(parse, path) {
  if (!existsSync(path)) throw new ProjectError(`${path} does not exist`);
  try {
    return parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new ProjectError(`${path}: ${/** @type {Error} */ (error).message}`);
  }
}
