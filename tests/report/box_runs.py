"""A run made by hand whose answers are boxes, beside a question: every state an answer can be in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image
from tests.report import small_run

from pefomed import recipe
from pefomed.files import jsonl
from pefomed.schema import Box, Sample, Score

RECIPE: dict[str, Any] = {
    **small_run.RECIPE,
    "name": "boxed",
    "data": {"cxr": {"loader": "ms_cxr", "root": "cxr"}},
    "stages": [{**small_run.RECIPE["stages"][0], "data": {"cxr": 1}}],
    "predict": {"data": {"cxr": "test"}},
}

WHOLE = "{<0><0><100><100>}"

# id, image, task, question, reference, boxes, answer, category
ROWS: list[tuple[str, str, str, str, str, tuple[tuple[float, ...], ...], str, str]] = [
    ("exact", "wide.png", "refer", "left lung", "", ((0.5, 0.2, 1.0, 0.6),), "{<50><20><100><60>}", "Lung"),
    ("swapped", "wide.png", "refer", "right lung", "", ((0.0, 0.2, 0.4, 0.6),), "{<60><20><100><60>}",
     "Lung"),
    # One of two equal boxes found, its last brace missing: IoU 1/2.
    ("half", "wide.png", "detection", "mass", "", ((0.0, 0.0, 0.2, 0.2), (0.6, 0.6, 0.8, 0.8)),
     "<p>mass</p>{<0><0><20><20>", "Mass"),
    ("words", "square.png", "refer", "nodule", "", ((0.4, 0.4, 0.6, 0.6),), "in the middle", "Mass"),
    # The first phrase exactly, half of the second: IoU 1 and 1/2.
    ("caption", "square.png", "grounding", "", "A <p>liver</p>{0} and a <p>spleen</p>{1}.",
     ((0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0)),
     "A <p>liver</p>{<0><0><50><100>} and a <p>spleen</p>{<50><0><100><50>}.", ""),
    ("named", "square.png", "identify", "", "heart", ((0.3, 0.3, 0.7, 0.7),), "heart", "Heart"),
    ("asked", "wide.png", "vqa", "Is this a CT?", "yes", (), "no", ""),
]  # fmt: skip


def write_run(folder: Path, answers: dict[str, str] | None = None, name: str = "boxed") -> Path:
    """Write a run with its images, and return its folder.

    Args:
        answers: other answers than those of `ROWS`, by id.
    """
    images, run = folder / "images", folder / "runs" / name
    images.mkdir(exist_ok=True)
    run.mkdir(parents=True)
    Image.new("L", (200, 100), 90).save(images / "wide.png")
    Image.new("L", (64, 64), 60).save(images / "square.png")
    (run / "recipe.toml").write_text(recipe.dumps(recipe.parse({**RECIPE, "name": name})), encoding="utf-8")
    sizes = {"wide.png": (200, 100), "square.png": (64, 64)}
    samples, predictions, blind = [], [], []
    for sample_id, image, task, question, reference, boxes, answer, category in ROWS:
        samples.append(
            Sample(
                id=sample_id,
                images=(str(images / image),),
                task=task,  # type: ignore[arg-type]
                question=question,
                reference=reference,
                boxes=tuple(Box(x0=x0, y0=y0, x1=x1, y1=y1) for x0, y0, x1, y1 in boxes),
                size=sizes[image] if boxes else None,
                meta={"category": category} if category else {},
            )
        )
        predictions.append(small_run.seen(samples[-1], (answers or {}).get(sample_id, answer)))
        blind.append(small_run.predicted(sample_id, WHOLE if boxes else "yes", blind=True))
    jsonl.append(run / "samples" / "cxr-test.jsonl", samples)
    jsonl.append(run / "predictions" / "cxr-test.jsonl", predictions)
    jsonl.append(run / "predictions" / "cxr-test.blind.jsonl", blind)
    jsonl.append(run / "scores.jsonl", scores())
    return run


def score(system: str, metric: str, value: float, group: str = "overall", n: int = 6) -> Score:
    published = system.startswith("published:")
    how = "as published" if published else f"pefomed 1.0, {metric}: definition of {metric}; by {system}"
    made = small_run.score(system, group, value, n, metric=metric, implementation=how)
    return made.model_copy(update={"dataset": "cxr"})


def scores() -> list[Score]:
    """Scores with a digit for the system behind that of the metric, so that no two are alike."""
    found = []
    for place, system in enumerate(
        ("model", "blind", "floor:whole-image", "floor:median-box-category", "ceiling:bins")
    ):
        shift = 0.001 * place
        found += [
            score(system, "iou", 0.410 + shift),
            score(system, "dice", 0.520 + shift),
            score(system, "acc_0.5", 0.630 + shift),
            score(system, "iou_macro", 0.440 + shift),
            score(system, "iou", 0.710 + shift, "category=Lung", 2),
            score(system, "iou", 0.210 + shift, "category=Mass", 3),
            score(system, "acc_0.5", 0.810 + shift, "category=Mass", 3),
            score(system, "iou", 0.330 + shift, "boxes=several", 1),
            score(system, "side_mistake_rate", 0.25 + shift, n=4),
            score(system, "side_mistake_rate_named", 0.5 + shift, n=2),
        ]
    return [
        *found,
        score("published:MedRPG", "iou", 0.594, n=167),
        score("published:MedRPG", "acc_0.5", 0.699, n=167),
        score("published:PFMVG", "iou", 0.777, "category=Mass", 9),
        score("model", "unparsable_rate", 0.2),
        score("model", "exact_match", 0.5, n=2),
    ]
