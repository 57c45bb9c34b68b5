// Parsing the VM's traces and costs of calls, and finding functions in a source.
import { describe, expect, test } from "vitest";

import { Coverage, lcov } from "../../devnet/tracing/coverage.js";
import { parseFolded } from "../../devnet/tracing/folded.js";
import { functionAt, functionsOf } from "../../devnet/tracing/source.js";
import { parseTrace } from "../../devnet/tracing/trace-text.js";

const A = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM";
const SOURCE = `;; (define-public (not-this) (ok u1))
(define-constant TEXT "a ) \\" ; b")
(define-private (add (n uint))
  (+ n
     (* u2 n)))
(define-public (g (n uint) (who principal))
  (let ((a (add n))
        (b u1)
        (c
          (- n u1)))
    (asserts! (> n u1)
      (err u1))
    (ok { a: a,
          b: (+ b c) })))
(define-read-only (never) (tuple (x u1)
  (y (list u1))))
`;

test("functions are found with their lines that have evaluated expressions", () => {
  const functions = functionsOf(SOURCE);
  expect(functions).toEqual([
    { name: "add", line: 3, end: 5, lines: [4, 5] },
    { name: "g", line: 6, end: 14, lines: [7, 10, 11, 12, 13, 14] },
    { name: "never", line: 15, end: 16, lines: [15, 16] },
  ]);
  expect([1, 2, 3, 5, 9, 17].map((line) => functionAt(functions, line))).toEqual([undefined, undefined, "add", "add", "g", undefined]);
  expect(functionsOf("((( not closed")).toEqual([]);
});

const TRACE = `├── ( contract-call? ${A}.d h n "( x )  d:1:1" )  c:6:18
│   │ ↳ args: u9, "( x )  d:1:1"
│   ├── ( half n )  d:3:38
│   │   │ ↳ args: u9
│   │   └── u4
│   │ ✸ print event: (tuple (at u4))
│   └── (ok u4)
├── ( contract-call? who h n )  c:7:21
│   │ ↳ callee: (${A}.e as <${A}.d.t>)
│   │ ↳ args: u9
Error: Runtime error while interpreting ${A}.c`;

test("a trace is parsed as a tree of calls", () => {
  const call = parseTrace(TRACE, { contract: `${A}.c`, function: "g", args: "u9" });
  expect(call).toMatchObject({ contract: `${A}.c`, function: "g", at: null, args: "u9", result: null, events: [] });
  expect(call.calls).toEqual([
    {
      contract: `${A}.d`,
      function: "h",
      expression: `(contract-call? ${A}.d h n "( x )  d:1:1")`,
      at: { contract: `${A}.c`, line: 6, column: 18 },
      args: 'u9, "( x )  d:1:1"',
      result: "(ok u4)",
      events: ["print event: (tuple (at u4))"],
      runtime: 0,
      calls: [
        {
          contract: `${A}.d`,
          function: "half",
          expression: "(half n)",
          at: { contract: `${A}.d`, line: 3, column: 38 },
          args: "u9",
          result: "u4",
          events: [],
          runtime: 0,
          calls: [],
        },
      ],
    },
    {
      contract: `${A}.e`,
      function: "h",
      expression: "(contract-call? who h n)",
      at: { contract: `${A}.c`, line: 7, column: 21 },
      args: "u9",
      result: null,
      events: [],
      runtime: 0,
      calls: [],
    },
  ]);
});

test("text that is not a trace has no calls", () => {
  expect(parseTrace("", { contract: "c", function: "f", args: null }).calls).toEqual([]);
  expect(parseTrace("│   │   │   └── u4\n├── nonsense", { contract: "c", function: "f", args: null }).result).toBeNull();
});

const FOLDED = `${A}.c:contract-loading-cost 262
${A}.c;${A}.c:g:let:7:3;${A}.c:g:add:7:12;${A}.c:g:+:4:3;${A}.c:g:4:6 1
${A}.c;${A}.c:g:let:7:3;${A}.c:g:add:7:12;${A}.c:g:+:4:3 100
${A}.c;${A}.c:g:let:7:3;${A}.c:g:add:7:12 20
${A}.c;${A}.c:g:let:7:3 3
${A}.contract-1:stx-transfer?:1:1;${A}.contract-1:1:16 0
`;

test("stacks are parsed with their costs", () => {
  const stacks = [...parseFolded(FOLDED)];
  expect(stacks.map(({ frames, cost }) => [frames.length, cost])).toEqual([
    [4, 1],
    [3, 100],
    [2, 20],
    [1, 3],
    [2, 0],
  ]);
  expect(stacks[0].frames[3]).toEqual({ contract: `${A}.c`, line: 4, column: 6 });
});

describe("coverage", () => {
  const coverage = new Coverage((id) => (id === `${A}.c` ? SOURCE : undefined));
  coverage.add(FOLDED);
  coverage.add(FOLDED);

  test("costs are added up by function and line, once for each stack that contains them", () => {
    expect(coverage.toJson()).toEqual({
      [`${A}.c`]: {
        functions: { g: { calls: 2, self: 46, total: 248 }, add: { calls: 2, self: 202, total: 202 } },
        lines: { 7: { calls: 2, self: 46, total: 248 }, 4: { calls: 2, self: 202, total: 202 } },
      },
    });
  });

  test("is written as an LCOV report", () => {
    const report = lcov(coverage.toJson(), [{ path: "contracts/c.clar", contractId: `${A}.c`, source: SOURCE }]);
    expect(report.split("\n")).toEqual([
      "TN:",
      "SF:contracts/c.clar",
      "FN:3,add",
      "FN:6,g",
      "FN:15,never",
      "FNDA:2,add",
      "FNDA:2,g",
      "FNDA:0,never",
      "FNF:3",
      "FNH:2",
      ...[4, 5, 7, 10, 11, 12, 13, 14, 15, 16].map((line) => `DA:${line},${[4, 7].includes(line) ? 2 : 0}`),
      "LF:10",
      "LH:2",
      "end_of_record",
      "",
    ]);
    expect(lcov({}, [{ path: "c.clar", contractId: "other", source: SOURCE }])).toContain("FNH:0");
  });
});
