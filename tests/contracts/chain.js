// The five contracts on a fresh simulated chain: calls, reads, balances and the clock, in plain JavaScript values.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { initSimnet } from "@stacks/clarinet-sdk";
import { Cl } from "@stacks/transactions";
import { afterAll } from "vitest";

import { DEPLOYER } from "./accounts.js";
import { recordCoverage, writeCoverage } from "./coverage.js";
import { decode, encode } from "./values.js";

/** The five contracts, in the order of their dependencies. */
export const CONTRACTS = [
  "asset-verification",
  "production-tracking",
  "grid-integration",
  "market-participation",
  "settlement",
];

export const DAY = 86_400n;
const BURN_BLOCK_SECONDS = 600n;
const STACKS_BLOCK_SECONDS = 10n;
// All runs of a test have the same times. The deployment takes the first twenty minutes of the day.
const GENESIS = "2026-03-01T00:00:00Z";

const root = fileURLToPath(new URL("../../", import.meta.url));

// The SDK writes a deployment plan next to the manifest, so runs that share a checkout each use a copy of the project.
export const project = mkdtempSync(join(process.env.DER_CONTRACT_TESTS, "project "));
for (const part of ["Clarinet.toml", "contracts", "settings"]) {
  cpSync(join(root, part), join(project, part), { recursive: true });
}
const manifest = join(project, "Clarinet.toml");
const ownManifest = readFileSync(manifest, "utf8");

let simnet;
let deployedVersion = 5;

/** Lets the process respond to Vitest, which gives up after a minute without a response; the VM itself never yields. */
export const breathe = () => setImmediate();

/**
 * Starts a new chain with only the five contracts deployed, and ends the previous one. Only the first chain of a test
 * file decides whether costs are counted, which makes calls several times slower.
 */
export async function startChain({ clarityVersion = 5, trackCosts = false } = {}) {
  if (simnet) endChain();
  await breathe();
  if (clarityVersion !== deployedVersion) useClarity(clarityVersion);
  await atGenesis(async () => {
    simnet ??= await initSimnet(manifest, true, { trackCosts, trackCoverage: true });
    await simnet.initSession(project, manifest, null);
  });
  return new Chain(simnet);
}

// The SDK deploys once, and starts every later session from that state unless its plan and cache are deleted.
function useClarity(version) {
  writeFileSync(manifest, ownManifest.replaceAll("clarity_version = 5", `clarity_version = ${version}`));
  rmSync(join(project, "deployments"), { recursive: true, force: true });
  simnet?.clearCache();
  deployedVersion = version;
}

// Records which lines of the contracts the chain has executed.
function endChain() {
  recordCoverage(simnet.collectReport(false, "").coverage);
}

// Runs in every test file that uses a chain.
afterAll(() => {
  if (!simnet) return;
  endChain();
  writeCoverage();
});

// Sets the clock of `start` to a fixed time, as the session that deploys begins its chain at the current time.
async function atGenesis(start) {
  const RealDate = globalThis.Date;
  globalThis.Date = class extends RealDate {
    constructor(...args) {
      super(...(args.length === 0 ? [GENESIS] : args));
    }
  };
  try {
    await start();
  } finally {
    globalThis.Date = RealDate;
  }
}

class Chain {
  constructor(simnet) {
    this.simnet = simnet;
  }

