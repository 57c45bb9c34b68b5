"""Node.js and npm are started without our secrets."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from der_client.nodejs import DevnetSetupError, environment, find_node, run_npm


def test_child_processes_do_not_get_our_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DER_KEY", "DER_PASSPHRASE", "DER_MNEMONIC_PASSPHRASE", "DER_URL"):
        monkeypatch.setenv(name, "a secret of ours")
    monkeypatch.setenv("OTHER", "kept")
    children = environment()
    assert not [name for name in children if name.startswith("DER_")]
    assert children["OTHER"] == "kept"
    assert children["PATH"].split(os.pathsep)[0] == str(Path(find_node()).parent)


def test_npm_and_its_scripts_do_not_get_our_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DER_KEY", "a secret of ours")
    (tmp_path / "package.json").write_text(
        '{"name": "x", "version": "1.0.0", "scripts": {"postinstall": "env > seen.txt"}}\n'
    )
    run_npm(["install", "--no-audit", "--no-fund", "--offline"], tmp_path)
    seen = (tmp_path / "seen.txt").read_text()
    assert "PATH=" in seen
    assert "a secret of ours" not in seen


def test_an_npm_error_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DevnetSetupError, match=r"^npm ci --offline failed in .*: code EUSAGE The") as caught:
        run_npm(["ci", "--offline"], tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_the_version_check_of_node_does_not_get_our_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\nenv > '{tmp_path}/seen.txt'\necho v24.0.0\n")
    node.chmod(0o755)
    monkeypatch.setattr("der_client.nodejs._bundled", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("DER_KEY", "a secret of ours")
    assert find_node() == str(node)
    assert "a secret of ours" not in (tmp_path / "seen.txt").read_text()
