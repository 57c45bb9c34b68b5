// The explorer's own calculations, compared with the devnet's.
import { createHash, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";

import { addressText as ourAddress, parsePrincipal as ours } from "../../devnet/address.js";
import { typeText as ourTypeText } from "../../devnet/clarity/type-text.js";
import { decodeValue, valueText } from "../../devnet/clarity/value.js";
import { baseUrl } from "../../devnet/explorer/api.js";
import { addressText, parsePrincipal, sha256 } from "../../devnet/explorer/c32.js";
import { decode, encode, hexOf, principalText } from "../../devnet/explorer/clarity.js";
import { stx, typeText } from "../../devnet/explorer/format.js";
import vectors from "../vectors/clarity_values.json";

test("SHA-256 of messages of up to 199 bytes is the same as in Node.js", () => {
  for (let length = 0; length < 200; length++) {
    const message = randomBytes(length);
    expect(hexOf(sha256(message))).toBe(`0x${createHash("sha256").update(message).digest("hex")}`);
  }
});

describe("addresses", () => {
  const hashes = [...Array.from({ length: 200 }, () => randomBytes(20)), Buffer.alloc(20), Buffer.from("00".repeat(19) + "01", "hex"), Buffer.from("ff".repeat(20), "hex")];

  test("are written and parsed as in the devnet", () => {
    for (const hash of hashes) {
      for (const version of [20, 21, 22, 26]) {
        const text = addressText(version, hash);
        expect(text).toBe(ourAddress(version, hash));
        expect(parsePrincipal(text)).toEqual({ version, hash: new Uint8Array(hash), name: null });
        expect(parsePrincipal(`${text}.a-1`)?.name).toBe("a-1");
      }
    }
  });

  const good = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM";
  test.each(["", "S", "ST", "ST1", good.slice(0, -1), `${good}A`, good.replace("Q", "R"), `${good}.`, `${good}.1a`, `${good}.a.b`, `${good}.<b>`, "bc1qxy"])(
    "%s is not a principal",
    (text) => {
      expect(parsePrincipal(text)).toBeNull();
      expect(ours(text)).toBeNull();
    },
  );
});

describe("values", () => {
  // Values that the VM has executed, or that were seen on a chain.
  const known = [...vectors.vm, ...vectors.real].map(({ hex }) => hex).filter((hex) => hex && hex.length < 4_000);

  test("there are enough vectors", () => expect(known.length).toBeGreaterThan(20));

  test.each(known)("%s is encoded as it was decoded", (hex) => {
    const value = decode(hex);
    expect(hexOf(encode(value))).toBe(`0x${hex.replace(/^0x/, "")}`);
    expect(textOf(value)).toBe(valueText(decodeValue(Buffer.from(hex.replace(/^0x/, ""), "hex"))));
  });

  test.each(["", "0x", "0x01", "0x0f", "0x0100000000000000000000000000000005ff", "0x0bffffffff", "0x0cffffffff", "0x02ffffffff00", `0x${"0a".repeat(200)}03`, "zz"])(
    "%s cannot be decoded",
    (hex) => expect(() => decode(hex)).toThrow(),
  );

  /** Returns a value in the API's text form. */
  function textOf(value) {
    switch (value.kind) {
      case "int":
        return String(value.number);
      case "uint":
        return `u${value.number}`;
      case "bool":
        return String(value.truth);
      case "none":
        return "none";
      case "buffer":
        return hexOf(value.bytes);
      case "principal":
        return `'${principalText(value)}`;
      case "some":
      case "ok":
      case "err":
        return `(${value.kind} ${textOf(value.inner)})`;
      case "list":
        return `(list${value.items.map((item) => ` ${textOf(item)}`).join("")})`;
      case "tuple":
        return `(tuple${value.fields.map(([name, field]) => ` (${name} ${textOf(field)})`).join("")})`;
      default:
        return valueText(decodeValue(Buffer.from(encode(value))));
    }
  }
});

test.each([
  ["0", "0 STX"],
  ["1", "0.000001 STX"],
  ["1500000", "1.5 STX"],
  ["-1234567000000", "−1\u202f234\u202f567 STX"],
  ["340282366920938463463374607431768211455", "340\u202f282\u202f366\u202f920\u202f938\u202f463\u202f463\u202f374\u202f607\u202f431\u202f768.211455 STX"],
])("%s µSTX is written in STX", (ustx, text) => expect(stx(ustx)).toBe(text));

test.each([
  "uint128",
  "int128",
  "bool",
  "principal",
  "none",
  { buffer: { length: 32 } },
  { "string-ascii": { length: 5 } },
  { optional: { list: { type: "int128", length: 3 } } },
  { response: { ok: "bool", error: { "string-utf8": { length: 7 } } } },
])("the type %j is written as in the devnet", (type) => expect(typeText(type)).toBe(ourTypeText(type)));

test.each([
  ["http://localhost:3999/", "http://localhost:3999"],
  ["localhost:3999", "http://localhost:3999"],
  ["api.testnet.hiro.so", "https://api.testnet.hiro.so"],
  ["https://node.example/stacks/", "https://node.example/stacks"],
  ["", null],
  ["http://", null],
  ["not a url", null],
  ["javascript:alert(1)", null],
])("the base URL of the API at %s", (text, url) => expect(baseUrl(text)).toBe(url));
