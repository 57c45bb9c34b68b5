// Who plays which part in the tests, and the meters' keys. The addresses are Clarinet's public defaults.
import { createHash } from "node:crypto";

import { Cl, serializeCV } from "@stacks/transactions";
import * as secp256k1 from "tiny-secp256k1";

export const DEPLOYER = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM";
export const OWNER = "ST1SJ3DTE5DN7X54YDH5D64R3BCB6A2AG2ZQ8YPD5";
export const OPERATOR = "ST2CY5V39NHDPWSXMW9QDT3HC3GD6Q6XX4CFRK9AG";
export const BUYER = "ST2JHG361ZXG51QTKY2NQCVBPPRRE2KZB1HR05NNC";
export const BUYER_2 = "ST2NEB84ASENDXKYGJPQW86YXQCEFEX2ZQPG87ND";
export const REGISTRAR = "ST2REHHS5J3CERCRBEPMGH7921Q6PYKAADT7JP2VB";
export const VERIFIER = "ST3AM1A56AK2C1XAFJ4115ZSV26EB49BVQ10MGCS0";
export const ARBITER = "ST3PF13W7Z0RRM42A8VZRVFQ75SV1K26RXEP8YGKJ";
export const ORACLE = "ST3NBRSFKX28FQ2ZJ1MAKX58HKHSDGNV5N7R21XCP";
export const STRANGER = "STNHKEPYEPJ8ET55ZZ0M5A34J0R3N5FM2CMMMAZ6";
// Ten accounts are few: some roles share one. None of these roles overlaps with another in any rule.
export const GRID_OPERATOR = ORACLE;
export const PAUSER = ARBITER;

export const REGION = "CA-N";

export const ROLE = { REGISTRAR: 1, VERIFIER: 2, ARBITER: 3, ORACLE: 4, GRID_OPERATOR: 5, PAUSER: 6 };

const sha256 = (bytes) => createHash("sha256").update(bytes).digest();

/** A meter: its compressed public key (hex) and how it signs a digest, as r, s, recovery id (hex). */
export function meter(name) {
  const secret = sha256(`meter ${name}`);
  return {
    key: Buffer.from(secp256k1.pointFromScalar(secret, true)).toString("hex"),
    sign(digest) {
      const { signature, recoveryId } = secp256k1.signRecoverable(digest, secret);
      return Buffer.concat([signature, Buffer.from([recoveryId])]).toString("hex");
    },
  };
}

const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** The twin of a signature (r, s, recovery id, hex) with the other S: just as valid to who only recovers. */
export function highS(signature) {
  const twin = CURVE_ORDER - BigInt(`0x${signature.slice(64, 128)}`);
  const recoveryId = Number.parseInt(signature.slice(128), 16) ^ 1;
  return signature.slice(0, 64) + twin.toString(16).padStart(64, "0") + recoveryId.toString(16).padStart(2, "0");
}

/** The SIP-018 hash that a meter signs, built here from the standard, not from the contract. */
export function readingHash({ assetId, day, keyEpoch, start, whs, chainId = 0x80000000, contract }) {
  const hash = (value) => sha256(Buffer.from(serializeCV(value), "hex"));
  const domain = Cl.tuple({
    "chain-id": Cl.uint(chainId),
    name: Cl.stringAscii("der-production"),
    version: Cl.stringAscii("1"),
  });
  const message = Cl.tuple({
    "asset-id": Cl.uint(assetId),
    contract: Cl.principal(contract ?? `${DEPLOYER}.production-tracking`),
    day: Cl.uint(day),
    "key-epoch": Cl.uint(keyEpoch),
    start: Cl.uint(start),
    whs: Cl.list(whs.map((wh) => Cl.uint(wh))),
  });
  return sha256(Buffer.concat([Buffer.from("SIP018"), hash(domain), hash(message)]));
}
