from __future__ import annotations

import io
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from PIL import Image, ImageEnhance
from scipy.fft import dctn

from pefomed.audit import near_duplicates
from pefomed.audit.near_duplicates import LIMIT, NearPair
from pefomed.errors import StorageError
from pefomed.images.fingerprint_store import Fingerprints
from pefomed.images.fingerprints import fingerprint
from pefomed.images.images import pixel_hash


def picture(seed: int, side: int = 256) -> Image.Image:
    """Smooth shapes of all sizes, as in a radiograph, with a little noise."""
    rng = np.random.default_rng(seed)
    values = sum(
        np.asarray(
            Image.fromarray((rng.random((n, n)) * 255).astype(np.uint8)).resize(
                (side, side), Image.Resampling.BICUBIC
            ),
            dtype=float,
        )
        / n**0.5
        for n in (3, 6, 12, 24)
    )
    grey = np.clip(values / 1.4 + rng.normal(0, 3, (side, side)), 0, 255).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG of quality 30": lambda image: jpeg(image, 30),
    "half as large": lambda image: image.resize((128, 128), Image.Resampling.BILINEAR),
    "as a model wants it": lambda image: image.resize((224, 224), Image.Resampling.BICUBIC),
    "more contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.3),
    "gamma": lambda image: image.point(lambda value: 255 * (value / 255) ** 0.7),
}


def apart(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def search(earlier: dict[str, Image.Image], later: dict[str, Image.Image]) -> list[NearPair]:
    prints = {key: fingerprint(image) for key, image in (earlier | later).items()}
    return near_duplicates.near_duplicates(
        {key: prints[key].bits for key in earlier},
        {key: prints[key].bits for key in later},
        lambda keys: {key: prints[key].thumbnail for key in keys},
    )


@pytest.mark.parametrize("change", CHANGES)
def test_a_picture_is_found_again_whatever_was_done_to_it(change: str) -> None:
    known = {f"known {seed}": picture(seed) for seed in range(8)}
    changed = {f"again {seed}": CHANGES[change](picture(seed)) for seed in (2, 5)}
    found = search(known, changed | {"new": picture(99)})
    assert {(near.image, near.like) for near in found} == {("again 2", "known 2"), ("again 5", "known 5")}
    assert all(near.bits <= LIMIT and near.correlation >= 0.95 for near in found)


def test_the_bits_are_those_of_scipys_cosine_transform() -> None:
    image = picture(4)
    grey = np.asarray(image.convert("L").resize((64, 64), Image.Resampling.BOX), dtype=np.float64)
    low = dctn(grey, norm="ortho")[:16, :16]
    expected = low > np.median(low.ravel()[1:])
    bits = np.unpackbits(np.frombuffer(fingerprint(image).bits, dtype=np.uint8)).reshape(16, 16)
    assert (bits == expected).sum() >= 254  # a coefficient at the median may fall either way in float32


def test_an_image_that_shows_nothing_looks_like_no_other() -> None:
    black, grey = Image.new("RGB", (64, 64)), Image.new("RGB", (64, 64), (90, 90, 90))
    assert fingerprint(black).bits == b"" == fingerprint(grey).bits
    assert search({"black": black}, {"grey": grey}) == []
    assert search({}, {"picture": picture(1)}) == []


words = st.lists(st.integers(0, 2**256 - 1), min_size=1, max_size=12)


@settings(max_examples=40)
@given(words, st.lists(st.tuples(st.integers(0, 11), st.sets(st.integers(0, 255), max_size=60)), max_size=12))
def test_the_search_misses_no_pair_within_the_limit(
    known: list[int], changes: list[tuple[int, set[int]]]
) -> None:
    earlier = [value.to_bytes(32) for value in known]
    later = [
        (known[index % len(known)] ^ sum(1 << bit for bit in flipped)).to_bytes(32)
        for index, flipped in changes
    ] or [bytes(32)]
    rows, columns, distances = near_duplicates._closest(
        near_duplicates._words(later), near_duplicates._words(earlier)
    )
    found = {
        (int(row), int(column)): int(bits) for row, column, bits in zip(rows, columns, distances, strict=True)
    }
    every = {
        (row, column): apart(one, other)
        for row, one in enumerate(later)
        for column, other in enumerate(earlier)
        if apart(one, other) <= LIMIT
    }
    assert found.items() <= every.items()
    for row in range(len(later)):
        of_row = sorted(bits for (each, _), bits in every.items() if each == row)
        assert (
            sorted(bits for (each, _), bits in found.items() if each == row) == of_row[: near_duplicates.MOST]
        )


def test_blocks_do_not_change_what_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    earlier = rng.integers(0, 2**63, (50, 4), dtype=np.uint64)
    later = earlier[rng.permutation(50)[:20]] ^ np.uint64(0b101)  # 8 bits differ
    whole = near_duplicates._closest(later, earlier)
    monkeypatch.setattr(near_duplicates, "_ROWS", 3)
    monkeypatch.setattr(near_duplicates, "_COLUMNS", 7)
    for one, other in zip(whole, near_duplicates._closest(later, earlier), strict=True):
        np.testing.assert_array_equal(one, other)
    assert whole[2].tolist() == [8] * 20


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    paths = [tmp_path / f"{seed}.png" for seed in range(5)]
    for seed, path in enumerate(paths):
        picture(seed, 64).save(path)
    return [str(path) for path in paths]


def test_no_image_is_decoded_twice(files: list[str], tmp_path: Path) -> None:
    first, again = Fingerprints(tmp_path / "cache"), Fingerprints(tmp_path / "cache")
    first.read(files)
    assert first.computed == 5
    copy = tmp_path / "copy.png"
    copy.write_bytes(Path(files[0]).read_bytes())
    again.read([*files, str(copy)])
    assert again.computed == 0
    assert again.pixels == {**first.pixels, str(copy): first.pixels[files[0]]}
    assert again.bits == first.bits
    assert first.pixels[files[3]] == pixel_hash(files[3])
    thumbnails = again.thumbnails(list(again.pixels.values()))
    assert {len(each) for each in thumbnails.values()} == {32 * 32}
    Path(files[0]).write_bytes(Path(files[1]).read_bytes())  # another content under the same name
    changed = Fingerprints(tmp_path / "cache")
    changed.read(files)
    assert changed.pixels[files[0]] == first.pixels[files[1]]


def test_what_cannot_be_read_is_told_and_not_kept(files: list[str], tmp_path: Path) -> None:
    Path(files[1]).write_bytes(b"no image")
    known = Fingerprints(tmp_path / "cache")
    known.read([*files, str(tmp_path / "none.png")])
    assert set(known.unreadable) == {files[1], str(tmp_path / "none.png")}
    assert len(known.pixels) == 4
    picture(7, 64).save(files[1])
    repaired = Fingerprints(tmp_path / "cache")
    repaired.read(files)
    assert repaired.unreadable == {}
    assert repaired.computed == 1


def test_a_cache_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "audit").mkdir()
    Fingerprints(tmp_path).close()
    [file] = (tmp_path / "audit").iterdir()
    file.write_bytes(b"something else" * 100)
    with pytest.raises(StorageError, match="delete it if it is damaged"):
        Fingerprints(tmp_path)


