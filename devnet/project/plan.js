/**
 * The transactions of a plan, which the devnet executes when it starts.
 *
 * The plans of any Clarinet project are read in Python (der_client/stacks/prepared.py), which handles requirements,
 * remapping and remote sources, and signs. This module reads only plans that publish files of the project, like this
 * library's own, so that the devnet also runs without Python.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse as parseYaml } from "yaml";
import { buildPublish } from "../wire/builder.js";
import { ProjectError, readWith } from "./project.js";

const PLAN = "deployments/default.devnet-plan.yaml";
const DEFAULT_CLARITY_VERSION = 4;

/**
 * @typedef {{what: string, from: string, raw: Buffer, epoch: string | null}} Step
 *   what it does, the file of its source, a signed transaction, and the epoch that it requires
 * @typedef {{steps: Step[], epoch: string | null}} Plan epoch: the epoch to enter afterwards
 * @typedef {{path: string, "contract-name": string, "expected-sender": string, "clarity-version"?: number, cost?: number}} Publish
 * @typedef {Publish & {"transaction-type"?: string, "contract-publish"?: Publish}} PlanTransaction
 * @typedef {{plan?: {batches?: {transactions?: PlanTransaction[]}[]}} | null} PlanFile a plan file of Clarinet
 */

/** @returns {Plan} an empty plan */
export function emptyPlan() {
  return { steps: [], epoch: null };
}

/** @param {string} file a JSON file that Python has prepared @returns {Plan} */
export function readPreparedPlan(file) {
  const { steps, epoch } = /** @type {{steps: (Step & {raw: string})[], epoch: string | null}} */ (readWith(JSON.parse, file));
  return { epoch, steps: steps.map((step) => ({ ...step, raw: Buffer.from(step.raw, "hex") })) };
}

/**
 * @param {string} directory the project's directory
 * @param {import("./project.js").Account[]} accounts
 * @returns {Plan} the contracts that the project's devnet plan publishes, in its order
 */
export function readPlan(directory, accounts) {
  const plan = /** @type {PlanFile} */ (readWith(parseYaml, join(directory, PLAN)));
  const transactions = (plan?.plan?.batches ?? []).flatMap((batch) => batch.transactions ?? []);
  /** @type {Map<string, bigint>} */
  const nonces = new Map();
  const steps = transactions.map((transaction) => {
    // Older plans nest the transactions that newer ones mark with a transaction-type.
    const publish = transaction["contract-publish"] ?? transaction;
    if (publish === transaction && transaction["transaction-type"] !== "contract-publish") {
      throw new ProjectError(
        `${PLAN}: without Python, the devnet only supports contract-publish, not ${JSON.stringify(transaction)}; ` +
          "start it with 'der devnet --project', or with --no-contracts",
      );
    }
    const path = resolve(directory, publish.path);
    if (!existsSync(path)) throw new ProjectError(`${PLAN} publishes ${publish.path}, which does not exist`);
    const [name, sender] = [publish["contract-name"], publish["expected-sender"]];
    const account = accounts.find(({ address }) => address === sender);
    if (!account) throw new ProjectError(`no account of settings/Devnet.toml has the address ${sender}, needed to publish ${name}`);
    const nonce = nonces.get(sender) ?? 0n;
    nonces.set(sender, nonce + 1n);
    const code = readFileSync(path, "utf8").replaceAll("\r\n", "\n");
    const clarityVersion = publish["clarity-version"] ?? DEFAULT_CLARITY_VERSION;
    const fee = BigInt(publish.cost ?? 0);
    const raw = buildPublish({ name, code, clarityVersion, privateKey: account.privateKey, nonce, fee });
    return { what: `contract ${name} cannot be published`, from: publish.path, raw, epoch: null };
  });
  return { steps, epoch: null };
}
