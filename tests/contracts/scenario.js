// Situations that many tests start from. Every step must succeed.
import {
  ARBITER,
  BUYER,
  DEPLOYER,
  GRID_OPERATOR,
  ORACLE,
  OWNER,
  PAUSER,
  REGION,
  REGISTRAR,
  ROLE,
  VERIFIER,
  hashOf,
  readingMessage,
} from "./accounts.js";
import { DAY, startChain } from "./chain.js";

export const CAPACITY_W = 100_000;
/** All 96 quarter-hours of a day. */
export const WHOLE_DAY = 2n ** 96n - 1n;
/** A limit above anything that a test pays or has funded ahead. */
export const NO_LIMIT = 10n ** 18n;

/** Returns the value of a call that must succeed. */
export function must(answer) {
  if (answer.err !== undefined) throw new Error(`failed with u${answer.err}`);
  return answer.ok;
}

/** Starts a new chain on which every role is granted to the account of the same name. */
export async function startSystem(options) {
  const chain = await startChain(options);
  const grant = (role, who, region = "") =>
    must(chain.call(DEPLOYER, "asset-verification.set-role", role, who, region, true));
  grant(ROLE.REGISTRAR, REGISTRAR);
  grant(ROLE.VERIFIER, VERIFIER);
  grant(ROLE.ARBITER, ARBITER);
  grant(ROLE.ORACLE, ORACLE);
  grant(ROLE.GRID_OPERATOR, GRID_OPERATOR, REGION);
  grant(ROLE.PAUSER, PAUSER);
  return chain;
}

let plants = 0;
/** Returns a new metadata hash. */
export const newMetadataHash = () => hashOf(`plant ${(plants += 1)}`);

/** Returns the arguments of `register-asset`; `device` is a meter. */
export function plantOf({ owner = OWNER, kind = 1, capacityW = CAPACITY_W, slotSeconds = 900, device = null } = {}) {
  return [kind, capacityW, "9q8yy", REGION, newMetadataHash(), slotSeconds, device && device.claimBy(owner)];
}

/** Registers an asset; returns its id. */
export function register(chain, { owner = OWNER, ...options } = {}) {
  return must(chain.call(owner, "asset-verification.register-asset", ...plantOf({ owner, ...options })));
}

/** Registers an asset and has it verified; returns its id. Its device signs from tomorrow on. */
export function registerVerified(chain, options = {}) {
  const asset = register(chain, options);
  const { capacityW = CAPACITY_W, device = null } = options;
  must(chain.call(REGISTRAR, "asset-verification.verify-asset", asset, capacityW, device && device.deviceKey));
  return asset;
}

/** Requests a change of capacity and device, and has it approved; it takes effect tomorrow. */
export function change(chain, asset, capacityW, device = null, { owner = OWNER } = {}) {
  must(chain.call(owner, "asset-verification.request-change", asset, capacityW, device && device.claimBy(owner)));
  must(chain.call(REGISTRAR, "asset-verification.approve-change", asset, capacityW, device && device.deviceKey));
}

/** Requests a connection and has it approved. */
export function connect(chain, asset, { owner = OWNER, limitW = CAPACITY_W, metered = false } = {}) {
  must(chain.call(owner, "grid-integration.request-connection", asset, limitW));
  must(chain.call(GRID_OPERATOR, "grid-integration.approve-connection", asset, limitW, metered));
}

/** Creates a verified and connected asset; returns its id. */
export function addPlant(chain, options = {}) {
  const asset = registerVerified(chain, options);
  connect(chain, asset, options);
  return asset;
}

/** Returns the arguments of `create-offer`, by default for 500 kWh at 0.1 STX, which is below the day's limit. */
export function offerOf(
  chain,
  asset,
  { day = chain.today + 1n, wh = 500_000, price = 100_000, minFill = 1_000, ...rest } = {},
) {
  const { expiresAt = BigInt(day) > chain.today ? BigInt(day) * DAY : chain.now + DAY } = rest;
  const { taker = null, token = null } = rest;
  return [asset, day, wh, price, minFill, expiresAt, taker, token];
}

/** Creates an offer; returns its id. */
export function offer(chain, asset, { by = OWNER, ...options } = {}) {
  return must(chain.call(by, "market-participation.create-offer", ...offerOf(chain, asset, options)));
}

/** Buys and funds a part of an offer; returns the payment's id. */
export function fund(chain, offerId, wh, { by = BUYER } = {}) {
  return must(chain.call(by, "settlement.accept-and-fund", offerId, wh, wh, NO_LIMIT, NO_LIMIT));
}

/** Has the oracle record a day, by default a whole one. */
export function record(chain, asset, day, wh, mask = WHOLE_DAY) {
  must(chain.call(ORACLE, "production-tracking.record-production", asset, day, mask, wh));
}

/** Records a whole day and has it verified; the day must be over. */
export function produce(chain, asset, day, wh) {
  record(chain, asset, day, wh);
  verify(chain, asset, day);
}

/** Has a day verified with its recorded values. */
export function verify(chain, asset, day, { by = VERIFIER } = {}) {
  const { mask, wh } = chain.read("production-tracking.get-day", asset, day);
  must(chain.call(by, "production-tracking.verify-day", asset, day, mask, wh));
}

/** Has a day rejected with its recorded values. */
export function reject(chain, asset, day, { by = VERIFIER } = {}) {
  const { mask, wh } = chain.read("production-tracking.get-day", asset, day) ?? { mask: 0, wh: 0 };
  must(chain.call(by, "production-tracking.reject-day", asset, day, mask, wh, "x"));
}

/** Records the feed of a day and has it verified. */
export function feed(chain, asset, day, exportedWh, importedWh = 0) {
  must(chain.call(GRID_OPERATOR, "grid-integration.record-feed", asset, day, exportedWh, importedWh));
  must(chain.call(VERIFIER, "grid-integration.verify-feed", asset, day, exportedWh, importedWh));
}

/** Returns the arguments of `record-day` for readings signed by `signer`. */
export function signedDay(signer, { asset, day, start = 0, whs, keyEpoch = 1, ...rest }) {
  const message = readingMessage({ assetId: asset, day, keyEpoch, start, whs, ...rest });
  return [asset, day, start, whs, signer.sign(message)];
}

/** The states of assets, days, connections, offers and payments by name, with the contracts' numbers. */
export const ASSET = { PENDING: 1n, VERIFIED: 2n, REJECTED: 3n, SUSPENDED: 4n, RETIRED: 5n };
export const DAY_STATE = { RECORDED: 1n, DISPUTED: 2n, VERIFIED: 3n, REJECTED: 4n };
export const CONNECTION = { REQUESTED: 1n, REJECTED: 2n, CONNECTED: 3n, CURTAILED: 4n, ISLANDED: 5n, DISCONNECTED: 6n };
export const OFFER = { PENDING: 1n, ACCEPTED: 2n, COMPLETED: 3n, REJECTED: 4n, CANCELLED: 5n, EXPIRED: 6n };
export const PAYMENT = { LOCKED: 1n, SETTLED: 2n, REFUNDED: 3n };
