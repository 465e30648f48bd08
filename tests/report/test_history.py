from __future__ import annotations

from typing import Any

import pytest
from tests.report.small_run import RECIPE, log_rows

from pefomed import recipe
from pefomed.report.history import POINTS, duration, smooth, stages, thin


def facts_of(log: list[dict[str, Any]]) -> dict[str, str]:
    return dict(stages(log, recipe.parse(RECIPE))[0].facts)


def test_facts_come_from_recipe_and_log() -> None:
    facts = facts_of(log_rows())
    assert facts["Data"] == "rad, train"
    assert facts["Done"] == "40 of 40 steps, 4.00 epochs"
    assert facts["Samples seen"] == "320"  # 40 steps of 8
    assert facts["Time"] == "60 s"  # 1.5 s a step
    assert facts["Speed"] == "8.0 samples/s"  # 320 samples in 40 steps of 1 s
    assert facts["Best validation"] == "50.0 % exact match at step 20, n = 9"


def test_a_step_that_was_done_again_after_a_resume_counts_once() -> None:
    rows = [row for row in log_rows() if row["kind"] == "step"]
    again = [*rows[:30], *({**row, "samples": 8} for row in rows[20:])]
    assert facts_of(again)["Samples seen"] == "320"


def test_a_planned_stage_without_log_says_so() -> None:
    (stage,) = stages([], recipe.parse(RECIPE))
    assert (stage.name, stage.panels) == ("task", [])
    assert stage.missing


def test_a_log_without_recipe_still_has_its_stages_but_no_stage_of_mere_events() -> None:
    log = [*log_rows(), {"kind": "event", "stage": "evaluate", "text": "no floors"}]
    assert [stage.name for stage in stages(log, None)] == ["task"]


def test_only_what_is_trained_has_a_rate() -> None:
    raw = {**RECIPE, "stages": [{**RECIPE["stages"][0], "train": ["lora"]}]}
    (stage,) = stages(log_rows(), recipe.parse(raw))
    panels = {panel.title: panel for panel in stage.panels}
    assert list(panels) == ["Loss, log scale", "Validation exact match", "Learning rate"]
    assert [label for _, label in panels["Learning rate"].legend] == ["LoRA"]


@pytest.mark.parametrize(
    ("trained", "shown"),
    [
        (["projector", "lora"], ("Peak rates", "LoRA 6e-4, projector 2e-3")),
        (["lora"], ("Peak rate", "LoRA 6e-4")),
        (["projector"], ("Peak rate", "projector 2e-3")),
    ],
)
def test_a_frozen_part_has_no_peak_rate(trained: list[str], shown: tuple[str, str]) -> None:
    raw = {**RECIPE, "stages": [{**RECIPE["stages"][0], "train": trained, "projector_lr": 2e-3}]}
    facts = stages(log_rows(), recipe.parse(raw))[0].facts
    assert [fact for fact in facts if fact[0].startswith("Peak")] == [shown]


def test_the_projector_without_a_rate_of_its_own_has_that_of_the_stage() -> None:
    assert facts_of(log_rows())["Peak rates"] == "LoRA 6e-4, projector 6e-4"


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"warmup_steps": 10}, "10 steps, 25 % of all"),
        ({"warmup_ratio": 0.05}, "2 steps, 5 % of all"),
        # epochs: of the 40 steps that the log says
        ({"steps": None, "epochs": 4, "warmup_ratio": 0.1}, "4 steps, 10 % of all"),
        ({}, None),
    ],
)
def test_the_warm_up_is_a_fact(changes: dict[str, Any], shown: str | None) -> None:
    raw = {**RECIPE, "stages": [{**RECIPE["stages"][0], **changes}]}
    assert dict(stages(log_rows(), recipe.parse(raw))[0].facts).get("Warm-up") == shown


def test_a_loss_of_narrow_range_has_a_linear_axis() -> None:
    log = [{**row, "loss": 1.0 + row["step"] / 40} for row in log_rows()]
    assert stages(log, None)[0].panels[0].title == "Loss"


def test_a_diverged_loss_is_shown_as_such() -> None:
    log = [{**row, "loss": float("nan")} for row in log_rows()]
    assert facts_of(log)["Loss at the end"] == "nan"


def test_thinning_keeps_the_mean_and_bounds_the_number() -> None:
    points = [(float(step), float(step % 7)) for step in range(10 * POINTS)]
    thinned = thin(points)
    assert len(thinned) == POINTS
    assert sum(y for _, y in thinned) / POINTS == pytest.approx(sum(y for _, y in points) / len(points))
    assert thin(points[:POINTS]) == points[:POINTS]


def test_smoothing_leaves_a_straight_line_where_it_is() -> None:
    # A centred mean of a linear function is the function: nothing lags.
    line = [(float(x), 3.0 * x + 1.0) for x in range(100)]
    assert [y for _, y in smooth(line)] == pytest.approx([y for _, y in line])


@pytest.mark.parametrize(
    ("seconds", "text"), [(42, "42 s"), (89.4, "89 s"), (1140, "19 min"), (11100, "3 h 05 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
