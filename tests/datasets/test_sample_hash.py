"""The hash of a sample: what changes it, what does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pefomed.samples.sample_hash import sample_hash, short_hash
from pefomed.schema import Box, Sample


def picture(path: Path, grey: int) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (4, 4), grey).save(path)
    return str(path)


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return Sample(
        id="1",
        images=(picture(tmp_path / "a.png", 10),),
        task="vqa",
        question="Is there a fracture?",
        reference="yes",
        boxes=(Box(x0=0.1, y0=0.2, x1=0.3, y1=0.4),),
        size=(4, 4),
    )


@pytest.mark.parametrize(
    "change",
    [
        {"question": "Is there a fracture ?"},
        {"reference": "no"},
        {"further_references": ("Yes.",)},
        {"task": "refer"},
        {"boxes": ()},
        {"boxes": (Box(x0=0.1, y0=0.2, x1=0.3, y1=0.41),)},
    ],
)
def test_what_is_asked_and_held_changes_it(sample: Sample, change: dict[str, Any]) -> None:
    assert sample_hash(sample.model_copy(update=change)) != sample_hash(sample)


def test_an_image_is_its_content_and_not_its_place(sample: Sample, tmp_path: Path) -> None:
    moved = picture(tmp_path / "elsewhere" / "b.png", 10)
    assert sample_hash(sample.model_copy(update={"images": (moved,)})) == sample_hash(sample)
    before = sample_hash(sample)
    picture(Path(sample.images[0]), 11)
    assert sample_hash(sample) != before


def test_id_groups_and_owners_are_no_part_of_it(sample: Sample) -> None:
    same = sample.model_copy(update={"id": "2", "meta": {"organ": "chest"}, "owners": {"patient": "7"}})
    assert sample_hash(same) == sample_hash(sample)


def test_it_is_sha_256_of_compact_json() -> None:
    # printf '["a",1,["ä"]]' | sha256sum
    assert short_hash("a", 1, ("ä",)) == "bd63a691f4c337ba"
