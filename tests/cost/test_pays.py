"""When the cache pays, by hand: 2 seconds to encode an image on one GPU, 0.5 to read its features."""

from __future__ import annotations

import pytest

from pefomed.cost.pays import Image, pays_from_run


def image(gpus: int = 1, disk: float = 10.0, file_bytes: float = 0.0) -> Image:
    return Image(operations=20, feature_bytes=5, file_bytes=file_bytes, gpus=gpus, rate=10, disk=disk)


def test_the_uses_from_which_it_pays() -> None:
    # filling 2 + 0.5, each use saves 2 - 0.5: the 5/3rd use has paid
    assert image().pays_from() == pytest.approx(2.5 / 1.5)
    # two GPUs encode in 1 second, the disk is no faster: 1.5 / 0.5
    assert image(gpus=2).pays_from() == pytest.approx(3)
    # four encode as fast as the disk reads
    assert image(gpus=4).pays_from() is None


def test_files_of_images_are_read_either_way() -> None:
    # a file takes 0.1: read to hash it, read to encode, then 2 + 0.5; each use saves 2 + 0.1 - 0.5
    assert image(file_bytes=1).pays_from() == pytest.approx((0.1 + 0.1 + 2.5) / 1.6)
    # encoded in 1 second by two, read as before
    assert image(gpus=2, file_bytes=1).pays_from() == pytest.approx((0.1 + 0.1 + 1.5) / 0.6)


@pytest.mark.parametrize(("gpus", "file_bytes"), [(1, 0.0), (2, 1.0), (8, 0.5)])
@pytest.mark.parametrize("uses", [1.5, 3.0, 50.0])
def test_on_the_disk_from_which_it_pays_it_does(uses: float, gpus: int, file_bytes: float) -> None:
    disk = image(gpus, file_bytes=file_bytes).disk_from(uses)
    assert disk is not None
    # at that rate exactly so many uses are needed
    assert image(gpus, disk, file_bytes).pays_from() == pytest.approx(uses)


def test_one_use_never_pays() -> None:
    assert image().disk_from(1.0) is None
    assert image().disk_from(0.5) is None


def test_large_files_pay_on_any_disk() -> None:
    # 10 uses without cache read 10 x 50 bytes of files, with it 2 x 50 and 11 x 5 of features
    assert image(file_bytes=50).disk_from(10) == 0


def test_runs() -> None:
    # 10 hours each without, 12 for the first and 9 for each after it: 30 against 30 after three, then less
    assert pays_from_run(10, 12, 9) == 4
    assert pays_from_run(10, 9.5, 9) == 1
    assert pays_from_run(10, 12, 10) is None