_SLOW = """
import sys, time
from pathlib import Path
from pefomed.images import fingerprint_store
fingerprint_store.TOGETHER = 2
decoded = fingerprint_store._decoded
def slowly(path):
    time.sleep(0.2)
    return decoded(path)
fingerprint_store._decoded = slowly
fingerprint_store.Fingerprints(Path(sys.argv[1])).read(sys.argv[2:])
"""


def _stored(cache: Path) -> int:
    files = list((cache / "audit").glob("*.sqlite")) if (cache / "audit").is_dir() else []
    try:
        return (
            int(sqlite3.connect(files[0]).execute("SELECT COUNT(*) FROM fingerprints").fetchone()[0])
            if files
            else 0
        )
    except sqlite3.OperationalError:  # no table yet
        return 0


def test_killed_and_started_again_it_goes_on(tmp_path: Path) -> None:
    files = []
    for seed in range(30):
        picture(seed, 32).save(tmp_path / f"{seed}.png")
        files.append(str(tmp_path / f"{seed}.png"))
    cache = tmp_path / "cache"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", _SLOW, str(cache), *files], env=environment)
    end = time.monotonic() + 120
    while _stored(cache) < 4 and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = _stored(cache)
    assert 4 <= before < 30
    known = Fingerprints(cache)
    known.read(files)
    assert known.computed == 30 - before
    assert len(known.pixels) == 30
