"""Two small runs that every kind of score is computed of; nothing in them is drawn at random.

`everything` holds samples of every task with answers right, wrong, empty, cut and unreadable, and verdicts
of two judges and two people; `floors` is a run over a data set in SLAKE's layout, with all floors.
"""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from pefomed import recipe
from pefomed.boxes import Resizing
from pefomed.datasets import load_samples
from pefomed.evaluation.verdicts import RATER_KINDS
from pefomed.files import jsonl
from pefomed.prompts import target
from pefomed.schema import Box, Prediction, Sample, Verdict
from pefomed.tasks import JUDGED

MODEL = {"vision_encoder": "v", "language_model": "l"}
STAGE = {"name": "task", "epochs": 1, "lr": 1e-4, "lr_end": 0.0}

# question, references, answer type, answer of the model
QUESTIONS = (
    ("Is the liver normal?", ("yes",), "CLOSED", "Yes."),
    ("Is there a lesion?", ("no",), "CLOSED", "no, there is none"),
    ("Is it left or right?", ("left",), "CLOSED", "It is not left"),
    ("Which plane is it?", ("axial",), "OPEN", "axial plane"),
    ("Which organ is it?", ("left lung", "lung"), "OPEN", "the lung"),
    ("Which organ is it?", ("liver",), "OPEN", "**Liver**"),
    ("How large is it?", ("2.5 cm",), "OPEN", ""),
    ("How many are there?", ("two",), "OPEN", "2"),
    ("Which stain is it?", ("H&E",), "OPEN", "h&e stain h&e stain"),
)
REPORTS = (
    ("The heart is normal in size. No effusion.", "heart is normal in size . no pleural effusion ."),
    ("No pneumothorax. The lungs are clear.", "The lungs are clear. The lungs are clear."),
    ("Right lower lobe opacity, 2.5 cm.", "A nodule of 3 cm in the right upper lobe"),
    ("Mild cardiomegaly without edema.", ""),
)
HALF = (0.0, 0.0, 0.5, 0.5)
# phrase, its boxes, the model's answer in 100 bins
PHRASES = (
    ("liver", [HALF], "{<0><0><50><50>}"),
    ("right kidney", [(0.6, 0.2, 0.9, 0.6)], "{<10><20><40><60>}"),
    ("spleen", [(0.1, 0.1, 0.3, 0.3), (0.7, 0.7, 0.9, 0.8)], "{<10><10><28><31>} {<70><65><90><80>}"),
    ("tumour", [], "none"),
    ("cyst", [], "{<1><1><20><20>}"),
    ("heart", [(0.4, 0.3, 0.7, 0.8)], "none"),
    ("stomach", [(0.2, 0.2, 0.4, 0.4)], "it is in the upper left"),
    ("left lung", [(0.55, 0.1, 0.95, 0.9)], "{<95><90><55><10>"),
)


def everything(folder: Path, *, turned: bool = False) -> Path:
    """Write the run that has every kind of sample.

    Args:
        turned: whether every answer is the next sample's of its data set.
    """
    run = folder / "everything"
    raw = {
        "name": "everything", "model": MODEL,
        "data": {
            name: {"loader": "table", "root": "absent", "options": {"task": "vqa"}}
            for name in ("questions", "texts", "places")
        },
        "predict": {"data": {"questions": "test", "texts": "test", "places": "test"}},
        "evaluate": {"floors": False, "bootstrap": 200},
    }  # fmt: skip
    run.mkdir(parents=True)
    (run / "recipe.toml").write_text(recipe.dumps(recipe.parse(raw)))
    rows = {"questions": _questions(), "texts": _texts(), "places": _places()}
    for name, pairs in rows.items():
        if turned:
            pairs = [
                (sample, answer)
                for (sample, _), (_, answer) in zip(pairs, pairs[1:] + pairs[:1], strict=True)
            ]
        jsonl.append(run / "samples" / f"{name}-test.jsonl", [sample for sample, _ in pairs])
        for blind in (False, True):
            made = [
                Prediction(
                    sample_id=sample.id,
                    text=("yes" if sample.task == "vqa" else "{<25><25><75><75>}") if blind else answer,
                    tokens=len(answer),
                    finish="length" if len(answer) % 5 == 4 else "stop",
                    generation="greedy, at most 9 tokens",
                    blind=blind,
                )
                for sample, answer in pairs
            ]
            jsonl.append(run / "predictions" / f"{name}-test{'.blind' * blind}.jsonl", made)
    judged = [sample for name in ("questions", "texts") for sample, _ in rows[name] if sample.task in JUDGED]
    for number, (name, kind) in enumerate(
        [("gpt", "llm-judge"), ("rules", "offline-judge"), ("ada", "human"), ("bob", "human")]
    ):
        assert kind in RATER_KINDS
        verdicts = [
            Verdict(sample_id=sample.id, rater=name, run=turn, label=_label(sample, place, number, turn))
            for turn in range(2 if kind == "llm-judge" else 1)
            for place, sample in enumerate(judged)
            if kind != "human" or place % 4 != number % 4
        ]
        jsonl.append(run / "verdicts" / f"{name}.jsonl", verdicts)
        (run / "verdicts" / f"{name}.card.json").write_text(json.dumps({"kind": kind}))
    return run


