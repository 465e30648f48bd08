"""What a form is: who writes a small folder of it, and what must be read from there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

W, H = 640, 480
BOX = (64, 48, 320, 240)
"""Left, top, right, bottom: a tenth to a half of the picture each way."""
XYWH = [64, 48, 256, 192]
QA = (("0", "Is there a mass?", "yes"), ("3", "Which side?", "left"))
"""Name of the picture, question and answer of most forms."""


@dataclass(frozen=True)
class Seen:
    """One sample as it must be read."""

    images: tuple[str, ...]
    """Ends of their paths."""
    question: str = ""
    answers: tuple[str, ...] = ("",)
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    """Left, top, right, bottom in pixels."""


@dataclass(frozen=True)
class Form:
    """A published form."""

    write: Callable[[Path], Any]
    """Writes a small folder of it."""
    seen: tuple[Seen, ...]
    split: str = "train"
    left_out: int = 0
    """Rows that are counted as left out."""


def asked(ending: str = ".png", folder: str = "") -> tuple[Seen, ...]:
    """Return what is read where QA is written."""
    return tuple(Seen((f"{folder}{image}{ending}",), question, (answer,)) for image, question, answer in QA)


def inside() -> tuple[Seen, ...]:
    """Return what is read where QA is written with the pictures inside, which the cache names."""
    return tuple(Seen((".png",), question, (answer,)) for _, question, answer in QA)


def boxed(image: str = "0.png", phrase: str = "mass", *boxes: tuple[float, float, float, float]) -> Seen:
    """Return a phrase with its boxes, by default BOX."""
    return Seen((image,), phrase, ("",), boxes or (BOX,))


def put(path: Path, text: str, encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding=encoding, newline="")


def put_json(path: Path, value: Any) -> None:
    put(path, json.dumps(value))


def put_lines(path: Path, rows: list[Any]) -> None:
    put(path, "".join(json.dumps(row) + "\n" for row in rows))


def picture(path: Path, seed: int = 0) -> Path:
    """Draw a picture of W x H unlike that of another seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tile = np.random.default_rng(seed).integers(0, 255, (6, 8), dtype=np.uint8)
    Image.fromarray(np.kron(tile, np.ones((H // 6, W // 8), np.uint8))).save(path)
    return path


def pictures(folder: Path, *names: str, ending: str = ".png") -> None:
    for seed, name in enumerate(names or ("0", "1", "2", "3")):
        picture(folder / f"{name}{ending}", seed)


def mask() -> np.ndarray[Any, Any]:
    """Return the mask of BOX, as labels of H x W."""
    found = np.zeros((H, W), np.uint8)
    found[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 1
    return found
