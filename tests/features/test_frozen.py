"""The feature cache: the same features, each image once, whole files only."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tests.tiny import image_files, model_recipe

from pefomed.cache import prune, spaces
from pefomed.errors import ImageError, StorageError
from pefomed.features.frozen import Features, open_features, space
from pefomed.files import storage
from pefomed.models.build import build_model
from pefomed.recipe import Compute


def test_cached_features_equal_uncached_ones_and_are_computed_once(tmp_path: Path) -> None:
    model, processor = build_model(model_recipe(tmp_path))
    paths = image_files(tmp_path, 3)
    copy = tmp_path / "copy.png"  # the same content under another name is the same image
    shutil.copy(paths[0], copy)
    plain = Features(model, processor.image_processor, None)
    cached = Features(model, processor.image_processor, tmp_path / "cache")
    assert torch.equal(plain([*paths, str(copy)]), cached([*paths, str(copy)]))
    assert cached.computed == 3
    again = Features(model, processor.image_processor, tmp_path / "cache")
    again.prepare(paths)
    assert torch.equal(again(paths), plain(paths))
    assert again.computed == 0


def test_changed_weights_layer_or_preprocessing_have_a_space_of_their_own(tmp_path: Path) -> None:
    found = set()
    for changes in (
        {},
        {"vision_layer": 2},
        {"feature_norm": "none"},
        {"resize": "letterbox"},
        {"image_size": 112},
        {"image_mean": (0.0, 0.0, 0.0)},
    ):
        model, processor = build_model(model_recipe(tmp_path, **changes))
        found.add(space(model, processor.image_processor))
    model, processor = build_model(model_recipe(tmp_path))
    assert space(model, processor.image_processor) in found
    with torch.no_grad():
        next(model.vision_encoder.parameters()).add_(1e-3)
    found.add(space(model, processor.image_processor))
    assert len(found) == 7


def test_a_damaged_file_is_computed_again(tmp_path: Path) -> None:
    model, processor = build_model(model_recipe(tmp_path))
    [path] = image_files(tmp_path, 1)
    cached = Features(model, processor.image_processor, tmp_path / "cache")
    expected = cached([path])
    [file] = (tmp_path / "cache").glob("features/*/*/*.safetensors")
    file.write_bytes(file.read_bytes()[:100])
    again = Features(model, processor.image_processor, tmp_path / "cache")
    assert torch.equal(again([path]), expected)
    assert again.computed == 1


def test_a_full_disk_is_one_error_and_what_is_stored_stays_usable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, processor = build_model(model_recipe(tmp_path))
    paths = image_files(tmp_path, 4)
    original = os.replace
    written = 0

    def full(source: str, target: Path) -> None:
        nonlocal written
        written += 1
        if written > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        original(source, target)

    monkeypatch.setattr(storage.os, "replace", full)
    cached = Features(model, processor.image_processor, tmp_path / "cache")
    with pytest.raises(StorageError, match=r"No space left on device(?s:.*)pefomed cache prune"):
        cached.prepare(paths)
    monkeypatch.undo()
    again = Features(model, processor.image_processor, tmp_path / "cache")
    again.prepare(paths)
    assert again.computed == 2
    assert not list((tmp_path / "cache").rglob(".part-*"))


def test_two_processes_at_once_and_one_killed_leave_whole_files(tmp_path: Path) -> None:
    recipe = model_recipe(tmp_path)
    paths = image_files(tmp_path, 12)
    script = (
        "import sys; from pathlib import Path; from pefomed.features.frozen import Features\n"
        "from pefomed.models.build import build_model; from pefomed.recipe import Model\n"
        "model, processor = build_model(Model.model_validate_json(sys.argv[1]))\n"
        "print('ready', flush=True)\n"
        "for _ in range(3):\n"
        "    Features(model, processor.image_processor, Path(sys.argv[2])).prepare(sys.argv[3:], batch=1)\n"
    )
    command = [sys.executable, "-c", script, recipe.model_dump_json(), str(tmp_path / "cache"), *paths]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert both[0].stdout is not None
    both[0].stdout.readline()
    both[0].kill()
    assert both[1].wait(timeout=240) == 0
    both[0].wait()
    model, processor = build_model(recipe)
    cached = Features(model, processor.image_processor, tmp_path / "cache")
    # The other processes use more threads, which moves the last bits of a product.
    here = Features(model, processor.image_processor, None)(paths)
    assert torch.allclose(cached(paths), here, atol=1e-5)
    assert cached.computed == 0


def test_auto_caches_only_what_recurs_within_the_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    model, processor = build_model(model_recipe(tmp_path))
    paths = image_files(tmp_path, 2)

    def stored(compute: Compute, uses: int) -> int:
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)
        open_features(model, processor.image_processor, compute, 2, uses).prepare(paths)
        return sum(one.images for one in spaces(tmp_path / "cache"))

    assert stored(Compute(), uses=2) == 0
    assert stored(Compute(), uses=3) == 2
    assert stored(Compute(cache_gib=1e-7), uses=3) == 0
    assert stored(Compute(feature_cache="on"), uses=1) == 2
    assert stored(Compute(feature_cache="off"), uses=9) == 0


def test_pruning_removes_the_longest_unused(tmp_path: Path) -> None:
    model, processor = build_model(model_recipe(tmp_path))
    paths = image_files(tmp_path, 4)
    Features(model, processor.image_processor, tmp_path).prepare(paths)
    files = sorted(tmp_path.glob("features/*/*/*.safetensors"))
    for age, file in enumerate(files):
        os.utime(file, (1000 + age, 1000 + age))
    size = files[0].stat().st_size
    assert prune(tmp_path, 2 * size) == (2, 2 * size)
    assert sorted(tmp_path.glob("features/*/*/*.safetensors")) == files[2:]
    assert prune(tmp_path, 0)[0] == 2
    assert spaces(tmp_path) == []


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    model, processor = build_model(model_recipe(tmp_path))
    with pytest.raises(ImageError, match=r"nowhere\.png"):
        Features(model, processor.image_processor, tmp_path / "cache").prepare(
            [str(tmp_path / "nowhere.png")]
        )
