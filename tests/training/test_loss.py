"""The loss of a step, and its gradient, against a plain loop over samples."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from pefomed.packing.batch import rows
from pefomed.recipe import LossMean
from tests.tiny import model_recipe
from tests.training import one_step
from tests.training.one_step import Found

MEANS: tuple[LossMean, ...] = ("sample", "token")


def assert_same(found: Found, expected: Found) -> None:
    assert found.keys() == expected.keys()
    assert len(found) == 1 + 2 + 2 * 2 * 2  # the loss, the projector's two, A and B of q and v in two layers
    for name, tensor in expected.items():
        assert tensor.norm() > 0, name
        assert (found[name] - tensor).norm() <= 1e-6 * tensor.norm(), name


@pytest.mark.parametrize("mean_of", MEANS)
def test_shared_rows_single_rows_and_accumulated_batches_are_the_plain_loop(
    tmp_path: Path, mean_of: LossMean
) -> None:
    model, asked = one_step.opened(model_recipe(tmp_path))
    assert {one.sample.task for one in asked} == {"vqa", "report", "refer"}
    assert any("crop=" in one.sample.images[0] for one in asked)
    assert {2, 61} <= {len(one.answer) for one in asked}
    expected = one_step.plain(model, asked, mean_of)
    shared = rows(asked, share_image=True, max_questions=32)
    single = rows(asked, share_image=False, max_questions=1)
    steps = [[shared], [single], one_step.uneven(asked), [single[:1], single[1:7], single[7:]]]
    for step in steps:
        assert_same(one_step.by_loop(model, step, mean_of, tmp_path), expected)


def test_two_processes_with_uneven_shares_are_the_plain_loop_with_whole_and_split_weights(
    tmp_path: Path,
) -> None:
    recipe = model_recipe(tmp_path)
    (tmp_path / "model.json").write_text(recipe.model_dump_json(exclude_none=True))
    model, asked = one_step.opened(recipe)
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    path = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [*command, one_step.__file__, str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=280,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for mean_of in MEANS:
        expected = one_step.plain(model, asked, mean_of)
        for sharded in (False, True):
            assert_same(load_file(tmp_path / f"{mean_of}-{sharded}.safetensors"), expected)
