"""A small run made by hand: two images, four questions, scores, log and audit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pefomed.files import jsonl
from pefomed.samples.question_hash import shown_hash
from pefomed.schema import Box, Prediction, Sample, Score, Verdict

RECIPE: dict[str, Any] = {
    "name": "small",
    "description": "A run made by hand.",
    "model": {"vision_encoder": "eye", "language_model": "mouth"},
    "data": {"rad": {"loader": "vqa_rad", "root": "rad"}},
    "stages": [{"name": "task", "data": {"rad": 1}, "steps": 40, "lr": 6e-4, "lr_end": 6e-5}],
    "predict": {"data": {"rad": "test"}},
}

# id, image, question, reference, answer, blind answer, answer_type
ROWS = [
    ("q1", "a.png", "Is this a CT?", "yes", "Yes", "yes", "CLOSED"),
    ("q2", "a.png", "Which organ?", "liver", "the liver", "heart", "OPEN"),
    ("q3", "b.png", "Is there a mass?", "no", "yes", "no", "CLOSED"),
    ("q4", "b.png", "Which side?", "left", "left", "right", "OPEN"),
]


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def write_answers(folder: Path, rows: list[tuple[str, ...]]) -> None:
    """Write samples and predictions, replacing those there are."""
    samples, predictions, blind = [], [], []
    for name, image, question, reference, answer, blind_answer, kind in rows:
        samples.append(
            Sample(
                id=name, images=(image,), task="vqa", question=question, reference=reference,
                boxes=(Box(x0=0.1, y0=0.2, x1=0.5, y1=0.6),) if name == "q3" else (),
                meta={"answer_type": kind, "organ": "CHEST" if "a.png" in image else "HEAD"},
            )
        )  # fmt: skip
        predictions.append(seen(samples[-1], answer))
        blind.append(predicted(name, blind_answer, blind=True))
    files = {"samples/rad-test.jsonl": samples, "predictions/rad-test.jsonl": predictions}
    for name, records in {**files, "predictions/rad-test.blind.jsonl": blind}.items():
        (folder / name).unlink(missing_ok=True)
        jsonl.append(folder / name, records)


def predicted(sample_id: str, text: str, *, blind: bool = False, cut: bool = False) -> Prediction:
    return Prediction(
        sample_id=sample_id, text=text, tokens=3, finish="length" if cut else "stop",
        generation="greedy, at most 32 tokens", blind=blind,
    )  # fmt: skip


def seen(sample: Sample, text: str) -> Prediction:
    """An answer that says what the sample's pictures hold, as `pefomed predict` writes it."""
    return predicted(sample.id, text).model_copy(update={"shown": shown_hash(sample)})


def score(system: str, group: str, value: float, n: int, **more: Any) -> Score:
    """A score of `rad`, `test`; an interval of +- 0.1 unless it is published."""
    published = system.startswith("published:")
    given = {
        "metric": "exact_match",
        "implementation": "as published" if published else "equal but for case and spaces",
        "low": None if published else max(0.0, value - 0.1),
        "high": None if published else min(1.0, value + 0.1),
        "interval": "" if published else "95 % by image, jackknife, Korn-Graubard limits",
        **more,
    }
    return Score(system=system, dataset="rad", split="test", group=group, value=value, n=n, **given)


def scores() -> list[Score]:
    return [
        score("model", "overall", 0.5, 4),
        score("model", "answer_type=OPEN", 0.4321, 2),
        score("model", "answer_type=CLOSED", 0.5678, 2),
        score("model", "organ=CHEST", 0.6111, 3),
        score("model", "organ=HEAD", 0.2222, 1),
        score("blind", "overall", 0.3456, 4),
        score("blind", "organ=CHEST", 0.1234, 3),
        score("floor:majority", "overall", 0.25, 4, implementation="the most frequent training answer"),
        score("published:PeFoMed", "overall", 0.774, 451),
        score("published:LLaVA-Med", "overall", 0.758, 451, metric="token_recall",
              implementation="as published; not comparable: token recall"),
        score("model", "overall", 0.0, 4, metric="empty_rate", implementation="share of empty answers"),
    ]  # fmt: skip


