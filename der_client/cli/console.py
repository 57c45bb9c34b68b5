"""``der console``: a Python prompt with the contracts at hand."""

from typing import TYPE_CHECKING, Any

from der_client.cli.option_groups import grouped
from der_client.cli.options import OnContractsAsAccount

if TYPE_CHECKING:
    from der_client.der import Der


@grouped
def console(*, on: OnContractsAsAccount) -> None:
    """Open a Python prompt with the five contracts as `der`. It signs with --key; without one, it only reads."""
    import code  # noqa: PLC0415 -- only here
    import sys  # noqa: PLC0415
    from contextlib import suppress  # noqa: PLC0415

    from der_client.cli.output import printable  # noqa: PLC0415
    from der_client.der import Der  # noqa: PLC0415

    der = on.der if on.signer.is_known else Der.connect(on.client, deployer=on.contracts_of)
    names = _names(on, der)
    with suppress(ImportError):  # not on Windows
        import readline  # noqa: PLC0415
        import rlcompleter  # noqa: PLC0415

        readline.set_completer(rlcompleter.Completer(names).complete)
        readline.parse_and_bind("tab: complete")
    interactive = sys.stdin.isatty()
    banner = printable(_banner(on, der, names), keep="\n")
    code.interact(banner=banner if interactive else "", local=names, exitmsg="")


def _names(on: OnContractsAsAccount, der: "Der") -> dict[str, Any]:
    import datetime as dt  # noqa: PLC0415 -- only here

    from der_client.cli.key_names import devnet_accounts  # noqa: PLC0415
    from der_client.contracts import asset_verification, market_participation, settlement  # noqa: PLC0415
    from der_client.devnet import DevnetControl  # noqa: PLC0415

    names: dict[str, Any] = {
        "der": der,
        "date": dt.date,
        "datetime": dt.datetime,
        "timedelta": dt.timedelta,
        "UTC": dt.UTC,
        "AssetKind": asset_verification.AssetKind,
        "AssetState": asset_verification.AssetState,
        "OfferState": market_participation.OfferState,
        "PaymentState": settlement.PaymentState,
    }
    accounts = devnet_accounts(on.settings.url)
    if accounts:
        names |= {"devnet": DevnetControl(on.settings.url), "accounts": accounts}
    return names


def _banner(on: OnContractsAsAccount, der: "Der", names: dict[str, Any]) -> str:
    account = der.account
    who = (
        (on.book.name(account.address) or account.address)
        if account
        else "nobody; it only reads (give --key NAME to sign)"
    )
    lines = [
        f"der console: {on.client.network.name} at {on.client.url}, contracts of {on.book.short(der.deployer)}",
        f"Calls are signed by {who}.",
        "",
        "  der.list_assets()                        the plants, by id",
        "  der.market.get_offer(1)                  one offer; der.list_offers() for all",
        "  call = der.settlement.settle(1)          prepare a call; nothing is sent yet",
        "  call.send().wait()                       send it, and wait for its receipt",
        "  der.assets, der.production, der.grid, der.market, der.settlement",
    ]
    if "devnet" in names:
        lines += [
            '  der.with_account(accounts["wallet_1"])   the contracts as another account',
            "  devnet.advance(seconds=60)               move the devnet's clock",
        ]
    lines.append("  help(der.market.create_offer)            what a function takes; Ctrl-D ends")
    return "\n".join(lines)
