// The five contracts on a fresh simulated chain: calls, reads, balances and the clock, in plain JavaScript values.
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { initSimnet } from "@stacks/clarinet-sdk";
import { afterAll } from "vitest";

import { DEPLOYER } from "./accounts.js";
import { recordCoverage, writeCoverage } from "./coverage.js";
import { decode, encode } from "./values.js";

export const DAY = 86_400n;
const BURN_BLOCK_SECONDS = 600n;
const STACKS_BLOCK_SECONDS = 10n;
// Every run of every test sees the same times. The deployment takes the first twenty minutes of that day.
const GENESIS = "2026-03-01T00:00:00Z";

const root = fileURLToPath(new URL("../../", import.meta.url));

// The SDK writes a deployment plan beside the manifest. A copy of the project keeps runs that share a checkout apart.
export const project = mkdtempSync(join(tmpdir(), "der contracts "));
for (const part of ["Clarinet.toml", "contracts", "settings"]) {
  cpSync(join(root, part), join(project, part), { recursive: true });
}
process.once("exit", () => rmSync(project, { recursive: true, force: true }));
const manifest = join(project, "Clarinet.toml");

let simnet;

/** Starts the chain anew: the five contracts deployed, nothing else done. Ends the chain started before. */
export async function startChain() {
  if (simnet) endChain();
  simnet ??= await atGenesis(() => initSimnet(manifest, true, { trackCosts: true, trackCoverage: true }));
  await simnet.initSession(project, manifest, null);
  return new Chain(simnet);
}

// Takes down which lines of the contracts the chain has run.
function endChain() {
  recordCoverage(simnet.collectReport(false, "").coverage);
}

// In every test file that uses a chain.
afterAll(() => {
  if (!simnet) return;
  endChain();
  writeCoverage();
});

// The first session fixes the genesis time: the clock's.
async function atGenesis(start) {
  const RealDate = globalThis.Date;
  globalThis.Date = class extends RealDate {
    constructor(...args) {
      super(...(args.length === 0 ? [GENESIS] : args));
    }
  };
  try {
    return await start();
  } finally {
    globalThis.Date = RealDate;
  }
}

class Chain {
  constructor(simnet) {
    this.simnet = simnet;
    this.interfaces = new Map();
  }

  /** Calls the public function "contract.name": {ok} or {err}, events (printed tuples), transfers, cost. */
  call(sender, functionId, ...values) {
    const [contract, name] = splitFunctionId(functionId);
    const answer = this.simnet.callPublicFn(contract, name, this.#encode(contract, name, values), sender);
    const { ok, err } = decode(answer.result);
    if (err !== undefined) errorsProvoked.add(err);
    return { ok, err, ...readEvents(answer.events), cost: answer.costs.total };
  }

  /** Calls the read-only function "contract.name" for `sender`. */
  readAs(sender, functionId, ...values) {
    const [contract, name] = splitFunctionId(functionId);
    return decode(this.simnet.callReadOnlyFn(contract, name, this.#encode(contract, name, values), sender).result);
  }

  read(functionId, ...values) {
    return this.readAs(DEPLOYER, functionId, ...values);
  }

  /** Deploys a further contract of the deployer's; answers what it printed. */
  deploy(name, source, clarityVersion = 4) {
    return readEvents(this.simnet.deployContract(name, source, { clarityVersion }, DEPLOYER).events).events;
  }

  /** Sends microSTX from an account to an account or contract. */
  transfer(sender, recipient, ustx) {
    this.simnet.transferSTX(ustx, recipient, sender);
  }

  /** microSTX of an account or contract. */
  balance(principal) {
    return this.simnet.getAssetsMap().get("STX").get(principal) ?? 0n;
  }

  /** The block time of the next call, unix seconds. */
  get now() {
    return this.simnet.getBlockTime() + STACKS_BLOCK_SECONDS;
  }

  /** The day of the next call. */
  get today() {
    return this.now / DAY;
  }

  /** Lets the next call run at `time`, a multiple of ten seconds. */
  advanceTo(time) {
    const target = BigInt(time);
    while (target - this.now >= BURN_BLOCK_SECONDS) {
      this.simnet.mineEmptyBurnBlocks(Number((target - this.now) / BURN_BLOCK_SECONDS));
    }
    if (target > this.now) this.simnet.mineEmptyStacksBlocks(Number((target - this.now) / STACKS_BLOCK_SECONDS));
    if (this.now !== target) throw new Error(`the clock stands at ${this.now}, not at ${target}`);
  }

  /** Lets the next call run in the first second of `day`. */
  advanceToDay(day) {
    this.advanceTo(BigInt(day) * DAY);
  }

  #encode(contract, name, values) {
    const definition = this.#interface(contract).functions.find((candidate) => candidate.name === name);
    if (!definition) throw new Error(`${contract} has no function ${name}`);
    if (definition.args.length !== values.length) {
      throw new Error(`${name} takes ${definition.args.length} arguments, not ${values.length}`);
    }
    return definition.args.map((argument, index) => encode(argument.type, values[index]));
  }

  #interface(contract) {
    if (!this.interfaces.has(contract)) {
      this.interfaces.set(contract, this.simnet.getContractsInterfaces().get(`${DEPLOYER}.${contract}`));
    }
    return this.interfaces.get(contract);
  }
}

/** The codes of all errors that calls of this test file have answered. */
export const errorsProvoked = new Set();

const splitFunctionId = (functionId) => functionId.split(".");

function readEvents(events) {
  return {
    events: events.filter(({ event }) => event === "print_event").map(({ data }) => decode(data.value)),
    transfers: events
      .filter(({ event }) => event === "stx_transfer_event")
      .map(({ data }) => ({ from: data.sender, to: data.recipient, ustx: BigInt(data.amount) })),
  };
}
