/** The HTTP server: routes, limits, and errors in the form of the node or the API. */
import { STATUS_CODES } from "node:http";
import cors from "@fastify/cors";
import fastify from "fastify";
import { Rejection } from "../chain/rejection.js";
import { DecodeError } from "../clarity/value.js";
import { apiRoutes } from "./api-routes.js";
import { apiV3Lists } from "./api-v3-lists.js";
import { apiV3Routes } from "./api-v3-routes.js";
import { explorerRoutes } from "./explorer-routes.js";
import { controlRoutes } from "./control-routes.js";
import { RequestError } from "./errors.js";
import { MAX_BODY_BYTES } from "./node-requests.js";
import { nodeRoutes } from "./node-routes.js";
import { serveSocket } from "./socket.js";

/** For bodies that a node does not limit: a transaction of 2 MiB as hex in JSON, with a margin. */
const BODY_LIMIT = 5 * 1024 * 1024;
/** The total size of bodies being received, except small ones such as transactions, so that clients cannot fill the memory. */
const LARGE_BODIES_LIMIT = 128 * 1024 * 1024;
const LARGE_BODY = 16 * 1024;
const MAX_PATH_PARAMETER = 300;
const KEEP_ALIVE_MILLISECONDS = 5 * 60_000;
/** Sent with each response of the API; the devnet's version is not an API version. */
const API_HEADERS = { "x-api-version": "der-client devnet", "cache-control": "no-store" };
const REQUEST_MILLISECONDS = 60_000;

/**
 * @param {import("../devnet.js").Devnet} devnet
 * @param {{control: boolean, controlToken?: string | null, host: string, paths?: Map<string, string>}} options control:
 *   whether /devnet may change things, for requests to this host, an IP address or localhost, and with the token, if
 *   there is one; paths: the files of the project's contracts, by contract id
 */
export function createServer(devnet, { control, controlToken = null, host, paths = new Map() }) {
  const server = fastify({
    bodyLimit: BODY_LIMIT,
    routerOptions: { maxParamLength: MAX_PATH_PARAMETER },
    keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
    requestTimeout: REQUEST_MILLISECONDS,
    forceCloseConnections: true,
    rewriteUrl: ({ url = "/" }) => withoutTrailingSlash(url),
    // For paths that are refused before any route sees them.
    frameworkErrors: (error, request, reply) => answerError(error, request.url, /** @type {import("fastify").FastifyReply} */ (reply)),
  });
  server.removeContentTypeParser("text/plain"); // neither the node nor the API accepts plain text
  server.setErrorHandler((error, request, reply) => answerError(/** @type {import("fastify").FastifyError} */ (error), request.url, reply));
  server.setNotFoundHandler((request, reply) => {
    const { method, url } = request;
    if (isApiPath(url)) reply.code(404).send(apiError(404, `Route ${method}:${url.slice(0, 200)} not found`));
    else if (isControlPath(url)) reply.code(404).send({ error: `cannot ${method} ${url.slice(0, 200)}` });
    else reply.code(404).type("text/plain").send("No such file or directory");
  });
  limitLargeBodies(server);
  server.addHook("onRequest", (_request, _reply, done) => {
    if (!devnet.forking) return done();
    devnet.forking.catch(() => undefined).then(() => done()); // the request for the fork reports why it failed
  });
  // Any web page may use the API and, through it, the node, but not the control endpoints.
  server.register(cors, { exposedHeaders: ["X-API-Version"] });
  server.register(nodeRoutes, { devnet });
  server.register(async (api) => {
    api.addHook("preHandler", (_request, reply, done) => {
      reply.headers(API_HEADERS);
      done();
    });
    api.register(apiRoutes, { devnet });
    api.register(apiV3Routes, { devnet });
    api.register(apiV3Lists, { devnet });
  });
  server.register(explorerRoutes);
  server.register(controlRoutes, { devnet, control, controlToken, host, paths });
  serveSocket(server, devnet.chain);
  return server;
}

/** @param {import("fastify").FastifyInstance} server */
function limitLargeBodies(server) {
  let taken = 0;
  server.addHook("onRequest", ({ headers }, reply, done) => {
    const told = headers["transfer-encoding"] === undefined ? Number(headers["content-length"] ?? 0) : BODY_LIMIT;
    if (told < LARGE_BODY) return done();
    const length = Math.min(told, MAX_BODY_BYTES);
    if (taken + length > LARGE_BODIES_LIMIT) return done(new RequestError(503, "too many large requests at once; try again later"));
    taken += length;
    reply.raw.once("close", () => {
      taken -= length;
    });
    done();
  });
}

/** @param {string} url */
function isApiPath(url) {
  return url.startsWith("/extended");
}

/** @param {string} url */
function isControlPath(url) {
  return url.startsWith("/devnet");
}

/** @param {string} url @returns {string} the URL without a slash at the end of its path, which the API ignores; a node does not */
function withoutTrailingSlash(url) {
  if (!isApiPath(url)) return url;
  const query = url.indexOf("?");
  const end = query < 0 ? url.length : query;
  return url[end - 1] === "/" ? url.slice(0, end - 1) + url.slice(end) : url;
}

/** @param {number} statusCode @param {string} message @returns {object} the error in the API's form */
function apiError(statusCode, message) {
  return { statusCode, error: STATUS_CODES[statusCode], message };
}

/** @param {Error & {statusCode?: number, retryAfterSeconds?: number, body?: object}} error @param {string} url @param {import("fastify").FastifyReply} reply */
function answerError(error, url, reply) {
  const expected = error instanceof DecodeError || error instanceof Rejection;
  const status = error.statusCode ?? (expected ? 400 : 500);
  if (error.statusCode === undefined && status >= 500) process.stderr.write(`${url}: ${error.stack}\n`);
  const message = error.statusCode === undefined && status >= 500 ? `the devnet failed: ${error.message}` : error.message;
  if (error.retryAfterSeconds !== undefined) reply.header("retry-after", String(error.retryAfterSeconds));
  if (isApiPath(url)) reply.code(status).send(apiError(status, message));
  else if (isControlPath(url)) reply.code(status).send(error.body ?? { error: message });
  else reply.code(status).type("text/plain").send(message);
}
