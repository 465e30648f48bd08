"""A made hospital: two patients, a report, a broken file and a few that do not belong there."""

from __future__ import annotations

import csv
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.datasets.made_dicom import made

from pefomed.cli import main
from pefomed.datasets import load_samples
from pefomed.deidentify import ImportSettings, import_folder, secret_folder
from pefomed.deidentify.records import ImportRecord
from pefomed.errors import DataError
from pefomed.files import jsonl
from pefomed.images.images import open_image
from pefomed.images.windows import AUTO, window
from pefomed.recipe import Dataset

pytest.importorskip("dicomanonymizer", reason="the extra `dicom` is not installed")

ANNE = {
    "PatientName": "Muster^Anne", "PatientID": "4711", "PatientBirthDate": "19300102", "PatientAge": "093Y",
    "StudyInstanceUID": "1.2.3.1", "SeriesInstanceUID": "1.2.3.1.1", "StudyDate": "20230405",
    "AccessionNumber": "ACC-99", "InstitutionName": "Elsewhere Clinic", "Modality": "CT",
    "StudyDescription": "Thorax Muster 05.04.2023, ordered by Dr. Hase", "BodyPartExamined": "CHEST",
    "RescaleSlope": 1, "RescaleIntercept": -1024,
}  # fmt: skip
BEN = {"PatientID": "0815", "PatientName": "Muster^Ben", "StudyInstanceUID": "1.2.3.2", "Modality": "US"}
SECRETS = (
    "4711",
    "0815",
    "Muster",
    "Anne",
    "ACC-99",
    "Elsewhere",
    "1.2.3",
    "20230405",
    "05.04.2023",
    "Hase",
    "1930",
)


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    """Return the folder of an export."""
    folder = tmp_path / "export Muster"
    ramp = np.arange(0, 2048, 8, dtype=np.uint16).reshape(16, 16)
    made(folder / "Anne" / "IM1", ramp, InstanceNumber=2, SOPInstanceUID="1.2.3.1.1.2", **ANNE)
    made(folder / "Anne" / "IM0", ramp[::-1], InstanceNumber=1, SOPInstanceUID="1.2.3.1.1.1", **ANNE)
    made(folder / "Ben" / "loop.dcm", np.arange(48, dtype=np.uint8).reshape(3, 4, 4), **BEN)
    made(folder / "Ben" / "burned.dcm", np.ones((4, 4), np.uint8), BurnedInAnnotation="YES", **BEN)
    data = (folder / "Anne" / "IM1").read_bytes()
    (folder / "Anne" / "copy.dcm").write_bytes(data)
    (folder / "cut.dcm").write_bytes(data[:-100])
    (folder / "note.txt").write_text("Muster")
    (folder / "empty").touch()
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        archive.writestr("IM1", data)
    (tmp_path / "outside.dcm").write_bytes(data)
    (folder / "link.dcm").symlink_to(tmp_path / "outside.dcm")
    (folder / "circle").symlink_to(folder)
    return folder


def settings(**changes: Any) -> ImportSettings:
    return ImportSettings(**({"windows": {"": AUTO}} | changes))


