/**
 * The boot contracts that are built into the VM: pox, bns, costs and others.
 *
 * The VM runs them and returns their source, but not their interface. So the devnet publishes the source again under
 * another name, reads the interface of this copy, and undoes the publication.
 */
import { BOOT_ADDRESS } from "../vm/boot.js";
import { VmError } from "../vm/vm.js";
import { CLARITY_OF_EPOCH } from "./executor.js";

/** @typedef {import("./history.js").Contract} Contract */

/** Contracts that need an older Clarity version, since newer ones lack a function that they use. */
const OLD_CLARITY = new Set(["bns", "cost-voting", "lockup"]);
const OLD_VERSION = 2;
const NEW_VERSION = 6;
const NEWEST_EPOCH = "4.0";
const NO_TXID = "0".repeat(64);

/** @param {string} contractId @returns {boolean} whether its address is that of boot contracts */
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
  if (!abi) throw new VmError(`the VM returned no interface of ${contractId}`);
  return { contractId, source, clarityVersion, height: 0, txid: NO_TXID, abi };
}

/** The contracts requested so far, by id, so that the VM is asked only once. */
export class BootContracts {
  /** @type {Map<string, Contract>} */
  #known = new Map();

  /** @param {string} contractId @returns {Contract | undefined} the contract, if it is known */
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
