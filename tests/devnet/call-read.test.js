// Arguments of reads that a node cannot decode, or that have the wrong type, do not reach the VM.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { callRead } from "../../devnet/chain/reader.js";
import { ReadFailure } from "../../devnet/chain/reads.js";
import { DecodeError, decodeLoosely } from "../../devnet/clarity/value.js";
import { Devnet } from "../../devnet/devnet.js";
import { readAccounts } from "../../devnet/project/project.js";
import { buildPublish } from "../../devnet/wire/builder.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SOURCE = `
(define-read-only (of-uint (it uint)) it)
(define-read-only (of-buffer (it (buff 4))) it)
(define-read-only (of-text (it (string-utf8 4))) it)
(define-read-only (of-list (it (list 2 (optional uint)))) it)
(define-read-only (of-tuple (it {x: uint, Y: (list 2 (buff 2))})) it)
(define-read-only (of-response (it (response uint bool))) it)
(define-read-only (of-none) true)
(define-public (of-two (it uint) (other bool)) (ok it))`;
const FUNCTIONS = ["of-uint", "of-buffer", "of-text", "of-list", "of-tuple", "of-response", "of-none", "of-two"];

const uint = (value) => `01${value.toString(16).padStart(32, "0")}`;
const length = (count) => count.toString(16).padStart(8, "0");
const list = (...items) => `0b${length(items.length)}${items.join("")}`;
const text = (tag, value) => `${tag}${length(Buffer.byteLength(value))}${Buffer.from(value).toString("hex")}`;
const [TRUE, NONE] = ["03", "09"];
const HASH = "11".repeat(20);

let devnet;
let contractId;
let sender;

beforeAll(async () => {
  const accounts = readAccounts(ROOT);
  sender = accounts.find(({ name }) => name === "deployer").address;
  contractId = `${sender}.reads`;
  const { privateKey } = accounts.find(({ name }) => name === "deployer");
  const raw = buildPublish({ name: "reads", code: SOURCE, clarityVersion: 4, privateKey, nonce: 0n, fee: 20_000n });
  const plan = { steps: [{ what: "reads cannot be published", from: "reads.clar", raw, epoch: null }], epoch: null };
  devnet = await Devnet.start({ accounts, plan, startTime: 1_800_000_000, mining: { kind: "manual" }, stateFile: null });
});
afterAll(() => devnet.close());

const bytes = (args) => args.map((hex) => Buffer.from(hex, "hex"));
const read = (functionName, args, from = sender) => callRead(devnet.chain, { contractId, functionName, args: bytes(args), sender: from });

async function failure(run) {
  try {
    return await run();
  } catch (error) {
    return error;
  }
}

describe("hostile arguments", () => {
  const undecodable = {
    "an empty tuple": ["0c00000000"],
    "an empty tuple within": [`0a0c00000000`],
    "a list of two types": [list(TRUE, NONE)],
    "a list of two types within": [list(list(TRUE), list(uint(1)))],
    "responses of two types": [list(`07${TRUE}`, `07${uint(1)}`)],
    "tuples of other names": [list(`0c00000001${"0161"}${TRUE}`, `0c00000001${"0162"}${TRUE}`)],
    "a list that counts as too large": [list(text("02", "a".repeat(1_000_000)), ...Array(9).fill(text("02", "")))],
  };
  const unfit = {
    none: [],
    "too many": Array(262_144).fill(TRUE),
    "a list of none": [list(NONE, NONE)],
    "a list of empty lists": [list(list(), list(), list())],
    "a list of lists, first empty": [list(list(), list(TRUE))],
    "a list of tuples, of which the first has fewest names": [list(`0c00000001${"0161"}${TRUE}`, `0c00000002${"0161"}${TRUE}${"0162"}${NONE}`)],
    "nested deeply": ["0a".repeat(14) + TRUE],
    "as many items as there can be": [`0b${length(1_048_570)}${"03".repeat(1_048_570)}`],
  };
  const senders = () => [sender, `${sender}.someone`];

  test("do not reach the VM, which can still read", async () => {
    const { instances } = devnet.chain.vm;
    for (const functionName of FUNCTIONS) {
      for (const from of senders()) {
        for (const args of Object.values(undecodable)) expect(await failure(() => read(functionName, args, from))).toBeInstanceOf(DecodeError);
        for (const [name, args] of Object.entries(unfit)) {
          if (functionName === "of-none" && name === "none") continue;
          if (functionName === "of-list" && name === "a list of none") continue;
          const error = await failure(() => read(functionName, args, from));
          expect(error).toBeInstanceOf(ReadFailure);
          expect(error.message).toMatch(/^RuntimeCheck\((?:IncorrectArgumentCount|TypeValueError)\(/);
          expect(error.message.length).toBeLessThan(2_000);
        }
      }
    }
    expect(devnet.chain.vm.instances).toBe(instances);
    expect(await read("of-uint", [uint(7)])).toBe(`0x${uint(7)}`);
    expect(await read("of-list", [list(NONE, NONE)])).toBe(`0x${list(NONE, NONE)}`);
    expect(await read("of-two", [uint(7), TRUE], `${sender}.someone`)).toBe(`0x07${uint(7)}`);
  });
});

describe("a node decodes", () => {
  const vectors = JSON.parse(readFileSync(`${ROOT}/tests/vectors/clarity_arguments.json`, "utf8")).arguments;
  test.each(vectors.map(({ name, hex, accepted }) => [accepted ? "" : "no ", name, hex, accepted]))("%s%s", async (_, __, hex, accepted) => {
    const result = await failure(() => decodeLoosely(Buffer.from(hex, "hex")));
    expect(result instanceof DecodeError).toBe(!accepted);
  });
});

describe("arguments of the wrong type get the VM's error", () => {
  const values = [
    uint(7),
    `00${"ff".repeat(16)}`,
    TRUE,
    NONE,
    `0a${uint(7)}`,
    `07${NONE}`,
    `08${uint(7)}`,
    text("02", "abcde"),
    text("02", ""),
    text("0d", 'a "quoted" \\ text\n'),
    text("0e", "añ😀日本\t"),
    `051a${HASH}`,
    `061a${HASH}03616263`,
    list(),
    list(TRUE, TRUE, TRUE),
    list(NONE, `0a${TRUE}`, NONE),
    list(`07${TRUE}`, `08${uint(1)}`, `07${TRUE}`),
    list(list(), list(uint(1)), list(uint(1), uint(2))),
    list(...Array(100).fill(uint(1))),
    `0c000000030159${TRUE}0161${NONE}0178${list(text("02", "a"), text("02", "abc"))}`,
  ];
  // For a list, tuple or response type, the VM accepts any value of that kind, whatever its contents.
  const isLetIn = (functionName, hex) => {
    if (functionName === "of-list") return hex.startsWith("0b");
    return { "of-response": /^0[78]/, "of-tuple": /^0c/ }[functionName]?.test(hex) ?? false;
  };
  const cases = FUNCTIONS.filter((name) => !["of-none", "of-two"].includes(name)).flatMap((name) => values.map((hex) => [name, hex]));
  test.each(cases.filter(([name, hex]) => !isLetIn(name, hex)))("%s %s", async (functionName, hex) => {
    const ours = await failure(() => read(functionName, [hex]));
    const call = { contractId, functionName, access: "read_only", args: [new Uint8Array(Buffer.from(hex, "hex"))], sender };
    expect(ours).toEqual(await failure(() => devnet.chain.vm.ask("callFunction", [call])));
  });
});
