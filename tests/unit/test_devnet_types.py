"""The devnet's JavaScript says its types: ``any`` only where the reason stands beside it."""

from __future__ import annotations

import re
from pathlib import Path

DEVNET = Path(__file__).parents[2] / "devnet"
ANY = re.compile(r"[{<(|:]\s*any\b\s*(?:[\[>}|,)]|\w+\}?)")
WITH_REASON = {
    # A question of one operation waits among those of others, whose arguments and answers have other types.
    "chain/vm-thread.js": 2,
}


def test_any_stands_only_where_no_type_can_be_said() -> None:
    found = {}
    for path in sorted(DEVNET.rglob("*.js")):
        comments = re.findall(r"/\*\*.*?\*/", path.read_text(encoding="utf-8"), re.DOTALL)
        count = sum(len(ANY.findall(re.sub(r"\n \*", "\n", comment))) for comment in comments)
        if count:
            found[path.relative_to(DEVNET).as_posix()] = count
    assert found == WITH_REASON