def table(out: Path) -> list[dict[str, str]]:
    with (out / "table.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_what_is_given_on_names_nobody(hospital: Path, tmp_path: Path) -> None:
    out = tmp_path / "ward"
    result = import_folder(hospital, out, settings(keep=("StudyDescription", "PatientAge", "StudyDate")))
    assert result["files"] == {"image": 4, "not DICOM": 3, "unreadable": 1, "burned in": 1, "link": 1}
    assert (result["images"], result["repeated"], result["patients"], result["studies"]) == (5, 1, 2, 2)
    assert result["dropped"]["PatientName"] == 4
    assert result["kept_against_the_profile"] == ["StudyDescription", "PatientAge", "StudyDate"]
    for path in out.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for secret in SECRETS:
            assert secret not in path.relative_to(out).as_posix(), path
            assert secret.encode() not in content, (secret, path)
    rows = table(out)
    anne = [row for row in rows if row["modality"] == "CT"]
    assert [row["number"] for row in anne] == ["1", "2"]
    assert {row["StudyDescription"] for row in anne} == {"Thorax [known] [known], ordered by [name]"}
    assert {row["PatientAge"] for row in anne} == {"090Y+"}
    assert all(row["StudyDate"] and row["StudyDate"] != "2023-04-05" for row in anne)
    assert {row["burned_in"] for row in anne} == {"unknown"}
    ben = [row for row in rows if row["modality"] == "US"]
    assert [row["frame"] for row in ben] == ["0", "1", "2"]
    assert {row["burned_in"] for row in ben} == {"suspect"}
    assert len({row["patient"] for row in rows}) == 2
    assert len({row["split"] for row in anne}) == 1  # a patient is in one split


def test_the_same_name_in_another_form_is_masked_and_listed(tmp_path: Path) -> None:
    forms = [
        ("山田^太郎", "山田太郎 胸部CT", "[known] 胸部CT"),
        ("Li^Wei", "Li Wei chest", "[known] chest"),
        ("Schmidt^Karl", "CT_Schmidt_Karl_1961", "CT_[known]_1961"),
        ("Müller^Jörg", "CT Mueller, liver", "CT [known], liver"),
        ("Meyer^Karl", "Karlsruhe", "Karlsruhe"),
    ]
    for number, (name, text, _) in enumerate(forms):
        made(
            tmp_path / "export" / str(number), np.ones((4, 4), np.uint8), SpecificCharacterSet="ISO_IR 192",
            PatientName=name, PatientID=f"P{number}", SeriesDescription=text, InstanceNumber=number,
        )  # fmt: skip
    out = tmp_path / "ward"
    result = import_folder(tmp_path / "export", out, settings(keep=("SeriesDescription",)))
    rows = {row["number"]: row["SeriesDescription"] for row in table(out)}
    assert [rows[str(number)] for number in range(len(forms))] == [masked for *_, masked in forms]
    with (secret_folder(out) / "found_in_text.csv").open(encoding="utf-8", newline="") as file:
        listed = [(row["kind"], row["text"]) for row in csv.DictReader(file)]
    assert listed == [
        ("known", "山田太郎"), ("known", "Li Wei"), ("known", "Schmidt_Karl"), ("known", "Mueller"),
        ("known?", "Karlsruhe"),
    ]  # fmt: skip
    assert result["found_in_text"] == {"SeriesDescription: known": 4, "SeriesDescription: known?": 1}
    assert "known? (noted, not masked)" in (out / "report.md").read_text(encoding="utf-8")


def test_utf8_that_the_file_does_not_declare(tmp_path: Path) -> None:
    path = made(
        tmp_path / "export" / "IM", np.ones((4, 4), np.uint8), SpecificCharacterSet="ISO_IR 192",
        PatientName="山田^太郎", PatientID="P1", SeriesDescription="山田太郎 CT",
    )  # fmt: skip
    path.write_bytes(path.read_bytes().replace(b"ISO_IR 192", b"ISO_IR 100"))
    import_folder(tmp_path / "export", tmp_path / "ward", settings(keep=("SeriesDescription",)))
    assert table(tmp_path / "ward")[0]["SeriesDescription"] == "[known] CT"


def test_numbers_and_codes_are_no_free_text(tmp_path: Path) -> None:
    # As texts, 0.68/0.68 would be a date and 1234567 a number; the patient is called like a body part.
    kept = {
        "PixelSpacing": ["0.68", "0.68"], "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
        "ImagePositionPatient": ["-12.5", "3.1e2", "1234567"], "SliceThickness": "5",
        "EchoTrainLength": "1234567",
        "SamplesPerPixel": 1, "DiffusionBValue": 1000.0,
        "ImageType": ["ORIGINAL", "PRIMARY"], "PatientAge": "045Y", "PatientPosition": "HFS",
        "SmallestImagePixelValue": 1,
    }  # fmt: skip
    keep = tuple(kept)
    made(
        tmp_path / "export" / "IM", np.ones((4, 4), np.uint8), PatientName="Chest^Anna", PatientID="1234567",
        BodyPartExamined="CHEST", SeriesDescription="0.68/0.68", RequestedContrastAgent="x 1234567",
        **kept,
    )  # fmt: skip
    import_folder(
        tmp_path / "export",
        tmp_path / "ward",
        settings(keep=(*keep, "SeriesDescription", "RequestedContrastAgent")),
    )
    row = table(tmp_path / "ward")[0]
    assert row["body_part"] == "CHEST"
    assert {name: row[name] for name in keep} == {
        "PixelSpacing": "0.68/0.68", "ImageOrientationPatient": "1/0/0/0/1/0",
        "ImagePositionPatient": "-12.5/3.1e2/1234567", "SliceThickness": "5",
        "EchoTrainLength": "1234567",
        "SamplesPerPixel": "1", "DiffusionBValue": "1000.0", "ImageType": "ORIGINAL/PRIMARY",
        "PatientAge": "045Y", "PatientPosition": "HFS", "SmallestImagePixelValue": "1",
    }  # fmt: skip
    assert row["RequestedContrastAgent"] == "x [known]"
    assert "CHEST" in (secret_folder(tmp_path / "ward") / "found_in_text.csv").read_text()


@pytest.mark.parametrize(
    ("code", "kept"),
    [("CHEST ANNA", "[known]"), ("ANNASOPHIE", "[known]"), ("CHEST", "CHEST"), ("4711001", "[known]")],
)
def test_a_code_that_names_somebody_is_masked(tmp_path: Path, code: str, kept: str) -> None:
    made(
        tmp_path / "export" / "IM", np.ones((4, 4), np.uint8), PatientName="Chest^Annasophie^Anna",
        PatientID="4711001", BodyPartExamined=code,
    )  # fmt: skip
    import_folder(tmp_path / "export", tmp_path / "ward", settings())
    assert table(tmp_path / "ward")[0]["body_part"] == kept


def test_an_age_that_is_none_is_text(tmp_path: Path) -> None:
    path = made(
        tmp_path / "export" / "IM", np.ones((4, 4), np.uint8), PatientName="Doe^X", PatientID="P1",
        PatientAge="095Y",
    )  # fmt: skip
    path.write_bytes(path.read_bytes().replace(b"095Y", b"Doe "))
    import_folder(tmp_path / "export", tmp_path / "ward", settings(keep=("PatientAge",)))
    assert table(tmp_path / "ward")[0]["PatientAge"] == "[known]"


def test_what_leads_back_stays_beside(hospital: Path, tmp_path: Path) -> None:
    out = tmp_path / "ward"
    import_folder(hospital, out, settings(keep=("StudyDescription",)))
    secret = secret_folder(out)
    assert secret.parent == out.parent
    links = (secret / "links.csv").read_text()
    rows = table(out)
    assert f"patient,{rows[0]['patient']},4711" in links or f"patient,{rows[0]['patient']},0815" in links
    assert "accession," in links
    left = (secret / "left_out.csv").read_text()
    assert "cut.dcm,unreadable," in left
    assert "link.dcm,link," in left
    assert "Dr. Hase" in (secret / "found_in_text.csv").read_text()
    for name in ("key", "journal.jsonl", "links.csv", "left_out.csv", "found_in_text.csv"):
        assert stat.S_IMODE((secret / name).stat().st_mode) == 0o600, name


def test_the_images_are_windowed_and_the_table_loads(hospital: Path, tmp_path: Path) -> None:
    out = tmp_path / "ward"
    import_folder(hospital, out, settings(windows={"CT": window("0:1024"), "": AUTO}))
    row = next(row for row in table(out) if row["number"] == "2")
    # Stored 0, 8 .. 2040 is -1024 .. 1016: black up to -512, white from 512.
    values = np.clip((np.arange(0, 2048, 8) - 1024) / 1024 + 0.5, 0, 1)
    assert np.array_equal(np.asarray(open_image(out / row["image"]))[..., 0].ravel(), np.rint(values * 255))
    assert row["window"] == "0:1024"
    columns = {"id": "id", "image": "image", "answer": "", "split": "split", "meta": ["modality", "patient"]}
    dataset = Dataset(loader="table", root="ward/table.csv", options={"columns": columns, "task": "caption"})
    samples = [
        sample
        for split in {row["split"] for row in table(out)}
        for sample in load_samples(dataset, split, tmp_path)
    ]
    assert len(samples) == 5
    assert all(Path(sample.images[0]).is_file() for sample in samples)


def test_a_second_import_does_only_what_is_new(hospital: Path, tmp_path: Path) -> None:
    out = tmp_path / "ward"
    first = import_folder(hospital, out, settings())
    images = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    before = (out / "table.csv").read_bytes()
    assert import_folder(hospital, out, settings()) == first
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.png")} == images
    assert (out / "table.csv").read_bytes() == before
    # A new file is added, a lost image is made again; the pseudonyms stay.
    made(hospital / "new.dcm", np.zeros((2, 2), np.uint8), **BEN)
    next(iter(images)).unlink()
    assert import_folder(hospital, out, settings())["images"] == first["images"] + 1
    assert next(iter(images)).is_file()
    with pytest.raises(DataError, match="other settings") as caught:
        import_folder(hospital, out, settings(frames="first"))
    assert "frames: all before, first now" in str(caught.value)


def test_what_an_earlier_search_left_is_searched_again(hospital: Path, tmp_path: Path) -> None:
    out = tmp_path / "ward"
    import_folder(hospital, out, settings(keep=("StudyDescription",)))
    journal = secret_folder(out) / "journal.jsonl"
    old = journal.read_text().replace('"search":2', '"search":0').replace("Thorax [known]", "Thorax Muster")
    assert '"search":0' in old
    assert "Thorax Muster" in old
    journal.write_text(old)
    import_folder(hospital, out, settings(keep=("StudyDescription",)))
    assert "Muster" not in (out / "table.csv").read_text()


def test_a_stopped_import_goes_on(hospital: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pefomed.deidentify import folder as imports

    # The key decides who falls into which split: two imports are equal only under the same one.
    monkeypatch.setattr("pefomed.deidentify.pseudonyms.secrets.token_hex", lambda size: "5a" * size)
    whole, out = tmp_path / "whole", tmp_path / "ward"
    import_folder(hospital, whole, settings())
    original: Callable[..., ImportRecord] = imports.convert
    calls = 0

    def stops(*arguments: Any) -> ImportRecord:
        nonlocal calls
        calls += 1
        if calls == 6:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(imports, "convert", stops)
    monkeypatch.setattr(imports, "_PORTION", 2)
    with pytest.raises(KeyboardInterrupt):
        import_folder(hospital, out, settings())
    done = len(list(jsonl.read(secret_folder(out) / "journal.jsonl", ImportRecord)))
    assert 0 < done < 10
    assert not (out / "table.csv").exists()
    calls = 100
    result = import_folder(hospital, out, settings())
    assert calls == 100 + 10 - done  # the link, which is not converted, is among what was done
    assert result == json.loads((whole / "report.json").read_text())


def test_mistakes_are_named(hospital: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder at"):
        import_folder(tmp_path / "none", tmp_path / "out", settings())
    with pytest.raises(DataError, match="the folder that is read"):
        import_folder(hospital, hospital, settings())
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "a.txt").write_text("x")
    with pytest.raises(DataError, match="holds no DICOM image") as caught:
        import_folder(tmp_path / "bare", tmp_path / "out", settings())
    assert "1 not DICOM" in str(caught.value)


def test_the_command(hospital: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> tuple[int | str | None, str]:
        with pytest.raises(SystemExit) as stopped:
            main(["data", "import", str(hospital), "--out", str(tmp_path / "ward"), *words])
        shown = capsys.readouterr()
        return stopped.value.code, shown.out + shown.err

    code, shown = run(
        "--window", "CT=lung", "--window", "robust", "--keep", "PatientSex", "--frames", "first"
    )
    assert code == 0, shown
    assert "3 images of 2 patients in 2 studies" in shown
    assert "do not give it on" in shown
    assert run("--window", "MR=lung")[0] == 2
    assert "never kept" in run("--keep", "PatientName")[1]
    assert "not three shares" in run("--split", "1:2")[1]


def test_numbers_with_an_empty_part_and_of_each_frame(tmp_path: Path) -> None:
    from pydicom.dataset import Dataset

    def group(place: str, **more: Any) -> Dataset:
        position, spacing, made_of = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = ["0.68", "0.68", place]
        spacing.PixelSpacing = ["0.68", "0.68"]
        made_of.PlanePositionSequence, made_of.PixelMeasuresSequence = [position], [spacing]
        return made_of

    made(
        tmp_path / "export" / "many", np.ones((2, 4, 4), np.uint8), NumberOfFrames=2,
        PerFrameFunctionalGroupsSequence=[group("1.5"), group("3.0")],
    )  # fmt: skip
    keep = ("ImagePositionPatient", "PixelSpacing", "DetectorBinning")
    made(
        tmp_path / "export" / "one", np.ones((4, 4), np.uint8), ImagePositionPatient=["0.68", "", "-7"],
        DetectorBinning=["1.5", "1.5"],
    )  # fmt: skip
    import_folder(tmp_path / "export", tmp_path / "ward", settings(keep=keep))
    rows = {tuple(row[name] for name in keep) for row in table(tmp_path / "ward")}
    assert rows == {
        ("0.68/0.68/1.5", "0.68/0.68", ""), ("0.68/0.68/3.0", "0.68/0.68", ""), ("0.68//-7", "", "1.5/1.5")
    }  # fmt: skip
