"""Boxes: what preprocessing does to them, how they are written and how an answer is read."""

from pefomed.boxes.frame import Frame, Resizing
from pefomed.boxes.reading import BoxReading, read_boxes
from pefomed.boxes.text import BoxFormat
from pefomed.boxes.writing import PlacedBoxes, Writing

__all__ = ["BoxFormat", "BoxReading", "Frame", "PlacedBoxes", "Resizing", "Writing", "read_boxes"]