  /** Calls the public function "contract.name"; returns {ok} or {err}, printed events, transfers, cost if counted. */
  call(sender, functionId, ...values) {
    const [contract, name] = splitFunctionId(functionId);
    const answer = this.simnet.callPublicFn(contract, name, this.#encode(functionId, values), sender);
    const { ok, err } = decode(answer.result);
    if (err !== undefined) errorsProvoked.add(err);
    return { ok, err, ...readEvents(answer.events), cost: answer.costs?.total };
  }

  /** Calls the read-only function "contract.name" as `sender`. */
  readAs(sender, functionId, ...values) {
    const [contract, name] = splitFunctionId(functionId);
    return decode(this.simnet.callReadOnlyFn(contract, name, this.#encode(functionId, values), sender).result);
  }

  read(functionId, ...values) {
    return this.readAs(DEPLOYER, functionId, ...values);
  }

  /** Returns a call of "contract.name" as Clarity source, for a contract of the deployer. */
  source(functionId, ...values) {
    const [contract, name] = splitFunctionId(functionId);
    const literals = this.#encode(functionId, values).map((value) => Cl.prettyPrint(value));
    return `(contract-call? .${[contract, name, ...literals].join(" ")})`;
  }

  /** Deploys another contract of the deployer; returns what it printed. */
  deploy(name, source, clarityVersion = 5) {
    return readEvents(this.simnet.deployContract(name, source, { clarityVersion }, DEPLOYER).events).events;
  }

  /** Deploys a stand-in for a token from contracts/stand-ins. */
  deployStandIn(name) {
    standIns.add(name);
    this.deploy(name, readFileSync(join(project, "contracts", "stand-ins", `${name}.clar`), "utf8"));
  }

  /** Sends microSTX from an account to an account or contract. */
  transfer(sender, recipient, ustx) {
    this.simnet.transferSTX(ustx, recipient, sender);
  }

  /** Returns the microSTX of an account or contract, or its balance of the deployer's token "contract.token". */
  balance(principal, asset) {
    const held = this.simnet.getAssetsMap().get(asset ? `.${asset}` : "STX");
    return held?.get(principal) ?? 0n;
  }

  /** The block time of the next call, unix seconds. */
  get now() {
    return this.simnet.getBlockTime() + STACKS_BLOCK_SECONDS;
  }

  /** The day of the next call. */
  get today() {
    return this.now / DAY;
  }

  /** Advances the clock so that the next call runs at `time`, a multiple of ten seconds. */
  advanceTo(time) {
    const target = BigInt(time);
    while (target - this.now >= BURN_BLOCK_SECONDS) {
      this.simnet.mineEmptyBurnBlocks(Number((target - this.now) / BURN_BLOCK_SECONDS));
    }
    if (target > this.now) this.simnet.mineEmptyStacksBlocks(Number((target - this.now) / STACKS_BLOCK_SECONDS));
    if (this.now !== target) throw new Error(`the clock is at ${this.now}, not at ${target}`);
  }

  /** Advances the clock so that the next call runs in the first second of `day`. */
  advanceToDay(day) {
    this.advanceTo(BigInt(day) * DAY);
  }

  /** Returns the Clarity version that a contract was deployed with, such as "Clarity5". */
  clarityVersionOf(contract) {
    return this.simnet.getContractsInterfaces().get(`${DEPLOYER}.${contract}`).clarity_version;
  }

  /** Returns the names of a contract's functions with this access: "public" or "read_only". */
  functionsOf(contract, access) {
    return this.#interface(contract)
      .functions.filter((definition) => definition.access === access)
      .map(({ name }) => name);
  }

  /** Returns the names and types of the arguments of "contract.name". */
  argumentsOf(functionId) {
    const [contract, name] = splitFunctionId(functionId);
    const definition = this.#interface(contract).functions.find((candidate) => candidate.name === name);
    if (!definition) throw new Error(`${contract} has no function ${name}`);
    return definition.args;
  }

  #encode(functionId, values) {
    const types = this.argumentsOf(functionId);
    if (types.length !== values.length) {
      throw new Error(`${functionId} takes ${types.length} arguments, not ${values.length}`);
    }
    return types.map(({ type }, index) => encode(type, values[index]));
  }

  #interface(contract) {
    const id = `${DEPLOYER}.${contract}`;
    // Cached, since they are slow to fetch and the same on every chain, except for contracts that a test deploys.
    if (!interfaces.has(id)) {
      const fetched = this.simnet.getContractsInterfaces();
      if (!CONTRACTS.includes(contract) && !standIns.has(contract)) return fetched.get(id);
      interfaces.set(id, fetched.get(id));
    }
    return interfaces.get(id);
  }
}

const interfaces = new Map();
const standIns = new Set();

/** The codes of all errors that calls of this test file have returned. */
export const errorsProvoked = new Set();

const splitFunctionId = (functionId) => functionId.split(".");

function readEvents(events) {
  return {
    events: events.filter(({ event }) => event === "print_event").map(({ data }) => decode(data.value)),
    transfers: events
      .filter(({ event }) => event === "stx_transfer_event")
      .map(({ data }) => ({ from: data.sender, to: data.recipient, ustx: BigInt(data.amount) })),
    tokenTransfers: events
      .filter(({ event }) => event === "ft_transfer_event")
      .map(({ data }) => ({ from: data.sender, to: data.recipient, amount: BigInt(data.amount) })),
  };
}
