"""Series as series: put in order by where their images lie, and what is wrong with them named."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.datasets.deidentify.series import AXIAL, positions, rows, settings, slice_at
from tests.datasets.made_dicom import header, made

from pefomed.deidentify import import_folder, secret_folder
from pefomed.deidentify.choice import choose_slices, rule_of
from pefomed.errors import DataError
from pefomed.images.images import image_size, matrix_size, open_image
from pefomed.images.windows import AUTO, window

pytest.importorskip("dicomanonymizer", reason="the extra `dicom` is not installed")

# Numbers and names against the order of the body.
PLACES = [12.0, -3.0, 2.0, 7.0, -8.0]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    for number, z in enumerate(PLACES):
        slice_at(tmp_path / "export" / f"IM{9 - number}", z, number)
    return tmp_path / "export"


def test_slices_stand_in_the_order_of_the_body_as_simpleitk_has_it(export: Path, tmp_path: Path) -> None:
    sitk: Any = pytest.importorskip("SimpleITK", reason="the extra `volumes` is not installed")
    import_folder(export, tmp_path / "ward", settings())
    table = rows(tmp_path / "ward" / "table.csv")
    files = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(export), "1.2.3.1.1")
    values = sitk.GetArrayFromImage(sitk.ReadImage(files))[:, 0, 0].tolist()
    assert values == sorted(PLACES) == positions(tmp_path / "ward")
    assert [row["number"] for row in table] == ["4", "1", "2", "3", "0"]
    assert [row["slice"] for row in table] == ["0", "1", "2", "3", "4"]
    assert {(row["stack"], row["slices"], row["slice_distance"]) for row in table} == {("1", "5", "5")}
    assert {(row["spacing"], row["orientation"]) for row in table} == {("0.5/0.5", "1/0/0/0/1/0")}
    (series,) = rows(tmp_path / "ward" / "series.csv")
    assert series["image"].split(";") == [row["image"] for row in table]
    assert (series["images"], series["slices"], series["faults"]) == ("5", "5", "")


def test_the_order_is_along_the_normal_of_oblique_slices(tmp_path: Path) -> None:
    turn = math.radians(30)
    row, column = np.array([1, 0, 0]), np.array([0, math.cos(turn), -math.sin(turn)])
    normal = np.cross(row, column)  # (0, sin, cos)
    for number, place in enumerate([3.0, -1.0, 7.0]):
        # Shifted within the plane at random: that changes neither order nor distance.
        at = place * normal + (number * 5) * row
        slice_at(
            tmp_path / "export" / str(number), number, number, ImageOrientationPatient=[*row, *column],
            ImagePositionPatient=[round(float(value), 9) for value in at],
        )  # fmt: skip
    result = import_folder(tmp_path / "export", tmp_path / "ward", settings())
    assert positions(tmp_path / "ward") == pytest.approx([-1, 3, 7])
    assert result["series_with"] == {"gantry tilt": 1}


@pytest.mark.parametrize(
    ("text", "of", "taken"),
    [
        ("all", 4, [0, 1, 2, 3]), ("middle", 5, [2]), ("middle", 4, [2]), ("middle", 0, []),
        ("every:2", 5, [0, 2, 4]), ("every:9", 5, [0]), ("count:1", 5, [2]),
        # Five slices in two parts of 2.5: their middles are 1.25 and 3.75.
        ("count:2", 5, [1, 3]), ("count:3", 9, [1, 4, 7]), ("count:9", 4, [0, 1, 2, 3]),
    ],
)  # fmt: skip
def test_rules_by_hand(text: str, of: int, taken: list[int]) -> None:
    assert choose_slices(rule_of(text), of) == taken
    assert str(rule_of(text)) == text


@pytest.mark.parametrize("text", ["", "some", "every", "every:0", "count:-1", "count:1.5", "every:x"])
def test_no_rule(text: str) -> None:
    with pytest.raises(DataError, match="says no slices"):
        rule_of(text)


def test_rules_choose_by_place_and_what_they_leave_is_told(export: Path, tmp_path: Path) -> None:
    for rule, taken in (("middle", [2.0]), ("every:2", [-8.0, 2.0, 12.0]), ("count:2", [-3.0, 7.0])):
        out = tmp_path / rule.replace(":", "")
        result = import_folder(export, out, settings(slices=rule_of(rule)))
        assert positions(out) == taken
        assert result["files"] == {"not chosen": 5 - len(taken), "image": len(taken)} or len(taken) > 2
        left = (secret_folder(out) / "left_out.csv").read_text()
        assert left.count("not chosen") == 5 - len(taken)
        assert len(list((out / "images").rglob("*.png"))) == len(taken)


def test_a_series_that_grows_is_chosen_from_anew(export: Path, tmp_path: Path) -> None:
    out = tmp_path / "ward"
    import_folder(export, out, settings(slices=rule_of("middle")))
    before = rows(out / "table.csv")
    for z in (17.0, 22.0):
        slice_at(export / f"new{z}", z)
    import_folder(export, out, settings(slices=rule_of("middle")))
    assert positions(out) == [7.0]
    assert [path.name for path in (out / "images").rglob("*.png")] == [
        Path(rows(out / "table.csv")[0]["image"]).name
    ]
    assert not (out / before[0]["image"]).exists()
    with pytest.raises(DataError, match="slices: middle before, all now"):
        import_folder(export, out, settings())


def test_scouts_stand_apart(export: Path, tmp_path: Path) -> None:
    scout = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    slice_at(export / "scout", 0, 1, ImageType=scout, ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    # One that says so, of the slices' own orientation; and one that does not say so.
    slice_at(export / "flat", 50, 1, ImageType=scout)
    slice_at(export / "stray", 0, 1, ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
    result = import_folder(export, tmp_path / "out", settings())
    assert positions(tmp_path / "out") == sorted(PLACES)
    assert result["files"] == {"image": 5, "scout": 3}
    assert result["series_with"] == {"scouts": 1}
    assert "1 series with scouts" in (tmp_path / "out" / "report.md").read_text()
    import_folder(export, tmp_path / "kept", settings(scouts="keep", slices=rule_of("middle")))
    assert positions(tmp_path / "kept", stack="1") == [2.0]
    assert len(positions(tmp_path / "kept", stack="scout")) == 3


def faults(export: Path, tmp_path: Path) -> dict[str, int]:
    import_folder(export, tmp_path / "out", settings())
    found: dict[str, int] = {}
    for row in rows(tmp_path / "out" / "series.csv"):
        for part in filter(None, row["faults"].split("; ")):
            name, _, count = part.partition(": ")
            found[name] = int(count)
    return found


def test_missing_positions_are_counted(export: Path, tmp_path: Path) -> None:
    slice_at(export / "far", 32.0)  # after 12: 17, 22 and 27 are missing
    assert faults(export, tmp_path) == {"missing positions": 3}


def test_uneven_distances_are_counted(export: Path, tmp_path: Path) -> None:
    slice_at(export / "near", 14.0)
    assert faults(export, tmp_path) == {"uneven distances": 1}


def test_several_images_at_one_position_are_volumes(tmp_path: Path) -> None:
    # b-values 0 and 1000, sorted as numbers; file names and numbers say the opposite.
    for z in (0, 5, 10):
        for name, value in (("a", 1000.0), ("b", 50.0)):
            slice_at(
                tmp_path / "export" / f"{name}{z}", z, 1, Modality="MR", DiffusionBValue=value,
                SOPInstanceUID=f"1.2.{z}{name == 'a':d}",
            )  # fmt: skip
    out = tmp_path / "out"
    result = import_folder(
        tmp_path / "export", out, settings(slices=rule_of("middle"), keep=("DiffusionBValue",))
    )
    assert [(row["position"], row["volume"], row["DiffusionBValue"]) for row in rows(out / "table.csv")] == [
        ("5", "0", "50.0"), ("5", "1", "1000.0")
    ]  # fmt: skip
    assert result["series_with"] == {"positions with several images": 1}
    assert rows(out / "series.csv")[0]["faults"] == "positions with several images: 3"


def test_a_copied_file_is_no_second_image_at_its_position(export: Path, tmp_path: Path) -> None:
    (export / "copy").write_bytes((export / "IM9").read_bytes())
    result = import_folder(export, tmp_path / "out", settings())
    assert positions(tmp_path / "out") == sorted(PLACES)
    assert (result["series_with"], result["repeated"]) == ({}, 1)


def test_orientations_sizes_and_spacings_that_differ_are_stacks(export: Path, tmp_path: Path) -> None:
    for number in range(2):
        slice_at(
            export / f"side{number}", 0, 1, ImageOrientationPatient=[0, 1, 0, 0, 0, -1],
            ImagePositionPatient=[number, 0, 0],
        )  # fmt: skip
        slice_at(export / f"small{number}", number, 1, shape=(6, 8))
        slice_at(export / f"fine{number}", number, 1, PixelSpacing=[0.25, 0.25])
    result = import_folder(export, tmp_path / "out", settings(slices=rule_of("middle")))
    assert result["series_with"] == {"mixed orientations": 1, "mixed sizes": 1, "mixed pixel spacing": 1}
    table = rows(tmp_path / "out" / "table.csv")
    assert [row["stack"] for row in table] == ["1", "2", "3", "4"]
    assert table[0]["position"] == "2"


def test_a_tilted_gantry_is_named(tmp_path: Path) -> None:
    turn = math.radians(15)
    for number in range(4):
        slice_at(
            tmp_path / "export" / str(number), number, GantryDetectorTilt=15,
            ImageOrientationPatient=[1, 0, 0, 0, math.cos(turn), -math.sin(turn)],
            ImagePositionPatient=[0, 0, number * 5],  # the table moves along z
        )  # fmt: skip
    assert faults(tmp_path / "export", tmp_path) == {"gantry tilt": 4}
    assert positions(tmp_path / "out") == pytest.approx(
        [number * 5 * math.cos(turn) for number in range(4)], abs=1e-5
    )


def test_images_without_a_position_are_not_put_in_order_by_their_numbers(
    export: Path, tmp_path: Path
) -> None:
    slice_at(export / "lost1", 1, 1, ImagePositionPatient=None)
    slice_at(export / "lost2", 1, 2, ImageOrientationPatient=[1, 0, 0, 1, 0, 0], SOPInstanceUID="1.2.77")
    result = import_folder(export, tmp_path / "out", settings(slices=rule_of("every:2")))
    assert positions(tmp_path / "out") == [-8.0, 2.0, 12.0]
    assert result["files"] == {"image": 3, "not chosen": 2, "no position": 2}
    assert result["series_with"] == {"images without a position": 1}
    import_folder(export, tmp_path / "all", settings())
    assert [row["position"] for row in rows(tmp_path / "all" / "table.csv")].count("") == 2


def test_radiographs_are_no_slices(tmp_path: Path) -> None:
    for number in range(3):
        made(
            tmp_path / "export" / str(number), np.full((4, 4), number, np.uint8), Modality="DX",
            PatientID="1", StudyInstanceUID="1.2", SeriesInstanceUID="1.2.1", InstanceNumber=number,
        )  # fmt: skip
    result = import_folder(tmp_path / "export", tmp_path / "out", settings(slices=rule_of("middle")))
    assert (result["images"], result["series_with"]) == (3, {})


def test_frames_of_an_enhanced_file_lie_where_each_says(tmp_path: Path) -> None:
    def group(z: float) -> Any:
        return header(
            PlanePositionSequence=[header(ImagePositionPatient=[0, 0, z])],
            PlaneOrientationSequence=[header(ImageOrientationPatient=AXIAL)],
        )

    shared = header(PixelMeasuresSequence=[header(PixelSpacing=[0.5, 0.5], SliceThickness=2)])
    pixels = np.stack([np.full((4, 4), number, np.uint16) for number in range(5)])
    made(
        tmp_path / "export" / "many", pixels, Modality="CT", PatientID="1", SeriesInstanceUID="1.2.1",
        PerFrameFunctionalGroupsSequence=[group(z) for z in PLACES],
        SharedFunctionalGroupsSequence=[shared],
    )  # fmt: skip
    import_folder(tmp_path / "export", tmp_path / "out", settings(slices=rule_of("every:2")))
    table = rows(tmp_path / "out" / "table.csv")
    assert [(row["frame"], row["position"], row["slice"]) for row in table] == [
        ("4", "-8", "0"), ("2", "2", "2"), ("0", "12", "4")
    ]  # fmt: skip


def test_a_header_with_millions_of_frames_is_refused(tmp_path: Path) -> None:
    made(tmp_path / "export" / "a", np.ones((4, 4), np.uint8), NumberOfFrames=90_000_000)
    made(tmp_path / "export" / "b", np.ones((4, 4), np.uint8))
    result = import_folder(tmp_path / "export", tmp_path / "out", settings())
    assert result["files"] == {"unreadable": 1, "image": 1}


def test_pictures_are_the_matrix_and_shown_square(tmp_path: Path) -> None:
    path = made(
        tmp_path / "export" / "a.dcm", np.arange(48, dtype=np.uint8).reshape(6, 8), Modality="MR",
        PixelSpacing=[2.0, 1.0],
    )  # fmt: skip
    out = tmp_path / "out"
    import_folder(tmp_path / "export", out, settings())
    (row,) = rows(out / "table.csv")
    png = out / row["image"]
    with Image.open(png) as stored:
        assert stored.size == (8, 6) == (int(row["width"]), int(row["height"]))
    assert (matrix_size(png), image_size(png)) == ((8, 6), (8, 12))
    assert np.array_equal(np.asarray(open_image(png)), np.asarray(open_image(path)))
    # Another program's file says nothing of the kind, whatever its pixels are like.
    Image.open(png).save(tmp_path / "other.png", dpi=(100, 200))
    assert image_size(tmp_path / "other.png") == (8, 6)


def test_three_windows_make_a_picture_in_colour(export: Path, tmp_path: Path) -> None:
    given = settings(slices=rule_of("middle"), windows={"CT": window("medgemma"), "": AUTO})
    import_folder(export, tmp_path / "out", given)
    (row,) = rows(tmp_path / "out" / "table.csv")
    # 2 HU: (2 + 1024) / 2048, (2 + 135) / 350 and 2 / 80 of 255.
    assert np.asarray(open_image(tmp_path / "out" / row["image"]))[0, 0].tolist() == [128, 100, 6]
    assert row["window"] == "medgemma"


def test_an_orientation_that_is_no_number_is_no_place(tmp_path: Path) -> None:
    path = slice_at(tmp_path / "export" / "a", 1)
    slice_at(tmp_path / "export" / "b", 2, SOPInstanceUID="1.2.78")
    content = path.read_bytes()
    whole = next(each for each in (b"1\\0\\0\\0\\1\\0", b"1.0\\0.0\\0.0\\0.0\\1.0\\0.0") if each in content)
    path.write_bytes(content.replace(whole, whole.replace(b"\\0", b"\\x", 1)))
    result = import_folder(tmp_path / "export", tmp_path / "out", settings())
    assert sorted(row["position"] for row in rows(tmp_path / "out" / "table.csv")) == ["", "2"]
    assert result["images"] == 2


def test_an_image_type_of_one_value(export: Path, tmp_path: Path) -> None:
    slice_at(export / "scout", 50, ImageType="LOCALIZER")
    assert import_folder(export, tmp_path / "out", settings())["files"] == {"image": 5, "scout": 1}