def log_rows() -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = [
        {
            "kind": "step", "stage": "task", "step": step, "steps": 40, "epoch": step / 10,
            "loss": 2.0 / step, "lr": 6e-4, "projector_lr": 6e-4,
            "samples": 8, "seconds": 1.5 * step, "step_seconds": 1.0,
        }
        for step in range(1, 41)
    ]  # fmt: skip
    steps.insert(
        20, {"kind": "validation", "stage": "task", "step": 20, "loss": 0.4, "exact_match": 0.5, "n": 9}
    )
    return steps


DESCRIBE = {
    "parts": [
        {"name": "vision encoder", "parameters": 1000, "trained": 0},
        {"name": "projector", "parameters": 234, "trained": 234},
    ],
    "trainable": 234,
    "total": 1234,
    "tokens_per_image": 64,
    "memory": {"training": "2 GB"},
}

AUDIT = {
    "title": "VQA-RAD",
    "summary": ["All 2 images of test also occur in train."],
    "leakage": [
        {
            "in": "train",
            "of": "test",
            "images": {"of": 2, "count": 2, "examples": []},
            "texts": {"of": 4, "count": 1, "examples": []},
            "triplets": {"of": 4, "count": 1, "examples": [], "ignoring_punctuation": 1},
        }
    ],
}


CARD: dict[str, Any] = {
    "kind": "llm-judge",
    "title": "A judge",
    "about": "Made by hand.",
    "runs": 2,
    "settings": {"model": "mouth", "seeds": [0, 1]},
    "calibration": [
        {
            "question": "Which lungs?",
            "reference": "both",
            "answer": "bilateral",
            "expected": 1,
            "labels": [1, 1],
        },
        {"question": "Is it there?", "reference": "left", "answer": "yes", "expected": 1, "labels": [0, 0]},
    ],
}


def write_rater(
    folder: Path, name: str, card: dict[str, Any], runs: list[dict[str, int | None]], reason: str = ""
) -> None:
    """Write one rater's verdicts, a dict of labels for each run, with its card."""
    verdicts = [
        Verdict(sample_id=sample_id, rater=name, run=run, label=label, reason=reason)
        for run, labels in enumerate(runs)
        for sample_id, label in labels.items()
    ]
    jsonl.append(folder / "verdicts" / f"{name}.jsonl", verdicts)
    write_json(folder / "verdicts" / f"{name}.card.json", card)


def write_raters(folder: Path) -> None:
    """Let a judge of two runs and three people label the four answers, and score it."""
    write_rater(
        folder, "judge", CARD,
        [{"q1": 1, "q2": 1, "q3": 0, "q4": None}, {"q1": 1, "q2": 1, "q3": 1, "q4": 1}], "Means the same.",
    )  # fmt: skip
    for name, labels in (("ann", "1101"), ("bob", "1100"), ("cid", "1001")):
        given: dict[str, int | None] = {f"q{n}": int(label) for n, label in enumerate(labels, 1)}
        write_rater(folder, name, {"kind": "human", "title": name.capitalize()}, [given], f"says {name}")
    judged = [
        score("model", "overall", 0.8123, 4, metric="judge_accuracy", implementation="judge, 2 runs"),
        score("model", "answer_type=OPEN", 0.7, 2, metric="judge_accuracy", implementation="judge, 2 runs"),
        score("model", "organ=CHEST", 0.9, 3, metric="judge_accuracy", implementation="judge, 2 runs"),
        score("model", "overall", 0.6789, 4, metric="human_accuracy", implementation="3 human raters"),
        score(
            "published:PeFoMed", "overall", 0.844, 451, metric="judge", implementation="as published; GPT-4"
        ),
    ]
    jsonl.append(folder / "scores.jsonl", judged)
