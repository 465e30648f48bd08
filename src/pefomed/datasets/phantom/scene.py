"""What a drawn chest radiograph holds: every finding with its place, drawn from balanced blocks.

Coordinates are fractions of the drawing's width (to the right) and height (down). As in a real
frontal radiograph the patient faces the viewer: the patient's left is on the right of the image.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from pefomed.schema import Box

Side = Literal["left", "right"]
Level = Literal["upper", "lower"]
Device = Literal["none", "tube", "pacemaker", "valve"]

BLOCK = 8
"""Scenes are drawn in blocks of so many, in which every value of a finding is equally frequent."""

OPACITY_RADII = (0.095, 0.085)
PACEMAKER_HALF = (0.055, 0.045)
EFFUSION_TOP = 0.61
LUNG = (0.29, 0.46, 0.145, 0.29)
"""Centre and radii of the patient's right lung; the left one is its mirror image."""
LUNG_FLOOR = 0.735
"""Where the diaphragm stands."""

SPLITS = ("train", "validate", "test")

SHIFTS = (-0.034, 0.0, 0.034)
"""Where the patient stands, across and up and down: a split has three of the nine places."""

SWAY = 0.003
"""How far from such a place. Places of two splits are at least 0.028 apart across or up and down, so that
no image looks like one of another split, even with the same findings (see docs/audit.md)."""

V = TypeVar("V")


@dataclass(frozen=True)
class Pose:
    """How the patient stands: shift, scale and turn (radians) about the middle of the image."""

    dx: float
    dy: float
    scale: float
    turn: float

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where the point (x, y) of the drawing lies in the image."""
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        x, y = self.scale * (x - 0.5), self.scale * (y - 0.5)
        return 0.5 + self.dx + cos * x - sin * y, 0.5 + self.dy + sin * x + cos * y

    def box(self, x: float, y: float, rx: float, ry: float) -> Box:
        """Return the box around an ellipse of the drawing."""
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        cx, cy = self.place(x, y)
        half_x = self.scale * math.hypot(rx * cos, ry * sin)
        half_y = self.scale * math.hypot(rx * sin, ry * cos)
        return Box(
            x0=max(0.0, cx - half_x), y0=max(0.0, cy - half_y),
            x1=min(1.0, cx + half_x), y1=min(1.0, cy + half_y),
        )  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """One drawn radiograph."""

    seed: int
    pose: Pose
    heart_enlarged: bool
    opacity: tuple[Side, Level] | None
    effusion: Side | None
    nodules: tuple[tuple[float, float], ...]
    """Centres of the nodules."""
    nodule_radius: float
    device: Device
    pacemaker_side: Side

    @property
    def heart(self) -> tuple[float, float, float, float]:
        """Centre and radii of the heart."""
        return (0.545, 0.60, 0.185, 0.165) if self.heart_enlarged else (0.545, 0.60, 0.105, 0.14)

    @property
    def opacity_centre(self) -> tuple[float, float] | None:
        """Centre of the opacity."""
        return None if self.opacity is None else _opacity_centre(*self.opacity)

    @property
    def pacemaker_centre(self) -> tuple[float, float]:
        """Centre of the pacemaker's case, drawn if `device` is `pacemaker`."""
        return (mirrored(0.235, self.pacemaker_side), 0.215)

    def boxes(self) -> dict[str, tuple[Box, ...]]:
        """Return the boxes of what is there: heart, opacity, effusion, nodules, pacemaker."""
        found: dict[str, tuple[Box, ...]] = {"heart": (self.pose.box(*self.heart),)}
        if self.opacity_centre is not None:
            found["opacity"] = (self.pose.box(*self.opacity_centre, *OPACITY_RADII),)
        if self.effusion is not None:
            x, y, rx, ry = LUNG
            # The fluid fills the lung below its surface: as wide as the lung is there.
            width = rx * math.cbrt(1 - ((EFFUSION_TOP - y) / ry) ** 3)
            middle, half = (EFFUSION_TOP + LUNG_FLOOR) / 2, (LUNG_FLOOR - EFFUSION_TOP) / 2
            found["effusion"] = (self.pose.box(mirrored(x, self.effusion), middle, width, half),)
        if self.nodules:
            radius = self.nodule_radius
            found["nodule"] = tuple(self.pose.box(x, y, radius, radius) for x, y in self.nodules)
        if self.device == "pacemaker":
            found["pacemaker"] = (self.pose.box(*self.pacemaker_centre, *PACEMAKER_HALF),)
        return found


