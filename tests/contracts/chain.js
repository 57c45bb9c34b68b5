// The five contracts on a fresh simulated chain: calls, reads, balances and the clock, in plain JavaScript values.
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { initSimnet } from "@stacks/clarinet-sdk";

import { decode, encode } from "./values.js";
import { DEPLOYER } from "./accounts.js";

export const DAY = 86_400n;
const BURN_BLOCK_SECONDS = 600n;
const STACKS_BLOCK_SECONDS = 10n;

const root = fileURLToPath(new URL("../../", import.meta.url));

// The SDK writes a deployment plan beside the manifest. A copy of the project keeps runs that share a checkout apart.
const project = mkdtempSync(join(tmpdir(), "der contracts "));
for (const part of ["Clarinet.toml", "contracts", "settings"]) cpSync(join(root, part), join(project, part), { recursive: true });
process.once("exit", () => rmSync(project, { recursive: true, force: true }));
const manifest = join(project, "Clarinet.toml");

let simnet;

/** Starts the chain anew: the five contracts deployed, nothing else done. */
export async function startChain() {
  simnet ??= await initSimnet(manifest, true, { trackCosts: true, trackCoverage: true });
  await simnet.initSession(project, manifest, null);
  return new Chain(simnet);
}

/** What the session has recorded so far: {coverage: lcov text, costs}. */
export const collectReport = () => simnet.collectReport(false, "");

class Chain {
  constructor(simnet) {
    this.simnet = simnet;
    this.interfaces = new Map();
  }

  #arguments(contract, name, values) {
    const id = contract.includes(".") ? contract : `${DEPLOYER}.${contract}`;
    if (!this.interfaces.has(id)) this.interfaces.set(id, this.simnet.getContractsInterfaces().get(id));
    const definition = this.interfaces.get(id).functions.find((candidate) => candidate.name === name);
    if (!definition) throw new Error(`${id} has no function ${name}`);
    if (definition.args.length !== values.length) throw new Error(`${name} takes ${definition.args.length} arguments`);
    return definition.args.map((argument, index) => encode(argument.type, values[index]));
  }

  /** Calls the public function "contract.name": {ok} or {err}, events (printed tuples), transfers, cost. */
  call(sender, functionId, ...values) {
    const [contract, name] = splitFunctionId(functionId);
    const answer = this.simnet.callPublicFn(contract, name, this.#arguments(contract, name, values), sender);
    const { ok, err } = decode(answer.result);
    if (err !== undefined) errorsProvoked.add(Number(err));
    return { ok, err, ...readEvents(answer.events), cost: answer.costs?.total };
  }

  /** Calls the read-only function "contract.name". */
  read(functionId, ...values) {
    const [contract, name] = splitFunctionId(functionId);
    return decode(this.simnet.callReadOnlyFn(contract, name, this.#arguments(contract, name, values), DEPLOYER).result);
  }

  /** Deploys a further contract of the deployer's. */
  deploy(name, source, clarityVersion = 4) {
    return this.simnet.deployContract(name, source, { clarityVersion }, DEPLOYER);
  }

  /** microSTX of an account or contract. */
  balance(principal) {
    return this.simnet.getAssetsMap().get("STX").get(principal) ?? 0n;
  }

  get now() {
    return this.simnet.getBlockTime();
  }

  get today() {
    return this.now / DAY;
  }

  /** Lets the next call run at `time` or up to ten seconds later. */
  advanceTo(time) {
    // The next call mines a block of its own.
    const target = BigInt(time) - STACKS_BLOCK_SECONDS;
    const burnBlocks = (target - this.now) / BURN_BLOCK_SECONDS;
    if (burnBlocks > 0n) this.simnet.mineEmptyBurnBlocks(Number(burnBlocks));
    while (this.now < target) this.simnet.mineEmptyStacksBlock();
  }

  /** Lets the next call run just after the beginning of `day`. */
  advanceToDay(day) {
    this.advanceTo(BigInt(day) * DAY);
  }
}

/** The codes of all errors that a call of this test file has answered. */
export const errorsProvoked = new Set();

function splitFunctionId(functionId) {
  const at = functionId.lastIndexOf(".");
  return [functionId.slice(0, at), functionId.slice(at + 1)];
}

function readEvents(events) {
  return {
    events: events.filter(({ event }) => event === "print_event").map(({ data }) => decode(data.value)),
    transfers: events
      .filter(({ event }) => event === "stx_transfer_event")
      .map(({ data }) => ({ from: data.sender, to: data.recipient, ustx: BigInt(data.amount) })),
  };
}
