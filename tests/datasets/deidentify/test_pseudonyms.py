from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.deidentify.pseudonyms import Pseudonyms, key_in
from pefomed.errors import DataError, StorageError


def test_a_pseudonym_is_the_keys_and_the_kinds() -> None:
    names = Pseudonyms(bytes(32))
    assert names("patient", "p1") == names("patient", "p1")
    assert len(names("patient", "p1")) == 12
    assert (
        len(
            {
                names("patient", "p1"),
                names("study", "p1"),
                names("patient", "p2"),
                Pseudonyms(b"k" * 32)("patient", "p1"),
            }
        )
        == 4
    )


@given(st.text(max_size=20))
def test_shares_are_in_the_unit_interval(value: str) -> None:
    assert 0 <= Pseudonyms(bytes(32)).share("split", value) < 1


def test_dates_of_a_patient_keep_their_distance() -> None:
    names = Pseudonyms(bytes(32))
    first, second = names.shifted("p", "20200301"), names.shifted("p", "20200331")
    from datetime import date

    assert (date.fromisoformat(second) - date.fromisoformat(first)).days == 30
    assert 1 <= (date(2020, 3, 1) - date.fromisoformat(first)).days <= 365
    assert names.shifted("p", "2020") == names.shifted("p", "") == names.shifted("p", "00010101") == ""


def test_the_key_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    key = key_in(tmp_path / "secret")
    assert key_in(tmp_path / "secret") == key
    assert len(key) == 32
    assert stat.S_IMODE((tmp_path / "secret" / "key").stat().st_mode) == 0o600
    (tmp_path / "secret" / "key").write_text("lost")
    with pytest.raises(DataError, match="not a key"):
        key_in(tmp_path / "secret")


def test_a_full_disk_leaves_no_half_of_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(StorageError, match="No space left"):
            key_in(tmp_path / "secret")
        assert list((tmp_path / "secret").iterdir()) == []
    key = key_in(tmp_path / "secret")
    assert key_in(tmp_path / "secret") == key
    assert (tmp_path / "secret" / "key").stat().st_mode & 0o777 == 0o600
