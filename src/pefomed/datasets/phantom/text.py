"""Questions, captions, reports and phrases about a drawn radiograph, with the answers it was drawn from.

Every answer is equally frequent among the answers to its question, so that the question alone gives
nothing: 50 % for yes or no and for a side, 25 % for a zone, a count or a device.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from pefomed.annotations.box_tasks import marked_phrase
from pefomed.datasets.phantom.scene import Device, Scene
from pefomed.schema import Box

COUNTS = ("zero", "one", "two", "three")

_WORDINGS = {
    "heart": ("Is the heart enlarged?", "Is there cardiomegaly?", "Does the heart look too large?"),
    "opacity": ("Is there an opacity in the lungs?", "Do the lungs show an opacity?"),
    "zone": ("Where is the opacity?", "In which zone is the opacity?"),
    "effusion": ("Is there a pleural effusion?", "Does the image show a pleural effusion?"),
    "side": ("On which side is the effusion?", "Which side has the pleural effusion?"),
    "nodules": ("How many nodules are there?", "How many nodules can be seen?"),
    "device": ("Which device is visible?", "What device does the patient have?"),
}
_DEVICES: dict[Device, str] = {
    "none": "no device", "tube": "a tube", "pacemaker": "a pacemaker", "valve": "an artificial heart valve",
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A question about a scene."""

    key: str
    question: str
    answer: str
    question_type: Literal["size", "presence", "position", "count", "device"]
    boxes: tuple[Box, ...] = ()

    @property
    def answer_type(self) -> Literal["OPEN", "CLOSED"]:
        """CLOSED for yes or no."""
        return "CLOSED" if self.answer in ("yes", "no") else "OPEN"


def questions(scene: Scene) -> list[Asked]:
    """Return the five to seven questions about a scene; those about a place only if it is there."""
    wording = random.Random(scene.seed)
    boxes = scene.boxes()

    def ask(
        key: str,
        answer: str,
        question_type: Literal["size", "presence", "position", "count", "device"],
        boxes: tuple[Box, ...] = (),
    ) -> Asked:
        return Asked(key, wording.choice(_WORDINGS[key]), answer, question_type, boxes)

    asked = [
        ask("heart", _yes_no(scene.heart_enlarged), "size", boxes["heart"]),
        ask("opacity", _yes_no(scene.opacity is not None), "presence", boxes.get("opacity", ())),
        ask("effusion", _yes_no(scene.effusion is not None), "presence", boxes.get("effusion", ())),
        ask("nodules", COUNTS[len(scene.nodules)], "count", boxes.get("nodule", ())),
        ask("device", scene.device, "device", boxes.get("pacemaker", ())),
    ]
    if scene.opacity is not None:
        asked.append(ask("zone", " ".join(scene.opacity), "position", boxes["opacity"]))
    if scene.effusion is not None:
        asked.append(ask("side", scene.effusion, "position", boxes["effusion"]))
    return asked


def caption(scene: Scene) -> str:
    """Return one sentence naming what is there."""
    return _sentence([article + phrase for article, phrase, _ in _parts(scene)])


def grounded_caption(scene: Scene) -> tuple[str, tuple[Box, ...]]:
    """Return the caption with every phrase that has boxes marked with their numbers, and the boxes."""
    parts: list[str] = []
    boxes: list[Box] = []
    for article, phrase, places in _parts(scene):
        parts.append(article + (marked_phrase(phrase, len(boxes), len(places)) if places else phrase))
        boxes += places
    return _sentence(parts), tuple(boxes)


def report(scene: Scene) -> str:
    """Return a short report: one sentence for each kind of finding, present or not."""
    sentences = [
        "The heart is enlarged." if scene.heart_enlarged else "The heart is of normal size.",
        "There is no opacity."
        if scene.opacity is None
        else f"There is an opacity in the {' '.join(scene.opacity)} zone.",
        "There is no pleural effusion."
        if scene.effusion is None
        else f"There is a {scene.effusion} pleural effusion.",
        f"There {'are' if len(scene.nodules) > 1 else 'is'} {_nodules(scene)}.",
        f"There is {_DEVICES[scene.device]}.",
    ]
    return " ".join(sentences)


def phrases(scene: Scene) -> list[tuple[str, str, tuple[Box, ...]]]:
    """Return what can be pointed at: key, phrase and boxes."""
    boxes = scene.boxes()
    found = [("heart", "the heart", boxes["heart"])]
    if scene.opacity is not None:
        found.append(("opacity", f"opacity in the {' '.join(scene.opacity)} zone", boxes["opacity"]))
    if scene.effusion is not None:
        found.append(("effusion", f"{scene.effusion} pleural effusion", boxes["effusion"]))
    if scene.nodules:
        found.append(("nodules", _nodules(scene), boxes["nodule"]))
    if scene.device == "pacemaker":
        found.append(("pacemaker", "pacemaker", boxes["pacemaker"]))
    return found


def _parts(scene: Scene) -> list[tuple[str, str, tuple[Box, ...]]]:
    """Return what a caption names: article, phrase and boxes."""
    boxes = scene.boxes()
    heart = "enlarged heart" if scene.heart_enlarged else "heart of normal size"
    parts = [("an " if scene.heart_enlarged else "a ", heart, boxes["heart"])]
    if scene.opacity is not None:
        parts.append(("an ", f"opacity in the {' '.join(scene.opacity)} zone", boxes["opacity"]))
    if scene.effusion is not None:
        parts.append(("a ", f"{scene.effusion} pleural effusion", boxes["effusion"]))
    if scene.nodules:
        parts.append(("", _nodules(scene), boxes["nodule"]))
    if scene.device != "none":
        article, _, device = _DEVICES[scene.device].partition(" ")
        parts.append((f"{article} ", device, boxes.get("pacemaker", ())))
    return parts


def _sentence(parts: list[str]) -> str:
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"A frontal chest radiograph with {listed}."


def _nodules(scene: Scene) -> str:
    count = len(scene.nodules)
    return {0: "no nodule", 1: "one nodule"}.get(count, f"{COUNTS[count]} nodules")


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"
