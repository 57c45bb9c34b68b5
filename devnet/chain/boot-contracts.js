/**
 * The boot contracts, which the VM brings with it: pox, bns, costs and the like.
 *
 * The VM runs them and tells their source, but not their interface. So the source is published once more under another
 * name, the interface of that copy is read, and the copy undone.
 */
import { BOOT_ADDRESS, VmError } from "../vm/vm.js";

/** @typedef {import("./history.js").Contract} Contract */

/** Those written in an older Clarity that has since lost a function they use; the others also pass as the newest. */
const OLD_CLARITY = new Set(["bns", "cost-voting", "lockup"]);
const OLD_VERSION = 2;
const NEW_VERSION = 6;
const NO_TXID = "0".repeat(64);

export class BootContracts {
  /** @param {import("./executor.js").Executor} executor */
  constructor(executor) {
    this.executor = executor;
    /** @type {Map<string, Contract>} */
    this.known = new Map();
  }

  /** @param {string} contractId @returns {Contract | undefined} */
  get(contractId) {
    const [address, name] = contractId.split(".");
    if (address !== BOOT_ADDRESS) return undefined;
    const known = this.known.get(contractId) ?? this.#load(contractId, name);
    if (known) this.known.set(contractId, known);
    return known;
  }

  /** @param {string} contractId @param {string} name @returns {Contract | undefined} */
  #load(contractId, name) {
    const source = this.executor.read((vm) => vm.contractSource(contractId));
    if (source === undefined) return undefined;
    const clarityVersion = OLD_CLARITY.has(name) ? OLD_VERSION : NEW_VERSION;
    const copy = `interface-of-${name}`;
    const abi = this.executor.undone((vm) => {
      vm.mineBlock([{ deployContract: { name: copy, content: source, options: { clarityVersion }, sender: BOOT_ADDRESS } }]);
      return vm.contractInterface(`${BOOT_ADDRESS}.${copy}`);
    });
    if (!abi) throw new VmError(`the VM told no interface of ${contractId}`);
    return { contractId, source, clarityVersion, height: 0, txid: NO_TXID, abi };
  }
}
