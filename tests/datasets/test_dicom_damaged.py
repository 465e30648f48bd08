"""DICOM files that are damaged, lie about their size, or were made to do harm."""

from __future__ import annotations

import contextlib
import resource
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.datasets.made_dicom import corpus_file, made

from pefomed.errors import ImageError
from pefomed.images import dicom_source
from pefomed.images.codestreams import claimed_size
from pefomed.images.images import image_size, open_image

pydicom = pytest.importorskip("pydicom")
SMALL = np.zeros((4, 4), np.uint8)
JPEG_2000 = "1.2.840.10008.1.2.4.90"
COMPRESSED = (
    "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "SC_rgb_jpeg_gdcm.dcm",
    "SC_rgb_small_odd_jpeg.dcm", "SC_rgb_dcmtk_+eb+cr.dcm", "SC_rgb_rle_2frame.dcm", "examples_palette.dcm",
    "MR_small_implicit.dcm", "liver_1frame.dcm", "image_dfl.dcm",
)  # fmt: skip


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"Rows": 65535, "Columns": 65535}, "too large"),
        ({"Rows": 9000, "Columns": 9000}, "16 bytes of pixels where frame 0 ends at 81,000,000"),
        ({"Rows": 0}, "4 x 0 pixels"),
        ({"NumberOfFrames": 2**31 - 1}, None),
        ({"BitsAllocated": 64, "BitsStored": 64}, "damaged"),
        ({"SamplesPerPixel": 60000}, "damaged|too large"),
        ({"PixelSpacing": [31, 1], "Rows": 1, "Columns": 2}, None),
    ],
)
def test_sizes_that_lie(tmp_path: Path, attributes: dict[str, Any], words: str | None) -> None:
    path = made(tmp_path / "a.dcm", SMALL, **attributes)
    if words is None:
        assert open_image(path).size == image_size(path)
        return
    with pytest.raises(ImageError, match=words):
        open_image(path)


def test_a_frame_far_behind_the_end(tmp_path: Path) -> None:
    path = made(tmp_path / "a.dcm", SMALL, NumberOfFrames=2**31 - 1)
    with pytest.raises(ImageError, match="16 bytes of pixels where frame 999999998 ends at 15,999,999,984"):
        open_image(f"{path}#frame=999999998")


def jpeg_2000_header(width: int, height: int) -> bytes:
    """Return the beginning of a codestream (T.800, A.5.1)."""
    size = struct.pack(">HIIIIIIIIH", 0, width, height, 0, 0, width, height, 0, 0, 1) + b"\x07\x01\x01"
    return b"\xff\x4f\xff\x51" + struct.pack(">H", len(size) + 2) + size


def test_a_frame_that_claims_another_size_is_not_decoded(tmp_path: Path) -> None:
    # 16 pixels in the header, 3.6 thousand million in the codestream.
    path = made(tmp_path / "a.dcm", SMALL, JPEG_2000, [jpeg_2000_header(60_000, 60_000)])
    with pytest.raises(ImageError, match="a frame of 60000 x 60000 pixels where the header says 4 x 4"):
        open_image(path)


def test_claims_are_read_from_the_standards_headers() -> None:
    assert claimed_size(jpeg_2000_header(640, 480)) == (640, 480, 1)
    # SOI, an APP0 of 2 + 3 bytes, then SOF0 with precision 8, 480 lines of 640, 3 components.
    sof = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, 480, 640, 3) + bytes(9)
    assert claimed_size(b"\xff\xd8\xff\xe0\x00\x05abc" + sof) == (640, 480, 3)
    assert claimed_size(b"\xff\xd8\xff\xff\xf7" + sof[2:]) == (640, 480, 3)  # fill byte; JPEG-LS
    for data in (b"", b"\xff\xd8", b"\xff\xd8\xff\xe0\x00\x00\x00\x00", b"RLE", b"\xff\x4f\xff\x51"):
        assert claimed_size(data) is None or data[:2] == b"\xff\xd8"


def deflated(path: Path, data: bytes) -> Path:
    """Write a deflated file whose data set is `data`."""
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.3", "1.2.3.4"
    with path.open("wb") as file:
        file.write(bytes(128) + b"DICM")
        pydicom.filewriter.write_file_meta_info(file, meta)
        packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
        file.write(packer.compress(data) + packer.flush())
    return path


def test_a_deflated_bomb_is_not_inflated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom_source, "INFLATED_LIMIT", 2**20)
    path = deflated(
        tmp_path / "a.dcm", b"\x08\x00\x05\x00UN\x00\x00" + struct.pack("<L", 2**26) + bytes(2**26)
    )
    assert path.stat().st_size < 2**19
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ImageError, match="deflated file may become"):
        open_image(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB


def test_a_length_of_four_thousand_million_takes_no_memory(tmp_path: Path) -> None:
    data = bytearray(made(tmp_path / "a.dcm", SMALL, ImageComments="x" * 30).read_bytes())
    place = data.index(b"\x20\x00\x00\x40LT")  # (0020,4000)
    data[place + 4 : place + 12] = b"UT\x00\x00" + struct.pack("<L", 0xFFFFFFF0)
    path = tmp_path / "b.dcm"
    path.write_bytes(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ImageError):
        open_image(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@pytest.mark.parametrize("segments", [[1, 65535, 9] * 50, [2, 2, 0, 0], [0, 65535]])
def test_a_segmented_palette_that_multiplies_is_refused(tmp_path: Path, segments: list[int]) -> None:
    table = struct.pack(f"<{len(segments)}H", *segments)
    attributes: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour in ("Red", "Green", "Blue"):
        attributes[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        attributes[f"Segmented{colour}PaletteColorLookupTableData"] = table
    path = made(tmp_path / "a.dcm", SMALL.astype(np.uint16), **attributes)
    with pytest.raises(ImageError):
        open_image(path)


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("BluePaletteColorLookupTableData", "its palette has no table of blue"),
        ("RedPaletteColorLookupTableDescriptor", "its palette has no description of red"),
    ],
)
def test_a_palette_without_a_part_says_which(tmp_path: Path, missing: str, said: str) -> None:
    attributes: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour in ("Red", "Green", "Blue"):
        attributes[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        attributes[f"{colour}PaletteColorLookupTableData"] = bytes(512)
    del attributes[missing]
    path = made(tmp_path / "a.dcm", SMALL.astype(np.uint16), **attributes)
    with pytest.raises(ImageError, match=said):
        open_image(path)


def test_sequences_in_sequences_are_no_crash(tmp_path: Path) -> None:
    # 20,000 nested sequences of undefined length: deeper than any stack.
    start = b"\x08\x00\x15\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    data = made(tmp_path / "a.dcm", SMALL).read_bytes()
    place = data.index(b"\x28\x00\x02\x00US")
    path = tmp_path / "b.dcm"
    path.write_bytes(data[:place] + start * 20_000 + data[place:])
    with pytest.raises(ImageError):
        open_image(path)


@pytest.mark.parametrize("name", COMPRESSED)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_an_image_or_our_error(tmp_path: Path, name: str, data: st.DataObject) -> None:
    damaged = bytearray(corpus_file(name).read_bytes())
    # The header and the beginning of the pixels, where most can go wrong.
    for _ in range(data.draw(st.integers(0, 6))):
        damaged[data.draw(st.integers(128, min(len(damaged), 3000) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.dcm"
    path.write_bytes(damaged[: data.draw(st.integers(132, len(damaged)))])
    with contextlib.suppress(ImageError):  # any other exception fails the test
        assert open_image(path).mode == "RGB"
