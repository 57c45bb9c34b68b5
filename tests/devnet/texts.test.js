// Texts and bytes of values: literals are compared with Clarinet's VM, memos with the API's own codec.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import codec from "@hirosystems/stacks-encoding-native-js";
import { beforeAll, describe, expect, test } from "vitest";

import { encodeValue } from "../../devnet/clarity/encode.js";
import { decodeLoosely, decodeValue, valueText } from "../../devnet/clarity/value.js";
import { memoText } from "../../devnet/http/present-v3.js";
import { Vm } from "../../devnet/vm/vm.js";

const vectors = JSON.parse(readFileSync(fileURLToPath(new URL("../vectors/clarity_values.json", import.meta.url)), "utf8"));
const MEMO_BYTES = 34;

describe("a literal evaluates to the value that it was created from", () => {
  let vm;
  beforeAll(async () => {
    vm = await Vm.boot({ startTime: 1_800_000_000, balances: new Map() });
  });
  const texts = ['a "quoted" \\ text', "añ😀\n\t", "日本 \\u{41}", ""].map((text) => {
    const utf8 = Buffer.from(text);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(utf8.length);
    return `0e${length.toString("hex")}${utf8.toString("hex")}`;
  });
  test.each([...vectors.vm.map(({ hex }) => hex.replace(/^0x/, "")), ...texts])("%s", (hex) => {
    const literal = valueText(decodeValue(Buffer.from(hex, "hex")), "literal");
    expect(vm.evaluate(literal)).toBe(`0x${hex}`);
  });
});

describe("a value is encoded as it was decoded", () => {
  test.each(vectors.vm.map(({ hex }) => hex.replace(/^0x/, "")))("%s", (hex) => {
    const bytes = Buffer.from(hex, "hex");
    expect(encodeValue(decodeValue(bytes)).toString("hex")).toBe(hex);
    expect(decodeLoosely(Buffer.concat([bytes, Buffer.of(7)])).bytes.toString("hex")).toBe(hex);
  });
});

test("a tuple within a tuple is sorted, too", () => {
  const [one, two] = ["0101".padEnd(2 + 32, "0"), "03"];
  const inner = (first, second) => `0c000000020161${first}015a${second}`; // a, Z
  const outer = (value) => `0c000000020162${value}0141${two}`; // b, A
  const sorted = `0c000000020141${two}01620c00000002015a${two}0161${one}`;
  const { bytes, value } = decodeLoosely(Buffer.from(outer(inner(one, two)), "hex"));
  expect(bytes.toString("hex")).toBe(sorted);
  expect(value).toEqual(decodeValue(bytes));
  expect(() => decodeValue(Buffer.from(outer(inner(one, two)), "hex"))).toThrow("out of order");
  expect(() => decodeLoosely(Buffer.from(`0c0000000301610301620301${"61"}03`, "hex"))).toThrow("same key twice");
});

describe("a memo has the same text as with the API's codec", () => {
  const memos = ["hello", "", "  two   words ", "a\0b", "tab\tand\nline", "é😀", "a\u00a0b\u200bc\u202ed", "a\ufffdb"].map((text) =>
    Buffer.from(text),
  );
  const damaged = [[0xff, 0x61, 0xfe, 0xfe, 0x62], [1, 2, 3], [0xe2, 0x82, 0x61], [0x61, 0xf0, 0x9f, 0x98]].map((bytes) => Buffer.from(bytes));
  test.each([...memos, ...damaged].map((memo) => memo.toString("hex")))("0x%s", (hex) => {
    const memo = Buffer.alloc(MEMO_BYTES);
    memo.set(Buffer.from(hex, "hex"));
    expect(memoText(memo)).toBe(codec.memoToString(`0x${memo.toString("hex")}`));
  });
});
