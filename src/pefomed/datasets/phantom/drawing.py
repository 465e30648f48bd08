"""Draws a scene as a frontal chest radiograph: bright bone and fluid, dark lungs, noise.

Shapes are smooth functions of the image coordinates (a logistic edge around an ellipse or a line),
so that they have no jagged edges at any size.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pefomed.datasets.phantom.scene import (
    EFFUSION_TOP,
    LUNG,
    LUNG_FLOOR,
    OPACITY_RADII,
    PACEMAKER_HALF,
    Pose,
    Scene,
    Side,
    mirrored,
)

Plane = NDArray[np.floating[Any]]  # (S, S)

AIR, BODY, LUNG_GREY, BONE, FLUID, METAL = 8.0, 105.0, 38.0, 30.0, 175.0, 250.0


def draw(scene: Scene, size: int) -> NDArray[np.uint8]:
    """Return the radiograph as grey values, (size, size), deterministic by `scene.seed`."""
    noise = np.random.default_rng(scene.seed)
    x, y = _grid(scene.pose, size)  # (S, S) each, in the drawing's coordinates
    canvas = AIR + (BODY - AIR) * _body(x, y)
    lungs = np.zeros_like(x)
    for side in ("right", "left"):
        lung = _lung(x, y, side)
        lungs = np.maximum(lungs, lung)
    canvas = _over(canvas, LUNG_GREY, lungs)
    canvas = _over(canvas, 150.0, 0.8 * _line(x, y, [(0.5, 0.0), (0.5, 1.0)], 0.045, 0.012))
    canvas += BONE * _ribs(x, y) * _body(x, y)
    canvas = _over(canvas, 165.0, _ellipse(x, y, *scene.heart, edge=0.05))
    canvas = _findings(canvas, scene, x, y, noise)
    canvas = _device(canvas, scene, x, y)
    gain, offset = noise.uniform(0.92, 1.04), noise.uniform(-6, 6)
    canvas = canvas * gain + offset + 5 * noise.standard_normal(canvas.shape, np.float32)
    grey: NDArray[np.uint8] = np.clip(np.rint(canvas), 0, 255).astype(np.uint8)
    return grey


def _grid(pose: Pose, size: int) -> tuple[Plane, Plane]:
    """Return for every pixel its point in the drawing: the inverse of `Pose.place`."""
    centres = ((np.arange(size) + 0.5) / size).astype(np.float32)
    u, v = np.meshgrid(centres - 0.5 - pose.dx, centres - 0.5 - pose.dy)
    cos, sin = math.cos(pose.turn), math.sin(pose.turn)
    return 0.5 + (cos * u + sin * v) / pose.scale, 0.5 + (cos * v - sin * u) / pose.scale


def _findings(canvas: Plane, scene: Scene, x: Plane, y: Plane, noise: np.random.Generator) -> Plane:
    if scene.opacity_centre is not None:
        blob = _ellipse(x, y, *scene.opacity_centre, *OPACITY_RADII, edge=0.12)
        canvas = _over(canvas, 150.0, blob * (0.85 + 0.1 * _clouds(x, y, noise)))
    if scene.effusion is not None:
        # A meniscus: the fluid climbs towards the chest wall.
        outward = (0.5 - x) if scene.effusion == "right" else (x - 0.5)
        surface = EFFUSION_TOP - 0.25 * np.clip(outward - 0.21, 0, None)
        fluid = _lung(x, y, scene.effusion) * _logistic((y - surface) / 0.008)
        canvas = _over(canvas, FLUID, fluid)
    for cx, cy in scene.nodules:
        radius = scene.nodule_radius
        canvas = _over(canvas, 205.0, _ellipse(x, y, cx, cy, radius, radius, edge=0.08))
    return canvas


def _device(canvas: Plane, scene: Scene, x: Plane, y: Plane) -> Plane:
    if scene.device == "tube":
        tube = _line(x, y, [(0.47, -0.1), (0.49, 0.15), (0.505, 0.42)], 0.011, 0.003)
        return _over(canvas, METAL, tube)
    if scene.device == "pacemaker":
        cx, cy = scene.pacemaker_centre
        half_x, half_y = PACEMAKER_HALF
        case = _logistic((1 - ((x - cx) / half_x) ** 4 - ((y - cy) / half_y) ** 4) / 0.1)
        wire = _line(x, y, [(cx, cy), (0.5, 0.26), (0.53, 0.45), (0.56, 0.62)], 0.006, 0.002)
        return _over(canvas, METAL, np.maximum(case, wire))
    if scene.device == "valve":
        radius = np.hypot(x - 0.53, (y - 0.58) * 1.15)
        return _over(canvas, METAL, _logistic((0.011 - np.abs(radius - 0.05)) / 0.003))
    return canvas


def _body(x: Plane, y: Plane) -> Plane:
    trunk = _ellipse(x, y, 0.5, 0.68, 0.44, 0.62, edge=0.03)
    neck = _line(x, y, [(0.5, -0.2), (0.5, 0.2)], 0.11, 0.015)
    return np.maximum(trunk, neck)


def _lung(x: Plane, y: Plane, side: Side) -> Plane:
    cx, cy, rx, ry = LUNG
    cx = mirrored(cx, side)
    # An ellipse with fuller corners, cut off below by the dome of the diaphragm.
    radius = np.cbrt(np.abs((x - cx) / rx) ** 3 + np.abs((y - cy) / ry) ** 3)
    dome = LUNG_FLOOR + 0.9 * (x - cx) ** 2
    return _logistic((1 - radius) / 0.04) * _logistic((dome - y) / 0.008)


def _ribs(x: Plane, y: Plane) -> Plane:
    """Return nine pairs of ribs, 0.075 apart, and the collar bones."""
    away = np.abs(x - 0.5)
    number = (y - 0.17 - 0.5 * away + 1.1 * away**2) / 0.075
    off = 0.075 * np.abs(number - np.clip(np.rint(number), 0, 8))
    ribs = _logistic((0.010 - off) / 0.004)
    collar = _logistic((0.013 - np.abs(y - (0.19 - 0.25 * away))) / 0.004)
    inside = _logistic((0.37 - away) / 0.02) * _logistic((away - 0.06) / 0.01)
    return np.asarray(np.maximum(0.8 * ribs, collar) * inside)


def _clouds(x: Plane, y: Plane, noise: np.random.Generator) -> Plane:
    """Return a smooth pattern in [-1, 1] from four random waves."""
    total = np.zeros_like(x)
    for _ in range(4):
        angle, phase = noise.uniform(0, 2 * np.pi, 2)
        total += np.sin(60 * (np.cos(angle) * x + np.sin(angle) * y) + phase)
    return total / 4


def _ellipse(x: Plane, y: Plane, cx: float, cy: float, rx: float, ry: float, edge: float) -> Plane:
    """Return 1 inside, 0 outside, with an edge as wide as `edge` of the radius."""
    return _logistic((1 - np.hypot((x - cx) / rx, (y - cy) / ry)) / edge)


def _line(x: Plane, y: Plane, points: list[tuple[float, float]], half: float, edge: float) -> Plane:
    """Return 1 within `half` of the line through `points`."""
    distance = np.full_like(x, np.inf)
    for (ax, ay), (bx, by) in itertools.pairwise(points):
        dx, dy = bx - ax, by - ay
        along = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0, 1)
        distance = np.minimum(distance, np.hypot(x - ax - along * dx, y - ay - along * dy))
    return _logistic((half - distance) / edge)


def _over(canvas: Plane, value: float, cover: Plane) -> Plane:
    return canvas + (value - canvas) * cover


def _logistic(values: Plane) -> Plane:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * values))  # unlike 1 / (1 + exp(-v)), cannot overflow
