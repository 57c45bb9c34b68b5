"""All modules can be imported where Python lacks the modules of Unix, as on Windows."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys

UNIX = {"fcntl", "termios", "tty", "pty", "resource", "pwd", "grp", "syslog"}

class Nowhere:
    def find_spec(self, name, path=None, target=None):
        if name in UNIX and sys._getframe(1).f_globals.get("__name__") != "__main__":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Nowhere())
for name in UNIX:
    sys.modules.pop(name, None)

import importlib, pkgutil
import der_client

failed = {}
for module in pkgutil.walk_packages(der_client.__path__, "der_client."):
    if module.name == "der_client.cli.__main__":
        continue
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        if error.name in UNIX:
            failed[module.name] = error.name
print(failed)
"""


def test_all_modules_can_be_imported() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.stdout.strip() == "{}", done.stdout + done.stderr


def test_the_pytest_plugin_can_be_imported() -> None:
    code = CODE.partition("import importlib")[0] + "import der_client.pytest_plugin; print('imported')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.stdout.strip() == "imported", done.stderr
