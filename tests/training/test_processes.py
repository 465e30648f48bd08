"""Two processes on one machine, as torchrun starts them, against one process on the same global batches."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pefomed import recipe as recipes
from pefomed.features.frozen import Features
from pefomed.images.images import content_hash
from pefomed.models.build import build_model
from pefomed.packing.batch import PackedRow
from pefomed.recipe import Recipe
from pefomed.training import train
from pefomed.training.plan import shares
from tests.tiny import image_files, model_recipe, table_recipe


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))


def adapter_of(run: Path) -> dict[str, torch.Tensor]:
    """Return what the first stage ended with; the second, whose first step has Adam divide by next to
    nothing, must have ended too."""
    assert (run / "adapter" / "adapter_model.safetensors").exists()
    return load_file(run / "checkpoints" / "task" / "final" / "adapter_model.safetensors")


def small_recipe(folder: Path, accumulate: int) -> Recipe:
    made = table_recipe(
        folder, model_recipe(folder), images=6, each=3, epochs=3, accumulate=accumulate,
        batch_tokens=150, checkpoint_every=2, validate_split="train",
    )  # fmt: skip
    # The processes must still be together for a second stage.
    changed = {"name": "more", "epochs": None, "steps": 2, "validate_split": None}
    more = made.stages[0].model_copy(update=changed)
    return made.model_copy(update={"stages": (*made.stages, more)})


def two_processes(
    recipe: Recipe, run: Path, data: Path, script: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    """Train in two processes, both running `script` first."""
    file = data / "recipe.toml"
    file.write_text(recipes.dumps(recipe))
    code = data / "both.py"
    code.write_text(
        f"{script}\nimport sys\nfrom pathlib import Path\nfrom pefomed import recipe\n"
        "from pefomed.training import train\n"
        "train(recipe.load(Path(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3]))\n"
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(code)]
    return subprocess.run(
        [*command, str(file), str(run), str(data)],
        capture_output=True, text=True, check=False, timeout=280,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | more,
    )  # fmt: skip


def test_two_processes_give_the_adapter_of_one_and_go_on_after_one_is_lost(tmp_path: Path) -> None:
    train(small_recipe(tmp_path, accumulate=2), tmp_path / "one", tmp_path)
    two = small_recipe(tmp_path, accumulate=1)
    whole = two_processes(two, tmp_path / "two", tmp_path)
    assert whole.returncode == 0, whole.stderr
    one, both = adapter_of(tmp_path / "one"), adapter_of(tmp_path / "two")
    assert one.keys() == both.keys()
    for name, tensor in one.items():
        torch.testing.assert_close(both[name], tensor, rtol=1e-5, atol=1e-6, msg=name)
    # One log, of the same losses, with validations that cover the split.
    steps = [(tmp_path / run / "log.jsonl").read_text().count('"kind": "step"') for run in ("one", "two")]
    assert steps[0] == steps[1] > 3
    assert '"n": 18' in (tmp_path / "two" / "log.jsonl").read_text()

    # The second process dies before its fourth step; torchrun stops the first; the same command goes on.
    lost = two_processes(
        two, tmp_path / "cut", tmp_path,
        "import os, signal\nfrom pefomed.training.loop import Loop\nstep, count = Loop._step, [0]\n"
        "def dying(self, *a):\n"
        "    count[0] += 1\n"
        "    if count[0] == 4 and os.environ['RANK'] == '1': os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return step(self, *a)\n"
        "Loop._step = dying\n",
    )  # fmt: skip
    assert lost.returncode != 0
    assert not (tmp_path / "cut" / "adapter").exists()
    again = two_processes(two, tmp_path / "cut", tmp_path)
    assert again.returncode == 0, again.stderr
    for name, tensor in adapter_of(tmp_path / "cut").items():
        assert torch.equal(tensor, both[name]), name


def test_each_image_is_computed_by_one_process(tmp_path: Path) -> None:
    base, processor = build_model(model_recipe(tmp_path))
    files = [str(path) for path in image_files(tmp_path, 12)]
    processes = [Features(base, processor.image_processor, tmp_path / "cache") for _ in range(2)]
    for number, features in enumerate(processes):
        features.prepare(files, share=(number, 2))
    assert all(features.computed for features in processes)
    assert sum(features.computed for features in processes) == 12
    processes[0](files)  # all are there: nothing is computed again
    assert sum(features.computed for features in processes) == 12


def test_each_file_is_read_for_its_hash_by_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, processor = build_model(model_recipe(tmp_path))
    files = [str(path) for path in image_files(tmp_path, 11)]
    processes = [Features(base, processor.image_processor, tmp_path / "cache") for _ in range(2)]
    hashed: list[str] = []

    def hashing(path: str) -> str:
        hashed.append(path)
        return content_hash(path)

    monkeypatch.setattr("pefomed.features.frozen.remembered_hash", hashing)
    found: list[dict[str, str]] = []
    for number, features in enumerate(processes):  # what gathering gives to both at once
        features.prepare(files, share=(number, 2), exchange=lambda own: found.append(own) or [])
    assert sorted(hashed) == sorted(2 * files)
    hashed.clear()
    for number, features in enumerate(
        Features(base, processor.image_processor, tmp_path / "again") for _ in range(2)
    ):
        features.prepare(files, share=(number, 2), exchange=lambda own: [own, *found])
    assert sorted(hashed) == sorted(files)


def _batch(*lengths: int) -> list[PackedRow]:
    return [PackedRow((), [0] * length, [], [], (), ()) for length in lengths]


def test_batches_are_dealt_evenly_by_tokens() -> None:
    # Padded tokens: 100, 90, 20, 10. The first process takes 100, the second 90 and 20, the first 10.
    step = [_batch(20), _batch(100), _batch(10), _batch(45, 30)]
    dealt = shares(step, 2)
    tokens = [[sum(len(row) for row in batch) for batch in part] for part in dealt]
    assert tokens == [[100, 10], [75, 20]]
    # A short last step: nobody has two while another has none.
    assert [len(part) for part in shares(step[:1], 2)] == [1, 0]
    assert shares(step, 1) == [step]


def test_two_processes_stop_together_and_hold_the_folder_as_one(tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path, accumulate=1)
    far = recipe.stages[0].model_copy(update={"lr": 1e30, "lr_end": 1e30})
    stopped = two_processes(
        recipe.model_copy(update={"stages": (far,)}), tmp_path / "run", tmp_path,
        "import atexit, os\nfrom pathlib import Path\n"
        "atexit.register(lambda: Path(os.environ['ENDED'] + os.environ['RANK']).touch())\n",
        ENDED=str(tmp_path / "ended-"),
    )  # fmt: skip
    assert stopped.returncode != 0
    assert stopped.stderr.count("TrainingError: step 2 of") == 2, stopped.stderr
    assert len(list(tmp_path.glob("ended-*"))) == 2  # neither was killed while it waited for the other
    assert not (tmp_path / "run" / ".lock").exists()
    assert (tmp_path / "run" / "log.jsonl").read_text().count("the loss is not finite") == 1
