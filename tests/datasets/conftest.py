"""What the tests of data sets share: small image files, and the real data where it is at hand."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pefomed.schema import Sample


@pytest.fixture
def real_data() -> Path:
    """The folder PEFOMED_DATA with `vqa_rad` and `slake` in it."""
    named = os.environ.get("PEFOMED_DATA")
    if not named:
        pytest.skip("the real data is not at hand: PEFOMED_DATA is not set")
    folder = Path(named)
    for name in ("vqa_rad", "slake"):
        if not (folder / name).is_dir():
            pytest.skip(f"the real data is not at hand: PEFOMED_DATA has no folder {name}")
    return folder


@pytest.fixture
def write_image(tmp_path: Path) -> Callable[..., Path]:
    """Write a 12 x 8 noise image, different for every seed."""

    def write(name: str, seed: int = 0, **options: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 256, (8, 12, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path, **options)
        return path

    return write


@pytest.fixture
def write_json() -> Callable[[Path, Any], Path]:
    """Write a value as JSON."""

    def write(path: Path, value: Any) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value), encoding="utf-8")
        return path

    return write


@pytest.fixture
def make_sample() -> Callable[..., Sample]:
    """Make a question about one image."""

    def make(
        sample_id: str, image: Path | str, question: str = "q?", answer: str = "a", **more: Any
    ) -> Sample:
        return Sample(
            id=sample_id, images=(str(image),), task="vqa", question=question, reference=answer, **more
        )

    return make
