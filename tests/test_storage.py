from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.files.storage import safe_stem


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("rater-01", "rater-01"),
        ("Dr. Anna Example", "Dr.-Anna-Example"),
        ("owner/Model v1.5:free", "owner-Model-v1.5-free"),
        ("../../etc/passwd", "etc-passwd"),
        (".hidden.", "hidden"),
        ("\u00c9lo\u00efse", "lo-se"),
        ("///", ""),
    ],
)
def test_a_name_becomes_a_files(name: str, stem: str) -> None:
    assert safe_stem(name) == stem


@given(st.text())
def test_a_files_name_is_safe_and_stays_as_it_is(name: str) -> None:
    stem = safe_stem(name)
    assert re.fullmatch(r"([A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?)?", stem)
    assert safe_stem(stem) == stem
