"""A family, a loader, a metric and a task from outside of the package go all the way, by one recipe.

Nothing of the package is edited: they stand in a folder of the user's own, where every command finds them.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from pefomed import tasks
from pefomed.cli import main
from pefomed.files import jsonl
from pefomed.schema import ItemScore, Prediction, Score
from pefomed.weights.folder_hashes import file_hash
from tests import outside_family

MINE = '''
"""A loader of three questions about each of four images of unequal sizes, and a metric."""

from pathlib import Path

import numpy as np
from PIL import Image

from pefomed.schema import Sample

SIZES = [(40, 30), (20, 30), (30, 40), (50, 20)]
ASKED = [("is it left?", "yes"), ("is it large?", "no"), ("what is it?", "lung")]


def load(root, split):
    for number, (width, height) in enumerate(SIZES):
        pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
        path = Path(root) / f"{number}.png"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(pixels).save(path)
        for place, (question, answer) in enumerate(ASKED):
            yield Sample(
                id=f"{number}-{place}", images=(str(path),), task="kind", question=question, reference=answer
            )


def same_length(reference, answer):
    """Whether reference and answer are equally long."""
    return float(len(reference) == len(answer))
'''

RECIPE = """
name = "outside"

[tasks.kind]
answer = "words"
instructions = ["{question}"]

[model]
family = "my_family:tiny"
options = { weights = "tiny.safetensors", axes = 3 }
lora = { r = 4, alpha = 8, dropout = 0.1, targets = ["q_proj", "v_proj"] }

[data.mine]
loader = "mine:load"
root = "images"

[[stages]]
name = "first"
data = { mine = 1 }
steps = 2
lr = 1e-2
lr_end = 1e-3
train = ["merger"]

[[stages]]
name = "second"
data = { mine = 1 }
epochs = 2
batch_size = 6
lr = 1e-2
lr_end = 1e-3
part_lr = { merger = 2e-2 }
validate_split = "train"
checkpoint_every = 1

[compute]
dtype = "float32"
device = "cpu"
compile = "off"

[predict]
data = { mine = "test" }
max_new_tokens = 6

