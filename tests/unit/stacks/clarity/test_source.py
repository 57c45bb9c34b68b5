"""The reader of Clarity source: expressions, positions, comments and invalid source."""

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


def test_expressions_and_tuple_fields_are_read() -> None:
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


def test_positions_and_comments_are_found() -> None:
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
def test_invalid_source_is_rejected_with_line_and_column(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(SourceError, match=words) as caught:
        Source.read(text)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_deeply_nested_source_is_read() -> None:
    deep = 50_000
    (top,) = Source.read("(" * deep + ")" * deep).expressions
    assert sum(1 for _ in top.walk()) == deep
