/** The contract lines executed, and their costs, summed over all calls: a profile by function and line, and LCOV. */
import { parseFolded } from "./folded.js";
import { functionAt, functionsOf, topLevelLines } from "./source.js";

/**
 * @typedef {{calls: number, self: number, total: number}} Spent calls that executed it; its own cost, and the total with callees
 * @typedef {{functions: Record<string, Spent>, lines: Record<string, Spent>}} ContractProfile costs by name and by line number
 */

export class Coverage {
  /** @type {Map<string, {functions: Map<string, Spent>, lines: Map<number, Spent>}>} by contract id */
  #contracts = new Map();
  /** @type {Map<string, {functions: import("./source.js").SourceFunction[], topLevel: Set<number>}>} by contract id */
  #sources = new Map();

  /** @param {(contractId: string) => string | undefined} sourceOf */
  constructor(sourceOf) {
    this.sourceOf = sourceOf;
  }

  /** @param {string} folded the stacks of one call */
  add(folded) {
    /** @type {Set<Spent>} */
    const reached = new Set();
    for (const { frames, cost } of parseFolded(folded)) {
      const places = frames.flatMap((frame) => this.#placesOf(frame));
      const [ofLine, ofFunction] = places.at(-1) ?? [];
      if (ofLine) ofLine.self += cost;
      if (ofFunction) ofFunction.self += cost;
      for (const spent of new Set(places.flat())) {
        if (!spent) continue;
        spent.total += cost;
        reached.add(spent);
      }
    }
    for (const spent of reached) spent.calls += 1;
  }

  /** @param {import("./folded.js").Frame} frame @returns {[Spent, Spent | null][]} entries of its line, and of its function if it is in one */
  #placesOf({ contract: id, line }) {
    const source = this.#sourceOf(id);
    if (!source) return [];
    const name = functionAt(source.functions, line);
    if (name === undefined && !source.topLevel.has(line)) return [];
    const contract = this.#contract(id);
    return [[spentOf(contract.lines, line), name === undefined ? null : spentOf(contract.functions, name)]];
  }

  /** @param {string} id */
  #sourceOf(id) {
    const known = this.#sources.get(id);
    if (known) return known;
    const text = this.sourceOf(id);
    if (text === undefined) return undefined;
    const source = { functions: functionsOf(text), topLevel: new Set(topLevelLines(text)) };
    this.#sources.set(id, source);
    return source;
  }

  /** @param {string} id */
  #contract(id) {
    let contract = this.#contracts.get(id);
    if (!contract) this.#contracts.set(id, (contract = { functions: new Map(), lines: new Map() }));
    return contract;
  }

  /** @returns {Record<string, ContractProfile>} the profiles by contract id, as plain data */
  toJson() {
    return Object.fromEntries(
      [...this.#contracts].map(([id, { functions, lines }]) => [
        id,
        { functions: Object.fromEntries(functions), lines: Object.fromEntries(lines) },
      ]),
    );
  }
}

/** @template K @param {Map<K, Spent>} map @param {K} key */
function spentOf(map, key) {
  let spent = map.get(key);
  if (!spent) map.set(key, (spent = { calls: 0, self: 0, total: 0 }));
  return spent;
}

/**
 * @param {Record<string, ContractProfile>} profiles by contract id
 * @param {{path: string, contractId: string, source: string}[]} contracts the contracts to include
 * @returns {string} LCOV: for each contract its functions, and the lines of their bodies and of code outside functions,
 *   with the calls that executed them
 */
export function lcov(profiles, contracts) {
  return contracts.map((contract) => record(contract, profiles[contract.contractId])).join("");
}

/** @param {{path: string, source: string}} contract @param {ContractProfile} [profile] without it, nothing was executed */
function record({ path, source }, profile = { functions: {}, lines: {} }) {
  const functions = functionsOf(source);
  const calls = functions.map(({ name }) => profile.functions[name]?.calls ?? 0);
  const lines = [...new Set([...topLevelLines(source), ...functions.flatMap((one) => one.lines)])].sort((a, b) => a - b);
  const hits = lines.map((line) => profile.lines[line]?.calls ?? 0);
  const reached = (/** @type {number[]} */ counts) => counts.filter((count) => count > 0).length;
  return [
    "TN:",
    `SF:${path}`,
    ...functions.map(({ name, line }) => `FN:${line},${name}`),
    ...functions.map(({ name }, index) => `FNDA:${calls[index]},${name}`),
    `FNF:${functions.length}`,
    `FNH:${reached(calls)}`,
    ...lines.map((line, index) => `DA:${line},${hits[index]}`),
    `LF:${lines.length}`,
    `LH:${reached(hits)}`,
    "end_of_record\n",
  ].join("\n");
}
