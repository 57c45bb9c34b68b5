/**
 * The boot contracts, which the VM brings with it: pox, bns, costs and the like.
 *
 * The VM runs them and returns their source, but not their interface. So the source is published once more under another
 * name, the interface of that copy is read, and the copy undone.
 */
import { BOOT_ADDRESS, VmError } from "../vm/vm.js";
import { CLARITY_OF_EPOCH } from "./executor.js";

/** @typedef {import("./history.js").Contract} Contract */

/** Those written in an older Clarity that has since lost a function they use; the others also pass as the newest. */
const OLD_CLARITY = new Set(["bns", "cost-voting", "lockup"]);
const OLD_VERSION = 2;
const NEW_VERSION = 6;
const NEWEST_EPOCH = "4.0";
const NO_TXID = "0".repeat(64);

/** @param {string} contractId @returns {boolean} whether it could be one, by its address */
export function isBootContractId(contractId) {
  return contractId.startsWith(`${BOOT_ADDRESS}.`);
}

/**
 * @param {import("./executor.js").Executor} executor
 * @param {string} contractId
 * @returns {Contract | undefined}
 */
export function loadBootContract(executor, contractId) {
  const source = executor.read((vm) => vm.contractSource(contractId));
  if (source === undefined) return undefined;
  const name = contractId.slice(BOOT_ADDRESS.length + 1);
  const clarityVersion = OLD_CLARITY.has(name) ? OLD_VERSION : NEW_VERSION;
  const copy = `interface-of-${name}`;
  const abi = executor.undone((vm) => {
    if (CLARITY_OF_EPOCH[vm.epoch] < clarityVersion) vm.setEpoch(NEWEST_EPOCH);
    vm.mineBlock([{ deployContract: { name: copy, content: source, options: { clarityVersion }, sender: BOOT_ADDRESS } }]);
    return vm.contractInterface(`${BOOT_ADDRESS}.${copy}`);
  });
  if (!abi) throw new VmError(`the VM told no interface of ${contractId}`);
  return { contractId, source, clarityVersion, height: 0, txid: NO_TXID, abi };
}

/** Those that were asked for, by id. Once known, they are at hand without the VM. */
export class BootContracts {
  /** @type {Map<string, Contract>} */
  #known = new Map();

  /** @param {string} contractId @returns {Contract | undefined} if it is known */
  get(contractId) {
    return this.#known.get(contractId);
  }

  /** @param {import("./vm-thread.js").VmThread} vm @param {string} contractId @param {{patience?: number}} options */
  async load(vm, contractId, options) {
    if (!isBootContractId(contractId) || this.#known.has(contractId)) return;
    const contract = await vm.ask("bootContract", [contractId], options);
    if (contract) this.#known.set(contractId, contract);
  }
}
