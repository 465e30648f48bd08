"""Boxes of reports, segmentations and structure sets, made by highdicom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.datasets.deidentify.series import AXIAL, rows, settings, slice_at
from tests.datasets.made_dicom import header, made

from pefomed.datasets import load_samples
from pefomed.deidentify import import_folder, secret_folder
from pefomed.deidentify.choice import rule_of
from pefomed.recipe import Dataset

pytest.importorskip("dicomanonymizer", reason="the extra `dicom` is not installed")
pydicom: Any = pytest.importorskip("pydicom", reason="the extra `dicom` is not installed")
hd: Any = pytest.importorskip("highdicom", reason="highdicom is not installed")

ROWS, COLUMNS = 12, 16
NODULE = ("27925004", "SCT", "Nodule")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    for number, z in enumerate((4.0, 0.0, 2.0)):
        slice_at(tmp_path / "export" / f"IM{number}", z, number, SOPInstanceUID=f"1.2.3.5.{int(z)}")
    return tmp_path / "export"


def images(export: Path) -> list[Any]:
    """Return the slices at 0, 2 and 4 mm."""
    found = [pydicom.dcmread(path) for path in sorted(export.glob("IM*"))]
    return sorted(found, key=lambda each: each.ImagePositionPatient[2])


def boxes(export: Path, out: Path, **changes: Any) -> list[tuple[Any, ...]]:
    """Import and return (place of the slice, phrase, x0, y0, x1, y1)."""
    import_folder(export, out, settings(**changes))
    at = {row["id"]: float(row["position"]) for row in rows(out / "table.csv")}
    return [
        (at[row["image_id"]], row["phrase"], *(float(row[side]) for side in ("x0", "y0", "x1", "y1")))
        for row in rows(out / "boxes.csv")
    ]


def code(value: str, scheme: str, meaning: str) -> Any:
    return hd.sr.CodedConcept(value, scheme, meaning)


def segmentation(sources: Any, pixels: Any, kind: str = "BINARY", **more: Any) -> Any:
    described = [
        hd.seg.SegmentDescription(
            number, label, code("49755003", "SCT", "Morphologically abnormal structure"),
            code(*NODULE) if number == 1 else code("10200004", "SCT", "Liver"),
            hd.seg.SegmentAlgorithmTypeValues.MANUAL,
        )
        for number, label in ((1, "GTV of Muster"), (2, "liver"))
    ]  # fmt: skip
    return hd.seg.Segmentation(
        source_images=sources, pixel_array=pixels, segmentation_type=kind, segment_descriptions=described,
        series_instance_uid="1.2.3.7", series_number=9, sop_instance_uid="1.2.3.7.1", instance_number=1,
        manufacturer="x", manufacturer_model_name="x", software_versions="1", device_serial_number="1",
        content_creator_name="Hase^Ines", **more,
    )  # fmt: skip


def masks() -> Any:
    """Return (3, ROWS, COLUMNS, 2): two parts of a nodule at 0 mm, a liver at 2 mm, nothing at 4 mm."""
    pixels = np.zeros((3, ROWS, COLUMNS, 2), np.uint8)
    pixels[0, 2:5, 3:7, 0] = 1
    pixels[0, 8:9, 13:15, 0] = 1
    pixels[1, 0:12, 1:16, 1] = 1
    return pixels


NODULE_BOX = (0.0, "Nodule", 3, 2, 15, 9)
LIVER_BOX = (2.0, "Liver", 1, 0, 16, 12)


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
def test_segments_have_a_box_in_each_slice(export: Path, tmp_path: Path, kind: str) -> None:
    pixels = masks()
    segmentation(images(export), pixels.astype(float) if kind == "FRACTIONAL" else pixels, kind).save_as(
        export / "seg"
    )
    assert boxes(export, tmp_path / "out") == [NODULE_BOX, LIVER_BOX]
    first = rows(tmp_path / "out" / "boxes.csv")[0]
    assert (first["code"], first["made_by"], first["width"], first["height"]) == (
        "SCT:27925004",
        "SEG",
        "16",
        "12",
    )
    assert first["label"] == "GTV of [known]"
    assert boxes(export, tmp_path / "parts", parts=True) == [
        (0.0, "Nodule", 3, 2, 7, 5), (0.0, "Nodule", 13, 8, 15, 9), LIVER_BOX
    ]  # fmt: skip


def test_of_a_fractional_mask_at_least_half_counts(export: Path, tmp_path: Path) -> None:
    pixels = np.zeros((3, ROWS, COLUMNS, 2))
    pixels[0, 2:6, 2:6, 0], pixels[0, 3:5, 3:5, 0] = 0.4, 0.6
    segmentation(images(export), pixels, "FRACTIONAL").save_as(export / "seg")
    assert boxes(export, tmp_path / "out") == [(0.0, "Nodule", 3, 3, 5, 5)]


def test_a_mask_of_another_matrix_lies_where_it_lies_in_the_body(export: Path, tmp_path: Path) -> None:
    # Twice as fine, from the image's pixel (4, 3): its first pixel's centre lies a quarter pixel in.
    sources = images(export)
    geometry = {
        "plane_positions": [
            hd.PlanePositionSequence("PATIENT", (-10 + (4 - 0.25) * 0.5, -20 + (3 - 0.25) * 0.5, 2.0))
        ],
        "plane_orientation": hd.PlaneOrientationSequence("PATIENT", AXIAL),
        "pixel_measures": hd.PixelMeasuresSequence((0.25, 0.25), 2.0),
    }
    pixels = np.zeros((1, 8, 10, 2), np.uint8)
    pixels[0, 2:6, 4:10, 0] = 1
    segmentation(sources, pixels, **geometry).save_as(export / "seg")
    assert boxes(export, tmp_path / "out") == [(2.0, "Nodule", 4 + 2, 3 + 1, 4 + 5, 3 + 3)]


def test_slices_that_a_mask_touches(export: Path, tmp_path: Path) -> None:
    segmentation(images(export), masks()).save_as(export / "seg")
    assert boxes(export, tmp_path / "out", slices=rule_of("touched")) == [NODULE_BOX, LIVER_BOX]
    assert [row["position"] for row in rows(tmp_path / "out" / "table.csv")] == ["0", "2"]
    assert boxes(export, tmp_path / "last", slices=rule_of("every:2")) == [NODULE_BOX]
    result = import_folder(export, tmp_path / "last", settings(slices=rule_of("every:2")))
    assert result["regions_without_box"] == {"its image is left out, or its slice not chosen": 1}


def test_a_mask_whose_images_are_not_there_is_counted(export: Path, tmp_path: Path) -> None:
    segmentation(images(export), masks()).save_as(export / "seg")
    (export / "IM1").unlink()  # at 0 mm
    assert boxes(export, tmp_path / "out") == [LIVER_BOX]
    result = import_folder(export, tmp_path / "out", settings())
    assert result["regions_without_box"] == {"the image is not there": 1}
    assert "1 regions without a box: the image is not there" in (tmp_path / "out" / "report.md").read_text()


def test_a_tiled_mask_is_refused(export: Path, tmp_path: Path) -> None:
    segmentation(images(export), masks()).save_as(export / "seg")
    data = pydicom.dcmread(export / "seg")
    data.TotalPixelMatrixRows = data.TotalPixelMatrixColumns = 4096
    data.save_as(export / "seg")
    result = import_folder(export, tmp_path / "out", settings())
    assert result["files"] == {"image": 3, "unreadable": 1}
    assert "is tiled" in (secret_folder(tmp_path / "out") / "left_out.csv").read_text()


def report(sources: Any, groups: list[Any], observer: str = "Hase^Ines") -> Any:
    context = hd.sr.ObservationContext(
        observer_person_context=hd.sr.ObserverContext(
            code("121006", "DCM", "Person"), hd.sr.PersonObserverIdentifyingAttributes(name=observer)
        )
    )
    content = hd.sr.MeasurementReport(
        observation_context=context, procedure_reported=code("25045-6", "LN", "CT unspecified body region"),
        imaging_measurements=groups,
    )  # fmt: skip
    return hd.sr.ComprehensiveSR(
        evidence=sources, content=content, series_instance_uid="1.2.3.8", series_number=8,
        sop_instance_uid="1.2.3.8.1", instance_number=1, manufacturer="x", is_complete=True, is_final=False,
    )  # fmt: skip


def region(source: Any, shape: str, points: Any, **more: Any) -> Any:
    return hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(uid=hd.UID(), identifier=more.pop("label", "lesion 1")),
        referenced_region=hd.sr.ImageRegion(
            hd.sr.GraphicTypeValues[shape], np.array(points, float),
            hd.sr.SourceImageForRegion.from_source_image(source),
        ),
        finding_type=code(*NODULE), **more,
    )  # fmt: skip


LONG, SHORT = 8**0.5, 2**0.5
SHAPES = [
    ("POLYLINE", [(2.5, 3), (9, 3), (9, 7.25), (2.5, 3)], (2.5, 3, 9, 7.25)),
    ("CIRCLE", [(6, 5), (9, 9)], (1, 0, 11, 10)),  # radius 5
    ("ELLIPSE", [(2, 6), (10, 6), (6, 4), (6, 8)], (2, 4, 10, 8)),
    # Turned by 45 degrees, half axes of 4 and 2: it reaches sqrt(8 + 2) from its centre.
    (
        "ELLIPSE",
        [(8 - LONG, 6 - LONG), (8 + LONG, 6 + LONG), (8 + SHORT, 6 - SHORT), (8 - SHORT, 6 + SHORT)],
        (8 - 10**0.5, 6 - 10**0.5, 8 + 10**0.5, 6 + 10**0.5),
    ),
    ("POLYLINE", [(-3, -3), (20, -3), (20, 5), (-3, -3)], (0, 0, 16, 5)),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "points", "box"), SHAPES)
def test_shapes_of_a_report(export: Path, tmp_path: Path, shape: str, points: Any, box: Any) -> None:
    sources = images(export)
    report(sources, [region(sources[1], shape, points, label="lesion of Muster")]).save_as(export / "sr")
    ((place, phrase, *sides),) = boxes(export, tmp_path / "out")
    assert (place, phrase) == (2.0, "Nodule")
    assert sides == pytest.approx(box, abs=1e-3)
    (row,) = rows(tmp_path / "out" / "boxes.csv")
    assert row["label"] == "lesion of [known]"
    assert row["made_by"] == "SR"


def test_a_reader_is_a_pseudonym(export: Path, tmp_path: Path) -> None:
    sources = images(export)
    square = [(2, 2), (6, 2), (6, 6), (2, 6), (2, 2)]
    for number, name in enumerate(("Hase^Ines", "Igel^Udo", "Hase^Ines")):
        made_by = report(sources, [region(sources[number], "POLYLINE", square)], name)
        made_by.SOPInstanceUID = f"1.2.3.8.{number}"
        made_by.save_as(export / f"sr{number}")
    import_folder(export, tmp_path / "out", settings())
    readers = [row["reader"] for row in rows(tmp_path / "out" / "boxes.csv")]
    assert readers[0] == readers[2] != readers[1]
    links = (secret_folder(tmp_path / "out") / "links.csv").read_text()
    assert f"reader,{readers[1]},Igel^Udo" in links
    for path in (tmp_path / "out").rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for secret in (b"Hase", b"Igel", b"Muster", b"1.2.3", b"4711"):
            assert secret not in content, (secret, path)


def test_points_and_lines_have_no_box(export: Path, tmp_path: Path) -> None:
    sources = images(export)
    groups = [region(sources[0], "POINT", [(3, 3)]), region(sources[0], "POLYLINE", [(1, 1), (5, 5)])]
    report(sources, groups).save_as(export / "sr")
    result = import_folder(export, tmp_path / "out", settings())
    assert result["boxes"] == {}
    assert result["regions_without_box"] == {"a point, which has no area": 1, "a line, which has no area": 1}


def test_a_report_of_a_series_elsewhere_and_its_copy(export: Path, tmp_path: Path) -> None:
    sources = images(export)
    report(sources, [region(sources[0], "CIRCLE", [(6, 5), (9, 9)])]).save_as(export / "sr")
    (export / "again").write_bytes((export / "sr").read_bytes())
    assert len(boxes(export, tmp_path / "out")) == 1
    sources[0].SOPInstanceUID = "1.2.3.99"
    report(sources, [region(sources[0], "CIRCLE", [(6, 5), (9, 9)])]).save_as(export / "sr")
    (export / "again").unlink()
    result = import_folder(export, tmp_path / "out", settings())
    assert (result["boxes"], result["regions_without_box"]) == ({}, {"the image is not there": 1})


def test_a_frame_of_a_file_with_several(tmp_path: Path) -> None:
    export = tmp_path / "export"
    path = slice_at(export / "IM", 0.0, SOPInstanceUID="1.2.3.5.1")
    source = pydicom.dcmread(path)
    item = region(source, "CIRCLE", [(6, 5), (9, 9)])
    report([source], [item]).save_as(export / "sr")
    data = pydicom.dcmread(export / "sr")

    def told(of: Any) -> None:
        for child in of.get("ContentSequence", []):
            for image in child.get("ReferencedSOPSequence", []):
                image.ReferencedFrameNumber = 2
            told(child)

    told(data)
    data.save_as(export / "sr")
    made(
        path, np.zeros((3, ROWS, COLUMNS), np.uint8), Modality="US", PatientID="4711",
        SOPInstanceUID="1.2.3.5.1", StudyInstanceUID="1.2.3.1", SeriesInstanceUID="1.2.3.1.1",
    )  # fmt: skip
    import_folder(export, tmp_path / "out", settings())
    (row,) = rows(tmp_path / "out" / "boxes.csv")
    assert row["image"].endswith("-1.png")


def test_contours_of_a_structure_set(export: Path, tmp_path: Path) -> None:
    def contour(z: float, x: float, y: float, image: str = "", kind: str = "CLOSED_PLANAR") -> Any:
        corners = [(x, y), (x + 2, y), (x + 2, y + 1), (x, y + 1)]
        item = header(
            ContourGeometricType=kind, NumberOfContourPoints=4,
            ContourData=[value for corner in corners for value in (*corner, z)],
        )  # fmt: skip
        if image:
            item.ContourImageSequence = [header(ReferencedSOPInstanceUID=image)]
        return item

    # Pixels of 0.5 mm; the centre of the first lies at (-10, -20): x = -8 is column 4.5, y = -18 is row 4.5.
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    data.update(
        header(
            SOPClassUID="1.2.840.10008.5.1.4.1.1.481.3", SOPInstanceUID="1.2.3.6", Modality="RTSTRUCT",
            PatientID="4711", PatientName="Muster^Anne", StudyInstanceUID="1.2.3.1",
            SeriesInstanceUID="1.2.3.66",
            StructureSetROISequence=[
                header(ROINumber=1, ROIName="Liver Muster", ReferencedFrameOfReferenceUID="1.2.3.9"),
                header(ROINumber=2, ROIName="Cord", ReferencedFrameOfReferenceUID="1.2.3.9"),
            ],
            RTROIObservationsSequence=[header(ReferencedROINumber=1, ROIInterpreter="Igel^Udo")],
            ROIContourSequence=[
                header(
                    ReferencedROINumber=1,
                    ContourSequence=[
                        contour(2, -8, -18, "1.2.3.5.2"), contour(2, -6, -17, "1.2.3.5.2"),
                        contour(4.2, -8, -18), contour(90, -8, -18),
                    ],
                ),
                header(ReferencedROINumber=2, ContourSequence=[contour(0, -8, -18, "", "POINT")]),
            ],
        )
    )  # fmt: skip
    data.save_as(export / "rt", enforce_file_format=True)
    assert boxes(export, tmp_path / "out") == [
        (2.0, "Liver [known]", 4.5, 4.5, 12.5, 8.5), (4.0, "Liver [known]", 4.5, 4.5, 8.5, 6.5)
    ]  # fmt: skip
    result = import_folder(export, tmp_path / "out", settings())
    assert result["regions_without_box"] == {
        "no image at its place in the body": 1, "a point, which has no area": 1
    }  # fmt: skip
    assert len({row["reader"] for row in rows(tmp_path / "out" / "boxes.csv")} - {"", "Igel^Udo"}) == 1
    assert boxes(export, tmp_path / "parts", parts=True)[:2] == [
        (2.0, "Liver [known]", 4.5, 4.5, 8.5, 6.5), (2.0, "Liver [known]", 8.5, 6.5, 12.5, 8.5)
    ]  # fmt: skip


def test_the_table_of_boxes_loads_where_pixels_are_not_square(tmp_path: Path) -> None:
    export = tmp_path / "export"
    slice_at(export / "IM0", 0.0, PixelSpacing=[1.0, 0.5], SOPInstanceUID="1.2.3.5.1")
    sources = images(export)
    square = [(4, 3), (8, 3), (8, 9), (4, 9), (4, 3)]
    report(sources, [region(sources[0], "POLYLINE", square)]).save_as(export / "sr")
    import_folder(export, tmp_path / "out", settings())
    split = rows(tmp_path / "out" / "boxes.csv")[0]["split"]
    dataset = Dataset(
        loader="table", root="out/boxes.csv",
        options={
            "columns": {"question": "phrase", "split": "split"},
            "boxes": {
                "columns": ["x0", "y0", "x1", "y1"], "form": "xyxy", "unit": "pixel", "width": "width",
                "height": "height", "reader": "reader", "readers": "apart",
            },
        },
    )  # fmt: skip
    (sample,) = load_samples(dataset, split, tmp_path)
    # Of 16 columns and 12 rows, whatever the picture is stretched to.
    assert [*sample.boxes[0].model_dump().values()] == [4 / 16, 3 / 12, 8 / 16, 9 / 12]
    assert sample.size == (16, 24)


def test_masks_without_a_frame_of_reference_are_on_nobodys_images(export: Path, tmp_path: Path) -> None:
    segmentation(images(export), masks()).save_as(export / "seg")
    for path in export.iterdir():
        data = pydicom.dcmread(path)
        data.FrameOfReferenceUID = ""
        for group in data.get("PerFrameFunctionalGroupsSequence", []):
            del group.DerivationImageSequence
        data.save_as(path)
    assert boxes(export, tmp_path / "out") == []
    assert import_folder(export, tmp_path / "out", settings())["regions_without_box"] == {
        "the image is not there": 2
    }


def test_masks_that_name_no_image_or_all_of_them_lie_where_they_lie(export: Path, tmp_path: Path) -> None:
    segmentation(images(export), masks()).save_as(export / "seg")
    data = pydicom.dcmread(export / "seg")
    named = [group.DerivationImageSequence for group in data.PerFrameFunctionalGroupsSequence]
    for group in data.PerFrameFunctionalGroupsSequence:
        group.DerivationImageSequence = [item for items in named for item in items]
    data.save_as(export / "seg")
    assert boxes(export, tmp_path / "all") == [NODULE_BOX, LIVER_BOX]
    for group in data.PerFrameFunctionalGroupsSequence:
        del group.DerivationImageSequence
    data.save_as(export / "seg")
    assert boxes(export, tmp_path / "none") == [NODULE_BOX, LIVER_BOX]
    assert import_folder(export, tmp_path / "none", settings())["regions_without_box"] == {}


def test_an_image_named_elsewhere_in_the_report(export: Path, tmp_path: Path) -> None:
    # By reference (PS3.3 C.17.3.2.4): the image stands at 1.2, the shape at 1.1 points to it.
    image = header(
        RelationshipType="CONTAINS",
        ValueType="IMAGE",
        ReferencedSOPSequence=[header(ReferencedSOPClassUID="1.2", ReferencedSOPInstanceUID="1.2.3.5.2")],
    )
    shape = header(
        RelationshipType="CONTAINS", ValueType="SCOORD", GraphicType="CIRCLE", GraphicData=[6.0, 5, 9, 9],
        ConceptNameCodeSequence=[
            header(CodeValue="111010", CodingSchemeDesignator="DCM", CodeMeaning="Center")
        ],
        ContentSequence=[header(RelationshipType="SELECTED FROM", ReferencedContentItemIdentifier=[1, 2])],
    )  # fmt: skip
    data = header(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33", SOPInstanceUID="1.2.3.6", Modality="SR",
        ValueType="CONTAINER", ContentSequence=[shape, image],
    )  # fmt: skip
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    data.save_as(export / "sr", enforce_file_format=True)
    assert boxes(export, tmp_path / "out") == [(2.0, "Center", 1, 0, 11, 10)]


def region_in_body(shape: str, points: Any, frame_of_reference: str) -> Any:
    # highdicom writes no regions of the shapes that the standard has beside these; other programs do.
    own = shape if shape in ("POLYGON", "POLYLINE", "ELLIPSE") else "POLYLINE"
    drawn = hd.sr.ImageRegion3D(hd.sr.GraphicTypeValues3D[own], np.array(points, float), frame_of_reference)
    drawn.GraphicType = shape
    return hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(uid=hd.UID(), identifier="lesion 1"),
        referenced_region=drawn,
        finding_type=code(*NODULE),
    )


def report_in_body(sources: Any, groups: list[Any]) -> Any:
    made_by = report(sources, [region(sources[0], "CIRCLE", [(6, 5), (9, 9)])])
    return hd.sr.Comprehensive3DSR(
        evidence=sources, content=hd.sr.MeasurementReport(
            observation_context=made_by_context(), imaging_measurements=groups,
            procedure_reported=code("25045-6", "LN", "CT unspecified body region"),
        ),
        series_instance_uid="1.2.3.9", series_number=9, sop_instance_uid=f"{made_by.SOPInstanceUID}.3",
        instance_number=1, manufacturer="x", is_complete=True, is_final=False,
    )  # fmt: skip


def made_by_context() -> Any:
    return hd.sr.ObservationContext(
        observer_person_context=hd.sr.ObserverContext(
            code("121006", "DCM", "Person"), hd.sr.PersonObserverIdentifyingAttributes(name="Hase^Ines")
        )
    )


def in_body(source: Any, points: Any) -> list[list[float]]:
    """Columns and rows of an image, counted from its corner, in millimetres by highdicom."""
    to_body = hd.spatial.ImageToReferenceTransformer(
        image_position=source.ImagePositionPatient,
        image_orientation=source.ImageOrientationPatient,
        pixel_spacing=source.PixelSpacing,
    )
    found: list[list[float]] = to_body(np.array(points, float)).tolist()
    return found


@pytest.mark.parametrize(
    ("shape", "points", "box"),
    [
        ("POLYGON", [(2, 3), (9, 3), (9, 7), (2, 7), (2, 3)], (2, 3, 9, 7)),
        ("POLYLINE", [(2.5, 3), (9, 3), (9, 7.25), (2.5, 3)], (2.5, 3, 9, 7.25)),
        ("MULTIPOINT", [(2, 3), (9, 4), (5, 7)], (2, 3, 9, 7)),
        ("ELLIPSE", [(2, 6), (10, 6), (6, 4), (6, 8)], (2, 4, 10, 8)),
        ("POLYGON", [(-3, -3), (20, -3), (20, 5), (-3, -3)], (0, 0, 16, 5)),
    ],
)
def test_shapes_in_the_body_lie_on_the_slice_at_their_place(
    export: Path, tmp_path: Path, shape: str, points: Any, box: Any
) -> None:
    sources = images(export)
    body = in_body(sources[1], points)
    report_in_body(sources, [region_in_body(shape, body, sources[1].FrameOfReferenceUID)]).save_as(
        export / "sr"
    )
    ((place, phrase, *sides),) = boxes(export, tmp_path / "out", slices=rule_of("touched"))
    assert (place, phrase) == (2.0, "Nodule")
    assert sides == pytest.approx(box, abs=2e-3)


def test_what_in_the_body_has_no_box(export: Path, tmp_path: Path) -> None:
    sources = images(export)
    square = [(2, 3), (9, 3), (9, 7), (2, 7), (2, 3)]
    own = sources[1].FrameOfReferenceUID
    on, off = in_body(sources[1], square), in_body(sources[1], square)
    far = [[x, y, z + 40] for x, y, z in on]
    tilted = [[x, y, z + 2 * (n in (1, 2))] for n, (x, y, z) in enumerate(off[:-1])]
    ball = [[0, 0, 0], [4, 0, 0], [2, -2, 0], [2, 2, 0], [2, 0, -2], [2, 0, 2]]
    groups = [
        region_in_body("POLYGON", on, "1.2.3.4.5.99"),  # another frame of reference
        region_in_body("POLYGON", far, own),
        region_in_body("POLYLINE", tilted, own),
        region_in_body("POINT", on, own),
        region_in_body("ELLIPSOID", ball, own),
    ]
    report_in_body(sources, groups).save_as(export / "sr")
    result = import_folder(export, tmp_path / "out", settings())
    assert result["boxes"] == {}
    assert result["regions_without_box"] == {
        "no image at its place in the body": 2,
        "the image is not there": 1,
        "a point, which has no area": 1,
        "an ellipsoid, which is on no single image": 1,
    }
