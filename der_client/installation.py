"""The copy of the project with its npm packages that an installed wheel makes in the user's cache on first use.

It is made once for all processes, under a lock, in a folder with another name, which is renamed when it is complete. So
a first use that was killed leaves nothing that looks like a copy, and the next one removes what it left. At each start
the copy is compared with the wheel and with what was installed: if a file has changed, the copy is made again.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from der_client.nodejs import DevnetSetupError, run_npm

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOG: Final = logging.getLogger(__name__)
_UNFINISHED: Final = "unfinished-"
_LIST: Final = "installed-files.json"
"""Size, time of the last change in nanoseconds, and SHA-256 of each file of a copy."""
_NPM: Final = "node_modules"
_NPM_CACHE: Final = ".cache"

_Entry = tuple[int, int, str]


def cache_folder() -> Path:
    """Return the folder of this library in the user's cache (XDG Base Directory Specification).

    A relative ``XDG_CACHE_HOME`` is ignored, as the specification requires.
    """
    configured = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (configured if configured.is_absolute() else Path.home() / ".cache") / "der-client"


def install_once(source: Path, cache: Path) -> Path:
    """Copy the project to a folder named by its content, and install its npm packages there.

    Args:
        source: The project that the wheel carries.
        cache: The folder for all copies; made if it is missing, for this user alone.

    Returns:
        The folder of the copy.

    Raises:
        DevnetSetupError: If it cannot be set up, or was changed and cannot be made again.
    """
    target = cache / _content_hash(source)
    if _difference(source, target) is None:
        return target
    try:
        _make_private(cache)
        with _locked(cache):
            difference = _difference(source, target)
            if difference is not None:
                _install(source, cache, target, difference)
    except OSError as error:
        raise DevnetSetupError(
            f"the devnet's files could not be set up in {cache}: {error}; "
            "make the folder writable, or set XDG_CACHE_HOME to one that is"
        ) from error
    return target


def _install(source: Path, cache: Path, target: Path, difference: str) -> None:
    for left_over in cache.glob(f"{_UNFINISHED}*"):  # left by a process that was killed: this one has the lock
        shutil.rmtree(left_over, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=cache, ignore_cleanup_errors=True) as temporary:
        if target.exists():
            _LOG.warning("the devnet's files in %s are not as they were installed (%s); installing", target, difference)
        # A warning, because it is shown without configuration: users must know what they are waiting for.
        _LOG.warning("installing the devnet's npm packages in %s; this happens once, and may take a few minutes", cache)
        copy = Path(temporary) / "project"
        _copy(source, copy)
        run_npm(["ci", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error"], copy, umask=0o077)
        (copy / _LIST).write_text(json.dumps(_list(copy)), encoding="ascii")
        if target.exists():
            target.rename(Path(temporary) / "changed")
        copy.rename(target)


def _difference(source: Path, target: Path) -> str | None:
    """Return how a copy differs from what was installed; ``None`` if it does not."""
    try:
        listed: dict[str, _Entry] = {
            name: (size, changed, digest)
            for name, (size, changed, digest) in json.loads((target / _LIST).read_text(encoding="ascii")).items()
        }
    except FileNotFoundError:
        return "it is not complete"
    except (OSError, ValueError, TypeError, AttributeError):
        return f"{_LIST} cannot be read"
    for path in _files(source):
        name = path.relative_to(source).as_posix()
        copied = target / name
        if not copied.is_file() or copied.read_bytes() != path.read_bytes():
            return f"{name} was changed"
    found = {path.relative_to(target).as_posix(): path for path in _files(target)}
    found.pop(_LIST)
    for name in sorted(found.keys() ^ listed.keys()):
        return f"{name} was {'added' if name in found else 'removed'}"
    for name, (size, changed, digest) in listed.items():
        stat = found[name].stat()
        # A file with the same size and time counts as unchanged: reading all packages would take too long.
        if (stat.st_size, stat.st_mtime_ns) != (size, changed) and _digest(found[name]) != digest:
            return f"{name} was changed"
    return None


def _list(folder: Path) -> dict[str, _Entry]:
    def entry(path: Path) -> _Entry:
        stat = path.stat()
        return stat.st_size, stat.st_mtime_ns, _digest(path)

    return {path.relative_to(folder).as_posix(): entry(path) for path in _files(folder)}


def _files(folder: Path) -> Iterator[Path]:
    """Yield all files but the devnet's own cache, which changes as it is used."""
    for parent, folders, names in os.walk(folder):
        if Path(parent) == folder / _NPM and _NPM_CACHE in folders:
            folders.remove(_NPM_CACHE)
        yield from (Path(parent) / name for name in names)


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _content_hash(folder: Path) -> str:
    digest = sha256()
    for path in sorted(_files(folder)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _copy(source: Path, target: Path) -> None:
    """Copy a folder; whatever the umask, its owner can read and write all of it, and nobody else can."""
    _make_private(target)
    for entry in sorted(source.iterdir()):
        copied = target / entry.name
        if entry.is_dir():
            _copy(entry, copied)
        else:
            shutil.copyfile(entry, copied)
            copied.chmod(0o600)


def _make_private(folder: Path) -> None:
    if not folder.parent.exists():
        _make_private(folder.parent)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)


@contextmanager
def _locked(cache: Path) -> Iterator[None]:
    try:
        import fcntl  # noqa: PLC0415 -- not on Windows, where everything else can be imported
    except ImportError as error:
        raise DevnetSetupError("the devnet runs on Linux and macOS; on Windows use WSL") from error
    descriptor = os.open(cache / "lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
