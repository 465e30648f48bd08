"""Every reader of a file from outside: a damaged one is read, or refused with one of our errors."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import pytest
from fuzz.damage import WORDS, flipped, moved, other_value, put_in
from fuzz.guard import Trespass, guarded
from fuzz.target import Target, check
from fuzz.targets import TARGETS
from hypothesis import given, settings
from hypothesis import strategies as st

NEEDS = {
    "dicom": "pydicom",
    "nifti": "nibabel",
    "nifti_gz": "nibabel",
    "parquet": "pyarrow",
    "arrow": "pyarrow",
    "mask_volumes": "nibabel",
    "annotations": "dicomanonymizer",
    "import": "dicomanonymizer",
    "xlsx_table": "openpyxl",
}


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PEFOMED_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@functools.cache
def seeds(name: str) -> Sequence[bytes]:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    return TARGETS[name].seeds()


@st.composite
def damaged(draw: st.DrawFn, target: Target, whole: Sequence[bytes]) -> bytes:
    data = draw(st.sampled_from(whole))
    for _ in range(draw(st.integers(1, 3))):
        # Half of the damage is near the beginning, where a file says what it is and how large.
        place = draw(st.integers(0, min(len(data), 400)) | st.integers(0, len(data)))
        kinds = ["flip", "cut", "put in", "move", "join"] + (["value"] * 4 if target.words else [])
        match draw(st.sampled_from(kinds)):
            case "flip":
                data = flipped(data, place, draw(st.integers(1, 255)))
            case "cut":
                data = data[:place]
            case "put in":
                data = put_in(data, place, draw(st.sampled_from(WORDS + target.words)), draw(st.booleans()))
            case "move":
                data = moved(data, place, draw(st.integers(1, 200)), draw(st.integers(0, len(data))))
            case "join":
                data += draw(st.sampled_from(whole))
            case _:
                data = other_value(data, draw(st.integers(0, 60)), draw(st.sampled_from(target.words)))
    return data


@pytest.mark.parametrize("name", [name for name in TARGETS if name != "weights"])
def test_the_whole_files_are_read(name: str) -> None:
    # Otherwise what is made of them would only be tried on the first line of a reader.
    errors = [error for error in (check(TARGETS[name], data) for data in seeds(name)) if error]
    assert [str(error) for error in errors if "JPEG Extended" not in str(error)] == []


@pytest.mark.parametrize("name", [name for name in TARGETS if name != "weights"])
@settings(max_examples=25, derandomize=True)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(name: str, data: st.DataObject) -> None:
    check(TARGETS[name], data.draw(damaged(TARGETS[name], seeds(name))))


def test_the_guard_notices(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("in/a", "b"):
        (tmp_path / name).write_text("x")
    with guarded(tmp_path / "in"):
        (tmp_path / "in/a").read_text()
    with pytest.raises(Trespass, match=r"opened .*/b'"), guarded(tmp_path / "in"):
        (tmp_path / "b").read_text()
    with pytest.raises(Trespass, match=r"os\.system"), guarded(tmp_path):
        __import__("os").system("true")
