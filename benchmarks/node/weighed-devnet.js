/** A devnet that collects garbage and reports its memory for each line of input; `memory.py` controls it. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc");

process.stdin.on("data", () => {
  for (let round = 0; round < 3; round++) collectGarbage();
  process.stdout.write(`${JSON.stringify(process.memoryUsage())}\n`);
});

await import("../../devnet/main.js");
