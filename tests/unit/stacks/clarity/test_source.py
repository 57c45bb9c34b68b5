"""The reader of Clarity source: expressions, places, comments, and what cannot be read."""

from __future__ import annotations

import pytest

from der_client.stacks.clarity.source import Kind, Source
from der_client.stacks.errors import SourceError

SOURCE = """;; A register of names.
;; Second line.

;; Who owns it.
(define-constant ERR-X (err u100)) ;; not yours
(define-public (claim (name (string-ascii 20)))
  (begin
    (print {topic: "cl\\"aimed;", "odd": 1, owner: tx-sender}) ; one
    (print (tuple (a u1) (b u"x")))
    (ok true)))
"""


def test_expressions_and_fields() -> None:
    source = Source.read(SOURCE)
    constant, function = source.expressions
    assert (constant.head, function.head) == ("define-constant", "define-public")
    first, second = [each.items[1] for each in function.walk() if each.head == "print"]
    assert first.kind is Kind.TUPLE
    assert list(first.fields) == ["topic", '"odd"', "owner"]
    assert first.fields["topic"].text == '"cl\\"aimed;"'
    assert {name: value.text for name, value in second.fields.items()} == {"a": "u1", "b": 'u"x"'}
    assert SOURCE[first.start : first.end].startswith("{topic")
    assert SOURCE[first.end - 1] == "}"


def test_places_and_comments() -> None:
    source = Source.read(SOURCE)
    constant, function = source.expressions
    assert source.position(constant.start) == (5, 1)
    assert source.position(function.items[2].start) == (7, 3)
    assert source.comment_above(constant) == ("Who owns it.",)
    assert source.comment_above(function) == ()
    assert source.comment_behind(constant) == "not yours"
    assert source.comment_behind(function) == ""


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("(a\n  (b)", 1, 1, r"\( is never closed"),
        ("(a))", 1, 4, r"\) does not close any open bracket"),
        ("(a\n }", 2, 2, "} does not close any open bracket"),
        ('(a\n "b)', 2, 2, "the string that begins here does not end"),
    ],
)
def test_what_cannot_be_read(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(SourceError, match=words) as caught:
        Source.read(text)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_no_nesting_is_too_deep() -> None:
    deep = 50_000
    (top,) = Source.read("(" * deep + ")" * deep).expressions
    assert sum(1 for _ in top.walk()) == deep
