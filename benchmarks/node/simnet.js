/**
 * Clarinet's simnet called directly, without a node in front of it, and a load generator; `peers.py` controls this
 * process. Its argument is the manifest of the project.
 */
import { randomBytes } from "node:crypto";
import { Agent, request as httpRequest } from "node:http";
import { initSimnet } from "@stacks/clarinet-sdk";
import { Cl, cvToString } from "@stacks/transactions";
import { drive } from "./driver.js";

// The SDK logs to standard output, which must contain only responses.
console.log = () => undefined;
const simnet = await initSimnet(process.argv[2], false, { trackCosts: true, trackCoverage: false });

const works = {
  "register an asset": ({ senders, location, region, capacityW, slotSeconds }) => ({
    run: (number) => {
      const args = [
        Cl.uint(1),
        Cl.uint(capacityW),
        Cl.stringAscii(location),
        Cl.stringAscii(region),
        Cl.buffer(randomBytes(32)),
        Cl.uint(slotSeconds),
        Cl.none(),
      ];
      return simnet.callPublicFn("asset-verification", "register-asset", args, senders[number % senders.length]);
    },
    describe: ({ result, events }) => ({ result: cvToString(result), events: events.length }),
  }),

  "read an asset": ({ sender, assetId }) => ({
    run: () => simnet.callReadOnlyFn("asset-verification", "get-asset", [Cl.uint(assetId)], sender),
    describe: ({ result }) => cvToString(result),
  }),
};

/**
 * Send requests over kept connections; each waits for a response before it sends the next request.
 *
 * @param {{url: string, path: string, contentType: string, queues: string[][]}} load bodies (hex) for each connection
 * @returns {Promise<{seconds: number, statuses: Record<string, number>}>}
 */
async function load({ url, path, contentType, queues }) {
  const agent = new Agent({ keepAlive: true, maxSockets: queues.length });
  const bodies = queues.map((queue) => queue.map((hex) => Buffer.from(hex, "hex")));
  const statuses = {};
  const started = process.hrtime.bigint();
  await Promise.all(
    bodies.map(async (queue) => {
      for (const body of queue) {
        const status = await post(new URL(path, url), contentType, body, agent);
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    }),
  );
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  agent.destroy();
  return { seconds, statuses };
}

/** @param {URL} url @param {string} contentType @param {Buffer} body @param {Agent} agent @returns {Promise<number>} */
function post(url, contentType, body, agent) {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": contentType, "content-length": body.length };
    const request = httpRequest(url, { method: "POST", headers, agent }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode));
    });
    request.on("error", reject).end(body);
  });
}

await drive(works, { load });
