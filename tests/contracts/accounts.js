// The accounts of the tests by role, and the meters' keys. The addresses are Clarinet's public defaults.
import { createECDH, createHash, createPrivateKey, sign } from "node:crypto";

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
// There are only ten accounts, so some roles share one. No rule involves both of the roles that share an account.
export const GRID_OPERATOR = ORACLE;
export const PAUSER = ARBITER;

export const REGION = "CA-N";

export const ROLE = { REGISTRAR: 1, VERIFIER: 2, ARBITER: 3, ORACLE: 4, GRID_OPERATOR: 5, PAUSER: 6 };

const sha256 = (bytes) => createHash("sha256").update(bytes).digest();

export const CURVE = { SECP256K1: 1, P256: 2 };

/**
 * Returns a meter, all in hex: its device key {curve, key}; `sign`, which signs a message (the preimage, not the hash)
 * and returns r and s; and `claimBy`, which returns the key with a proof that `owner` holds it.
 */
export function meter(name, { curve = CURVE.SECP256K1 } = {}) {
  const secret = sha256(`meter ${name}`);
  const { key, sign } = curve === CURVE.P256 ? p256(secret) : koblitz(secret);
  const claimBy = (owner, message = {}) => ({ curve, key, proof: sign(proofMessage({ owner, ...message })) });
  return { deviceKey: { curve, key }, sign, claimBy };
}

function koblitz(secret) {
  return {
    key: Buffer.from(secp256k1.pointFromScalar(secret, true)).toString("hex"),
    sign: (message) => Buffer.from(secp256k1.sign(sha256(message), secret)).toString("hex"),
  };
}

function p256(secret) {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(secret);
  const point = ecdh.getPublicKey();
  const [x, y, d] = [point.subarray(1, 33), point.subarray(33), secret].map((part) => part.toString("base64url"));
  const privateKey = createPrivateKey({ key: { kty: "EC", crv: "P-256", x, y, d }, format: "jwk" });
  return {
    key: ecdh.getPublicKey("hex", "compressed"),
    sign: (message) => sign("sha256", message, { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("hex"),
  };
}

const CURVE_ORDERS = {
  [CURVE.SECP256K1]: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  [CURVE.P256]: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
};

/** Returns the same signature (r, s, hex) with the other S, which is valid unless a verifier requires a low S. */
export function otherS(signature, curve = CURVE.SECP256K1) {
  const twin = CURVE_ORDERS[curve] - BigInt(`0x${signature.slice(64)}`);
  return signature.slice(0, 64) + twin.toString(16).padStart(64, "0");
}

/** Returns the bytes that SIP-018 hashes for a value in the contracts' domain, built without using the contracts. */
function structuredMessage(value, chainId = 0x80000000) {
  const hash = (part) => sha256(Buffer.from(serializeCV(part), "hex"));
  const domain = Cl.tuple({
    "chain-id": Cl.uint(chainId),
    name: Cl.stringAscii("der-production"),
    version: Cl.stringAscii("1"),
  });
  return Buffer.concat([Buffer.from("SIP018"), hash(domain), hash(value)]);
}

/** Returns the message that a meter signs for its readings. */
export function readingMessage({ assetId, day, keyEpoch, start, whs, chainId, contract }) {
  const reading = Cl.tuple({
    "asset-id": Cl.uint(assetId),
    contract: Cl.principal(contract ?? `${DEPLOYER}.production-tracking`),
    day: Cl.uint(day),
    "key-epoch": Cl.uint(keyEpoch),
    start: Cl.uint(start),
    whs: Cl.list(whs.map((wh) => Cl.uint(wh))),
  });
  return structuredMessage(reading, chainId);
}

/** Returns the message that a meter signs to prove that `owner` holds its key. */
export function proofMessage({ owner, chainId, contract }) {
  const proof = Cl.tuple({
    contract: Cl.principal(contract ?? `${DEPLOYER}.asset-verification`),
    owner: Cl.principal(owner),
  });
  return structuredMessage(proof, chainId);
}

/** Returns the SHA-256 of a message (bytes or text), in hex. */
export const hashOf = (message) => sha256(message).toString("hex");
