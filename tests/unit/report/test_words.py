"""What a run says in a terminal."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._report.words import lines_of, sign


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [("Create bucket a", "+"), ("Delete bucket a", "-"), ("Change tags of bucket a", "~"), ("Grant USAGE", "~")],
)
def test_a_change_has_the_sign_of_what_it_does(sentence: str, expected: str) -> None:
    assert sign(sentence) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("a word", ["a word"]),
        ("two\nlines", ["two", "lines"]),
        (["one", "", "two"], ["one", "", "two"]),
        ({"judged": 0, "wrong": []}, ["judged: 0", "wrong: none"]),
        (
            {"measured": [{"what": "RTO", "seconds": 1.5}, {"what": "RPO", "seconds": None}], "passed": True},
            ["measured:", "  - what: RTO", "    seconds: 1.5", "  - what: RPO", "    seconds: none", "passed: True"],
        ),
        (12, ["12"]),
    ],
)
def test_a_message_is_told_without_brackets_and_quotes(message: Any, expected: list[str]) -> None:
    assert lines_of(message) == expected
