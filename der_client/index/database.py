"""The database of an index: SQLite or Postgres, opened for writing or reading, and checked for its version."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, delete, event, func, insert, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from der_client.index import schema, views
from der_client.index.errors import IndexDatabaseError, IndexMissingError, IndexVersionError, LeaseHeldError
from der_client.stacks.errors import DerClientError, whole
from der_client.stacks.extras import require_extra

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy.engine import Connection, Engine

_BUSY_S: Final = 30.0
"""How long a writer of an SQLite file waits for another."""
_ADVISORY_LOCK: Final = 0x0DE2_1DE8


class Database:
    """A database with the tables of an index.

    Args:
        place: A path (SQLite) or a URL (``postgresql://user:password@host/database``).
        writable: Whether it is opened for writing, and created if it does not exist.
        rebuild: Whether to discard its content first.

    Attributes:
        name: The place, without a password.
        is_postgres: Whether it is Postgres.

    Raises:
        IndexMissingError: If it does not exist, and is opened for reading.
        IndexVersionError: If another version made it.
        IndexDatabaseError: If it cannot be opened.
        MissingExtraError: If a Postgres database is named without the extra ``postgres``.
    """

    def __init__(self, place: str | Path, *, writable: bool, rebuild: bool = False) -> None:
        self._engine, self.name = _open(place, writable=writable)
        self.is_postgres = self._engine.dialect.name == "postgresql"
        self._is_writable = writable
        try:
            with self.transaction("be opened") as connection:
                self._prepare(connection, rebuild=rebuild)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def transaction(self, doing: str) -> Iterator[Connection]:
        """Begin a transaction, which is committed unless the block raises.

        Args:
            doing: The purpose, for the error: ``be read``.

        Raises:
            IndexDatabaseError: If the database fails.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except DerClientError:
            raise
        except (SQLAlchemyError, OSError) as error:
            words = _words(error, writable=self._is_writable)
            raise IndexDatabaseError(f"cannot {doing}: {words}", self.name) from error

    def now(self, connection: Connection) -> float:
        """Return the database's clock, the same for all who use it: unix seconds."""
        if self.is_postgres:
            return float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())
        return time.time()

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    @whole
    def __repr__(self) -> str:
        """Return the place, without a password."""
        return f"{type(self).__name__}({self.name})"

    def _prepare(self, connection: Connection, *, rebuild: bool) -> None:
        if self._is_writable and self.is_postgres:
            connection.execute(
                select(func.pg_advisory_xact_lock(_ADVISORY_LOCK))
            )  # several processes may create it at once
        known = inspect(connection).get_table_names()
        if known and schema.about.name not in known:
            raise IndexDatabaseError("is a database of another program: give another file or schema", self.name)
        if rebuild and self._is_writable:
            self._require_unused(connection, known)
            _drop_all(connection)
            known = []
        if not known:
            if not self._is_writable:
                raise IndexMissingError(f"is empty: run `der index --database {self.name}` to fill it", self.name)
            schema.create(connection)
            views.create(connection)
            connection.execute(insert(schema.about).values(name="version", value=str(schema.VERSION)))
            return
        version = read_about(connection).get("version", "?")
        if version != str(schema.VERSION):
            update = "update der-client, or " if version.isdecimal() and int(version) > schema.VERSION else ""
            raise IndexVersionError(
                f"was made by another version of this library (its format is {version[:20]}, this one's is "
                f"{schema.VERSION}): {update}rebuild it with `der index --rebuild`",
                self.name,
            )

    def _require_unused(self, connection: Connection, known: Collection[str]) -> None:
        """Refuse to rebuild what another indexer writes.

        Raises:
            LeaseHeldError: If one does.
        """
        if not known or read_about(connection).get("version") != str(schema.VERSION):
            return  # who writes another version's is not known
        row = connection.execute(select(schema.lease)).one_or_none()
        if row is not None and row.until > self.now(connection):
            raise LeaseHeldError(
                f"is being written by another indexer ({row.owner}): stop that before you rebuild this; if it was "
                "killed, wait some seconds",
                self.name,
            )


