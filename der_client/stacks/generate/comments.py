"""Turns the comments of a source into docstrings."""

from __future__ import annotations

import re
import textwrap
from typing import Final

WIDTH: Final = 120
_CODE: Final = re.compile(r"^[({]|^#\[|^TODO\b|^FIXME\b|^XXX\b|^SPDX|^lint|^[a-z-]+: *$", re.IGNORECASE)
_RULE: Final = re.compile(r"^[^\w]*$|[-=*#~]{4,}")
_HEADING: Final = re.compile(
    r"^(public|read[- ]?only|private|internal|admin|getters?|setters?|constants?|data( maps)?( and)?( vars)?"
    r"|maps?|variables?|errors?|helpers?|events?|storage|traits?)"
    r"( (functions?|methods?|getters?|calls?|codes?|variables?|vars?))?[.:]?$",
    re.IGNORECASE,
)
_TAG: Final = re.compile(r"^@(?P<tag>[a-z-]+)[:;,]?\s*(?P<rest>.*)$", re.IGNORECASE)
_TITLE: Final = re.compile(
    r"^(?P<tag>title|version|author|name|summary|description|contract)\s*:\s*(?P<rest>.*)$", re.IGNORECASE
)
_SAYING: Final = frozenset(("desc", "dev", "notice", "description", "summary"))
_PARAMETER: Final = re.compile(r"^(?:\([^)]*\)\s*)?(?P<name>[a-zA-Z][\w?!*+/<>=-]*)\s*[:;,.-]*\s*(?P<text>.*)$")
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z(`'\"])")


def prose(comment: tuple[str, ...]) -> str:
    """Return the sentences of a comment, without ruled lines, section headings and commented-out code."""
    kept: list[str] = []
    for line in comment:
        text = line.strip().strip("*").strip()
        tag = _TAG.match(text) or _TITLE.match(text)
        if tag and tag["tag"].lower() in _SAYING:
            text = tag["rest"]
        elif tag:
            if tag.re is _TITLE:
                continue
            break
        if kept and (not text or text.startswith(("#", "```"))):
            break  # the first paragraph is the summary
        text = text.lstrip("#").strip()
        if text and not _CODE.search(text) and not _RULE.search(text) and not _HEADING.match(text):
            kept.append(text)
    return re.sub(r"\s+", " ", " ".join(kept)).strip()


def parameters(comment: tuple[str, ...]) -> dict[str, str]:
    """Return a comment's descriptions of parameters, ``@param name; text``, by their names in Clarity."""
    found: dict[str, str] = {}
    current = ""
    for line in comment:
        text = line.strip()
        tag = _TAG.match(text)
        if tag:
            current = ""
            match = _PARAMETER.match(tag["rest"]) if tag["tag"].lower() in ("param", "params", "arg") else None
            if match and match["text"]:
                current = match["name"]
                found[current] = match["text"]
        elif current and text:
            found[current] += f" {text}"
    return found


def docstring(text: str, arguments: dict[str, str], indent: int) -> list[str]:
    """Return the lines of a docstring, indented.

    Args:
        text: The text; its first sentence becomes the first line.
        arguments: The descriptions of parameters, by their Python names.
        indent: The indentation, in columns.

    Returns:
        The lines; none if there is no text.
    """
    if not text and not arguments:
        return []
    said = _escaped(text) or "See the contract."
    if said[-1] not in ".!?:":
        said += "."
    said = said[0].upper() + said[1:]
    summary, *others = _SENTENCE.split(said)
    room = WIDTH - indent
    if others and len(summary) <= room - 3:
        lines = [f'"""{summary}', "", *_wrapped(" ".join(others), room)]
    else:
        is_one_line = len(said) <= room - 3 and not arguments
        first, *others = _wrapped(said, room - 6 if is_one_line else room - 3)  # formatters join it to the quotes
        lines = [f'"""{first}', *_wrapped(" ".join(others), room)]
    if arguments:
        lines += ["", "Args:"]
        for name, said in arguments.items():
            lines += textwrap.wrap(
                f"{name}: {_escaped(said)}",
                room,
                initial_indent="    ",
                subsequent_indent="        ",
                break_long_words=False,
                break_on_hyphens=False,
            )
    if len(lines) == 1 and len(lines[0]) + 3 <= room and not lines[0].endswith('"'):
        lines[0] += '"""'
    else:
        lines.append('"""')
    return [" " * indent + line if line else "" for line in lines]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _escaped(text: str) -> str:
    """Return text escaped for a docstring."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return printable.replace("\\", "\\\\").replace('"""', "'''")
