/** The command line of the devnet. */
import { parseArgs } from "node:util";
import { parseObserver } from "./observers/settings.js";

/**
 * @typedef {object} Options
 * @property {string} project directory with Clarinet.toml, settings/ and deployments/
 * @property {string} host
 * @property {number} port 0 for any free one
 * @property {boolean} deploy
 * @property {string | null} prepared file with the plan, prepared in Python
 * @property {boolean} control whether to serve the endpoints under /devnet that change things
 * @property {string | null} controlToken the token they require
 * @property {boolean} costs
 * @property {boolean} coverage
 * @property {boolean} blockLog
 * @property {boolean} untilStdinCloses
 * @property {number} startTime unix seconds
 * @property {import("./devnet.js").Mining} mining
 * @property {string | null} stateFile
 * @property {import("./observers/settings.js").Observer[]} observers in addition to those of the project's settings
 */

const TOKEN_VARIABLE = "DER_DEVNET_TOKEN";

export const USAGE = `The embedded Stacks devnet of der-client.

  node devnet/main.js [options]

  --project DIR         Clarinet project to take accounts and contracts from (default: the folder above devnet/)
  --host HOST           address to listen on (default 127.0.0.1: this machine only)
  --port PORT           0 takes any free port (default 3999)
  --no-contracts        do not publish the project's contracts
  --prepared-plan FILE  publish what der_client has prepared instead: JSON
  --start-time SECONDS  unix time of the first block (default: now)
  --block-interval MS   mine on a timer instead of at once; 0 mines only when told by POST /devnet/mine
  --state-file FILE     keep the chain in this file, and continue from it
  --event-observer HOST:PORT[=KEY,KEY…]
                        post events there as a node does, all or those of the keys; may be given several times
  --no-costs            do not track execution costs: about four times faster
  --coverage            note which lines of contracts are reached, and their costs: about eight times slower
  --block-log           a line on standard output for each block and transaction, after the one that says where it listens
  --no-control          switch off what changes things under /devnet
  --until-stdin-closes  end when standard input does, so as never to outlive the parent process

What changes things under /devnet asks for the token in the environment variable ${TOKEN_VARIABLE}, if there is one
(authorization: Bearer TOKEN). With --host other than this machine's own, there must be one, or it is switched off.
`;

/** An invalid command line. */
export class OptionsError extends Error {}

/** @param {string[]} argv @param {string} defaultProject @returns {Options | null} null if only the help was requested */
export function readOptions(argv, defaultProject) {
  const { values } = parse(argv);
  if (values.help) return null;
  const interval = values["block-interval"];
  const host = values.host ?? "127.0.0.1";
  const controlToken = process.env[TOKEN_VARIABLE] || null;
  if (!values["no-control"] && !controlToken && !isLoopback(host)) {
    process.stderr.write(`devnet: control is switched off, since other machines can reach ${host}; to allow it, set ${TOKEN_VARIABLE}\n`);
  }
  return {
    project: values.project ?? defaultProject,
    host,
    port: integer("port", values.port ?? "3999", 65_535),
    deploy: !values["no-contracts"],
    prepared: values["prepared-plan"] ?? null,
    control: !values["no-control"] && (controlToken !== null || isLoopback(host)),
    controlToken,
    costs: !values["no-costs"],
    coverage: values.coverage ?? false,
    blockLog: values["block-log"] ?? false,
    untilStdinCloses: values["until-stdin-closes"] ?? false,
    startTime: integer("start-time", values["start-time"] ?? String(Math.floor(Date.now() / 1000)), 2 ** 32),
    mining: interval === undefined ? { kind: "auto" } : miningOf(integer("block-interval", interval, 2 ** 31 - 1)),
    stateFile: values["state-file"] ?? null,
    observers: (values["event-observer"] ?? []).map(parseObserver),
  };
}

/** @param {string} host @returns {boolean} whether only this machine can reach it */
function isLoopback(host) {
  return host === "localhost" || host === "::1" || /^127(?:\.\d+){3}$/.test(host);
}

/** @param {string[]} argv */
function parse(argv) {
  const text = /** @type {const} */ ({ type: "string" });
  const flag = /** @type {const} */ ({ type: "boolean" });
  try {
    return parseArgs({
      args: argv,
      options: {
        project: text,
        host: text,
        port: text,
        "start-time": text,
        "block-interval": text,
        "state-file": text,
        "event-observer": { ...text, multiple: true },
        "no-contracts": flag,
        "prepared-plan": text,
        "no-control": flag,
        "no-costs": flag,
        coverage: flag,
        "block-log": flag,
        "until-stdin-closes": flag,
        help: flag,
      },
    });
  } catch (error) {
    throw new OptionsError(/** @type {Error} */ (error).message);
  }
}

/** @param {number} milliseconds @returns {import("./devnet.js").Mining} */
function miningOf(milliseconds) {
  return milliseconds === 0 ? { kind: "manual" } : { kind: "interval", milliseconds };
}

/** @param {string} name @param {string} text @param {number} max */
function integer(name, text, max) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new OptionsError(`--${name} must be an integer from 0 to ${max}, not ${text}`);
  }
  return value;
}
