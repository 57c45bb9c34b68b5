/** The explorer: connects to the API, shows the page named in the address, and keeps it up to date. */
import { ApiError, baseUrl } from "./api.js";
import { Chain } from "./chain.js";
import { h } from "./dom.js";
import { count } from "./format.js";
import { link } from "./links.js";
import { Live } from "./live.js";
import { currentPlace, placeOf } from "./location.js";
import { search } from "./search.js";
import { accountsView } from "./views/accounts.js";
import { blockView, blocksView } from "./views/blocks.js";
import { contractView, contractsView } from "./views/contracts.js";
import { overviewView } from "./views/overview.js";
import { principalView } from "./views/principal.js";
import { transactionView, transactionsView } from "./views/transactions.js";

/**
 * @typedef {object} View
 * @property {string} title
 * @property {(Node | string)[]} content
 * @property {() => Promise<unknown>} [refresh] brings it up to date
 *
 * @typedef {(chain: Chain, ...path: string[]) => Promise<View>} MakeView
 */

/** @type {Record<string, MakeView>} views by the first part of the path */
const VIEWS = {
  "": overviewView,
  blocks: blocksView,
  block: blockView,
  txs: transactionsView,
  tx: transactionView,
  accounts: accountsView,
  account: principalView,
  contracts: contractsView,
  contract: contractView,
  search,
};

/** @type {[string, string, string[]][]} path, text, and the first parts of paths that belong to it */
const PAGES = [
  ["", "Overview", [""]],
  ["blocks", "Blocks", ["blocks", "block"]],
  ["txs", "Transactions", ["txs", "tx"]],
  ["accounts", "Accounts", ["accounts", "account"]],
  ["contracts", "Contracts", ["contracts", "contract"]],
];

/** @template {HTMLElement} T @param {string} id @returns {T} */
const byId = (id) => /** @type {T} */ (document.getElementById(id));
/** @type {HTMLFormElement} */
const searchForm = byId("search");
/** @type {HTMLFormElement} */
const apiForm = byId("api");

/** @type {Promise<Chain> | null} */
let opened = null;
let openedUrl = "";
/** @type {Live | null} */
let live = null;
/** @type {View | null} */
let shown = null;
/** The page requested last: one that arrives late is not shown. */
let turn = 0;

/** @param {string} url @returns {Promise<Chain>} */
function chainAt(url) {
  if (url !== openedUrl) {
    openedUrl = url;
    live?.close();
    live = null;
    opened = Chain.open(url);
    opened.then(
      ({ api }) => {
        if (openedUrl === url) live = new Live(api, onState);
      },
      () => {
        openedUrl = "";
      },
    );
  }
  return /** @type {Promise<Chain>} */ (opened);
}

/** @param {{tip: import("./answers.js").Block | null, isLive: boolean, hasChanged: boolean}} state */
function onState({ tip, isLive, hasChanged }) {
  const text = tip ? `Block ${count(tip.height)}` : "No response";
  const state = tip ? (isLive ? "live" : "asking") : "away";
  byId("tip").replaceChildren(h("span", { class: `dot ${state}`, title: isLive ? "Live" : "Not live" }), text);
  if (hasChanged) shown?.refresh?.().catch(() => undefined);
}

async function show() {
  const mine = ++turn;
  const { path, api } = currentPlace();
  const [first = "", ...rest] = path;
  byId("nav").replaceChildren(...navigation(first));
  byId("tip").setAttribute("href", placeOf(["blocks"]));
  /** @type {HTMLAnchorElement} */ (document.querySelector(".brand")).href = placeOf([]);
  apiForm.url.value = api;
  apiForm.own.hidden = api === location.origin;
  const page = byId("page");
  page.setAttribute("aria-busy", "true");
  shown = null;
  let view;
  try {
    const chain = await chainAt(api);
    const make = Object.hasOwn(VIEWS, first) ? VIEWS[first] : undefined;
    view = make ? await make(chain, ...rest) : problemView("Page not found", "Search for something, or start with the overview.");
  } catch (error) {
    view = viewOfError(error);
  }
  if (mine !== turn) return;
  page.removeAttribute("aria-busy");
  document.title = `${view.title} · Explorer`;
  page.replaceChildren(...view.content);
  page.dataset.page = first || "overview";
  shown = view;
  const target = document.querySelector("[data-target]");
  if (target) target.scrollIntoView({ block: "center" });
  else scrollTo(0, 0);
}

/** @param {string} first the first part of the path */
function navigation(first) {
  return PAGES.map(([path, text, own]) => {
    const item = link(path ? [path] : [], text);
    if (own.includes(first)) item.setAttribute("aria-current", "page");
    return item;
  });
}

/** @param {unknown} error @returns {View} */
function viewOfError(error) {
  if (!(error instanceof ApiError)) {
    console.error(error);
    return problemView("The page could not be shown", String(error));
  }
  if (error.status === 0) return problemView("No response", `${error.message}. Is it running, and does it allow requests from web pages?`);
  return problemView(error.status === 404 ? "Not found" : "The API refused the request", error.message);
}

/** @param {string} title @param {string} text @returns {View} */
function problemView(title, text) {
  return { title, content: [h("section", { class: "card notice", role: "alert" }, h("h1", {}, title), h("p", {}, text))] };
}

searchForm.addEventListener("submit", (event) => {
  event.preventDefault();
  const query = searchForm.query.value.trim();
  if (query) location.hash = placeOf(["search", query]);
  searchForm.query.blur();
});

apiForm.addEventListener("submit", (event) => {
  event.preventDefault();
  const url = baseUrl(apiForm.url.value.trim());
  apiForm.url.setCustomValidity(url ? "" : "Enter the URL of an API, such as https://api.testnet.hiro.so");
  if (url) location.hash = placeOf([], url);
  else apiForm.url.reportValidity();
});
apiForm.url.addEventListener("input", () => apiForm.url.setCustomValidity(""));
apiForm.own.addEventListener("click", () => (location.hash = placeOf([], location.origin)));

addEventListener("hashchange", show);
show();
