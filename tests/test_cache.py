"""What the cache folder holds, and what pruning leaves alone."""

from __future__ import annotations

import os
from pathlib import Path

from pefomed import cache


def _file(path: Path, size: int, age: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (1_000_000 - age, 1_000_000 - age))
    return path


def test_pruning_removes_the_longest_unused_features_and_nothing_else(tmp_path: Path) -> None:
    old = _file(tmp_path / "features" / "space" / "aa" / "1.safetensors", 60, age=100)
    new = _file(tmp_path / "features" / "space" / "bb" / "2.safetensors", 50)
    weights = _file(tmp_path / "weights" / "model" / "model.safetensors", 700)
    picture = _file(tmp_path / "images" / "ab" / "cd", 30)
    assert cache.others(tmp_path) == {"weights": 700, "images": 30}
    assert cache.spaces(tmp_path)[0].bytes == 110
    # 110 bytes are over 70; without the older file 50 remain.
    assert cache.prune(tmp_path, 70) == (1, 60)
    assert not old.exists()
    assert new.exists()
    assert cache.prune(tmp_path, 0) == (1, 50)
    assert weights.exists()
    assert picture.exists()
    assert cache.spaces(tmp_path) == []
