/**
 * The API's WebSocket, `/extended/v1/ws`: JSON-RPC 2.0 with the methods `subscribe` and `unsubscribe`, and a
 * notification for each event (stacks-blockchain-api v9). subscriptions.js has the possible subscriptions.
 */
import { WebSocketServer } from "ws";
import { invalidParams, RpcError, Subscriptions } from "./subscriptions.js";

/** @typedef {import("ws").WebSocket} Socket */
/** @typedef {import("./subscriptions.js").Params} Params */
/** @typedef {(method: "subscribe" | "unsubscribe", params: Params) => object} Call */
/** @typedef {{id?: string | number, method: string, params?: Params}} RpcRequest */

const PATH = "/extended/v1/ws";
const MAX_MESSAGE_BYTES = 256 * 1024;
/** A client that reads too slowly is disconnected, as by the API. */
const MAX_UNSENT_BYTES = 16 * 1024 * 1024;
const MAX_SOCKETS = 1000;
/** A socket that has not answered a ping when the next one is due is considered dead. */
const PING_MILLISECONDS = 5_000;

/**
 * Serves the socket next to the routes.
 *
 * @param {import("fastify").FastifyInstance} server
 * @param {import("../chain/chain.js").Chain} chain
 */
export function serveSocket(server, chain) {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  const subscriptions = new Subscriptions(chain, deliver);
  /** @type {WeakSet<Socket>} sockets that have answered since the last ping */
  const alive = new WeakSet();

  server.server.on("upgrade", (request, stream, head) => {
    stream.on("error", () => stream.destroy());
    const path = (request.url ?? "").split("?")[0].replace(/\/$/, "");
    if (path !== PATH) return refuse(stream, "404 Not Found");
    if (sockets.clients.size >= MAX_SOCKETS) return refuse(stream, "503 Service Unavailable");
    sockets.handleUpgrade(request, stream, head, (socket) => {
      alive.add(socket);
      socket.on("message", (data, isBinary) => answer(socket, String(data), isBinary));
      socket.on("pong", () => alive.add(socket));
      socket.on("close", () => subscriptions.forget(socket));
      socket.on("error", () => socket.terminate());
    });
  });
  const heartbeat = setInterval(() => {
    for (const socket of sockets.clients) {
      if (alive.delete(socket)) socket.ping();
      else socket.terminate();
    }
  }, PING_MILLISECONDS).unref();
  server.addHook("preClose", async () => {
    clearInterval(heartbeat);
    subscriptions.close();
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
  });

  /** @param {Socket} socket @param {string} text @param {boolean} isBinary */
  function answer(socket, text, isBinary) {
    const reply = isBinary ? failure(null, parseError()) : replyTo(text, (method, params) => subscriptions.change(socket, method, params));
    if (reply !== null) deliver(socket, JSON.stringify(reply));
  }
}

/** @param {Socket} socket @param {string} text */
function deliver(socket, text) {
  if (socket.readyState !== socket.OPEN) return;
  if (socket.bufferedAmount > MAX_UNSENT_BYTES) socket.terminate();
  else socket.send(text);
}

/** @param {import("node:stream").Duplex} stream @param {string} status */
function refuse(stream, status) {
  stream.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

/**
 * @param {string} text one request of JSON-RPC 2.0, or a batch of them
 * @param {Call} call
 * @returns {object | null} the response; null if there must be none
 */
function replyTo(text, call) {
  let message;
  try {
    message = JSON.parse(text);
  } catch {
    return failure(null, parseError());
  }
  if (!Array.isArray(message)) return replyToOne(message, call);
  return message.map((one) => replyToOne(one, call)).filter((reply) => reply !== null);
}

/** @param {unknown} message @param {Call} call @returns {object | null} */
function replyToOne(message, call) {
  if (!isRequest(message)) return failure(null, new RpcError(-32600, "Invalid request"));
  const { id, method, params } = message;
  // A notification: the specification forbids an answer.
  if (id === undefined) return null;
  try {
    if (method !== "subscribe" && method !== "unsubscribe") throw new RpcError(-32601, "Method not found");
    if (typeof params?.event !== "string") throw invalidParams("subscription requests must include an event name");
    return { jsonrpc: "2.0", id, result: call(method, params) };
  } catch (error) {
    if (error instanceof RpcError) return failure(id, error);
    throw error;
  }
}

/** @param {unknown} message @returns {message is RpcRequest} */
function isRequest(message) {
  const { jsonrpc, method, id } = /** @type {Params} */ (message ?? {});
  const idFits = id === undefined || typeof id === "string" || Number.isSafeInteger(id);
  return jsonrpc === "2.0" && typeof method === "string" && idFits;
}

/** @param {string | number | null} id @param {RpcError} error */
function failure(id, { code, message, data }) {
  return { jsonrpc: "2.0", id, error: { message, code, ...(data === undefined ? {} : { data }) } };
}

function parseError() {
  return new RpcError(-32700, "Parse error");
}
