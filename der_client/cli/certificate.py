"""``der certificate`` writes a certificate with its proof to a file, ``der verify-certificate`` checks one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from der_client.cli.index import OnContractsAndIndex
from der_client.cli.option_groups import grouped
from der_client.cli.options import Json
from der_client.cli.output import print_json, print_wrapped

if TYPE_CHECKING:
    from der_client.certificates import CertificateFile, Check
    from der_client.stacks.blocks import NakamotoBlock

_MOST_BYTES = 10_000_000


@grouped
def certificate(
    kind: Annotated[
        Literal["claim", "retirement"],
        typer.Argument(metavar="KIND", help="claim: claimed by a buyer; retirement: retired by the plant's owner."),
    ],
    number: Annotated[int, typer.Argument(metavar="ID", min=1, help="Its number; 'der certificates' lists them.")],
    *,
    on: OnContractsAndIndex,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it here instead of printing it.")
    ] = None,
    with_proof: Annotated[
        bool,
        typer.Option(
            "--proof/--no-proof",
            help="Include the signed transactions and the blocks that they are in, to check without a network.",
        ),
    ] = True,
) -> None:
    """Write a certificate as EnergyTag bundles: how much of its energy each metering interval produced.

    The file includes the proof, which 'der verify-certificate' checks against any node.
    """
    from der_client.certificates import issue  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.index import Index  # noqa: PLC0415
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    with Index(on.place) as index:
        text = issue(index, index.certificate(kind, number), on.client if with_proof else None).to_json()
    if output is None:
        typer.echo(text, nl=False)
    else:
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise InvalidValueError(f"--output {output}: cannot be written: {error.strerror}") from None
        typer.echo(f"wrote {kind} {number} to {output}", err=True)


@grouped
def verify_certificate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What 'der certificate' wrote.", dir_okay=False)],
    *,
    on: OnContractsAndIndex,
    offline: Annotated[bool, typer.Option("--offline", help="Check only what needs no network.")] = False,
    saved: Annotated[
        list[Path] | None,
        typer.Option(
            "--block",
            metavar="FILE",
            dir_okay=False,
            help="A block that you saved from a node (GET /v3/blocks/height/N); repeat it for more.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check that a certificate's parts agree, that its signatures are valid, and that the chain says the same.

    Exit codes: 0 if no check fails, 1 if one does.
    """
    from der_client.certificates import CertificateFile, Outcome, check_offline, check_online  # noqa: PLC0415
    from der_client.index import Index  # noqa: PLC0415
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    content = _read(file, "a certificate", _MOST_BYTES)
    try:
        read = CertificateFile.from_json(content)
    except InvalidValueError as error:
        raise InvalidValueError(f"{file}: {error}") from None
    checks = list(check_offline(read, [_block(block) for block in saved or ()]))
    if not offline:
        if on.settings.database is None:
            by_node = check_online(read, on.der)
        else:
            with Index(on.place) as index:
                by_node = check_online(read, on.der, index)
        reported = {check.name for check in by_node}
        checks = [c for c in checks if c.outcome is not Outcome.NOT_CHECKED or c.name not in reported] + [*by_node]
    wrong = any(check.outcome is Outcome.WRONG for check in checks)
    if as_json:
        print_json({"checks": [_json(check) for check in checks], "blocks": _blocks(read), "wrong": wrong})
    else:
        for check in checks:
            print_wrapped(f"{check.name}: {check.text}", first=f"{check.outcome:<13}")
    if wrong:
        raise typer.Exit(1)


def _read(file: Path, what: str, most_bytes: int) -> bytes:
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    try:
        if file.stat().st_size > most_bytes:
            raise InvalidValueError(f"{file} is too large for {what}: more than {most_bytes:,} bytes")
        return file.read_bytes()
    except OSError as error:
        raise InvalidValueError(f"{file} cannot be read: {error.strerror}") from error


def _block(file: Path) -> "NakamotoBlock":
    from der_client.stacks.blocks import MAX_BLOCK_LENGTH, NakamotoBlock  # noqa: PLC0415
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    content = _read(file, "a block", MAX_BLOCK_LENGTH)
    try:
        return NakamotoBlock.decode(content)
    except InvalidValueError as error:
        raise InvalidValueError(
            f"--block {file} is not a block as nodes have it: {error}; save one by "
            "'curl --fail -o FILE URL/v3/blocks/height/N'"
        ) from error


def _blocks(file: "CertificateFile") -> list[dict[str, Any]]:
    """Return the blocks that a file names; none where they cannot be read, which a check says."""
    from der_client.certificates import block_headers  # noqa: PLC0415
    from der_client.stacks.errors import DerClientError  # noqa: PLC0415

    try:
        found = block_headers(file)
    except DerClientError:
        return []
    return [{"height": each.height, "id": each.block_id, "time": each.time.isoformat()} for each in found]


def _json(check: "Check") -> dict[str, str]:
    return {"name": check.name, "outcome": str(check.outcome), "text": check.text}
