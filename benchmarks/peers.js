/**
 * The peers of der-client in JavaScript, driven by `peers.py`: a line of JSON in, a line of JSON out.
 *
 * {"prepare": name, "inputs": {…}} → {"id"}; {"time": id, "times": n} → {"seconds"};
 * {"result": id, "number": i} → {"result"}; {"serve": {"METHOD path": JSON}} → {"url"}
 */
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import codec from "@hirosystems/stacks-encoding-native-js";
import {
  Cl,
  cvToString,
  deserializeCV,
  deserializeTransaction,
  makeContractCall,
  PostConditionMode,
  serializeCVBytes,
} from "@stacks/transactions";

/**
 * What can be timed: each takes the inputs and gives `run`, which does it once, and `describe`, which turns what that
 * gave into JSON that can be compared.
 */
const works = {
  "stacks.js build": ({ contract, functionName, fee, senderKey, calls }) => {
    const [contractAddress, contractName] = contract.split(".");
    return {
      isAsync: true,
      run: async (number) => {
        const { assetId, day, wh, beneficiary } = calls[number % calls.length];
        const transaction = await makeContractCall({
          contractAddress,
          contractName,
          functionName,
          functionArgs: [Cl.uint(assetId), Cl.uint(day), Cl.uint(wh), Cl.principal(beneficiary)],
          senderKey,
          nonce: number,
          fee,
          network: "devnet",
          postConditionMode: PostConditionMode.Deny,
          postConditions: [],
        });
        return transaction.serialize();
      },
      describe: (raw) => raw,
    };
  },

  "stacks.js decode transaction": ({ transactions }) => {
    const inputs = transactions.map(bytes);
    return {
      run: (number) => {
        const transaction = deserializeTransaction(inputs[number % inputs.length]);
        return { transaction, txid: transaction.txid() };
      },
      describe: ({ transaction: { payload, auth }, txid }) => ({
        txid,
        function: payload.functionName.content,
        arguments: payload.functionArgs.map((value) => asNode(cvToString(value))),
        nonce: Number(auth.spendingCondition.nonce),
      }),
    };
  },

  "Rust decode transaction": ({ transactions }) => {
    const inputs = transactions.map(bytes);
    return {
      run: (number) => codec.decodeTransaction(inputs[number % inputs.length]),
      describe: ({ tx_id, payload, auth }) => ({
        txid: tx_id.slice(2),
        function: payload.function_name,
        arguments: payload.function_args.map(({ repr }) => asNode(repr)),
        nonce: Number(auth.origin_condition.nonce),
      }),
    };
  },

  "stacks.js decode value": ({ values }) => {
    const inputs = values.map(bytes);
    return { run: (number) => deserializeCV(inputs[number % inputs.length]), describe: (value) => asNode(cvToString(value)) };
  },

  "Rust decode value": ({ values }) => {
    const inputs = values.map(bytes);
    return {
      run: (number) => codec.decodeClarityValue(inputs[number % inputs.length]),
      describe: ({ repr }) => asNode(repr),
    };
  },

  "stacks.js encode value": ({ values }) => {
    const inputs = values.map((value) => deserializeCV(bytes(value)));
    return {
      run: (number) => serializeCVBytes(inputs[number % inputs.length]),
      describe: (raw) => Buffer.from(raw).toString("hex"),
    };
  },
};

/** The node writes no `list` and no apostrophe before principals; no text among the inputs holds either. */
const asNode = (text) => text.replaceAll("(list ", "(").replaceAll("'", "");

const bytes = (hex) => Buffer.from(hex, "hex");

/** What was computed last is kept here, so that no engine finds out that nobody needs it. */
let kept;

async function time({ run, isAsync = false }, times) {
  const started = process.hrtime.bigint();
  if (isAsync) for (let number = 0; number < times; number++) kept = await run(number);
  else for (let number = 0; number < times; number++) kept = run(number);
  return Number(process.hrtime.bigint() - started) / 1e9;
}

/** @param {Record<string, unknown>} answers @returns {Promise<string>} */
function serve(answers) {
  const bodies = new Map(Object.entries(answers).map(([route, answer]) => [route, JSON.stringify(answer)]));
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      const body = bodies.get(`${request.method} ${request.url}`);
      response.writeHead(body === undefined ? 404 : 200, { "content-type": "application/json" });
      response.end(body ?? '{"error":"not found"}');
    });
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}`));
  });
}

const prepared = [];

async function answer(request) {
  if (request.prepare !== undefined) {
    const prepare = works[request.prepare];
    if (!prepare) throw new Error(`no such work: ${request.prepare}`);
    return { id: prepared.push(prepare(request.inputs)) - 1 };
  }
  if (request.time !== undefined) return { seconds: await time(prepared[request.time], request.times) };
  if (request.result !== undefined) {
    const work = prepared[request.result];
    return { result: work.describe(await work.run(request.number)) };
  }
  return { url: await serve(request.serve) };
}

for await (const line of createInterface({ input: process.stdin })) {
  let reply;
  try {
    reply = await answer(JSON.parse(line));
  } catch (error) {
    reply = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
process.exit(0);
