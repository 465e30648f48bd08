"""Folders from a hospital: images, reports, segmentations and structure sets under `pefomed data import`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fuzz.pictures import dicoms
from fuzz.target import Target
from pefomed.deidentify import ImportSettings, import_folder
from pefomed.images.windows import AUTO

_IMAGE = "1.2.3.5.1"
_WHO = {
    "PatientID": "4711", "PatientName": "Muster^Anne", "StudyInstanceUID": "1.2.3.1",
    "FrameOfReferenceUID": "1.2.3.9",
}  # fmt: skip
_PLACED = {
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "ImagePositionPatient": [-10, -20, 0],
    "PixelSpacing": [0.5, 0.5],
}  # fmt: skip


def annotations() -> Sequence[bytes]:
    """Return a report, a segmentation and a structure set of the one image."""
    return [_saved(_report()), _saved(_segmentation()), _saved(_structures())]


def _report() -> Any:
    shape = _of(
        RelationshipType="CONTAINS", ValueType="SCOORD", GraphicType="CIRCLE", GraphicData=[6.0, 5, 9, 9],
        ConceptNameCodeSequence=[_code("111010", "DCM", "Center")],
        ContentSequence=[_of(RelationshipType="SELECTED FROM", ReferencedContentItemIdentifier=[1, 2])],
    )  # fmt: skip
    image = _of(
        RelationshipType="CONTAINS", ValueType="IMAGE",
        ReferencedSOPSequence=[_of(ReferencedSOPClassUID="1.2", ReferencedSOPInstanceUID=_IMAGE)],
    )  # fmt: skip
    return _of(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33", SOPInstanceUID="1.2.3.6", Modality="SR",
        ValueType="CONTAINER", ContentSequence=[shape, image], **_WHO,
    )  # fmt: skip


def _structures() -> Any:
    contour = _of(
        ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=4,
        ContourData=[-8, -18, 0, -6, -18, 0, -6, -17, 0, -8, -17, 0],
        ContourImageSequence=[_of(ReferencedSOPInstanceUID=_IMAGE)],
    )  # fmt: skip
    return _of(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.481.3", SOPInstanceUID="1.2.3.7", Modality="RTSTRUCT",
        StructureSetROISequence=[_of(ROINumber=1, ROIName="Liver", ReferencedFrameOfReferenceUID="1.2.3.9")],
        RTROIObservationsSequence=[_of(ReferencedROINumber=1, ROIInterpreter="Igel^Udo")],
        ROIContourSequence=[_of(ReferencedROINumber=1, ContourSequence=[contour])], **_WHO,
    )  # fmt: skip


def _segmentation() -> Any:
    drawn = np.zeros((12, 16), np.uint8)
    drawn[3:6, 4:9] = 1
    frame = _of(
        SegmentIdentificationSequence=[_of(ReferencedSegmentNumber=1)],
        PlanePositionSequence=[_of(ImagePositionPatient=_PLACED["ImagePositionPatient"])],
        DerivationImageSequence=[_of(SourceImageSequence=[_of(ReferencedSOPInstanceUID=_IMAGE)])],
    )  # fmt: skip
    shared = _of(
        PlaneOrientationSequence=[_of(ImageOrientationPatient=_PLACED["ImageOrientationPatient"])],
        PixelMeasuresSequence=[_of(PixelSpacing=_PLACED["PixelSpacing"], SliceThickness=2)],
    )  # fmt: skip
    segment = _of(
        SegmentNumber=1, SegmentLabel="nodule", SegmentAlgorithmType="MANUAL",
        SegmentedPropertyTypeCodeSequence=[_code("27925004", "SCT", "Nodule")],
        SegmentedPropertyCategoryCodeSequence=[_code("49755003", "SCT", "Structure")],
    )  # fmt: skip
    data = _of(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4", SOPInstanceUID="1.2.3.8", Modality="SEG",
        Rows=12, Columns=16,
        NumberOfFrames=1, BitsAllocated=1, BitsStored=1, HighBit=0, PixelRepresentation=0, SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2", SegmentationType="BINARY", SegmentSequence=[segment],
        PerFrameFunctionalGroupsSequence=[frame], SharedFunctionalGroupsSequence=[shared],
        PixelData=np.packbits(drawn, bitorder="little").tobytes(), **_WHO,
    )  # fmt: skip
    data["PixelData"].VR = "OB"
    return data


def _image() -> bytes:
    data = _of(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.2", SOPInstanceUID=_IMAGE, SeriesInstanceUID="1.2.3.1.1",
        Modality="CT", Rows=12, Columns=16, BitsAllocated=16,
        BitsStored=16, HighBit=15, PixelRepresentation=0,
        SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2", InstanceNumber=1,
        PixelData=np.arange(192, dtype="<u2").tobytes(), **_WHO, **_PLACED,
    )  # fmt: skip
    data["PixelData"].VR = "OW"
    return _saved(data)


def _of(**attributes: Any) -> Any:
    from pydicom import Dataset

    data = Dataset()
    for keyword, value in attributes.items():
        setattr(data, keyword, value)
    return data


def _code(value: str, scheme: str, meaning: str) -> Any:
    return _of(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def _saved(data: Any) -> bytes:
    from pydicom import dcmwrite
    from pydicom.dataset import FileMetaDataset

    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    buffer = io.BytesIO()
    dcmwrite(buffer, data, enforce_file_format=True)
    return buffer.getvalue()


def _read(folder: Path) -> None:
    (folder / "export" / "image.dcm").write_bytes(_image())
    import_folder(folder / "export", folder / "out", ImportSettings(windows={"": AUTO}))


_WORDS = (
    b"SQ",
    b"UN",
    b"DS",
    b"1\\2\\3",
    b"1e999",
    b"CIRCLE",
    b"POLYLINE",
    b"\xfe\xff\x00\xe0",
    b"\xff\xff\xff\xff",
)

TARGETS = {
    "annotations": Target(("export/a.dcm",), _read, annotations, _WORDS),
    "import": Target(("export/a.dcm",), _read, dicoms, _WORDS),
}
