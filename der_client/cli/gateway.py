"""``der gateway``: takes signed days from meters over HTTP and MQTT, and relays them."""

import asyncio
import logging
import os
import signal
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from der_client.cli.journals import JournalPlace, default_journal
from der_client.cli.option_groups import grouped
from der_client.cli.options import OnContractsAsAccount
from der_client.cli.patience import until_reachable


@grouped
def gateway(
    *,
    on: OnContractsAsAccount,
    store: Annotated[
        Path, typer.Option("--store", metavar="FILE", dir_okay=False, help="Where messages are kept (SQLite).")
    ],
    host: Annotated[str, typer.Option("--host", help="The address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, help="The HTTP port; 0 for any that is free.")
    ] = 8100,
    mqtt: Annotated[
        str | None,
        typer.Option(
            "--mqtt",
            metavar="URL",
            help="An MQTT broker to listen to: mqtt://host:1883, mqtts://user@host:8883. "
            "Its password is read from DER_MQTT_PASSWORD.",
            show_default=False,
        ),
    ] = None,
    topic: Annotated[str, typer.Option("--topic", help="The topic that meters publish to.")] = "der/days/#",
    receipts: Annotated[
        str, typer.Option("--receipts", help="Where receipts are published, followed by the last part of the topic.")
    ] = "der/receipts",
    session: Annotated[
        str, typer.Option("--session", metavar="NAME", help="The session that the broker keeps for this gateway.")
    ] = "der-gateway",
    interval: Annotated[
        float, typer.Option("--interval", metavar="SECONDS", min=0.1, help="Pause between two rounds of relaying.")
    ] = 10.0,
    keep_days: Annotated[
        float,
        typer.Option("--keep-days", min=0, help="How long to keep messages that are on the chain or were refused."),
    ] = 90.0,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=1, help="How long a round waits for its transactions.")
    ] = 180.0,
    journal: JournalPlace = None,
) -> None:
    """Take signed days from meters, keep them, and relay them to the chain, until Ctrl-C.

    Meters post JSON or CBOR to /v1/days, or publish them to a broker with QoS 1. A message is acknowledged when it is
    on disk, and relayed until the chain has it or has refused it for good: /v1/days/ID says which. What it sends is in
    a journal first ('der outbox' shows it). The account pays the fees.
    """
    from der_client.gateway import Gateway, MessageStore  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.gateway.mqtt import Broker  # noqa: PLC0415
    from der_client.gateway.service import open_socket, serve  # noqa: PLC0415
    from der_client.recorder import Recorder  # noqa: PLC0415
    from der_client.stacks.extras import require_extra  # noqa: PLC0415

    with require_extra("gateway"):
        for module in ("starlette", "uvicorn", "cbor2", *(["aiomqtt"] if mqtt else [])):
            import_module(module)
    broker = (
        None
        if mqtt is None
        else Broker.of(
            mqtt, password=os.environ.get("DER_MQTT_PASSWORD"), topic=topic, receipts=receipts, identifier=session
        )
    )
    der = until_reachable(lambda: on.der)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s: %(message)s"))
    logger = logging.getLogger("der_client")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)

    async def run(running: Gateway) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await serve(running, listening=listening, broker=broker, interval_s=interval, keep_days=keep_days, stop=stop)

    with MessageStore(store) as kept, open_socket(host, port) as listening, ExitStack() as stack:
        place = journal or default_journal("gateway", on.account, der.deployer)
        recorder = Recorder(der, confirm_timeout_s=timeout, journal=place)
        stack.callback(recorder.close)
        running = Gateway(der, recorder, kept)
        where = " and ".join([f"http://{host}:{listening.getsockname()[1]}/v1/days", *([mqtt] if mqtt else [])])
        typer.echo(f"taking days on {where} (Ctrl-C ends it)", err=True)
        asyncio.run(run(running))
