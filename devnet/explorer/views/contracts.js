/** Contracts: a devnet's list, and one contract with its source, its history, and its interface, which can be called. */
import { card, copyButton, facts, h, table } from "../dom.js";
import { typeText } from "../format.js";
import { blockLink, identifier, link, principalLink, transactionLink } from "../links.js";
import { offsetList } from "../lists.js";
import { sourceView } from "../source-view.js";
import { readForm } from "../read-form.js";
import { eventView } from "./events.js";
import { holdingsOf } from "./principal.js";

/** @typedef {import("../chain.js").Chain} Chain */
/** @typedef {import("../answers.js").Abi} Abi */
/** @typedef {import("../answers.js").Log} Log */

const TABS = /** @type {const} */ ({ read: "Read", source: "Source", events: "Events", holdings: "Holdings" });

/** @param {Chain} chain @returns {Promise<import("../main.js").View>} */
export async function contractsView(chain) {
  if (!chain.about) {
    const text = "Only a devnet lists its contracts. Search for a contract id to see one.";
    return { title: "Contracts", content: [h("h1", {}, "Contracts"), h("section", { class: "card notice" }, h("p", {}, text))] };
  }
  const place = h("div", { class: "list" });

  async function refresh() {
    const { contracts } = await chain.api.get("/devnet");
    const rows = contracts.map((/** @type {string} */ id) => {
      const [address, name] = id.split(".");
      return [link(["contract", id], name, { class: "name" }), principalLink(chain, address), identifier(id)];
    });
    place.replaceChildren(table(["Contract", "Publisher", "Id"], rows, { empty: "No contracts yet." }));
  }

  await refresh();
  return { title: "Contracts", refresh, content: [h("h1", {}, "Contracts"), card("Published", [place])] };
}

/**
 * @param {Chain} chain
 * @param {string} id
 * @param {string} [tab]
 * @param {string} [line] the number of a line of the source
 * @returns {Promise<import("../main.js").View>}
 */
export async function contractView(chain, id, tab = "read", line = "") {
  const [address, name = ""] = id.split(".");
  const path = `${address}/${name}`;
  const [source, abi] = await Promise.all([
    chain.api.get(`/v2/contracts/source/${path}?proof=0`),
    chain.api.get(`/v2/contracts/interface/${path}`),
  ]);
  const shown = Object.hasOwn(TABS, tab) ? tab : "read";
  const tabs = Object.entries(TABS).map(([key, text]) => {
    const item = link(["contract", id, key], text);
    if (key === shown) item.setAttribute("aria-current", "page");
    return item;
  });
  const { content, refresh } = await tabContent(chain, id, shown, { abi, source: source.source, line: Number(line) });
  return {
    title: name,
    refresh,
    content: [
      h("div", { class: "heading" }, h("h1", {}, name), h("span", { class: "muted" }, "of ", principalLink(chain, address))),
      identifier(id),
      h("nav", { class: "tabs", "aria-label": "Contract" }, ...tabs),
      ...content,
    ],
  };
}

/**
 * @param {Chain} chain
 * @param {string} id
 * @param {string} tab
 * @param {{abi: Abi, source: string, line: number}} contract
 * @returns {Promise<{content: (Node | string)[], refresh?: () => Promise<unknown>}>}
 */
async function tabContent(chain, id, tab, { abi, source, line }) {
  switch (tab) {
    case "source":
      return { content: [...(await publication(chain, id)), card("Source", [sourceView(source, line)], { aside: copyButton(source) })] };
    case "events": {
      const list = await offsetList(chain, `/extended/v2/smart-contracts/${id}/logs`, (logs) => eventTable(chain, logs));
      return {
        content: [card("What it printed, newest first", [list.node], { aside: String(list.total() ?? "") })],
        refresh: list.refresh,
      };
    }
    case "holdings":
      return holdingsOf(chain, id);
    default:
      return { content: interfaceCards(chain, id, abi) };
  }
}

/** @param {Chain} chain @param {string} id @returns {Promise<HTMLElement[]>} the contract's publication; empty for boot contracts */
async function publication(chain, id) {
  if (/^S[TP]0{10}/.test(id)) return [];
  const { tx_id, block_height, clarity_version } = await chain.api.get(`/extended/v1/contract/${id}`);
  return [
    card("Published", [
      facts([
        ["Block", blockLink(block_height)],
        ["Transaction", transactionLink(tx_id)],
        ["Clarity version", clarity_version === null ? null : String(clarity_version)],
      ]),
    ]),
  ];
}

/** @param {Chain} chain @param {Log[]} logs */
function eventTable(chain, logs) {
  if (logs.length === 0) return h("p", { class: "empty" }, "It has printed nothing yet.");
  const item = (/** @type {Log} */ log) => {
    const view = eventView(chain, log);
    view.append(
      h(
        "div",
        { class: "muted" },
        transactionLink(log.tx_id),
        log.block_height === undefined ? null : ", block ",
        log.block_height === undefined ? null : blockLink(log.block_height),
      ),
    );
    return view;
  };
  return h("ol", { class: "events" }, ...logs.map(item));
}

/** @param {Chain} chain @param {string} id @param {Abi} abi */
function interfaceCards(chain, id, abi) {
  const byAccess = (/** @type {string} */ access) => abi.functions.filter((one) => one.access === access);
  const reads = byAccess("read_only").map((one) => readForm(chain, id, { kind: "function", ...one }));
  const entries = (/** @type {"variable" | "constant"} */ kind) =>
    abi.variables.filter(({ access }) => access === kind).map(({ name, type }) => readForm(chain, id, { kind, name, type }));
  const maps = abi.maps.map((one) => readForm(chain, id, { kind: "map", ...one }));
  const tokens = [
    ...abi.fungible_tokens.map(({ name }) => [h("strong", {}, name), "fungible"]),
    ...abi.non_fungible_tokens.map(({ name, type }) => [h("strong", {}, name), h("code", {}, `non-fungible, of ${typeText(type)}`)]),
  ];
  return [
    section("Read-only functions", reads, "It has no read-only functions."),
    section("Variables", entries("variable"), ""),
    section("Maps", maps, ""),
    tokens.length > 0 ? card("Tokens", [table(["Token", "Kind"], tokens, { empty: "" })]) : null,
    section("Public functions", byAccess("public").map(signatureView), "It has no public functions."),
    section("Constants", entries("constant"), ""),
  ].filter((part) => part !== null);
}

/** @param {string} title @param {HTMLElement[]} items @param {string} empty the text if there are none */
function section(title, items, empty) {
  if (items.length === 0 && empty === "") return null;
  return card(title, items.length > 0 ? items : [h("p", { class: "empty" }, empty)], {
    aside: items.length > 0 ? String(items.length) : null,
  });
}

/** @param {import("../answers.js").AbiFunction} definition the definition of a public function */
function signatureView({ name, args, outputs }) {
  const given = args.flatMap((argument, index) => [
    index > 0 ? ", " : "",
    argument.name,
    " ",
    h("code", { class: "muted" }, typeText(argument.type)),
  ]);
  return h(
    "div",
    { class: "signature" },
    h("strong", {}, name),
    " (",
    ...given,
    ") → ",
    h("code", { class: "muted" }, typeText(outputs.type)),
  );
}