def floors(folder: Path) -> Path:
    """Write a run with questions and boxes in SLAKE's layout, whose floors learn from its training split."""
    root, run = folder / "data" / "slake", folder / "floors"
    splits = {"train": range(6), "validate": range(6, 8), "test": range(8, 13)}
    for split, images in splits.items():
        rows = []
        for number in images:
            picture = root / "imgs" / f"xmlab{number}"
            picture.mkdir(parents=True)
            Image.new("L", (100, 50), 10 * number).save(picture / "source.jpg")
            labels = [{"Liver": [number, 2, 40 + number, 20]}, {"Spleen": [70 - number, 8, 20, 20]}]
            (picture / "detection.json").write_text(json.dumps(labels[: 1 + number % 2]))
            rows += [
                {
                    "qid": 10 * number + place, "img_name": f"xmlab{number}/source.jpg", "question": question,
                    "answer": answers[number % len(answers)], "q_lang": "en", "location": "Abdomen",
                    "modality": ("CT", "MRI")[number % 2], "answer_type": kind, "base_type": "vqa",
                    "content_type": "Organ",
                }
                for place, (question, kind, answers) in enumerate(
                    [
                        ("Is the liver normal?", "CLOSED", ("Yes", "No", "Yes")),
                        ("Which organ is it?", "OPEN", ("Liver", "Spleen")),
                    ]
                )
            ]  # fmt: skip
        (root / f"{split}.json").write_text(json.dumps(rows))
    tasks = ["refer", "identify", "detection", "grounding"]
    raw = {
        "name": "floors", "model": MODEL,
        "data": {
            "questions": {"loader": "slake", "root": "slake"},
            "boxes": {"loader": "slake_boxes", "root": "slake", "options": {"tasks": tasks}},
        },
        "stages": [{**STAGE, "data": {"questions": 1.0, "boxes": 1.0}}],
        "predict": {"data": {"questions": "test", "boxes": "test"}},
        "evaluate": {"bootstrap": 200},
    }  # fmt: skip
    settings = recipe.parse(raw)
    run.mkdir(parents=True)
    (run / "recipe.toml").write_text(recipe.dumps(settings))
    resizing = Resizing(settings.model.resize, settings.model.image_size)
    for name in settings.predict.data:
        samples = load_samples(settings.data[name], "test", folder / "data")
        jsonl.append(run / "samples" / f"{name}-test.jsonl", samples)
        right = [target(sample, settings.prompt, resizing) for sample in samples]
        for blind in (False, True):
            # Every third answer is the next sample's, so that some are wrong.
            texts = [right[(place + (place % 3 == 0)) % len(right)] for place in range(len(right))]
            made = [
                Prediction(sample_id=sample.id, text="" if blind else text, tokens=1, finish="stop",
                           generation="greedy", blind=blind)
                for sample, text in zip(samples, texts, strict=True)
            ]  # fmt: skip
            jsonl.append(run / "predictions" / f"{name}-test{'.blind' * blind}.jsonl", made)
    return run


def _label(sample: Sample, place: int, number: int, turn: int) -> int | None:
    if (place + number + turn) % 11 == 10:
        return None
    return (place * 3 + number + turn) % (2 if sample.task == "vqa" else 5)


def _questions() -> list[tuple[Sample, str]]:
    found = []
    for turn in range(3):
        for place, (question, references, kind, answer) in enumerate(QUESTIONS):
            number = turn * len(QUESTIONS) + place
            sample = Sample(
                id=f"q{number}", images=(f"{number // 3}.png",), task="vqa", question=question,
                reference=references[0], further_references=references[1:],
                meta={"answer_type": kind, "modality": ("CT", "MRI")[number % 2]},
            )  # fmt: skip
            found.append((sample, references[0] if turn == 1 else answer))
    found += [
        (
            Sample(id=f"i{place}", images=(f"{place}.png",), task="identify", question="", reference=name,
                   boxes=(_box(HALF),), size=(100, 100), meta={"category": name}),
            answer,
        )
        for place, (name, answer) in enumerate([("Liver", "liver"), ("Spleen", "the liver")])
    ]  # fmt: skip
    return found


def _texts() -> list[tuple[Sample, str]]:
    return [
        (
            Sample(id=f"t{turn}-{place}", images=(f"{turn}-{place}.png",),
                   task=("report", "caption")[turn % 2], reference=reference,
                   meta={"site": "ab"[place % 2]}),
            answer if turn else reference,
        )
        for turn in range(3)
        for place, (reference, answer) in enumerate(REPORTS)
    ]  # fmt: skip


def _places() -> list[tuple[Sample, str]]:
    found: list[tuple[Sample, str]] = []
    for task in ("refer", "detection"):
        for place, (phrase, boxes, answer) in enumerate(PHRASES):
            sample = Sample(
                id=f"{task}-{place}", images=(f"{place // 2}.png",), task=task, question=phrase,
                boxes=tuple(map(_box, boxes)), size=(100, 80), meta={"category": phrase.split()[-1]},
            )  # fmt: skip
            found.append((sample, answer))
    captions = (
        ("A <p>liver</p>{0} and a <p>spleen</p>{1}.", "A <p>liver</p>{<0><0><40><50>} and a spleen."),
        ("The <p>liver</p>{0}.", "The <p>liver</p>{<0><0><50><50>} is large."),
    )
    for place, (reference, answer) in enumerate(captions):
        boxes = (_box(HALF), _box((0.6, 0.1, 0.8, 0.3)))[: 2 - place]
        sample = Sample(
            id=f"g{place}", images=(f"{place}.png",), task="grounding", reference=reference, boxes=boxes,
            size=(100, 80),
        )  # fmt: skip
        found.append((sample, answer))
    return found


def _box(corners: tuple[float, float, float, float]) -> Box:
    return Box(**dict(zip(("x0", "y0", "x1", "y1"), corners, strict=True)))
