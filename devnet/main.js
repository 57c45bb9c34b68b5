/** Starts the devnet, prints its URL as one line of JSON when it is ready, and ends cleanly on a signal. */
import { createServer as createListener } from "node:net";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Devnet } from "./devnet.js";
import { createServer } from "./http/server.js";
import { readOptions, USAGE } from "./options.js";
import { Observers } from "./observers/observers.js";
import { parseObserver } from "./observers/settings.js";
import { emptyPlan, readPlan, readPreparedPlan } from "./project/plan.js";
import { hasSettings, readAccounts, readObservers } from "./project/project.js";
import { logBlocks } from "./block-log.js";
import { parseTransaction } from "./wire/transaction.js";

const LONGEST_END_MILLISECONDS = 8_000;
const DEFAULT_PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));

/** @param {string[]} argv */
async function main(argv) {
  const options = readOptions(argv, DEFAULT_PROJECT);
  if (!options) {
    process.stdout.write(USAGE);
    return;
  }
  await checkAddress(options);
  // A project may not have its settings in its repository; then use this library's, which have Clarinet's usual
  // accounts.
  const accounts = readAccounts(hasSettings(options.project) ? options.project : DEFAULT_PROJECT);
  const observed = [...readObservers(options.project).map(parseObserver), ...options.observers];
  /** @type {Observers | undefined} */
  let observers;
  // Signals also apply during the start, which takes a while with a long state file.
  let stop = async () => process.exit(0);
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => stop());
  if (options.untilStdinCloses)
    process.stdin
      .on("end", () => stop())
      .on("error", () => stop())
      .resume();
  const plan = planOf(options, accounts);
  const devnet = await Devnet.start({
    ...options,
    accounts,
    plan,
    follow: (chain) => {
      observers = new Observers(chain, observed);
    },
  });
  devnet.chain.vm.onFailure = (error) => {
    process.stderr.write(`devnet: its VM has failed: ${error.message}\n`);
    process.exit(1);
  };
  const server = createServer(devnet, { ...options, paths: pathsOf(plan) });
  stop = async () => {
    // The process ends even if something hangs.
    setTimeout(() => process.kill(process.pid, "SIGKILL"), LONGEST_END_MILLISECONDS).unref();
    await server.close();
    await devnet.close();
    await observers?.close();
    process.exit(0);
  };
  const { host, port } = options;
  const url = await server.listen({ host, port }).catch((error) => {
    throw addressError(error, host, port);
  });
  process.stdout.write(`${JSON.stringify({ url, pid: process.pid })}\n`);
  if (options.blockLog) logBlocks(devnet.chain, accounts, (line) => process.stdout.write(`${line}\n`));
}

/**
 * Reports at once if it cannot listen, before the VM starts.
 *
 * @param {{host: string, port: number}} address
 */
async function checkAddress({ host, port }) {
  const listener = createListener();
  await new Promise((resolve, reject) => {
    listener.once("error", (error) => reject(addressError(error, host, port)));
    listener.listen({ host, port }, () => listener.close(resolve));
  });
}

/** @param {NodeJS.ErrnoException} error @param {string} host @param {number} port */
function addressError(error, host, port) {
  if (error.code === "EADDRINUSE") {
    return new Error(`port ${port} of ${host} is in use; choose another with --port (port=), or 0 for any free one`);
  }
  if (error.code === "EACCES") return new Error(`port ${port} is not allowed for this user; choose one above 1023 with --port (port=)`);
  return new Error(`cannot listen on ${host}: ${error.message}; choose another address with --host (host=)`);
}

/** @param {import("./options.js").Options} options @param {import("./project/project.js").Account[]} accounts */
function planOf({ deploy, prepared, project }, accounts) {
  if (!deploy) return emptyPlan();
  return prepared ? readPreparedPlan(prepared) : readPlan(project, accounts);
}

/** @param {import("./project/plan.js").Plan} plan @returns {Map<string, string>} the files of sources, by contract id */
function pathsOf({ steps }) {
  return new Map(
    steps.flatMap(({ raw, from }) => {
      const { payload, origin } = parseTransaction(raw);
      return payload.type === "smart_contract" ? [[`${origin.address}.${payload.name}`, from]] : [];
    }),
  );
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`devnet: ${error.message}\n`);
  process.exit(1);
});
