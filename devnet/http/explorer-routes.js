/** The explorer: a page at `/` for browsers, and its files. Other clients get a node's response. */
import { readdirSync, readFileSync } from "node:fs";
import { extname } from "node:path";

const FOLDER = new URL("../explorer/", import.meta.url);
const PAGE = "index.html";
/** @type {Record<string, string>} */
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};
/** Only its own files may be loaded. It may send requests to any API, since users can select one. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self' http: https: ws: wss:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");
const HEADERS = {
  "content-security-policy": POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-cache",
  vary: "accept",
};

/** @param {import("fastify").FastifyInstance} server */
export async function explorerRoutes(server) {
  server.addHook("onRoute", (route) => {
    route.config = { ...route.config, cors: false };
  });
  const names = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((name) => extname(name) in TYPES);
  for (const name of names) {
    const content = readFileSync(new URL(name, FOLDER));
    /** @param {import("fastify").FastifyReply} reply */
    const send = (reply) => reply.headers(HEADERS).type(TYPES[extname(name)]).send(content);
    if (name !== PAGE) server.get(`/explorer/${name}`, (_request, reply) => send(reply));
    else server.get("/", (request, reply) => (request.headers.accept?.includes("text/html") ? send(reply) : reply.callNotFound()));
  }
}
