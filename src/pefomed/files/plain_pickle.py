"""Pickles of plain values, read without executing anything in them.

A pickle is a program. This walks its instructions (`pickletools.genops`, which only parses them) and
follows those that build lists, tuples, dicts, texts, numbers, True, False and None. Every other one - all
that import a name or call it - is refused.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from pefomed.errors import DataError
from pefomed.files.files import missing_file

VALUES_LIMIT = 10_000_000
"""Most values in a pickle, those counted again that stand in several places."""

DEPTH_LIMIT = 100
"""Most lists, tuples and dicts in each other."""

_MARK = object()
_CONSTANTS = {
    "NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": (),
}  # fmt: skip
# Instructions whose argument is the value, already parsed by pickletools.
_VALUES = frozenset(
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT UNICODE BINUNICODE SHORT_BINUNICODE"
    " BINUNICODE8 STRING BINSTRING SHORT_BINSTRING BINBYTES SHORT_BINBYTES BINBYTES8".split()
)
_WITHOUT_EFFECT = frozenset({"PROTO", "FRAME"})


def read_plain_pickle(path: Path, file: IO[bytes] | None = None, skipped: int = 0) -> Any:
    """Return the value in a pickle of plain values.

    Args:
        file: the pickle, if it is a part of the file at `path`.
        skipped: how many pickles stand before it.

    Raises:
        DataError: the file is missing, damaged, or would import or call something; nothing was run.
    """
    try:
        with file or path.open("rb") as opened:
            for _ in range(skipped):
                _follow(path, opened)
            return _follow(path, opened)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise missing_file(path, error) from None
    except (
        ValueError, IndexError, KeyError, TypeError, OverflowError, MemoryError, struct.error
    ) as error:  # fmt: skip
        raise DataError(
            f"{path} is damaged, or not a pickle",
            found=str(error) or type(error).__name__,
            remedy="download the file again",
        ) from None


def _follow(path: Path, file: Any) -> Any:
    machine = _Machine()
    for instruction, argument, position in pickletools.genops(file):
        name = instruction.name
        if name == "STOP":
            value = machine.result()
            _check_size(value)
            return value
        if name in _WITHOUT_EFFECT:
            continue
        if name in _VALUES:
            if isinstance(argument, str):
                argument.encode()  # half of a surrogate pair could not be written to any file
            machine.stack.append(argument)
        elif name in _CONSTANTS:
            machine.stack.append(_CONSTANTS[name])
        elif name in machine.instructions:
            machine.instructions[name](argument)
        else:
            raise DataError(
                f"{path} is not read: it would run code when unpickled",
                found=f"the instruction {name}{f' {argument!r}' if argument else ''} at byte {position}",
                remedy="a data set of questions needs no code; get the file from its authors again,"
                " or use the Hugging Face copy",
            )
    raise ValueError("it has no end")


class _Machine:
    """The stack and the memo that a pickle's instructions work on."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        put, get = self._put, self._get
        self.instructions: dict[str, Callable[[Any], object]] = {
            "MARK": lambda _: self.stack.append(_MARK),
            "POP": lambda _: self._drop(1),
            "POP_MARK": lambda _: self._to_mark(),
            "DUP": lambda _: self.stack.append(self._top()),
            "MEMOIZE": lambda _: put(len(self._memo)),
            "PUT": put, "BINPUT": put, "LONG_BINPUT": put,
            "GET": get, "BINGET": get, "LONG_BINGET": get,
            "EMPTY_LIST": lambda _: self.stack.append([]),
            "EMPTY_DICT": lambda _: self.stack.append({}),
            "LIST": lambda _: self.stack.append(self._to_mark()),
            "TUPLE": lambda _: self.stack.append(tuple(self._to_mark())),
            "DICT": lambda _: self.stack.append(_pairs(self._to_mark())),
            "TUPLE1": lambda _: self._tuple(1),
            "TUPLE2": lambda _: self._tuple(2),
            "TUPLE3": lambda _: self._tuple(3),
            "APPEND": lambda _: self._extend(self._drop(1)),
            "APPENDS": lambda _: self._extend(self._to_mark()),
            "SETITEM": lambda _: self._update(self._drop(2)),
            "SETITEMS": lambda _: self._update(self._to_mark()),
        }  # fmt: skip

    def result(self) -> Any:
        """Return the only value that is left."""
        if len(self.stack) != 1:
            raise ValueError(f"it ends with {len(self.stack)} values instead of one")
        return self._top()

    def _top(self) -> Any:
        if self.stack[-1] is _MARK:
            raise ValueError("a value is missing")
        return self.stack[-1]

    def _drop(self, count: int) -> list[Any]:
        """Take the last `count` values off the stack."""
        if len(self.stack) < count or _MARK in self.stack[-count:]:
            raise ValueError("a value is missing")
        values = self.stack[-count:]
        del self.stack[-count:]
        return values

    def _to_mark(self) -> list[Any]:
        """Take what is above the last mark off the stack, and the mark."""
        for start in range(len(self.stack) - 1, -1, -1):
            if self.stack[start] is _MARK:
                values = self.stack[start + 1 :]
                del self.stack[start:]
                return values
        raise ValueError("a mark is missing")

    def _tuple(self, count: int) -> None:
        self.stack.append(tuple(self._drop(count)))

    def _put(self, key: int) -> None:
        self._memo[key] = self._top()

    def _get(self, key: int) -> None:
        self.stack.append(self._memo[key])

    def _extend(self, values: list[Any]) -> None:
        target = self._top()
        if not isinstance(target, list):
            raise ValueError("values are appended to what is no list")
        target.extend(values)

    def _update(self, values: list[Any]) -> None:
        target = self._top()
        if not isinstance(target, dict):
            raise ValueError("a key is set in what is no dict")
        target |= _pairs(values)


def _pairs(values: list[Any]) -> dict[Any, Any]:
    if len(values) % 2:
        raise ValueError("a key has no value")
    # To hash tuples within tuples takes the stack, or for ever.
    if any(isinstance(key, tuple) for key in values[::2]):
        raise ValueError("a key that is a tuple")
    return dict(zip(values[::2], values[1::2], strict=True))


def _check_size(value: Any) -> None:
    """Refuse values that hold others again and again: thirty bytes can say a thousand million."""
    if _weight(value, {}, 0) > VALUES_LIMIT:
        raise ValueError(f"more than {VALUES_LIMIT:,} values, most of them the same")


def _weight(value: Any, known: dict[int, int], depth: int) -> int:
    """Return how many values are written out in `value`; `known` are those of containers, by identity."""
    if not isinstance(value, list | tuple | dict):
        return 1
    if depth > DEPTH_LIMIT:
        raise ValueError(f"values nested in more than {DEPTH_LIMIT} others, or in themselves")
    if id(value) not in known:
        inner = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_weight(each, known, depth + 1) for each in inner)
    return known[id(value)]
