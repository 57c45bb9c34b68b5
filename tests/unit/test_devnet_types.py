"""The devnet's JavaScript declares its types: ``any`` is used only with a reason, which is given here."""

from __future__ import annotations

import re
from pathlib import Path

DEVNET = Path(__file__).parents[2] / "devnet"
ANY = re.compile(r"[{<(|:]\s*any\b\s*(?:[\[>}|,)]|\w+\}?)")
WITH_REASON = {
    # Requests for all operations wait in one queue, but each operation has other types of arguments and results.
    "chain/vm-thread.js": 2,
}


def test_any_is_used_only_where_no_type_is_possible() -> None:
    found = {}
    for path in sorted(DEVNET.rglob("*.js")):
        comments = re.findall(r"/\*\*.*?\*/", path.read_text(encoding="utf-8"), re.DOTALL)
        count = sum(len(ANY.findall(re.sub(r"\n \*", "\n", comment))) for comment in comments)
        if count:
            found[path.relative_to(DEVNET).as_posix()] = count
    assert found == WITH_REASON
