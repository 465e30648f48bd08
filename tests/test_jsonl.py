"""JSON Lines: what is appended is read back, and a killed writer costs at most its last line."""

from __future__ import annotations

import errno
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pefomed.errors import DataError, StorageError
from pefomed.files import jsonl
from pefomed.schema import Box, Prediction, Record, Sample, Score, Verdict

unit = st.floats(0, 1)
boxes = st.tuples(unit, unit, unit, unit).filter(lambda b: b[0] < b[2] and b[1] < b[3])
# Line ends of other kinds must not cut a record: U+2028, U+2029, U+0085, \r, \v, \f ...
texts = st.text() | st.sampled_from(
    ["\u2028", "\u2029", "\x85", "\r", "\n", "\x0b", "\x0c", "\x1e", "\0", "\ufeff"]
)
some = texts.filter(bool)
finite = st.floats(allow_nan=False, allow_infinity=False)
records = st.one_of(
    st.builds(
        Sample,
        id=some,
        images=st.lists(texts, min_size=1, max_size=2).map(tuple),
        task=st.sampled_from(["vqa", "caption", "grounding"]),
        question=texts,
        reference=texts,
        boxes=st.lists(boxes.map(lambda b: Box(x0=b[0], y0=b[1], x1=b[2], y1=b[3])), max_size=2).map(tuple),
        meta=st.dictionaries(texts, texts, max_size=2),
    ),
    st.builds(
        Prediction,
        sample_id=some,
        text=texts,
        tokens=st.integers(0, 10**9),
        finish=st.sampled_from(["stop", "length", "unknown"]),
        generation=texts,
        blind=st.booleans(),
    ),
    st.builds(
        Verdict, sample_id=some, rater=some, run=st.integers(0, 99), label=st.none() | st.integers(-9, 9)
    ),
    st.builds(
        Score,
        metric=texts,
        system=texts,
        dataset=texts,
        split=texts,
        value=finite,
        low=st.none() | finite,
        high=st.none() | finite,
        n=st.integers(0, 10**9),
        implementation=texts,
    ),
)


def prediction(number: int, text: str = "yes") -> Prediction:
    return Prediction(sample_id=f"s{number}", text=text, tokens=2, finish="stop", generation="greedy")


@given(st.lists(records, min_size=1, max_size=5).filter(lambda rs: len({type(r) for r in rs}) == 1))
@settings(suppress_health_check=[HealthCheck.filter_too_much])
def test_what_is_appended_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, written: list[Record]
) -> None:
    path = tmp_path_factory.mktemp("jsonl") / "deep" / "records.jsonl"
    half = len(written) // 2
    assert jsonl.append(path, written[:half]) == half
    jsonl.append(path, written[half:])
    cut: list[str] = []
    assert list(jsonl.read(path, type(written[0]), on_cut=cut)) == written
    assert cut == []
    assert path.read_bytes().count(b"\n") == len(written)


def test_an_absent_file_has_no_records(tmp_path: Path) -> None:
    assert list(jsonl.read(tmp_path / "none.jsonl", Prediction)) == []
    assert jsonl.ids(tmp_path / "none.jsonl", Prediction) == set()


def test_a_writer_killed_at_any_byte_costs_at_most_its_last_line(tmp_path: Path) -> None:
    whole = tmp_path / "whole.jsonl"
    jsonl.append(whole, [prediction(1), prediction(2, "naïve \u2028 line"), prediction(3)])
    content = whole.read_bytes()
    ends = [index + 1 for index, byte in enumerate(content) if byte == 0x0A]
    for length in range(len(content) + 1):
        path = tmp_path / "cut.jsonl"
        path.write_bytes(content[:length])
        complete = sum(end <= length for end in ends)
        # without its line end a record is still whole
        lacks_only_its_end = length + 1 in ends
        kept = complete + lacks_only_its_end
        cut: list[str] = []
        assert len(list(jsonl.read(path, Prediction, on_cut=cut))) == kept
        assert len(cut) == (length not in (0, *ends) and not lacks_only_its_end)
        assert all("line" in sentence and "cut" in sentence for sentence in cut)
        # resuming repairs the file: what was whole stays, nothing damaged remains in the middle
        jsonl.append(path, [prediction(9)])
        ids = [record.sample_id for record in jsonl.read(path, Prediction)]
        assert ids == [*["s1", "s2", "s3"][:kept], "s9"]


def test_a_cut_line_longer_than_a_block_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    jsonl.append(path, [prediction(1)])
    with path.open("ab") as file:
        file.write(b'{"sample_id": "' + b"x" * 200_000)
    jsonl.append(path, [prediction(2)])
    assert [record.sample_id for record in jsonl.read(path, Prediction)] == ["s1", "s2"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b'{"sample_id": "s2", "te\n', "line 2"),
        (b'{"sample_id": "s2"}\n', "text: Field required"),
        (b'{"sample_id": "s2", "text": "\xff"}\n', "line 2"),
        (b"[]\n", "not a valid prediction"),
    ],
)
def test_a_damaged_line_in_the_middle_is_an_error(tmp_path: Path, line: bytes, shown: str) -> None:
    path = tmp_path / "damaged.jsonl"
    jsonl.append(path, [prediction(1)])
    with path.open("ab") as file:
        file.write(line)
    jsonl.append(path, [prediction(3)])
    with pytest.raises(DataError) as caught:
        list(jsonl.read(path, Prediction))
    assert str(path) in str(caught.value)
    assert shown in str(caught.value)


def test_ids_are_those_already_there(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    jsonl.append(path, [prediction(1), prediction(2)])
    assert jsonl.ids(path, Prediction) == {"s1", "s2"}


def test_a_full_disk_is_an_error_of_ours() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(StorageError, match="No space left"):
        jsonl.append(full, [prediction(1)])


def test_what_was_written_before_the_disk_filled_stays_usable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "p.jsonl"
    jsonl.append(path, [prediction(1)])
    real_open = Path.open

    class Filling(io.FileIO):
        """Takes 20 more bytes, then the disk is full."""

        left = 20

        def write(self, data: Any) -> int:
            if not self.left:
                raise OSError(errno.ENOSPC, "No space left on device")
            taken = super().write(data[: self.left])
            self.left -= taken
            return taken

    def open_filling(self: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        return Filling(self, "ab") if mode == "ab" else real_open(self, mode, *args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", open_filling)
        with pytest.raises(StorageError):
            jsonl.append(path, [prediction(2)])
    cut: list[str] = []
    assert [record.sample_id for record in jsonl.read(path, Prediction, on_cut=cut)] == ["s1"]
    assert len(cut) == 1
    jsonl.append(path, [prediction(2)])
    assert jsonl.ids(path, Prediction) == {"s1", "s2"}


def test_an_error_of_the_caller_is_not_taken_for_one_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"

    def write_and_fail() -> None:
        with jsonl.writer(path) as write:
            write(prediction(1))
            raise PermissionError(errno.EACCES, "an image that may not be read")

    with pytest.raises(PermissionError):
        write_and_fail()
    assert jsonl.ids(path, Prediction) == {"s1"}
