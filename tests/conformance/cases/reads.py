"""POST /v2/map_entry, GET /v2/data_var and /v2/constant_val: the state of contracts."""

from __future__ import annotations

from der_client.stacks.clarity import ClarityValue, TupleValue, UIntValue, encode
from tests.conformance.case import JSON, PLAIN, Answer, Case, get, ok, post, post_raw, text
from tests.conformance.cases.accounts import UNKNOWN_BLOCK
from tests.conformance.shapes import HEX, Text

NONE = "0x09"


def hexed(value: ClarityValue) -> str:
    return "0x" + encode(value).hex()


def cannot_be(field: str) -> Answer:
    """Return the rejection of an invalid name with valid characters, such as one that begins with a digit."""
    return text(400, f"Failed to decode `{field}`")


def id_key(number: int) -> str:
    return hexed(TupleValue({"id": UIntValue(number)}))


NOTES = "/v2/map_entry/$contract_path/notes"
# (some {note: "first", who: …}), where the principal is the publisher of this run.
FIRST_NOTE = Text("0x0a0c00000002046e6f74650d000000056669727374" + "0377686f" + "051a[0-9a-f]{40}")
SECOND_NOTE = Text("0x0a0c00000002046e6f74650d000000067365636f6e64" + "0377686f" + "051a[0-9a-f]{40}")

NO_VALUE = text(400, "Failed to decode: Failed to deserialize key value")

CASES = (
    Case("map_entry: from the publication", post(f"{NOTES}?proof=0", id_key(1)), ok({"data": FIRST_NOTE})),
    Case("map_entry: from a call", post(f"{NOTES}?proof=0", id_key(2)), ok({"data": SECOND_NOTE})),
    Case("map_entry: key without 0x", post(f"{NOTES}?proof=0", id_key(1)[2:]), ok({"data": FIRST_NOTE})),
    Case("map_entry: latest tip", post(f"{NOTES}?proof=0&tip=latest", id_key(1)), ok({"data": FIRST_NOTE})),
    Case("map_entry: malformed tip is ignored", post(f"{NOTES}?proof=0&tip=0x", id_key(1)), ok({"data": FIRST_NOTE})),
    Case("map_entry: proof by default", post(NOTES, id_key(1)), ok({"data": FIRST_NOTE, "proof": HEX})),
    Case("map_entry: missing", post(f"{NOTES}?proof=0", id_key(9)), ok({"data": NONE})),
    Case("map_entry: empty proof of what is missing", post(NOTES, id_key(9)), ok({"data": NONE, "proof": ""})),
    Case("map_entry: key of another type", post(f"{NOTES}?proof=0", hexed(UIntValue(1))), ok({"data": NONE})),
    Case("map_entry: more bytes than the key's", post(f"{NOTES}?proof=0", id_key(1) + "00"), ok({"data": FIRST_NOTE})),
    Case("map_entry: unknown map", post("/v2/map_entry/$contract_path/nothing?proof=0", id_key(1)), ok({"data": NONE})),
    Case(
        "map_entry: unknown contract",
        post("/v2/map_entry/$publisher/nothing/notes?proof=0", id_key(1)),
        ok({"data": NONE}),
    ),
    Case("map_entry: key that is no hex", post(NOTES, "0xzz"), NO_VALUE),
    Case("map_entry: key that is no value", post(NOTES, "0xff"), NO_VALUE),
    Case("map_entry: key that is no text", post(NOTES, {"key": id_key(1)}), text(400)),
    Case("map_entry: malformed JSON", post_raw(NOTES, b'"0x09', JSON), text(400)),
    Case("map_entry: not as JSON", post_raw(NOTES, id_key(1).encode(), PLAIN), text(400)),
    Case(
        "data_var: of a contract",
        get("/v2/data_var/$contract_path/counter?proof=0"),
        ok({"data": hexed(UIntValue(7))}),
    ),
    Case(
        "data_var: proof by default",
        get("/v2/data_var/$contract_path/counter"),
        ok({"data": hexed(UIntValue(7)), "proof": HEX}),
    ),
    Case(
        "data_var: malformed tip is ignored",
        get("/v2/data_var/$contract_path/counter?proof=0&tip=nope"),
        ok({"data": hexed(UIntValue(7))}),
    ),
    Case(
        "map_entry: unknown tip",
        post(f"{NOTES}?proof=0&tip={UNKNOWN_BLOCK}", id_key(1)),
        text(404, "Chain tip not found"),
    ),
    Case("map_entry: name that cannot be", post("/v2/map_entry/$contract_path/1st", id_key(1)), cannot_be("map")),
    Case("data_var: unknown", get("/v2/data_var/$contract_path/nothing"), text(404)),
    Case(
        "data_var: unknown tip",
        get(f"/v2/data_var/$contract_path/counter?tip={UNKNOWN_BLOCK}"),
        text(404, "Chain tip not found"),
    ),
    Case("data_var: name that cannot be", get("/v2/data_var/$contract_path/1st"), cannot_be("varname")),
    Case("constant_val: name that cannot be", get("/v2/constant_val/$contract_path/1st"), cannot_be("constname")),
    Case(
        "constant_val: unknown tip",
        get(f"/v2/constant_val/$contract_path/LIMIT?tip={UNKNOWN_BLOCK}"),
        text(404, "Chain tip not found"),
    ),
    Case("data_var: of a constant", get("/v2/data_var/$contract_path/LIMIT"), text(404)),
    Case("data_var: unknown contract", get("/v2/data_var/$publisher/nothing/counter"), text(404)),
    Case("constant_val: a number", get("/v2/constant_val/$contract_path/LIMIT"), ok({"data": hexed(UIntValue(1000))})),
    Case(
        "constant_val: a response",
        get("/v2/constant_val/$contract_path/ERR_REFUSED"),
        ok({"data": "0x08" + hexed(UIntValue(77))[2:]}),
    ),
    Case("constant_val: unknown", get("/v2/constant_val/$contract_path/nothing"), text(404)),
    Case("constant_val: of a variable", get("/v2/constant_val/$contract_path/counter"), text(404)),
    Case("constant_val: unknown contract", get("/v2/constant_val/$publisher/nothing/LIMIT"), text(404)),
)
