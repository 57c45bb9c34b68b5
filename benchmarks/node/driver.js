/**
 * Lets `peers.py` drive this process: a line of JSON in, a line of JSON out.
 *
 * {"prepare": name, "inputs": {…}} → {"id"}; {"time": id, "times": n} → {"seconds"};
 * {"result": id, "number": i} → {"result"}; {"do": name, "with": …} → {"done"}; whatever fails → {"error"}.
 */
import { createInterface } from "node:readline";

/**
 * @typedef {object} Work
 * @property {(number: number) => unknown} run does it once
 * @property {(result: any) => unknown} describe turns what that gave into JSON that can be compared
 * @property {boolean} [isAsync] whether `run` gives a promise
 */

/** What was computed last is kept here, so that no engine finds out that nobody needs it. */
let kept;

/** @param {Work} work @param {number} times @returns {Promise<number>} seconds */
async function time({ run, isAsync = false }, times) {
  const started = process.hrtime.bigint();
  if (isAsync) for (let number = 0; number < times; number++) kept = await run(number);
  else for (let number = 0; number < times; number++) kept = run(number);
  return Number(process.hrtime.bigint() - started) / 1e9;
}

/**
 * Answers until the input ends, and ends the process then.
 *
 * @param {Record<string, (inputs: any) => Work>} works what can be timed
 * @param {Record<string, (given: any) => unknown>} [actions] what else can be done
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
