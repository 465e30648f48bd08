"""Training on changed pictures and validating on new ones: copies join training alone, known images leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pefomed.errors import DataError
from pefomed.recipe import Recipe, parse
from pefomed.training import train
from tests.tiny import model_recipe

ROWS = """image,question,answer,split
a.png,Which side?,left,train
b.png,Is it the RUL?,yes,train
b.png,Is it large?,no,train
again.png,Which side?,left,validate
new.png,Which side?,right,validate
new.png,Is it large?,no,validate
"""


def _recipe(folder: Path, rows: str = ROWS, **stage: Any) -> Recipe:
    noise = np.random.default_rng(0)
    for name in ("a", "b", "new"):
        # Coarse noise: a few blocks, so that no two of them look alike.
        blocks = noise.integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(np.kron(blocks, np.ones((8, 8), dtype=np.uint8))).save(folder / f"{name}.png")
    # The same picture saved again, a little brighter.
    Image.open(folder / "a.png").point(lambda grey: min(255, grey + 3)).save(folder / "again.png")
    (folder / "rows.csv").write_text(rows)
    own = {"name": "one", "data": {"t": 1}, "epochs": 1, "lr": 1e-3, "lr_end": 1e-4, "batch_size": 64}
    return parse(
        {
            "name": "changes",
            "model": model_recipe(folder).model_dump(exclude_none=True),
            "data": {"t": {"loader": "table", "root": "rows.csv"}},
            "stages": [{**own, "validate_split": "validate", **stage}],
            "compute": {"dtype": "float32", "device": "cpu", "compile": "off"},
        }
    )


def _lines(run: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in (run / "log.jsonl").read_text().splitlines()]


def test_copies_are_trained_on_and_known_images_not_validated_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    changes = {"copies": 1, "flip": 1}
    recipe = _recipe(tmp_path, changes=changes, validate_without_near_duplicates=True)
    train(recipe, tmp_path / "run", tmp_path)
    lines = _lines(tmp_path / "run")
    # Three samples, and a mirrored copy of each but the one about the RUL.
    assert sum(line["samples"] for line in lines if line["kind"] == "step") == 5
    [validation] = [line for line in lines if line["kind"] == "validation"]
    assert validation["n"] == 2
    assert any("validation without 1 of 3 samples" in str(line.get("text")) for line in lines)


def test_nothing_new_to_validate_on_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    rows = "".join(line + "\n" for line in ROWS.splitlines() if "new.png" not in line)
    recipe = _recipe(tmp_path, rows, validate_without_near_duplicates=True)
    with pytest.raises(DataError, match="look like one that is trained on"):
        train(recipe, tmp_path / "run", tmp_path)
