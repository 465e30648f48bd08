"""Phantom: drawn chest radiographs whose findings, and so answers, reports and boxes, are known.

Made by this program, for the demo and the tests; free of licence and of patients. Deterministic by
seed. The splits share no image, and no image looks like one of another split. Layout:
`seed<seed>-<size>px-<code>/<split>-<number>.png`, written when first asked for; `<code>` is a hash of the
drawing program, so that an image never disagrees with the answers of a later version.

One record::

    {"id": "phantom-train-0000-zone", "images": [".../seed0-256px-0f3a9c21/train-0000.png"], "task": "vqa",
     "question": "Where is the opacity?", "reference": "left upper",
     "boxes": [{"x0": 0.62, "y0": 0.25, "x1": 0.81, "y1": 0.42}], "size": [256, 256],
     "meta": {"answer_type": "OPEN", "question_type": "position", "finding": "opacity"}}

Sides are the patient's: left is on the right of the image.
"""

from __future__ import annotations

import hashlib
import inspect
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from PIL import Image
from pydantic import Field

from pefomed.annotations.box_tasks import samples_of
from pefomed.datasets.card import DataCard
from pefomed.datasets.phantom import drawing as phantom_drawing
from pefomed.datasets.phantom import scene as phantom_scene
from pefomed.datasets.phantom.text import caption, grounded_caption, phrases, questions, report
from pefomed.files.files import unknown_split
from pefomed.files.storage import write
from pefomed.progress import track
from pefomed.schema import Sample

CARD = DataCard(
    title="Phantom",
    licence="none needed: drawn by this program",
    link="",
    citation="",
    splits={"train": None, "validate": None, "test": None},
)

Count = Annotated[int, Field(ge=0, le=100_000)]
PhantomTask = Literal["vqa", "caption", "report", "refer", "identify", "detection", "grounding"]

_FINDINGS = {"zone": "opacity", "side": "effusion", "nodules": "nodule"}


def load(
    root: Path,
    split: str,
    *,
    tasks: tuple[PhantomTask, ...] = ("vqa",),
    train: Count = 360,
    validate: Count = 40,
    test: Count = 80,
    seed: int = 0,
    size: Annotated[int, Field(ge=64, le=2048)] = 256,
) -> Iterator[Sample]:
    """Yield the samples of `split`, drawing its images under `root` where they are absent.

    Args:
        tasks: what is asked about each image: `vqa` (5 to 7 questions), `caption`, `report`,
            `refer` and `detection` (1 to 5 phrases to be found), `identify` (the same to be named),
            `grounding` (the caption with its phrases' boxes).
        train, validate, test: number of images of the split. A longer split begins with the images of a
            shorter one.
        seed: another seed draws other images.
        size: width and height in pixels.

    Raises:
        DataError: the split does not exist.
        StorageError: the images cannot be written.
    """
    counts = {"train": train, "validate": validate, "test": test}
    if split not in counts:
        raise unknown_split("phantom", split, counts)
    drawn = phantom_scene.scenes(seed, split, counts[split])
    folder = root / f"seed{seed}-{size}px-{_code()}"
    paths = [folder / f"{split}-{number:04d}.png" for number in range(len(drawn))]
    _draw_absent(drawn, paths, size)
    for scene, path in zip(drawn, paths, strict=True):
        for task in tasks:
            yield from _samples(scene, str(path), f"phantom-{path.stem}", task, (size, size))


def _code() -> str:
    source = inspect.getsource(phantom_scene) + inspect.getsource(phantom_drawing)
    return hashlib.sha256(source.encode()).hexdigest()[:8]


def _samples(
    scene: phantom_scene.Scene, image: str, stem: str, task: PhantomTask, size: tuple[int, int]
) -> Iterator[Sample]:
    if task == "vqa":
        for asked in questions(scene):
            yield Sample(
                id=f"{stem}-{asked.key}", images=(image,), task="vqa",
                question=asked.question, reference=asked.answer, boxes=asked.boxes, size=size,
                meta={
                    "answer_type": asked.answer_type,
                    "question_type": asked.question_type,
                    "finding": _FINDINGS.get(asked.key, asked.key),
                },
            )  # fmt: skip
    elif task == "caption":
        yield Sample(id=f"{stem}-caption", images=(image,), task="caption", reference=caption(scene))
    elif task == "report":
        yield Sample(id=f"{stem}-report", images=(image,), task="report", reference=report(scene))
    elif task == "grounding":
        text, boxes = grounded_caption(scene)
        yield Sample(
            id=f"{stem}-grounding", images=(image,), task="grounding", reference=text, boxes=boxes, size=size
        )
    else:
        for key, phrase, boxes in phrases(scene):
            finding = _FINDINGS.get(key, key)
            yield from samples_of(
                f"{stem}-{key}", image, size, phrase, boxes, {"category": finding, "finding": finding}, [task]
            )


def _draw_absent(drawn: list[phantom_scene.Scene], paths: list[Path], size: int) -> None:
    absent = [(scene, path) for scene, path in zip(drawn, paths, strict=True) if not path.exists()]
    if not absent:
        return
    for scene, path in track(absent, "drawing phantoms", unit="images"):
        image = io.BytesIO()
        Image.fromarray(phantom_drawing.draw(scene, size)).save(image, format="PNG")
        write(path, image.getvalue(), "free space or choose another data folder; images drawn are used again")
