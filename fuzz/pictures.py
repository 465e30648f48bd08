"""Images: Pillow's formats, DICOM with each of its compressions, NIfTI, MetaImage and NRRD."""

from __future__ import annotations

import functools
import gzip
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fuzz.target import Target, each
from pefomed.images.images import image_size, open_image

GREY = (np.arange(96) * 37 % 251).astype(np.uint8).reshape(8, 12)
COLOUR = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=-1)
DEEP = GREY.astype(np.uint16) * 257

# Of the files that pydicom's own package ships: small ones, one of each compression and encoding.
_SHIPPED = (
    "693_J2KI.dcm", "ExplVR_BigEnd.dcm", "JPEG-lossy.dcm", "SC_rgb_jpeg_gdcm.dcm", "JPEG2000.dcm",
    "JPEGLSNearLossless_16.dcm",
    "MR_small_RLE.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_padded.dcm", "SC_rgb_jpeg_dcmtk.dcm",
    "SC_rgb_rle_16bit_2frame.dcm", "SC_rgb_small_odd.dcm", "image_dfl.dcm", "rtdose_1frame.dcm",
)  # fmt: skip


def images() -> list[bytes]:
    """Return small images of every format that Pillow is asked for."""
    palette = Image.fromarray(COLOUR).quantize(16)
    turned = Image.Exif()
    turned[0x0112] = 6
    clear = Image.fromarray(np.dstack([COLOUR, GREY]), "RGBA")
    grey, colour, deep = Image.fromarray(GREY), Image.fromarray(COLOUR), Image.fromarray(DEEP)
    return [
        _saved(grey, "PNG"), _saved(deep, "PNG"), _saved(palette, "PNG", transparency=3),
        _saved(clear, "PNG"), _saved(colour, "JPEG", exif=turned), _saved(grey, "JPEG", progressive=True),
        _saved(deep, "TIFF"), _saved(colour, "TIFF", compression="tiff_lzw"),
        _saved(grey, "TIFF", compression="packbits"),
        _saved(colour, "TIFF", compression="tiff_adobe_deflate"),
        _saved(Image.fromarray(GREY.astype(np.float32)), "TIFF"),
        _saved(colour, "BMP"), _saved(palette, "BMP"),
        _saved(palette, "GIF", save_all=True, append_images=[palette.rotate(180)]),
        _saved(colour, "WEBP"), _saved(clear, "WEBP", lossless=True),
    ]  # fmt: skip


def dicoms() -> list[bytes]:
    """Return small DICOM files: made ones with what changes how pixels are shown, and shipped ones."""
    import pydicom.data

    folder = Path(pydicom.data.__file__).parent / "test_files"
    shipped = [folder / name for name in _SHIPPED]
    table = bytes(range(256)) * 2
    palette: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for name in ("Red", "Green", "Blue"):
        palette[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        palette[f"{name}PaletteColorLookupTableData"] = table
    window = {
        "WindowCenter": [40, 60],
        "WindowWidth": [400, 80],
        "RescaleSlope": 2,
        "RescaleIntercept": -1024,
    }
    made = [
        _dicom(GREY), _dicom(COLOUR), _dicom(DEEP, **window, PixelPaddingValue=0, PixelSpacing=[2, 1]),
        _dicom(DEEP, PhotometricInterpretation="MONOCHROME1", VOILUTFunction="SIGMOID", **window),
        _dicom(GREY, **palette), _dicom(np.stack([GREY, GREY]), NumberOfFrames=2),
    ]  # fmt: skip
    plain = _dicom(GREY, syntax="1.2.840.10008.1.2.1.99")
    return made + [plain] + [path.read_bytes() for path in shipped if path.is_file()]


def niftis() -> list[bytes]:
    """Return small volumes: of several types, with two, three and four dimensions, NIfTI-1 and NIfTI-2."""
    import nibabel

    volume = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    affine = np.diag([-2.0, 1.0, 3.0, 1.0])
    colours = np.zeros((3, 4, 2), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    made = [
        nibabel.Nifti1Image(volume, affine),
        nibabel.Nifti1Image(volume.astype(np.float32)[..., None], affine),
        nibabel.Nifti1Image(volume[0].astype(np.uint8), affine),
        nibabel.Nifti1Image(colours, affine),
        nibabel.Nifti2Image(volume.astype(np.float64), affine),
    ]
    made[0].header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"made"))
    return [image.to_bytes() for image in made]


