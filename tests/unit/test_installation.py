"""The copy of the project in the user's cache: created once, complete, private, and repaired after a change."""

from __future__ import annotations

import logging
import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from der_client import installation
from der_client.installation import cache_folder, install_once
from der_client.nodejs import DevnetSetupError

if TYPE_CHECKING:
    from collections.abc import Sequence


class FakeNpm:
    """A stand-in for npm that counts its calls, and installs one package with one file."""

    def __init__(self) -> None:
        self.calls = 0
        self.error: Exception | None = None

    def __call__(self, arguments: Sequence[str], folder: Path, *, umask: int) -> None:
        assert arguments[0] == "ci"
        assert umask == 0o077
        self.calls += 1
        if self.error is not None:
            raise self.error
        package = folder / "node_modules" / "fast"
        package.mkdir(parents=True)
        (package / "index.js").write_text("export default 1;\n")


@pytest.fixture
def npm(monkeypatch: pytest.MonkeyPatch) -> FakeNpm:
    fake = FakeNpm()
    monkeypatch.setattr(installation, "run_npm", fake)
    return fake


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "carried"
    (folder / "devnet").mkdir(parents=True)
    (folder / "devnet" / "main.js").write_text("start();\n")
    (folder / "package.json").write_text("{}\n")
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "der-client"


def test_the_devnets_cache_is_not_a_change(npm: FakeNpm, source: Path, cache: Path) -> None:
    copy = install_once(source, cache)
    images = copy / "node_modules" / ".cache" / "der-client"
    images.mkdir(parents=True)
    (images / "vm.image").touch()
    assert install_once(source, cache) == copy
    assert (images / "vm.image").exists()
    assert npm.calls == 1


def test_the_copy_is_created_once(npm: FakeNpm, source: Path, cache: Path) -> None:
    target = install_once(source, cache)
    assert (target / "devnet" / "main.js").read_text() == "start();\n"
    assert (target / "node_modules" / "fast" / "index.js").exists()
    assert install_once(source, cache) == target
    assert npm.calls == 1


def test_the_log_explains_the_wait_for_the_first_copy(
    npm: FakeNpm, source: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for told in (1, 1):  # not logged again once the copy exists
        install_once(source, cache)
        assert caplog.text.count("this happens once, and may take a few minutes") == told


def test_concurrent_calls_create_the_copy_once(npm: FakeNpm, source: Path, cache: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: install_once(source, cache), range(8)))) == 1
    assert npm.calls == 1


def test_another_version_has_another_folder(npm: FakeNpm, source: Path, cache: Path) -> None:
    first = install_once(source, cache)
    (source / "devnet" / "main.js").write_text("start(2);\n")
    second = install_once(source, cache)
    assert first != second
    assert first.is_dir()
    assert npm.calls == 2


def test_leftovers_of_a_killed_installation_are_removed(npm: FakeNpm, source: Path, cache: Path) -> None:
    left_over = cache / "unfinished-x1"
    (left_over / "project" / "node_modules").mkdir(parents=True)
    target = install_once(source, cache)
    assert {path.name for path in cache.iterdir()} == {target.name, "lock"}
    assert npm.calls == 1


def test_leftovers_of_a_failed_installation_are_removed(npm: FakeNpm, source: Path, cache: Path) -> None:
    npm.error = DevnetSetupError("npm ci failed")
    with pytest.raises(DevnetSetupError, match="npm ci failed"):
        install_once(source, cache)
    assert [path.name for path in cache.iterdir()] == ["lock"]
    npm.error = None
    assert install_once(source, cache).is_dir()


def _append(path: Path) -> None:
    with path.open("a") as opened:
        opened.write("steal();\n")


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("devnet/main.js", _append, "devnet/main.js was changed"),
        ("devnet/main.js", Path.unlink, "devnet/main.js was changed"),
        ("devnet/more.js", Path.touch, "devnet/more.js was added"),
        ("node_modules/fast/index.js", _append, "node_modules/fast/index.js was changed"),
        ("node_modules/fast/index.js", Path.unlink, "node_modules/fast/index.js was removed"),
        ("installed-files.json", _append, "installed-files.json cannot be read"),
        ("installed-files.json", Path.unlink, "it is not complete"),
    ],
)
def test_a_change_is_detected_and_undone(
    npm: FakeNpm,
    source: Path,
    cache: Path,
    caplog: pytest.LogCaptureFixture,
    name: str,
    change: object,
    told: str,
) -> None:
    target = install_once(source, cache)
    assert callable(change)
    change(target / name)
    with caplog.at_level(logging.WARNING):
        assert install_once(source, cache) == target
    assert told in caplog.text
    assert npm.calls == 2
    assert (target / "devnet" / "main.js").read_text() == "start();\n"
    assert {path.name for path in cache.iterdir()} == {target.name, "lock"}


def test_a_change_of_our_files_with_equal_size_and_time_is_detected(npm: FakeNpm, source: Path, cache: Path) -> None:
    main = install_once(source, cache) / "devnet" / "main.js"
    before = main.stat()
    main.write_text("steal();\n")
    os.utime(main, ns=(before.st_atime_ns, before.st_mtime_ns))
    install_once(source, cache)
    assert main.read_text() == "start();\n"
    assert npm.calls == 2


def test_a_different_time_alone_is_not_a_change(npm: FakeNpm, source: Path, cache: Path) -> None:
    target = install_once(source, cache)
    os.utime(target / "node_modules" / "fast" / "index.js", (1, 1))
    install_once(source, cache)
    assert npm.calls == 1


@pytest.mark.usefixtures("npm")
@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_the_copy_is_private_with_any_umask(source: Path, cache: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        target = install_once(source, cache)
    finally:
        os.umask(before)
    folders = [cache.parent, cache, target]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [*folders, *target.rglob("devnet/*")]}
    assert set(modes.values()) == {0o700, 0o600}
    assert [oct(mode) for path, mode in modes.items() if path.is_dir()] == ["0o700"] * len(folders)


@pytest.mark.usefixtures("npm")
def test_an_unwritable_folder_is_named_in_the_error(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DevnetSetupError, match=r"could not be set up in .*file.*XDG_CACHE_HOME"):
        install_once(source, tmp_path / "file" / "der-client")


def test_a_relative_cache_folder_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    assert cache_folder() == tmp_path / ".cache" / "der-client"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache_folder() == tmp_path / ".cache" / "der-client"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    assert cache_folder() == tmp_path / "elsewhere" / "der-client"


def test_the_cache_can_be_moved(npm: FakeNpm, source: Path, cache: Path) -> None:
    target = install_once(source, cache)
    shutil.copytree(cache, cache.with_name("moved"))  # preserves the files' times
    assert install_once(source, cache.with_name("moved")).name == target.name
    assert npm.calls == 1
