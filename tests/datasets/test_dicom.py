"""DICOM as it is meant to be seen: pydicom's own files, and files made by hand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.datasets.made_dicom import corpus, corpus_file, header, made

from pefomed.errors import ImageError
from pefomed.images.images import content_hash, image_size, open_image

UNREADABLE = {
    "JPEG2000-embedded-sequence-delimiter.dcm": "a frame of",  # its size field is overwritten
    "MR_truncated.dcm": "8,130 bytes of pixels where frame 0 ends at 8,192",
    "badVR.dcm": "1A",  # its NumberOfFrames
}
"""Files of the corpus with pixels that give an error, and what it says."""


def grey(path: Path | str) -> Any:
    """Return the first channel."""
    return np.asarray(open_image(path))[..., 0]


@pytest.mark.parametrize("path", corpus(), ids=lambda path: path.name)
def test_every_file_of_the_corpus_is_an_image_or_a_clear_error(path: Path) -> None:
    problem = ""
    try:
        image = open_image(path)
    except ImageError as error:
        problem = str(error)
    if not problem:
        assert image.mode == "RGB"
        assert image_size(path) == image.size
        assert path.name not in UNREADABLE
        return
    assert str(path) in problem
    assert "what to do" in problem
    clear = (
        "holds no image", "not an image that can be read", "no pixels behind the header",
        "its header ends before the picture's size",
    )  # fmt: skip
    assert any(words in problem for words in (*clear, UNREADABLE.get(path.name, clear[0])))


@pytest.mark.parametrize(
    "name", ["693_J2KI.dcm", "J2K_pixelrep_mismatch.dcm", "MR_small.dcm", "examples_overlay.dcm", "6154"]
)
def test_windows_are_pydicoms(name: str) -> None:
    from pydicom import dcmread
    from pydicom.pixels import apply_modality_lut, apply_voi_lut

    data = dcmread(corpus_file(name))
    mapped = apply_voi_lut(apply_modality_lut(data.pixel_array, data), data)
    # pydicom's result spans what the stored bits can hold, after slope and intercept.
    signed = data.PixelRepresentation == 1
    ends = np.array(
        [-(2 ** (data.BitsStored - 1)), 2 ** (data.BitsStored - 1) - 1]
        if signed
        else [0, 2**data.BitsStored - 1]
    )
    low, high = ends * float(data.get("RescaleSlope") or 1) + float(data.get("RescaleIntercept") or 0)
    share = (mapped.astype(np.float64) - low) / (high - low)
    share = 1 - share if data.PhotometricInterpretation == "MONOCHROME1" else share
    # A level more or less where a half is rounded.
    assert np.abs(grey(corpus_file(name)).astype(int) - np.rint(share * 255)).max() <= 1


@pytest.mark.parametrize(
    "names",
    [
        ("MR_small.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm",
         "MR_small_bigendian.dcm", "MR_small_implicit.dcm"),
        ("SC_rgb_rle.dcm", "SC_rgb_rle_16bit.dcm", "SC_rgb_rle_32bit.dcm", "SC_rgb_jpeg_gdcm.dcm"),
        ("SC_rgb_small_odd.dcm", "SC_rgb_small_odd_big_endian.dcm"),
        ("liver_1frame.dcm", "liver_expb_1frame.dcm"),
        ("rtdose.dcm", "rtdose_rle.dcm", "rtdose_expb.dcm"),
    ],
)  # fmt: skip
def test_lossless_copies_of_a_file_look_alike(names: tuple[str, ...]) -> None:
    first, *others = (np.asarray(open_image(corpus_file(name))) for name in names)
    for other in others:
        # 16 and 32 bits of the same colour bars round apart by a level.
        assert np.abs(first.astype(int) - other).max() <= 1


def test_every_frame_is_its_own_image() -> None:
    path = corpus_file("examples_ybr_color.dcm")
    assert content_hash(f"{path}#frame=1") != content_hash(path)
    assert np.asarray(open_image(f"{path}#frame=29")).shape == (240, 320, 3)
    assert not np.array_equal(open_image(f"{path}#frame=0"), open_image(f"{path}#frame=17"))
    with pytest.raises(ImageError, match="no frame 30") as caught:
        open_image(f"{path}#frame=30")
    assert "30 frames" in str(caught.value)


# Stored 0 .. 4 in units of 1000; slope 2, intercept -1000: measured -1000, 1000, 3000, 5000, 7000.
RAMP = np.array([[0, 1000, 2000, 3000, 4000]], np.uint16)
EXACT = {"WindowCenter": 3000, "WindowWidth": 8000, "VOILUTFunction": "LINEAR_EXACT"}
TWO = {"WindowCenter": [3000.5, 4000.5], "WindowWidth": [4001, 6001]}
RESCALED = {"RescaleSlope": 2, "RescaleIntercept": -1000, "Modality": "CT", "BitsStored": 12, "HighBit": 11}


@pytest.mark.parametrize(
    ("attributes", "view", "expected"),
    [
        # No window: from the smallest to the largest, quarters of 255.
        ({}, "", [0, 64, 128, 191, 255]),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "", [255, 191, 128, 64, 0]),
        # LINEAR with centre 3000.5 and width 4001: 1000 .. 5000.
        ({"WindowCenter": 3000.5, "WindowWidth": 4001}, "", [0, 0, 128, 255, 255]),
        (TWO, "#window=stored:1", [0, 0, 85, 170, 255]),
        (EXACT | {"WindowWidth": 4000}, "", [0, 0, 128, 255, 255]),
        # 255 / (1 + e^-1) = 186.4 a quarter of the width above the centre.
        (EXACT | {"VOILUTFunction": "SIGMOID"}, "", [30, 69, 128, 186, 225]),
        ({"WindowCenter": 3000.5, "WindowWidth": 4001}, "#window=range", [0, 64, 128, 191, 255]),
        ({"WindowCenter": 0, "WindowWidth": 0}, "", [0, 64, 128, 191, 255]),  # no window at all
        ({}, "#window=4000:6000", [0, 0, 85, 170, 255]),
        ({}, "#window=bone", [0, 212, 255, 255, 255]),  # 400:1800 is -500 .. 1300; 1500 / 1800 of 255
        # Padding is black, and the range is that of the other pixels: 1000 .. 7000.
        ({"PixelPaddingValue": 0}, "", [0, 0, 85, 170, 255]),
        ({"PixelPaddingValue": 0, "PhotometricInterpretation": "MONOCHROME1"}, "", [0, 255, 170, 85, 0]),
        ({"PixelPaddingValue": 3000, "PixelPaddingRangeLimit": 4000}, "", [0, 128, 255, 0, 0]),
    ],
)  # fmt: skip
def test_greys_by_hand(tmp_path: Path, attributes: dict[str, Any], view: str, expected: list[int]) -> None:
    path = made(tmp_path / "a.dcm", RAMP, **(RESCALED | attributes))
    assert grey(f"{path}{view}")[0].tolist() == expected


def test_tables_take_the_place_of_slope_and_window(tmp_path: Path) -> None:
    table = header(LUTDescriptor=[4, 0, 8], LUTData=[10, 20, 30, 40], ModalityLUTType="HU")
    voi = header(LUTDescriptor=[41, 0, 8], LUTData=[6 * value for value in range(41)])
    table["LUTData"].VR = voi["LUTData"].VR = "US"
    path = made(
        tmp_path / "a.dcm",
        np.array([[0, 1, 2, 3]], np.uint8),
        ModalityLUTSequence=[table],
        VOILUTSequence=[voi],
    )
    assert grey(path)[0].tolist() == [60, 120, 180, 240]
    # A table of 8 bits that says 16 is not shown black.
    voi.LUTDescriptor = [41, 0, 16]
    path = made(
        tmp_path / "b.dcm", np.array([[0, 3]], np.uint8), ModalityLUTSequence=[table], VOILUTSequence=[voi]
    )
    assert grey(path)[0].tolist() == [60, 240]


def test_frames_of_an_enhanced_object_have_their_own_windows(tmp_path: Path) -> None:
    def group(centre: float) -> Any:
        return header(
            FrameVOILUTSequence=[header(WindowCenter=centre, WindowWidth=100, VOILUTFunction="LINEAR_EXACT")]
        )

    shared = header(PixelValueTransformationSequence=[header(RescaleSlope=1, RescaleIntercept=-50)])
    path = made(
        tmp_path / "a.dcm", np.full((2, 1, 4), [50, 100, 150, 150], np.uint16),
        PerFrameFunctionalGroupsSequence=[group(0), group(50)], SharedFunctionalGroupsSequence=[shared],
    )  # fmt: skip
    # Measured 0, 50, 100 and 100 through -50 .. 50, then through 0 .. 100.
    assert grey(path)[0].tolist() == [128, 255, 255, 255]
    assert grey(f"{path}#frame=1")[0].tolist() == [0, 128, 255, 255]


def test_a_named_window_is_for_ct(tmp_path: Path) -> None:
    path = made(tmp_path / "a.dcm", RAMP, Modality="MR")
    with pytest.raises(ImageError, match="Hounsfield") as caught:
        open_image(f"{path}#window=lung")
    assert "modality MR" in str(caught.value)
    with pytest.raises(ImageError, match="no window number 0"):
        open_image(f"{path}#window=stored:0")
    colour = made(tmp_path / "b.dcm", np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(ImageError, match="in colour"):
        open_image(f"{colour}#window=range")


def test_twelve_bits_of_a_signed_image_keep_their_sign(tmp_path: Path) -> None:
    pixels = np.array([[-1000, 0, 1000]], np.int16)
    path = made(tmp_path / "a.dcm", pixels, BitsStored=12, HighBit=11, Modality="CT")
    assert grey(path)[0].tolist() == [0, 128, 255]


def test_pixels_become_square(tmp_path: Path) -> None:
    # Twice as high as wide: 4 rows become 8.
    path = made(tmp_path / "a.dcm", np.zeros((4, 6), np.uint8), PixelSpacing=[1.0, 0.5])
    assert open_image(path).size == image_size(path) == (6, 8)
    path = made(tmp_path / "b.dcm", np.zeros((4, 6), np.uint8), PixelAspectRatio=[1, 2])
    assert open_image(path).size == image_size(path) == (12, 4)
    for spacing in ([1.0, 1.005], [0, 1], [1, 1e9]):
        path = made(tmp_path / "c.dcm", np.zeros((4, 6), np.uint8), PixelSpacing=spacing)
        assert open_image(path).size == (6, 4)


def test_without_the_magic_word_the_ending_counts(tmp_path: Path) -> None:
    data = made(tmp_path / "a.dcm", RAMP).read_bytes()
    (tmp_path / "bare.dcm").write_bytes(data[132:])
    assert open_image(tmp_path / "bare.dcm").size == (5, 1)
    (tmp_path / "bare.bin").write_bytes(data[132:])
    with pytest.raises(ImageError, match="not an image that can be read"):
        open_image(tmp_path / "bare.bin")


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made(tmp_path / "a.dcm", RAMP)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(ImageError, match=r"pip install 'pefomed\[dicom\]'"):
        open_image(path)


def test_three_windows_are_the_channels_of_one_picture(tmp_path: Path) -> None:
    stored = np.arange(0, 2400, 100, dtype=np.uint16).reshape(4, 6)
    path = made(tmp_path / "a.dcm", stored, Modality="CT", RescaleIntercept=-1024, RescaleSlope=1)
    image = np.asarray(open_image(f"{path}#window=medgemma"))
    for channel, (low, high) in enumerate([(-1024, 1024), (-135, 215), (0, 80)]):
        clipped = np.clip(stored - 1024.0, low, high)
        assert np.array_equal(image[..., channel], np.rint((clipped - low) / (high - low) * 255))
    for channel, one in enumerate(("-600:1500", "lung", "range")):
        three = np.asarray(open_image(f"{path}#window=-600:1500+lung+range"))
        assert np.array_equal(three[..., channel], np.asarray(open_image(f"{path}#window={one}"))[..., 0])
    assert content_hash(f"{path}#window=medgemma") != content_hash(path)
    mr = made(tmp_path / "mr.dcm", stored, Modality="MR")
    with pytest.raises(ImageError, match="Hounsfield units"):
        open_image(f"{mr}#window=0:10+0:20+brain")
    assert np.asarray(open_image(f"{mr}#window=0:10+0:20+robust")).shape == (4, 6, 3)
