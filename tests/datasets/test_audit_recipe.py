"""The audit of a recipe looks across data sets too."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pefomed import recipe as recipes
from pefomed.audit.recipe import audit_recipe, used_splits

Writer = Callable[..., Path]


def _table(path: Path, rows: list[tuple[str, str, str, str]]) -> None:
    keys = ("image", "question", "answer", "split")
    path.write_text("\n".join(json.dumps(dict(zip(keys, row, strict=True))) for row in rows) + "\n")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))


def test_a_test_image_among_the_captions_is_found(write_image: Writer, tmp_path: Path) -> None:
    one, two = write_image("one.png", seed=1), write_image("two.png", seed=2)
    again = tmp_path / "renamed.png"
    shutil.copy(two, again)
    _table(tmp_path / "captions.jsonl", [(again.name, "Describe it.", "a chest", "train")])
    _table(
        tmp_path / "task.jsonl",
        [(one.name, "Where?", "left", "train"), (two.name, "Where?", "right", "test")],
    )
    options = {"columns": {"split": "split"}}
    stage = {"lr": 1e-3, "lr_end": 1e-3, "epochs": 1}
    recipe = recipes.parse(
        {
            "name": "two-sets",
            "model": {"vision_encoder": "dinov2-small", "language_model": "smollm2-135m", "group": 4},
            "data": {
                name: {"loader": "table", "root": f"{name}.jsonl", "options": options}
                for name in ("captions", "task")
            },
            "stages": [
                {"name": "captions", "data": {"captions": 1}, **stage},
                {"name": "task", "data": {"task": 1}, **stage},
            ],
            "predict": {"data": {"task": "test"}},
        }
    )
    assert used_splits(recipe) == {"captions": ["train"], "task": ["train", "test"]}
    found = audit_recipe(recipe, tmp_path)
    assert set(found) == {"captions", "task", "captions against task"}
    [within] = found["task"]["leakage"]
    assert within["images"]["count"] == 0
    [across] = found["captions against task"]["leakage"]
    assert (across["in"], across["of"]) == ("captions train", "task test")
    assert (across["images"]["count"], across["images"]["of"]) == (1, 1)
    assert {"groups", "answers"} <= within.keys()
    assert not {"groups", "answers"} & across.keys()  # other data sets' patients are other patients
    assert list((tmp_path / "cache" / "audit").glob("*.sqlite"))
    assert (
        found["captions against task"]["summary"][0]
        == "All 1 images of task test also occur in captions train."
    )
