/** Long histories: their data is on disk, and their indexes need a few bytes per transaction. */
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { Archive } from "../../devnet/chain/archive.js";
import { Blocks } from "../../devnet/chain/blocks.js";
import { TransactionIndex } from "../../devnet/chain/transaction-index.js";

const txidOf = () => randomBytes(32).toString("hex");

test("an archive returns bytes from its file, from its memory, and across both", () => {
  const archive = new Archive();
  const written = randomBytes(3_000_000);
  for (let offset = 0; offset < written.length; offset += 70_000) {
    expect(archive.append(written.subarray(offset, offset + 70_000))).toBe(offset);
  }
  for (const [offset, length] of [[0, 3_000_000], [1_900_000, 400_000], [2_099_990, 20], [2_999_999, 1], [5, 0]]) {
    expect(archive.read(offset, length).equals(written.subarray(offset, offset + length))).toBe(true);
  }
  archive.cut(1_000_000);
  const after = randomBytes(1_500_000);
  archive.append(after);
  expect(archive.length).toBe(2_500_000);
  expect(archive.read(999_990, 20).equals(Buffer.concat([written.subarray(999_990, 1_000_000), after.subarray(0, 10)]))).toBe(true);
  archive.close();
});

test("transactions are found by txid among thousands, but not after they were cut off", () => {
  const index = new TransactionIndex();
  const txids = Array.from({ length: 5_000 }, txidOf);
  txids.forEach((txid, number) => index.add(txid, { offset: number * 2 ** 33, height: number + 7 }));
  txids.forEach((txid, number) => {
    expect(index.candidates(txid)).toEqual([number]);
    expect(index.at(number)).toEqual({ offset: number * 2 ** 33, height: number + 7 });
  });
  index.cut(1_000);
  expect(txids.filter((txid) => index.candidates(txid).length > 0)).toEqual(txids.slice(0, 1_000));
  const others = Array.from({ length: 3_000 }, txidOf);
  others.forEach((txid) => index.add(txid, { offset: 1, height: 1 }));
  expect(index.count).toBe(4_000);
  others.forEach((txid, number) => expect(index.candidates(txid)).toEqual([1_000 + number]));
  expect(txids.slice(1_000).flatMap((txid) => index.candidates(txid))).toEqual([]);
});

test("all transactions whose txids begin the same are returned", () => {
  const index = new TransactionIndex();
  for (const end of ["00", "11", "22"]) index.add(`${"ab".repeat(31)}${end}`, { offset: 0, height: 1 });
  expect(index.candidates(`${"ab".repeat(31)}11`)).toEqual([0, 1, 2]);
  expect(index.candidates("ac".repeat(32))).toEqual([]);
  index.cut(1);
  expect(index.candidates("ab".repeat(32))).toEqual([0]);
});

test("blocks are found by height and hash, even among more than are read at once", () => {
  const blocks = new Blocks();
  for (let height = 3; height < 15_003; height++) blocks.add({ height, burnHeight: 1, time: 10 * height }, height, [txidOf()]);
  for (const height of [3, 4_098, 4_099, 9_000, 15_002]) {
    const block = blocks.atHeight(height);
    expect(block).toMatchObject({ height, time: 10 * height, firstTransaction: height, transactionCount: 1 });
    expect(blocks.withHash(block.hash)).toEqual(block);
    expect(blocks.withHash(block.indexHash)).toEqual(block);
  }
  const gone = blocks.atHeight(10_000);
  blocks.cut(5_000);
  expect(blocks.tip.height).toBe(5_002);
  expect(blocks.withHash(gone.hash)).toBeUndefined();
  expect(blocks.atHeight(10_000)).toBeUndefined();
  blocks.close();
});
