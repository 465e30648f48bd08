"""`pefomed data map` of tables with a column of masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from pefomed.proposals import propose


def pictures(folder: Path) -> None:
    for name in ("0", "1", "m"):
        Image.fromarray(np.eye(8, dtype=np.uint8)).save(folder / f"{name}.png")


def test_run_lengths_are_never_guessed(tmp_path: Path) -> None:
    pictures(tmp_path)
    (tmp_path / "t.csv").write_text("ImageId, EncodedPixels\n0, 9 5 3 5\n1, -1\n")
    found = propose(tmp_path / "t.csv", tmp_path)
    assert found.options["boxes"] == {"mask": "EncodedPixels"}
    assert [one.option for one in found.open] == ["columns.question", "boxes.runs", "boxes.without"]


def test_files_of_masks_beside_phrases(tmp_path: Path) -> None:
    pictures(tmp_path)
    (tmp_path / "t.csv").write_text("image,label,mask\n0.png,mass,m.png\n1.png,cyst,m.png\n")
    found = propose(tmp_path / "t.csv", tmp_path)
    assert found.options["boxes"]["mask"] == "mask"
    assert found.options["columns"]["question"] == "label"
    assert found.open == []


def test_a_column_that_is_called_so_and_holds_something_else(tmp_path: Path) -> None:
    pictures(tmp_path)
    (tmp_path / "t.csv").write_text("image,label,mask\n0.png,mass,worn\n1.png,cyst,not worn\n")
    assert "boxes" not in propose(tmp_path / "t.csv", tmp_path).options
