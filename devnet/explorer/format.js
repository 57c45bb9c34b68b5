/** Amounts, times and ids as people read them. */

const MICRO = 1_000_000n;

/** @param {bigint | number | string} value a whole number @returns {string} the number with separated thousands */
export function count(value) {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

/** @param {string | bigint} ustx µSTX @returns {string} the exact amount in STX, without trailing zeros */
export function stx(ustx) {
  return inStx(ustx, (decimals) => decimals.replace(/0+$/, ""));
}

/** @param {string | bigint} ustx µSTX @returns {string} the amount in STX, with all decimals, so that decimal points are aligned */
export function stxInColumn(ustx) {
  return inStx(ustx, (decimals) => decimals);
}

/** @param {string | bigint} ustx @param {(decimals: string) => string} shown */
function inStx(ustx, shown) {
  const amount = BigInt(ustx);
  const absolute = amount < 0n ? -amount : amount;
  const fraction = shown(String(absolute % MICRO).padStart(6, "0"));
  return `${amount < 0n ? "−" : ""}${count(absolute / MICRO)}${fraction && "."}${fraction} STX`;
}

/** @param {number} seconds unix time @returns {string} the time in UTC */
export function time(seconds) {
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ");
}

/** @param {string} id a hash with 0x, or an address @returns {string} its start and end */
export function short(id) {
  return id.length <= 18 ? id : `${id.slice(0, 8)}…${id.slice(-6)}`;
}

/** @param {string} contractId @returns {string} its name, with the start of its address */
export function shortContract(contractId) {
  const [address, name] = contractId.split(".");
  return `${address.slice(0, 6)}….${name}`;
}

/** @type {Record<string, string>} */
const STATUS_TEXTS = {
  success: "Success",
  pending: "Pending",
  abort_by_response: "Failed",
  abort_by_post_condition: "Post-condition violated",
  dropped_replace_by_fee: "Replaced",
  dropped_too_expensive: "Too expensive",
};

/** @param {string} status @returns {string} */
export function statusText(status) {
  return STATUS_TEXTS[status] ?? status.replaceAll("_", " ");
}

/** @param {string} status @returns {"good" | "bad" | "waiting"} */
export function statusKind(status) {
  if (status === "success") return "good";
  return status === "pending" ? "waiting" : "bad";
}

/** @param {import("./answers.js").AbiType} type a type in an interface @returns {string} the type as Clarity writes it */
export function typeText(type) {
  if (typeof type === "string") {
    /** @type {Record<string, string>} */
    const names = { uint128: "uint", int128: "int", trait_reference: "<trait>" };
    return names[type] ?? type;
  }
  if ("buffer" in type) return `(buff ${type.buffer.length})`;
  if ("string-ascii" in type) return `(string-ascii ${type["string-ascii"].length})`;
  if ("string-utf8" in type) return `(string-utf8 ${type["string-utf8"].length})`;
  if ("optional" in type) return `(optional ${typeText(type.optional)})`;
  if ("response" in type) return `(response ${typeText(type.response.ok)} ${typeText(type.response.error)})`;
  if ("list" in type) return `(list ${type.list.length} ${typeText(type.list.type)})`;
  return `{${type.tuple.map((field) => `${field.name}: ${typeText(field.type)}`).join(", ")}}`;
}
