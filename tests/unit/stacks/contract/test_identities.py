"""Models contain the id with which they were read, although it is not in the contract's tuple."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import responses

from der_client.stacks.clarity import ListValue, NoneValue, SomeValue, TupleValue, UIntValue, encode
from der_client.stacks.contract import Contract, FromCall, MaxLength, Model, UInt, data_map, read_only
from der_client.stacks.contract.codecs import codec_for
from der_client.stacks.network import DEVNET
from der_client.stacks.rpc import Client

ADDRESS = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"
URL = "http://127.0.0.1:3999"


class Row(Model):
    row_id: Annotated[int, FromCall("row_id")] = 0
    wh: UInt


class Rows(Contract, name="rows"):
    @read_only
    def get_row(self, row_id: UInt) -> Row | None:
        raise NotImplementedError

    @read_only
    def get_rows(
        self, row_ids: Annotated[Sequence[UInt], MaxLength(3)]
    ) -> Annotated[tuple[Row | None, ...], MaxLength(3)]:
        raise NotImplementedError

    @read_only
    def get_best(self) -> Row:
        raise NotImplementedError

    @data_map(name="rows")
    def rows(self, row_id: UInt) -> Row | None:
        raise NotImplementedError


VALUE = TupleValue({"wh": UIntValue(5)})
CONTRACT = Rows(Client(URL, network=DEVNET), ADDRESS)


def answer(function: str, value: object) -> None:
    responses.post(
        f"{URL}/v2/contracts/call-read/{ADDRESS}/rows/{function}",
        json={"okay": True, "result": f"0x{encode(value).hex()}"},  # type: ignore[arg-type]
    )


@responses.activate
def test_a_model_read_by_its_id_contains_the_id() -> None:
    answer("get-row", SomeValue(VALUE))
    answer("get-rows", ListValue([SomeValue(VALUE), NoneValue(), SomeValue(VALUE)]))
    answer("get-best", VALUE)
    assert CONTRACT.get_row(7) == Row(row_id=7, wh=5)
    assert CONTRACT.get_rows([3, 4, 5]) == (Row(row_id=3, wh=5), None, Row(row_id=5, wh=5))
    assert CONTRACT.get_best() == Row(row_id=0, wh=5)


def test_the_id_is_not_encoded() -> None:
    codec = codec_for(Row)
    assert str(codec.type) == "{wh: uint}"
    assert codec.encode(Row(row_id=9, wh=5), "row") == VALUE
    assert codec.decode(encode(VALUE)) == Row(wh=5)
