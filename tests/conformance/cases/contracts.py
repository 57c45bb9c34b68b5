"""GET /v2/contracts/interface and /source."""

from __future__ import annotations

from typing import Any

from tests.conformance.case import Case, get, ok, text
from tests.conformance.cases.accounts import UNKNOWN_BLOCK
from tests.conformance.shapes import HEX, NumberFrom, Text, Unordered

ANSWER_OF_REFUSAL = {"response": {"ok": "uint128", "error": "uint128"}}
NOTE_TYPE = {"string-ascii": {"length": 20}}


def function(access: str, name: str, outputs: Any, **arguments: Any) -> dict[str, Any]:
    args = [{"name": argument, "type": kind} for argument, kind in arguments.items()]
    return {"name": name, "access": access, "args": args, "outputs": {"type": outputs}}


def response(success: Any, error: Any) -> dict[str, Any]:
    return {"response": {"ok": success, "error": error}}


def tuple_of(*fields: tuple[str, Any]) -> dict[str, Any]:
    """Return a tuple's type; a node lists the fields in the byte order of their names."""
    return {"tuple": [{"name": name, "type": kind} for name, kind in fields]}


TIMES = {"list": {"type": "uint128", "length": 200}}
INTERFACE = {
    "functions": Unordered(
        (
            function("private", "read-again", "uint128", time="uint128", sum="uint128"),
            function("private", "read-all-again", TIMES, time="uint128", times=TIMES),
            function("public", "look-through", response("uint128", "uint128"), other="trait_reference"),
            function("public", "fail", response("uint128", "none"), by="uint128"),
            function("public", "mint", response("bool", "uint128"), amount="uint128"),
            function("public", "note", response("bool", "none"), id="uint128", text=NOTE_TYPE),
            function("public", "pay", response("bool", "uint128"), amount="uint128", to="principal"),
            function("public", "peek", response("uint128", "none")),
            function("public", "read-too-often", response("uint128", "none"), times=TIMES),
            function("public", "refuse", response("none", "uint128")),
            function(
                "public", "take-tuple", response("uint128", "none"), pair=tuple_of(("Y", "principal"), ("x", "uint128"))
            ),
            function("read_only", "divide", "uint128", by="uint128"),
            function("read_only", "get-counter", "uint128"),
            function("read_only", "read-often", "uint128", times=TIMES),
            function("read_only", "refuse-to-tell", ANSWER_OF_REFUSAL),
            function("read_only", "who-reads", tuple_of(("caller", "principal"), ("sender", "principal"))),
        )
    ),
    "variables": Unordered(
        (
            {"name": "ERR_REFUSED", "type": response("none", "uint128"), "access": "constant"},
            {"name": "LIMIT", "type": "uint128", "access": "constant"},
            {"name": "counter", "type": "uint128", "access": "variable"},
        )
    ),
    "maps": [
        {
            "name": "notes",
            "key": tuple_of(("id", "uint128")),
            "value": tuple_of(("note", NOTE_TYPE), ("who", "principal")),
        }
    ],
    "fungible_tokens": [{"name": "watt"}],
    "non_fungible_tokens": [{"name": "plant", "type": "uint128"}],
    "epoch": Text(r"Epoch\d\d"),
    "clarity_version": "Clarity3",
}
PUBLISHED = {"source": "$source", "publish_height": NumberFrom(1)}

NO_INTERFACE = text(404, "No contract interface data found")

CASES = (
    Case("interface: of a contract", get("/v2/contracts/interface/$contract_path"), ok(INTERFACE)),
    Case("interface: latest tip", get("/v2/contracts/interface/$contract_path?tip=latest"), ok(INTERFACE)),
    Case("interface: unknown contract", get("/v2/contracts/interface/$publisher/nothing"), NO_INTERFACE),
    Case(
        "source: unknown tip",
        get(f"/v2/contracts/source/$contract_path?tip={UNKNOWN_BLOCK}"),
        text(404, "Chain tip not found"),
    ),
    Case(
        "interface: unknown tip",
        get(f"/v2/contracts/interface/$contract_path?tip={UNKNOWN_BLOCK}"),
        text(404, "Chain tip not found"),
    ),
    Case("interface: unknown account", get("/v2/contracts/interface/$stranger/nothing"), NO_INTERFACE),
    Case("interface: name that cannot be", get("/v2/contracts/interface/$publisher/-no-"), text(404)),
    Case(
        "interface: wrong checksum",
        get("/v2/contracts/interface/ST000000000000000000002AMW42J/pox"),
        text(400, "Failed to decode `address`"),
    ),
    Case("source: of a contract", get("/v2/contracts/source/$contract_path?proof=0"), ok(PUBLISHED)),
    Case("source: malformed tip is ignored", get("/v2/contracts/source/$contract_path?proof=0&tip=x"), ok(PUBLISHED)),
    Case("source: proof by default", get("/v2/contracts/source/$contract_path"), ok({**PUBLISHED, "proof": HEX})),
    Case(
        "source: unknown contract",
        get("/v2/contracts/source/$publisher/nothing"),
        text(404, "No contract source data found"),
    ),
)