[evaluate]
metrics = ["mine:same_length"]
bootstrap = 20
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder of somebody else's, which is the working directory, as `python -m pefomed` has it."""
    (tmp_path / "mine.py").write_text(MINE)
    shutil.copy(outside_family.__file__, tmp_path / "my_family.py")
    outside_family.write_weights(tmp_path / "tiny.safetensors")
    (tmp_path / "outside.toml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    before = dict(tasks.TASKS)
    yield tmp_path
    tasks.TASKS.clear()
    tasks.TASKS.update(before)
    for name in ("mine", "my_family"):
        sys.modules.pop(name, None)


@pytest.fixture
def pefomed(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return a function that runs a command and returns what it says: on the error stream if it fails."""

    def run(*words: str, fails: bool = False) -> str:
        with pytest.raises(SystemExit) as ended:
            main(words)
        said = capsys.readouterr()
        assert bool(ended.value.code) == fails, said.err
        return said.err if fails else said.out

    return run


def test_a_run_of_all_four_and_every_command_on_it(folder: Path, pefomed: Callable[..., str]) -> None:
    described = json.loads(pefomed("describe", "outside.toml", "--json"))
    sizes = {part["name"]: (part["parameters"], part["trained"]) for part in described["parts"]}
    # LoRA: 2 layers x 2 targets of 32 x 32, rank 4; the merger: 8 x 32 and 32.
    assert sizes["lora"] == (2 * 2 * (32 * 4 + 4 * 32),) * 2
    assert sizes["merger"] == (8 * 32 + 32,) * 2
    assert sizes["vision encoder"] == (100 * 8 + 8, 0)
    assert described["family"].startswith("my_family:tiny, source ")

    assert "nothing is wrong" in pefomed("run", "outside.toml", "--data", ".", "--check")
    pefomed("run", "outside.toml", "--data", ".")
    run = folder / "runs" / "outside"
    steps = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    rates = [{key for key in line if key.endswith("lr")} for line in steps if line["kind"] == "step"]
    assert rates == [{"merger_lr"}, {"merger_lr"}, *[{"lr", "merger_lr"}] * 4]
    base = json.loads((run / "adapter" / "base.json").read_text())
    assert base["weights"]["weights"] == file_hash(folder / "tiny.safetensors")
    assert base["family"]["name"] == "my_family:tiny"
    kept = load_file(run / "adapter" / "adapter_model.safetensors")
    assert {name for name in kept if "lora_" not in name} == {
        "base_model.model.merger.weight", "base_model.model.merger.bias",
    }  # fmt: skip
    assert len(list((folder / "cache" / "features").glob("*/*/*.safetensors"))) == 4
    scores = list(jsonl.read(run / "scores.jsonl", Score))
    assert {score.metric for score in scores} >= {"exact_match", "same_length"}
    assert {score.system for score in scores} >= {"model", "blind", "floor:majority"}
    items = list(jsonl.read(run / "item_scores" / "mine-test.jsonl", ItemScore))
    assert {item.metric for item in items} >= {"exact_match", "same_length"}
    page = (run / "report" / "index.html").read_text()
    assert "my_family:tiny" in page
    assert "merger" in page

    # Again: nothing is left to do. In its folder every step goes on alone.
    before = (run / "predictions" / "mine-test.jsonl").read_bytes()
    for words in (["train", "runs/outside"], ["predict", "runs/outside"], ["evaluate", "runs/outside"]):
        pefomed(*words, "--data", ".")
    assert (run / "predictions" / "mine-test.jsonl").read_bytes() == before
    said = json.loads(
        pefomed("ask", "runs/outside", "images/0.png", "is it left?", "--task", "kind", "--json")
    )
    predicted = {
        one.sample_id: one.text for one in jsonl.read(run / "predictions" / "mine-test.jsonl", Prediction)
    }
    assert said["answer"] == predicted["0-0"]

    # Stopped before its last step and gone on with, it is the same adapter, bit for bit.
    for gone in (run / "adapter", run / "checkpoints" / "second" / "final"):
        shutil.rmtree(gone)
    shutil.rmtree(max((run / "checkpoints" / "second").glob("step-*")))
    pefomed("train", "runs/outside", "--data", ".")
    again = load_file(run / "adapter" / "adapter_model.safetensors")
    assert again.keys() == kept.keys()
    assert all(torch.equal(again[name], kept[name]) for name in kept)

    # What only composed models have, and what this family has not.
    assert "the family 'my_family:tiny'" in pefomed(
        "describe", "outside.toml", "--plan", "--samples", "mine=12", "--images", "mine=4", fails=True
    )
    for change, said in (
        ("model.group=2", "`group` belongs to models of a vision encoder"),
        ("model.options.axis=3", "has no option 'axis'; did you mean 'axes'?"),
        ("model.options.axes=three", "the option 'axes' of the family"),
        ("model.family=my_family:tinny", "did you mean 'tiny'?"),
        ("model.family=no_family:tiny", "cannot be imported"),
        ("stages.0.train=['projector']", "names the part 'projector', which the model has not"),
        ("model.lora.targets=['c_attn']", "'c_attn' matches no linear layer"),
    ):
        wrong = " ".join(pefomed("describe", "outside.toml", "--set", change, fails=True).split())
        assert all(part in wrong for part in said.split("; ")), wrong

    # Another base under the same name is refused, before anything is answered.
    weights = load_file(folder / "tiny.safetensors")
    weights["merger.bias"] += 1
    save_file(weights, folder / "tiny.safetensors")
    assert "another base" in pefomed("ask", "runs/outside", "images/0.png", "is it?", fails=True)
    assert "weights: other weights" in pefomed("predict", "runs/outside", "--data", ".", fails=True)
