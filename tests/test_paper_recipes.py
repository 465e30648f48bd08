"""The paper recipes against the authors' published settings, and how docs/method.md says to have theirs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pefomed import recipe as recipes
from pefomed.recipe import shipped

ROOT = Path(__file__).parent.parent
VQA = ("slake", "pathvqa", "vqa_rad")
# training samples: SLAKE's English, PathVQA's questions, IU-Xray's 2,069 studies with two views each
SAMPLES = {"slake": 4919, "pathvqa": 19755, "iu_xray": 2 * 2069}
# of pefomed/projects/pefomed/*.yaml: iterations, GPUs of train.sh x batch_size_train
ITERATIONS = {"slake": 50 * 100, "pathvqa": 50 * 100, "vqa_rad": 50 * 100, "iu_xray": 4 * 100}


def paper(name: str, changes: dict[str, Any] | None = None) -> recipes.Recipe:
    return recipes.load(shipped(f"paper/{name}"), changes or {})


@pytest.mark.parametrize("name", [*VQA, "iu_xray"])
def test_stage_two_is_as_long_as_the_authors_and_answers_as_theirs(name: str) -> None:
    made = paper(name)
    [stage] = made.stages
    assert (stage.steps, stage.batch_size, stage.accumulate) == (ITERATIONS[name], 4, 1)
    assert made.predict.max_new_tokens == 300
    assert made.prompt.answer_case == "lower"
    # warm-up from 1e-6 over 100 steps
    assert stage.warmup_steps == 100
    assert stage.warmup_start * stage.lr == pytest.approx(1e-6, rel=0.11)


@pytest.mark.parametrize(("name", "every"), [("slake", 500), ("pathvqa", 500), ("iu_xray", 100)])
def test_the_best_checkpoint_of_validation_is_tested(name: str, every: int) -> None:
    [stage] = paper(name).stages
    assert stage.validate_split == "validate"
    assert stage.validate_every * SAMPLES[name] / 4 == pytest.approx(every, rel=1e-3)


def test_vqa_rad_tests_the_last_checkpoint() -> None:
    assert paper("vqa_rad").stages[0].validate_split is None


@pytest.mark.parametrize("name", [*VQA, "stage1"])
def test_their_rates_can_be_had_as_the_page_says(name: str) -> None:
    page = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    [row] = [line for line in page.splitlines() if line.startswith("| rates |")]
    changes = dict(re.findall(r"--set (stages\.0\.\w+)=([\d.e-]+)", row))
    [stage] = paper(name, {field: float(value) for field, value in changes.items()}).stages
    # init_lr, min_lr, warmup_lr of their yaml
    assert (stage.lr, stage.lr_end) == (1e-5, 1e-6)
    assert stage.warmup_start * stage.lr == pytest.approx(1e-6)


def test_their_samples_a_step_can_be_had_as_the_page_says() -> None:
    page = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    found = re.search(r"--set stages\.0\.accumulate=(\d+)", page)
    assert found
    [stage] = paper("stage1", {"stages.0.accumulate": int(found[1])}).stages
    assert stage.batch_size * stage.accumulate == 4 * 100
    assert (stage.steps, stage.warmup_steps) == (5 * 1000, 1000)


def test_the_mix_that_their_code_trains_on() -> None:
    """Their sets are joined: shares are counts, of the paper's 87,952, 90,000, 210,000 and 377,110."""
    counts = {"roco": 87_952, "clef": 90_000, "medicat": 210_000, "mimic": 377_110}
    page = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    found = re.search(r"`data = \{ (roco = [^}]+) \}`", page)
    assert found
    shares = {name: int(share) for name, share in re.findall(r"(\w+) = (\d+)", found[1])}
    assert shares == {name: int(100 * count / sum(counts.values()) + 0.5) for name, count in counts.items()}