def read_about(connection: Connection) -> dict[str, str]:
    """Return the index's entries about itself."""
    return {row.name: row.value for row in connection.execute(select(schema.about))}


def write_about(connection: Connection, name: str, value: str) -> None:
    """Change the index's entries about itself."""
    connection.execute(delete(schema.about).where(schema.about.c.name == name))
    connection.execute(insert(schema.about).values(name=name, value=value))


def _drop_all(connection: Connection) -> None:
    """Remove the tables and views of an index, of whichever version."""
    inspector = inspect(connection)
    quote = connection.dialect.identifier_preparer.quote
    for name in inspector.get_view_names():
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {quote(name)}{_cascade(connection)}")
    for name in inspector.get_table_names():
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {quote(name)}{_cascade(connection)}")


def _cascade(connection: Connection) -> str:
    return " CASCADE" if connection.dialect.name == "postgresql" else ""


def _open(place: str | Path, *, writable: bool) -> tuple[Engine, str]:
    if isinstance(place, str) and "://" in place:
        engine, name = _open_url(place)
        if not writable:
            engine = engine.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")
        return engine, name
    path = Path(place)
    if path.is_dir():
        raise IndexDatabaseError("is a folder: give a file", str(path))
    if not path.parent.is_dir():
        form = "; a URL begins with postgresql://" if str(path).startswith("postgres") else ""
        raise IndexDatabaseError(f"cannot be opened: there is no folder {path.parent}{form}", str(path))
    if not writable and not path.exists():
        raise IndexMissingError(f"does not exist: run `der index --database {path}` to make it", str(path))
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, connect_args={"timeout": _BUSY_S, "check_same_thread": False})
    _prepare_sqlite(engine, writable=writable)
    return engine, str(path)


def _open_url(place: str) -> tuple[Engine, str]:
    try:
        url = make_url(place)
        if url.drivername in ("postgresql", "postgres"):
            url = url.set(drivername="postgresql+psycopg")
        name = url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)
        if url.get_backend_name() != "postgresql":
            raise IndexDatabaseError(
                "is neither a file nor a Postgres database: give the path of a SQLite file, or "
                "postgresql://user@host/database",
                name,
            )
        with require_extra("postgres"):
            return create_engine(url, pool_pre_ping=True), name
    except (ArgumentError, ValueError) as error:
        raise IndexDatabaseError("is not a URL that can be used; give postgresql://user@host/database", "?") from error


def _prepare_sqlite(engine: Engine, *, writable: bool) -> None:
    """Allow one writer at a time, and readers, each of which sees one state for the duration of a transaction."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin below, not where the driver thinks they should
        if writable:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")  # what a power cut loses is read from the chain again
            connection.execute("PRAGMA cache_size=-65536")
        else:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writable else "BEGIN")


def _words(error: BaseException, *, writable: bool) -> str:
    original = getattr(error, "orig", None) or error
    text = (str(original) or type(original).__name__).splitlines()[0][:300]
    hint = {
        "database or disk is full": "free some space and start again; nothing is lost",
        "file is not a database": "it is not an index; give another file",
        "unable to open database file": "check that you may read and write it and its folder",
        "attempt to write a readonly database": "check that you may write it and its folder"
        if writable
        else "SQLite has to write beside a file that it reads: copy it to a folder that you may write",
        "database is locked": "another program has locked it; end that",
        "Connection refused": "check that Postgres is running there, and the URL",
        "No such file or directory": "check that Postgres is running on this machine, or name its host in the URL",
        "database disk image is malformed": "the file is damaged; rebuild it with `der index --rebuild`",
    }
    return next((f"{text}; {advice}" for words, advice in hint.items() if words in text), text)
