"""The database of a journal: SQLite or Postgres, opened, checked for its version, and used in transactions."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, event, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from der_client.stacks.checks import check_kind
from der_client.stacks.errors import DerClientError, JournalError, whole
from der_client.stacks.extras import require_extra
from der_client.stacks.outbox import schema
from der_client.stacks.outbox.schema import about

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection, Engine

_IN_MEMORY: Final = "in memory"
_BACKENDS: Final = ("postgresql", "sqlite")
_BUSY_S: Final = 30.0
"""How long one writer of an SQLite file waits for another."""


class Database:
    """A database with the tables of a journal.

    Args:
        place: A path (SQLite), a URL (``postgresql://user:password@host/database``), or ``None`` for one in memory that
            ends with this object.

    Attributes:
        name: The place, without a password.

    Raises:
        JournalError: If it cannot be opened, is broken, or was written by a newer version.
        MissingExtraError: If a Postgres database is named without the extra ``postgres``.
    """

    def __init__(self, place: str | Path | None = None) -> None:
        self._is_gone = False
        self._engine, self.name = _open(place)
        self._insert: Any = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        with self._transaction("be opened") as connection:
            if self._engine.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(0x0DE20B0C)))  # several may create it at once
            about.create(connection, checkfirst=True)
            version = self._about(connection).get("version")
            if version is None:
                schema.metadata.create_all(connection)
                connection.execute(insert(about).values(name="version", value=str(schema.VERSION)))
            elif not version.isdigit() or int(version) > schema.VERSION:
                raise JournalError(
                    f"was written by a newer version of this library (its format is {version[:20]}, this one knows "
                    f"{schema.VERSION}); update der-client, or give another journal",
                    self.name,
                )

    def belongs_to(self, **identity: str) -> None:
        """Check that the journal is for this network and purpose; a new one is set to them.

        Args:
            identity: Names and values, such as ``network="2147483648"``.

        Raises:
            JournalError: If it is for another; nothing was changed.
        """
        with self._transaction("be read") as connection:
            known = self._about(connection)
            for name, value in identity.items():
                if known.get(name, value) != value:
                    raise JournalError(
                        f"belongs to another {name} ({known[name]}, not {value}): give the journal of this "
                        "one, or a new one",
                        self.name,
                    )
            missing = [{"name": name, "value": value} for name, value in identity.items() if name not in known]
            if missing:
                connection.execute(insert(about), missing)

    def now(self) -> float:
        """Return the time of the journal's clock, the same for all its users: unix seconds."""
        with self._transaction("be read") as connection:
            return self._now(connection)

    def close(self) -> None:
        """Close the connections; one in memory ends."""
        self._is_gone = self.name == _IN_MEMORY
        self._engine.dispose()

    @whole
    def __repr__(self) -> str:
        """Return the place, without a password."""
        return f"{type(self).__name__}({self.name})"

    def _now(self, connection: Connection) -> float:
        if self._engine.dialect.name == "postgresql":
            return float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())
        return time.time()

    def _about(self, connection: Connection) -> dict[str, str]:
        return {row.name: row.value for row in connection.execute(select(about))}

    @contextmanager
    def _transaction(self, doing: str) -> Iterator[Connection]:
        if self._is_gone:
            raise JournalError("ended when it was closed; open a new one", self.name)
        try:
            with self._engine.begin() as connection:
                yield connection
        except DerClientError:
            raise
        except (SQLAlchemyError, OSError) as error:
            raise JournalError(f"cannot {doing}: {_words(error)}", self.name) from error


def _open(place: str | Path | None) -> tuple[Engine, str]:
    if place is None:
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        name = _IN_MEMORY
    elif isinstance(place, str) and "://" in place:
        try:
            url = make_url(place)
            if url.get_backend_name() not in _BACKENDS:
                raise JournalError(
                    f"cannot be used: a journal is a file or a postgresql:// URL, not a {url.drivername}:// one",
                    url.render_as_string(hide_password=True),
                )
            if url.drivername == "postgresql":
                url = url.set(drivername="postgresql+psycopg")
            name = url.render_as_string(hide_password=True)
            with require_extra("postgres"):
                engine = create_engine(url, pool_pre_ping=True)
        except (ArgumentError, ValueError) as error:
            raise JournalError("is not a URL that can be used; give postgresql://user@host/database", "?") from error
    else:
        check_kind(place, (str, Path), "journal", "give a file or a postgresql:// URL")
        path = Path(place)
        if not path.parent.is_dir():
            raise JournalError(f"cannot be opened: there is no folder {path.parent}", str(path))
        engine, name = create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_S}), str(path)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    return engine, name


def _prepare_sqlite(engine: Engine) -> None:
    """Allow one writer at a time, who waits for the others, and readers meanwhile; write each commit to disk."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin below, not where the driver thinks they should
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _words(error: BaseException) -> str:
    original = getattr(error, "orig", None) or error
    text = (str(original) or type(original).__name__).splitlines()[0][:300]
    hint = {
        "database or disk is full": "free some space and start again; nothing is lost",
        "file is not a database": "it is not a journal; give another file",
        "database disk image is malformed": "the file is damaged; restore a copy of it",
    }
    return next((f"{text}; {advice}" for words, advice in hint.items() if words in text), text)
