// Converts plain JavaScript values to Clarity and back, by the types in a contract's interface.
import { Cl, ClarityType } from "@stacks/transactions";

/** Encodes a bigint, number, boolean, string, hex string, array, object or null as a Clarity value of an ABI type. */
export function encode(type, value) {
  if (type === "uint128") return Cl.uint(value);
  if (type === "int128") return Cl.int(value);
  if (type === "bool") return Cl.bool(value);
  if (type === "principal" || type === "trait_reference") return Cl.principal(value);
  if (type.optional !== undefined) return value === null ? Cl.none() : Cl.some(encode(type.optional, value));
  if (type["string-ascii"]) return Cl.stringAscii(value);
  if (type.buffer) return Cl.bufferFromHex(value);
  if (type.list) return Cl.list(value.map((item) => encode(type.list.type, item)));
  if (type.tuple) {
    return Cl.tuple(Object.fromEntries(type.tuple.map((field) => [field.name, encode(field.type, value[field.name])])));
  }
  throw new Error(`no encoding for ABI type ${JSON.stringify(type)}`);
}

/** Decodes a Clarity value: responses become {ok} or {err}, optionals the value or null, buffers hex. */
export function decode(value) {
  switch (value.type) {
    case ClarityType.UInt:
    case ClarityType.Int:
      return BigInt(value.value);
    case ClarityType.BoolTrue:
      return true;
    case ClarityType.BoolFalse:
      return false;
    case ClarityType.OptionalNone:
      return null;
    case ClarityType.OptionalSome:
      return decode(value.value);
    case ClarityType.ResponseOk:
      return { ok: decode(value.value) };
    case ClarityType.ResponseErr:
      return { err: decode(value.value) };
    case ClarityType.List:
      return value.value.map(decode);
    case ClarityType.Tuple:
      return Object.fromEntries(Object.entries(value.value).map(([name, field]) => [name, decode(field)]));
    default: // principals, strings and buffers contain their text
      return value.value;
  }
}
