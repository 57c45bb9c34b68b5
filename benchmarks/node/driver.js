/**
 * Lets `peers.py` control this process: a line of JSON in, a line of JSON out.
 *
 * {"prepare": name, "inputs": {…}} → {"id"}; {"time": id, "times": n} → {"seconds"};
 * {"result": id, "number": i} → {"result"}; {"do": name, "with": …} → {"done"}; any failure → {"error"}.
 */
import { createInterface } from "node:readline";

/**
 * @typedef {object} Work
 * @property {(number: number) => unknown} run does the work once
 * @property {(result: any) => unknown} describe converts the result of `run` to comparable JSON
 * @property {boolean} [isAsync] whether `run` returns a promise
 */

/** Keeps the last result, so that no engine can optimize the work away. */
let kept;

/** @param {Work} work @param {number} times @returns {Promise<number>} seconds */
async function time({ run, isAsync = false }, times) {
  const started = process.hrtime.bigint();
  if (isAsync) for (let number = 0; number < times; number++) kept = await run(number);
  else for (let number = 0; number < times; number++) kept = run(number);
  return Number(process.hrtime.bigint() - started) / 1e9;
}

/**
 * Handle requests until the input ends, then end the process.
 *
 * @param {Record<string, (inputs: any) => Work>} works the work that can be timed
 * @param {Record<string, (given: any) => unknown>} [actions] other actions
 */
export async function drive(works, actions = {}) {
  const prepared = [];

  async function answer(request) {
    if (request.prepare !== undefined) {
      const prepare = works[request.prepare];
      if (!prepare) throw new Error(`no such work: ${request.prepare}`);
      return { id: prepared.push(prepare(request.inputs)) - 1 };
    }
    if (request.time !== undefined) return { seconds: await time(prepared[request.time], request.times) };
    if (request.result !== undefined) {
      const work = prepared[request.result];
      return { result: work.describe(await work.run(request.number)) };
    }
    return { done: await actions[request.do](request.with) };
  }

  for await (const line of createInterface({ input: process.stdin })) {
    let reply;
    try {
      reply = await answer(JSON.parse(line));
    } catch (error) {
      reply = { error: String(error) };
    }
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }
  process.exit(0);
}