def itks(ending: str) -> list[bytes]:
    """Return small MetaImage (`.mha`) or NRRD files: plain, packed, in colour, with four dimensions."""
    import nibabel  # noqa: F401 (here, and not while the guard watches: something it imports opens a socket)
    import SimpleITK as sitk

    volume = sitk.GetImageFromArray(np.arange(60, dtype=np.int16).reshape(5, 4, 3))
    colours = sitk.GetImageFromArray(np.zeros((2, 4, 3, 3), np.uint8), isVector=True)
    four = sitk.JoinSeries([volume, volume])
    made = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{ending}"
        for image, packed in ((volume, False), (volume, True), (colours, False), (four, True)):
            sitk.WriteImage(image, str(path), useCompression=packed)
            made.append(path.read_bytes())
    return made


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def _dicom(pixels: Any, syntax: str = "1.2.840.10008.1.2.1", **attributes: Any) -> bytes:
    from pydicom import Dataset, dcmwrite
    from pydicom.dataset import FileMetaDataset

    colour = pixels.ndim == 3 and pixels.shape[-1] == 3
    rows, columns = pixels.shape[:2] if colour or pixels.ndim == 2 else pixels.shape[1:]
    bits = pixels.dtype.itemsize * 8
    data = Dataset()
    for keyword, value in {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "SOPInstanceUID": "1.2.3", "Rows": rows,
        "Columns": columns, "SamplesPerPixel": 3 if colour else 1,
        "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2", "BitsAllocated": bits,
        "BitsStored": bits, "HighBit": bits - 1, "PixelRepresentation": 0,
        **({"PlanarConfiguration": 0} if colour else {}), "PixelData": pixels.tobytes(), **attributes,
    }.items():  # fmt: skip
        setattr(data, keyword, value)
    data["PixelData"].VR = "OB" if bits == 8 else "OW"
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    buffer = io.BytesIO()
    dcmwrite(buffer, data, enforce_file_format=True)
    return buffer.getvalue()


def _read_image(path: Path) -> None:
    open_image(path)
    image_size(path)


def _packed_volumes() -> Sequence[bytes]:
    return [gzip.compress(data, 1) for data in niftis()]


TARGETS = {
    "images": Target(("a.png",), each(["a.png", "a.png#frame=1"], _read_image), images),
    "dicom": Target(
        ("a.dcm",), each(["a.dcm", "a.dcm#frame=1"], _read_image), dicoms,
        (b"SQ", b"UN", b"\xfe\xff\x00\xe0", b"\xff\xff\xff\xff", b"\x28\x00\x10\x00US\x02\x00\xff\xff"),
    ),
    "nifti": Target(("a.nii",), each(["a.nii", "a.nii#axis=0&index=1"], _read_image), niftis),
    "metaimage": Target(
        ("a.mha",), each(["a.mha", "a.mha#axis=0&index=1"], _read_image), functools.partial(itks, ".mha"),
        (b"ElementDataFile = ", b"CompressedData = True", b"LOCAL", b"MET_UCHAR", b"DimSize = "),
    ),
    "nrrd": Target(
        ("a.nrrd",), each(["a.nrrd", "a.nrrd#axis=0&index=1"], _read_image), functools.partial(itks, ".nrrd"),
        (b"data file: ", b"encoding: gzip", b"sizes: ", b"byte skip: -1", b"kinds: list domain"),
    ),
    "nifti_gz": Target(("a.nii.gz",), each(["a.nii.gz"], _read_image), _packed_volumes),
}  # fmt: skip
