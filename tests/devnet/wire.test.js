// The devnet's transaction parser, tested with transactions of third parties and against stacks.js.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { deserializeTransaction } from "@stacks/transactions";
import { describe, expect, test } from "vitest";

import { decodeArgument, decodeValue, DecodeError, valueText } from "../../devnet/clarity/value.js";
import { buildPublish, buildTransfer } from "../../devnet/wire/builder.js";
import { sha512_256 } from "../../devnet/wire/hash.js";
import { blanked, SignatureError, verifySignatures } from "../../devnet/wire/signatures.js";
import { parseTransaction } from "../../devnet/wire/transaction.js";

const vectors = (name) => JSON.parse(readFileSync(fileURLToPath(new URL(`../vectors/${name}.json`, import.meta.url)), "utf8"));
const bytes = (hex) => Buffer.from(hex.replace(/^0x/, ""), "hex");

describe("transactions signed by stacks.js, with all hash modes, conditions and payloads", () => {
  for (const vector of vectors("oracle_signed_txs").vectors) {
    test(vector.name, () => {
      const transaction = parseTransaction(bytes(vector.raw_tx));
      expect(transaction.txid).toBe(vector.txid);
      expect(sha512_256(...blanked(transaction)).toString("hex")).toBe(vector.initial_sighash);
      if (vector.name.includes("before sponsor")) {
        expect(() => verifySignatures(transaction)).toThrow(SignatureError);
      } else {
        verifySignatures(transaction);
      }
    });
  }
});

test("transactions of real networks are parsed and verified", () => {
  const { transactions } = vectors("transactions_real");
  expect(transactions.length).toBeGreaterThan(100);
  for (const { raw_tx: raw, txid } of transactions) {
    const transaction = parseTransaction(bytes(raw));
    expect(`0x${transaction.txid}`).toBe(txid);
    verifySignatures(transaction);
  }
});

test("the fields have the values that stacks.js decodes", () => {
  for (const { raw_tx: raw } of [...vectors("oracle_signed_txs").vectors, ...vectors("transactions_real").transactions]) {
    const ours = parseTransaction(bytes(raw));
    const theirs = deserializeTransaction(bytes(raw));
    expect(ours.chainId).toBe(theirs.chainId);
    expect(ours.version).toBe(theirs.transactionVersion);
    expect(ours.postConditionMode).toBe(theirs.postConditionMode);
    expect(ours.postConditions.length).toBe(theirs.postConditions.values.length);
    for (const [own, their] of [
      [ours.origin, theirs.auth.spendingCondition],
      ...(ours.sponsor ? [[ours.sponsor, theirs.auth.sponsorSpendingCondition]] : []),
    ]) {
      expect([own.nonce, own.fee, own.hashMode]).toEqual([their.nonce, their.fee, their.hashMode]);
      expect(own.hash160.toString("hex")).toBe(their.signer);
    }
    const { payload } = theirs;
    if (ours.payload.type === "token_transfer") {
      expect(ours.payload.amount).toBe(payload.amount);
      expect(ours.payload.recipient).toBe(payload.recipient.value);
    } else if (ours.payload.type === "contract_call") {
      expect(ours.payload.functionName).toBe(payload.functionName.content);
      expect(ours.payload.args.length).toBe(payload.functionArgs.length);
    } else if (ours.payload.type === "smart_contract") {
      expect(ours.payload.code).toBe(payload.codeBody.content);
      expect(ours.payload.clarityVersion).toBe(payload.clarityVersion ?? null);
    }
  }
});

test("a change of any byte of a signed transaction is detected", () => {
  const raw = bytes(vectors("oracle_signed_txs").vectors.find(({ name }) => name.startsWith("contract call all")).raw_tx);
  let noticed = 0;
  for (let offset = 0; offset < raw.length; offset++) {
    const damaged = Buffer.from(raw);
    damaged[offset] ^= 0x01;
    try {
      verifySignatures(parseTransaction(damaged));
    } catch (error) {
      if (!(error instanceof DecodeError || error instanceof SignatureError)) throw error;
      noticed += 1;
    }
  }
  expect(noticed).toBe(raw.length);
});

test("values have the same text as in the API", () => {
  for (const { hex, repr } of vectors("clarity_values").real) expect(valueText(decodeValue(bytes(hex)))).toBe(repr);
});

test("values of the VM and of a node's tests are decoded, and invalid ones rejected", () => {
  const { vm, node_tests: nodeTests } = vectors("clarity_values");
  for (const { hex } of vm) decodeValue(bytes(hex));
  for (const { hex, expect: expected } of nodeTests) {
    if (expected.startsWith("ERR")) expect(() => decodeValue(bytes(hex))).toThrow(DecodeError);
    else if (!expected.includes("principal")) expect(valueText(decodeValue(bytes(hex)), "node")).toBe(expected);
  }
});

test.each([
  ["0a".repeat(15) + "09", true],
  ["0a".repeat(16) + "09", false],
  ["0c00000002016103016104", false], // the same key twice
  ["0c00000002016203016104", false], // keys out of order
  ["0c00000002014203016104", true], // B before a: ordered by bytes
  ["0d00000001ff", false],
  ["0e00000001ff", false],
  ["0300", false],
  ["051e" + "00".repeat(20), true],
  ["0520" + "00".repeat(20), false],
])("value %s is canonical: %s", (hex, good) => {
  if (good) decodeArgument(bytes(hex));
  else expect(() => decodeArgument(bytes(hex))).toThrow(DecodeError);
});

test("stacks.js verifies the devnet's own signatures", () => {
  const terms = { privateKey: Buffer.alloc(32, 7), nonce: 5n, fee: 0n };
  const raws = [
    buildTransfer({ ...terms, recipient: "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM", amount: 123n }),
    buildTransfer({ ...terms, recipient: "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.pool", amount: 123n }),
    buildPublish({ ...terms, name: "some", code: "(print u1)\n", clarityVersion: 4 }),
  ];
  for (const raw of raws) {
    const theirs = deserializeTransaction(raw);
    theirs.verifyOrigin();
    expect(theirs.txid()).toBe(parseTransaction(raw).txid);
    expect(theirs.auth.spendingCondition.fee).toBe(BigInt(raw.length));
  }
});
