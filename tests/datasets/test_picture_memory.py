"""Memory while pictures are decoded: measured in a process of its own, and shared between threads."""

from __future__ import annotations

import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from pefomed.errors import ImageError
from pefomed.images import claims, memory, pillow_file
from pefomed.images.fingerprint_store import Fingerprints
from pefomed.images.fingerprints import fingerprint
from pefomed.images.images import from_image, image_size, open_image, turn_of
from pefomed.images.memory import Budget
from pefomed.raters.pictures import EncodedImages

COLOURS = {"grey": (0, 1), "rgb": (2, 3), "grey and alpha": (4, 2), "rgb and alpha": (6, 4)}


def png(path: Path, size: tuple[int, int], depth: int = 8, kind: str = "grey", behind: bytes = b"") -> Path:
    """Write a black PNG row by row, as Pillow would need the memory that is measured here."""
    colour, channels = COLOURS[kind]
    width, height = size
    packer, row = zlib.compressobj(9), bytes(1 + width * channels * depth // 8)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + behind + chunk(b"IEND", b"")
    )
    return path


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


TURNED = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
"""EXIF that says orientation 6, a quarter turn (TIFF 6.0: one entry, tag 0x0112, one SHORT)."""

PEAKS = """
import os, resource, sys
from pefomed.images.images import open_image
import nibabel  # what is loaded on first use is not the picture's
for path in sys.argv[1:]:
    if os.fork():
        os.wait()
        continue
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    open_image(path)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024, flush=True)
    os._exit(0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured in a forked process, in KiB")
def test_a_picture_needs_no_more_than_is_reckoned_for_it(tmp_path: Path) -> None:
    volume = np.zeros((500, 100, 1000), np.int16)
    volume[7, 3, 900] = 100
    nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), tmp_path / "volume.nii")
    sagittal = f"{tmp_path / 'volume.nii'}#axis=0&index=7"
    paths = [
        png(tmp_path / "grey.png", (3000, 3000), 16),
        png(tmp_path / "alpha.png", (3000, 3000), 8, "rgb and alpha"),
        sagittal,
    ]
    done = subprocess.run(
        [sys.executable, "-c", PEAKS, *map(str, paths)], capture_output=True, text=True, check=True
    )
    grey, alpha, slices = map(int, done.stdout.split())
    # Some 8 bytes a pixel and what one strip needs; 16 bits needed 17 bytes a pixel, transparency 19.
    assert grey < 9_000_000 * 12
    assert alpha < 9_000_000 * 12
    # Of 100 MB one slice across the planes: all of it was read.
    assert slices < 60_000_000
    seen = np.asarray(open_image(sagittal))[..., 0]
    # The front is on the left and the head above: y runs to the left, z upwards.
    assert seen.shape == (1000, 100)
    assert np.argwhere(seen).tolist() == [[999 - 900, 99 - 3]]


def test_a_picture_that_needs_too_much_is_refused_from_its_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "wide.tif"
    Image.new("F", (100, 100)).save(path)
    monkeypatch.setattr(memory, "LIMIT", 100_000)
    with pytest.raises(ImageError, match="needs too much memory") as refused:
        open_image(path)
    assert "16 or 8 bits" in str(refused.value.remedy)
    assert image_size(path) == (100, 100)


@pytest.mark.parametrize("size", [(65_536, 1), (1, 65_536)])
def test_no_side_is_longer_than_other_formats_can_say(tmp_path: Path, size: tuple[int, int]) -> None:
    path = png(tmp_path / "thin.png", size)
    with pytest.raises(ImageError, match="65,535"):
        image_size(path)
    assert image_size(png(path, (65_535, 1))) == (65_535, 1)


def test_a_file_of_too_many_bytes_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "long.bmp"
    with path.open("wb") as file:
        file.truncate(1_000_000_001)  # a hole: nothing is written
    with pytest.raises(ImageError, match="at most 1,000,000,000 bytes"):
        open_image(path)


def test_a_webp_is_measured_before_its_canvas_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, how in (("lossy", {}), ("lossless", {"lossless": True}), ("wide", {"save_all": True})):
        path = tmp_path / f"{name}.webp"
        frames = [Image.new("RGB", (300, 200), colour) for colour in ("red", "blue")]
        frames[0].save(path, append_images=frames[1:], **how)  # type: ignore[arg-type]
        assert image_size(path) == (300, 200)
        monkeypatch.setattr("pefomed.images.image_errors.PIXEL_LIMIT", 59_999)
        monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("it was opened"))
        with pytest.raises(ImageError, match="300 x 200"):
            image_size(path)
        monkeypatch.undo()


def test_the_size_of_a_png_does_not_need_its_pixels(tmp_path: Path) -> None:
    path = png(tmp_path / "a.png", (30, 20))
    assert not claims.turn_behind_pixels(path)
    behind = png(tmp_path / "b.png", (30, 20), behind=chunk(b"eXIf", TURNED))
    assert (turn_of(behind), image_size(behind), open_image(behind).size) == (6, (20, 30), (20, 30))
    assert (turn_of(path), image_size(path)) == (1, (30, 20))


def test_a_far_frame_of_an_animation_is_not_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [Image.new("L", (100, 100), 60 * shade) for shade in range(4)]
    for name in ("a.gif", "a.png", "a.tif"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        open_image(f"{tmp_path / name}#frame=3")
    monkeypatch.setattr(pillow_file, "_DRAWN_LIMIT", 20_000)
    for name in ("a.gif", "a.png"):
        with pytest.raises(ImageError, match="too far behind"):
            open_image(f"{tmp_path / name}#frame=3")
    open_image(f"{tmp_path / 'a.tif'}#frame=3")  # its pages are found without drawing


def test_a_budget_is_never_overdrawn_and_goes_by_turns() -> None:
    budget, order, held = Budget(100), [], []
    lock = threading.Lock()
    started = threading.Event()

    def take(name: str, size: int) -> None:
        with budget.taken(size), lock:
            order.append(name)
            held.append(budget.free)

    with budget.taken(60):
        large = threading.Thread(target=take, args=("large", 500))  # more than all there is: all of it
        large.start()
        while len(budget._waiting) < 1:
            started.wait(0.001)
        small = threading.Thread(target=take, args=("small", 10))  # would fit, and came later
        small.start()
        while len(budget._waiting) < 2:
            started.wait(0.001)
        assert order == []
    large.join()
    small.join()
    assert (order, held, budget.free) == (["large", "small"], [0, 90], 100)


def test_threads_share_the_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = []
    for place in range(8):
        Image.effect_noise((64, 64), place + 1).save(tmp_path / f"{place}.png")
        paths.append(str(tmp_path / f"{place}.png"))
    together = Counted()
    monkeypatch.setattr(memory, "PICTURES", Budget(2 * 64 * 64 * pillow_file._ORDINARY))
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    watched = together.watched(fingerprint)
    monkeypatch.setattr("pefomed.images.fingerprint_store.fingerprint", watched)
    store = Fingerprints(None)
    store.read(paths)
    store.close()
    assert (together.calls, together.most) == (8, 2)


def test_ten_raters_at_once_have_a_picture_decoded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "a.png")
    Image.effect_noise((64, 64), 9).save(path)
    together = Counted()
    monkeypatch.setattr("pefomed.raters.pictures.encode", together.watched(lambda _: (b"x", "image/png")))
    pictures = EncodedImages()
    threads = [threading.Thread(target=pictures.encoded, args=(path,)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together.calls == 1
    assert pictures.encoded(path) == (b"x", "image/png")


def test_a_picture_that_failed_is_tried_again(tmp_path: Path) -> None:
    path, pictures = tmp_path / "a.png", EncodedImages()
    with pytest.raises(ImageError):
        pictures.encoded(str(path))
    Image.new("L", (8, 8)).save(path)
    assert pictures.encoded(str(path))[1] == "image/png"
    assert memory.PICTURES.free == memory.PICTURES.whole


def test_what_fails_while_a_picture_is_held_is_not_taken_for_damage(tmp_path: Path) -> None:
    path = png(tmp_path / "a.png", (8, 8))

    def fails(_: Image.Image) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk is full"):
        from_image(path, fails)
    assert memory.PICTURES.free == memory.PICTURES.whole


class Counted:
    """How often something is called, and how often at the same time."""

    def __init__(self) -> None:
        self.calls = self.now = self.most = 0
        self._lock = threading.Lock()

    def watched(self, work: Callable[[Image.Image], object]) -> Callable[[Image.Image], object]:
        """Return `work`, watched; each call gives others the time to come."""

        def call(image: Image.Image) -> object:
            with self._lock:
                self.calls += 1
                self.now += 1
                self.most = max(self.most, self.now)
            threading.Event().wait(0.02)
            try:
                return work(image)
            finally:
                with self._lock:
                    self.now -= 1

        return call
