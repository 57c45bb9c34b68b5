/** The peers of der-client in JavaScript and Rust, and a local node; `peers.py` controls this process. */
import { createServer } from "node:http";
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
import { drive } from "./driver.js";

/**
 * The work that can be timed: each entry converts the inputs to `run`, which does the work once, and `describe`, which
 * converts its result to comparable JSON.
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
          functionArgs: [Cl.uint(assetId), Cl.uint(day), Cl.uint(wh), Cl.principal(beneficiary), Cl.stringAscii("own use")],
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

/** Removes `list` and the apostrophe before principals, which nodes do not write; no input contains them. */
const asNode = (text) => text.replaceAll("(list ", "(").replaceAll("'", "");

const bytes = (hex) => Buffer.from(hex, "hex");

/**
 * Start a server that keeps connections open and responds at once.
 *
 * @param {Record<string, unknown>} answers responses by "METHOD path"
 * @returns {Promise<string>} its URL
 */
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

await drive(works, { serve });
