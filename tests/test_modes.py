"""Whatever the umask, every file and folder of a run has the mode that the system gives a new one."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pefomed import recipe as recipes
from pefomed.files import storage
from pefomed.workflow import pipeline
from tests.tiny import model_recipe, table_recipe

UMASKS = [0o022, 0o002, 0o027, 0o077]


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mask", UMASKS, ids=oct)
def test_a_written_file_has_the_mode_of_the_umask(tmp_path: Path, mask: int) -> None:
    with umask(mask):
        storage.write(tmp_path / "new" / "a.json", "{}")
        storage.write(tmp_path / "new" / "a.json", "[]")
        (tmp_path / "private").touch(0o600)
        storage.as_created(tmp_path / "private")
    assert mode(tmp_path / "new" / "a.json") == 0o666 & ~mask
    assert mode(tmp_path / "new") == 0o777 & ~mask
    assert mode(tmp_path / "private") == 0o666 & ~mask
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.json", "new", "private"]


@pytest.mark.parametrize("mask", [0o002, 0o077], ids=oct)
def test_every_file_of_a_run_has_the_mode_of_the_umask(
    tmp_path: Path, mask: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    recipe = table_recipe(
        tmp_path, model_recipe(tmp_path), images=2, epochs=1, validate_split="train", checkpoint_every=1
    )
    (tmp_path / "tiny.toml").write_text(recipes.dumps(recipe))
    with umask(mask):
        run = pipeline.run(tmp_path / "tiny.toml", tmp_path / "runs", tmp_path)
        exported = pipeline.export_adapter(run, tmp_path / "out" / "a.pth")
        pipeline.import_adapter(exported, tmp_path / "tiny.toml", tmp_path / "runs" / "imported")
    made = [*(tmp_path / "runs").rglob("*"), *(tmp_path / "cache" / "features").rglob("*"), exported]
    names = {path.name for path in made}
    assert {"adapter_model.safetensors", "adapter.safetensors", "optimiser.pt", "index.html"} <= names
    wrong = {
        str(path.relative_to(tmp_path)): oct(mode(path))
        for path in made
        if mode(path) != (0o777 if path.is_dir() else 0o666) & ~mask
    }
    assert not wrong
