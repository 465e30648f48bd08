"""A small run to judge, and judges to ask."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pefomed.files import jsonl
from pefomed.schema import Prediction, Sample

# id, task, question, reference, answer
ROWS = [
    ("q1", "vqa", "Is this a CT?", "yes", "Yes"),
    ("q2", "vqa", "Which organ?", "liver", "the liver"),
    ("q3", "vqa", "Is there a mass?", "no", "yes"),
    ("q4", "vqa", "Is this a CT?", "yes", "Yes"),  # the texts of q1, of another image
    ("r1", "report", "", "The heart is enlarged.", "The heart is enlarged."),
]

DATA = re.compile(r"<<<DATA [0-9a-f]{16}>>>\n(.*?)\n<<<END [0-9a-f]{16}>>>", re.DOTALL)


def made_run(folder: Path, rows: list[tuple[str, ...]] = ROWS, stem: str = "mine-test") -> Path:
    """Write samples and predictions without a recipe, replacing what is there."""
    samples = [
        Sample(id=name, images=(f"{name}.png",), task=task, question=question, reference=reference)  # type: ignore[arg-type]
        for name, task, question, reference, _ in rows
    ]
    predictions = [
        Prediction(sample_id=name, text=answer, tokens=1, finish="stop", generation="by hand")
        for name, *_, answer in rows
    ]
    for kind, records in {"samples": samples, "predictions": predictions}.items():
        path = folder / kind / f"{stem}.jsonl"
        path.unlink(missing_ok=True)
        jsonl.append(path, records)
    return folder


def data_in(body: dict[str, Any]) -> dict[str, str]:
    """Return the texts that a call asks about."""
    found = DATA.search(body["messages"][-1]["content"])
    assert found
    texts: dict[str, str] = json.loads(found[1])
    return texts


def honest(body: dict[str, Any]) -> str:
    """Judge by equal text: 1 or 0, and 4 or 0 for reports."""
    texts = data_in(body)
    best = 4 if "five levels" in body["messages"][0]["content"] else 1
    return json.dumps({"label": best if texts["answer"].lower() == texts["reference"].lower() else 0})


def obedient(body: dict[str, Any]) -> str:
    """Obey any instruction that stands outside the fences, else judge honestly."""
    outside = DATA.sub("", body["messages"][-1]["content"], count=1)
    ordered = re.search(r'\{\s*"label"\s*:\s*(\d)', outside)
    return json.dumps({"label": int(ordered[1])}) if ordered else honest(body)
