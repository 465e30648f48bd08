from __future__ import annotations

import contextlib
import io
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pefomed.errors import DataError
from pefomed.files.plain_pickle import read_plain_pickle

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


def read(data: bytes) -> Any:
    return read_plain_pickle(Path("a.pkl"), io.BytesIO(data))


class Bomb:
    """Pickles as a call of `os.system`, which would leave a file."""

    def __init__(self, trace: Path):
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.system, (f"touch {self.trace}",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@settings(max_examples=50)
@given(value=PLAIN)
def test_plain_values_come_back_as_pickle_reads_them(protocol: int, value: Any) -> None:
    data = pickle.dumps(value, protocol)
    assert read(data) == pickle.loads(data)


def test_python_2_texts_and_shared_values() -> None:
    # What Python 2 wrote for ["a", "a"]: short strings, the second from the memo.
    assert read(b"\x80\x02]q\x00(U\x01aq\x01h\x01e.") == ["a", "a"]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_would_run_code_is_refused_and_runs_none(tmp_path: Path, protocol: int) -> None:
    trace, path = tmp_path / "trace", tmp_path / "bad.pkl"
    path.write_bytes(pickle.dumps([{"question": "q?", "answer": Bomb(trace)}], protocol))
    with pytest.raises(
        DataError, match=r"(?s)bad\.pkl is not read: it would run code.*(GLOBAL|system).*byte"
    ):
        read_plain_pickle(path)
    assert not trace.exists()


@pytest.mark.parametrize(
    "opcode",
    [
        b"cos\nsystem\n.", b"(S'ls'\nios\nsystem\n.", b"\x80\x02]\x81.", b"}}b.", b"Pid\n.",
        b"\x82\x01.", b"\x80\x05\x97.", b"](}o.",
    ],
)  # fmt: skip
def test_every_instruction_that_is_not_plain_is_refused(tmp_path: Path, opcode: bytes) -> None:
    path = tmp_path / "bad.pkl"
    path.write_bytes(opcode)
    with pytest.raises(DataError, match="would run code"):
        read_plain_pickle(path)


@pytest.mark.parametrize(
    "data",
    [b"", b".", b"(.", b"no pickle at all", b"\x80\x04]", b"h\x07.", b"]]].", b"K\x01K\x02s.", b"K\x01a.",
     b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f]", b"X\xff\xff\xff\x7fabc.", b"(]K\x01d."],
)  # fmt: skip
def test_a_damaged_pickle_is_a_clear_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "cut.pkl"
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"cut\.pkl is damaged, or not a pickle"):
        read_plain_pickle(path)


@given(data=st.binary(max_size=60))
def test_any_bytes_give_a_value_or_our_error(data: bytes) -> None:
    with contextlib.suppress(DataError):
        read(data)
