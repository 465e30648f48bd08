"""Checkpoints and adapters that were damaged, and disks that are full while they are written."""

from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pefomed.errors import PefomedError, StorageError
from pefomed.models.adapter import add_adapter, load_adapter, read_adapter
from pefomed.models.build import build_model
from pefomed.recipe import Model, Recipe
from pefomed.training import checkpoint, train
from pefomed.training.checkpoint import StageProgress
from tests.tiny import model_recipe, table_recipe


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Recipe]]:
    """A finished run of five steps with a checkpoint after each, in a folder `run` beside its data."""
    root = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PEFOMED_CACHE", str(root / "cache"))
        recipe = table_recipe(
            root,
            model_recipe(root),
            images=2,
            epochs=None,
            steps=5,
            checkpoint_every=1,
            validate_split="train",
        )
        train(recipe, root / "run", root)
        yield root, recipe


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x41
    file.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "empty": lambda file: file.write_bytes(b""),
    "missing": lambda file: file.unlink(),
    "flipped": flip,
    "swapped": lambda file: file.write_text('{"another.bin": "00"}'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_newest_checkpoint_gives_way_to_the_one_before(
    trained: tuple[Path, Recipe], tmp_path: Path, damage: str
) -> None:
    source = trained[0] / "run" / "checkpoints" / "task"
    names = ["adapter.safetensors", "checksums.json", "optimiser.pt", "progress.json"]
    assert sorted(path.name for path in (source / "step-00000005").iterdir()) == names
    for name in names:
        folder = tmp_path / name
        shutil.copytree(source, folder)
        DAMAGES[damage](folder / "step-00000005" / name)
        said: list[str] = []
        assert checkpoint.find(folder, said.append) == folder / "step-00000004"
        assert len(said) == 1
        assert "step-00000005 is damaged" in said[0]
        assert said[0].endswith("going on from step 4")
    DAMAGES[damage](folder / "step-00000004" / "optimiser.pt")
    assert checkpoint.find(folder, said.append) is None
    assert said[-1].endswith("going on from the beginning of the stage")


def test_what_goes_on_from_an_older_checkpoint_ends_in_the_same_bits(
    trained: tuple[Path, Recipe], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, recipe = trained
    run = tmp_path / "run"
    shutil.copytree(root / "run", run)
    shutil.rmtree(run / "adapter")
    folder = run / "checkpoints" / "task"
    flip(folder / "final" / "adapter_model.safetensors")
    flip(folder / "step-00000005" / "optimiser.pt")
    train(recipe, run, root)
    said = capsys.readouterr().err
    assert "final is damaged (adapter_model.safetensors is not as it was written)" in said
    assert "step-00000005 is damaged (optimiser.pt is not as it was written); going on from step 4" in said
    for name, tensor in load_file(root / "run" / "adapter" / "adapter_model.safetensors").items():
        assert torch.equal(tensor, load_file(run / "adapter" / "adapter_model.safetensors")[name])
    steps = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in steps if line["kind"] == "step"] == [1, 2, 3, 4, 5]


def test_a_checkpoint_whose_best_is_damaged_is_damaged(trained: tuple[Path, Recipe], tmp_path: Path) -> None:
    folder = tmp_path / "task"
    shutil.copytree(trained[0] / "run" / "checkpoints" / "task", folder)
    progress = json.loads((folder / "step-00000005" / "progress.json").read_text())
    best = folder / f"best-{progress['best_step']:08d}"
    flip(best / "adapter_model.safetensors")
    said: list[str] = []
    checkpoint.find(folder, said.append)
    assert f"its best adapter, {best.name}: adapter_model.safetensors is not as it was written" in said[0]
    # Bests that no checkpoint names are gone.
    called = {
        json.loads((step / "progress.json").read_text())["best_step"]
        for step in (trained[0] / "run" / "checkpoints" / "task").glob("step-*")
    }
    there = (trained[0] / "run" / "checkpoints" / "task").glob("best-*")
    assert {int(path.name[5:]) for path in there} == called


@pytest.mark.parametrize(
    ("damage", "sealed"),
    # A byte among others of an adapter without checksums: nothing tells it.
    [(damage, sealed) for damage in DAMAGES for sealed in (True, False) if sealed or damage != "flipped"],
)
def test_a_damaged_adapter_is_one_error(
    trained: tuple[Path, Recipe], tmp_path: Path, damage: str, sealed: bool
) -> None:
    base, _ = build_model(trained[1].model)
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        folder = tmp_path / name
        shutil.copytree(trained[0] / "run" / "adapter", folder)
        DAMAGES[damage](folder / name)
        if not sealed:  # as another tool or an older version wrote it
            (folder / "checksums.json").unlink()
        with pytest.raises(PefomedError) as caught:
            load_adapter(base, folder)
        assert "what to do" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["[]", '"x"', "{}", '{"peft_type": "IA3"}', '{"peft_type": "LORA", "r": "four"}', "nul"],
)
def test_a_strange_adapter_config_is_one_error(
    trained: tuple[Path, Recipe], tmp_path: Path, text: str
) -> None:
    base, _ = build_model(trained[1].model)
    folder = tmp_path / "adapter"
    shutil.copytree(trained[0] / "run" / "adapter", folder)
    (folder / "checksums.json").unlink()
    (folder / "adapter_config.json").write_text(text)
    with pytest.raises(PefomedError):
        load_adapter(base, folder)


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes: what a full disk does, and any user can have it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_full_disk_is_one_error_whichever_file_it_meets(tmp_path: Path) -> None:
    recipe: Model = model_recipe(tmp_path)
    model = add_adapter(build_model(recipe)[0], recipe.lora)
    folder = tmp_path / "task"
    moments = {"state": {0: {"exp_avg": torch.zeros(100_000)}}, "param_groups": []}
    checkpoint.save(folder, model, moments, StageProgress(step=1))
    checkpoint.save_final(folder / "final", model)
    before = everything(folder)
    sizes = {path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    assert len(sizes) > 4
    for size in sorted({0, *sizes})[:-1]:
        with at_most(size), pytest.raises(StorageError, match=r"cannot write .*\n  found: "):
            checkpoint.save(folder, model, moments, StageProgress(step=2))
        assert everything(folder) == before
        assert not list(folder.glob(".part-*"))
    largest = (folder / "final" / "adapter_model.safetensors").stat().st_size
    for size in (0, 100, largest - 1):  # where PEFT and safetensors do the writing
        with at_most(size), pytest.raises(StorageError):
            checkpoint.save_final(folder / "final", model)
        assert everything(folder) == before
    read_adapter(folder / "final")


def test_a_full_disk_stops_a_run_and_the_same_command_goes_on(
    trained: tuple[Path, Recipe], tmp_path: Path
) -> None:
    root, recipe = trained
    sizes = sorted(path.stat().st_size for path in (root / "run" / "checkpoints").rglob("optimiser.pt"))
    with at_most(sizes[0] - 1), pytest.raises(StorageError, match=r"step-00000001"):
        train(recipe, tmp_path / "run", root)
    assert not [path for path in (tmp_path / "run").rglob(".*")]
    train(recipe, tmp_path / "run", root)
    assert (
        load_file(tmp_path / "run" / "adapter" / "adapter_model.safetensors").keys()
        == load_file(root / "run" / "adapter" / "adapter_model.safetensors").keys()
    )
