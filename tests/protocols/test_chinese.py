"""Chinese answers that say the same, and those that do not."""

import pytest

from pefomed.protocols.chinese import chinese_equal, normalised

pytest.importorskip("opencc")

SAME = [
    ("\uff34\uff11", "T1"),  # full width
    ("\u80ba\u3002", "\u80ba"),  # full stop
    ("\u53f3\u80ba, \u5de6\u4fa7", "\u53f3\u80ba\uff0c\u5de6\u4fa7"),  # a comma, full-width comma
    ("\u809d\u81df", "\u809d\u810f"),  # traditional, simplified: liver
    ("\u5de6\u5074", "\u5de6\u4fa7"),  # left side
    ("\u51a0\u72c0\u9762", "\u51a0\u72b6\u9762"),  # coronal plane
    ("\u4e8c", "2"),
    ("\u4e24\u4e2a", "2"),  # two, with a measure word
    ("\u5169\u500b", "2"),  # the same in traditional characters
    ("\u5341\u4e8c", "12"),
    ("\u4e8c\u5341", "20"),
    ("\u4e00\u767e\u96f6\u4e09", "103"),
    ("\u4e00\u5343\u4e8c\u767e", "1200"),
    ("\u4e09\u4e07", "30000"),
    ("\u4e8c\u3007\u4e8c\u516d", "2026"),
    ("\u58f9", "1"),  # as banks write it
    ("\uff12\uff0e\uff15", "2.5"),
    ("X\u5149", "x\u5149"),
    ("\u4e8c\u70b9\u4e94", "2.5"),  # two point five
    ("\u767e\u5206\u4e4b\u4e94\u5341", "50%"),
    ("\u4e09\u5343\u4e07", "30000000"),
]
OTHER = [
    ("\u80ba", "\u809d\u810f"),
    ("\u662f", "\u4e0d\u662f"),
    ("2.5", "25"),
    ("1,2", "12"),
    ("<5", ">5"),
    ("-1", "1"),
    ("\u5341\u4e8c", "2"),
    ("\u5de6\u80ba", "\u53f3\u80ba"),
    ("", ""),
    ("\u3002", ""),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_written_otherwise(one: str, other: str) -> None:
    assert chinese_equal(one, other)
    assert chinese_equal(other, one)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_is_something_else(one: str, other: str) -> None:
    assert not chinese_equal(one, other)
    assert not chinese_equal(other, one)


def test_normalised_twice_is_normalised_once() -> None:
    for text in (text for pair in SAME + OTHER for text in pair):
        assert normalised(normalised(text)) == normalised(text)