def scenes(seed: int, split: str, count: int) -> list[Scene]:
    """Return the first `count` scenes of one of `SPLITS`; scene i is the same whatever `count` is."""
    made: list[Scene] = []
    for block in range(math.ceil(count / BLOCK)):
        made.extend(_block(seed, split, block))
    return made[:count]


def mirrored(x: float, side: Side) -> float:
    """Return the x of a point given for the patient's right side (the left of the image)."""
    return x if side == "right" else 1 - x


def _block(seed: int, split: str, block: int) -> list[Scene]:
    digest = hashlib.sha256(f"phantom/{seed}/{split}/{block}".encode()).digest()
    draw = np.random.default_rng(int.from_bytes(digest[:16], "big"))
    sides: tuple[Side, Side] = ("left", "right")
    levels: tuple[Level, Level] = ("upper", "lower")
    zones = [(side, level) for side in sides for level in levels]
    hearts = _shuffled([False, True], draw)
    opacities = _shuffled([*zones, None, None, None, None], draw)
    effusions = _shuffled([*sides, None, None], draw)
    counts = _shuffled([0, 1, 2, 3], draw)
    devices: list[Device] = _shuffled(["none", "tube", "pacemaker", "valve"], draw)
    pacemakers: list[Side] = _shuffled(sides, draw)
    made = []
    for index in range(BLOCK):
        dx, dy = _standing(split, draw)
        pose = Pose(dx, dy, scale=draw.uniform(0.95, 1.05), turn=draw.uniform(-0.06, 0.06))
        scene = Scene(
            seed=int(draw.integers(2**31)), pose=pose, heart_enlarged=hearts[index],
            opacity=opacities[index], effusion=effusions[index], nodules=(),
            nodule_radius=draw.uniform(0.034, 0.042), device=devices[index], pacemaker_side=pacemakers[index],
        )  # fmt: skip
        made.append(_with_nodules(scene, counts[index], draw))
    return made


def _shuffled(values: Sequence[V], draw: np.random.Generator) -> list[V]:
    repeated = list(values) * (BLOCK // len(values))
    return [repeated[i] for i in draw.permutation(BLOCK)]


def _standing(split: str, draw: np.random.Generator) -> tuple[float, float]:
    """Return a shift across and one down: in every split each of `SHIFTS` is as frequent in either.

    The pairs of a Latin square, split (i + j) mod 3: pairs of two splits differ in i or in j.
    """
    across = int(draw.integers(3))
    down = (SPLITS.index(split) - across) % 3
    return SHIFTS[across] + draw.uniform(-SWAY, SWAY), SHIFTS[down] + draw.uniform(-SWAY, SWAY)


_SLOTS = ((0.29, 0.26), (0.22, 0.38), (0.34, 0.38), (0.22, 0.50), (0.33, 0.50), (0.27, 0.60))


def _with_nodules(scene: Scene, count: int, draw: np.random.Generator) -> Scene:
    """Put nodules where nothing else is: of twelve slots at least three are free in any scene."""
    slots = [(x, y) for x, y in _SLOTS] + [(1 - x, y) for x, y in _SLOTS]
    free = [slot for slot in slots if _is_free(scene, *slot)]
    chosen = draw.choice(len(free), size=count, replace=False)
    shifts = draw.uniform(-0.012, 0.012, size=(count, 2))
    nodules = tuple(
        (free[i][0] + float(dx), free[i][1] + float(dy)) for i, (dx, dy) in zip(chosen, shifts, strict=True)
    )
    return Scene(**{**vars(scene), "nodules": nodules})


def _is_free(scene: Scene, x: float, y: float) -> bool:
    if scene.opacity_centre is not None and math.dist((x, y), scene.opacity_centre) < 0.15:
        return False
    if scene.device == "pacemaker" and math.dist((x, y), scene.pacemaker_centre) < 0.12:
        return False
    if scene.effusion is not None and y > EFFUSION_TOP - 0.07 and (x < 0.5) == (scene.effusion == "right"):
        return False
    hx, hy, rx, ry = scene.heart
    return math.hypot((x - hx) / (rx + 0.045), (y - hy) / (ry + 0.045)) > 1


def _opacity_centre(side: Side, level: Level) -> tuple[float, float]:
    x, y = (0.29, 0.31) if level == "upper" else (0.24, 0.50)
    return mirrored(x, side), y
