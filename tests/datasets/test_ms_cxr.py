from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.datasets import ms_cxr_folder

from pefomed.audit.recipe import audit_dataset
from pefomed.datasets import LeftOut, load_samples, load_split, ms_cxr
from pefomed.datasets.provenance import provenance_of_loader
from pefomed.errors import DataError
from pefomed.recipe import Dataset
from pefomed.schema import Sample

RELEASES = [(version, file) for version in ("1.0.0", "1.1.0") for file in ("csv", "json")]


def dataset(root: str = ".", **options: Any) -> Dataset:
    return Dataset(loader="ms_cxr", root=root, options=options)


def read(folder: Path, split: str = "all", root: str = ".", **options: Any) -> list[Sample]:
    return load_samples(dataset(root, **options), split, folder)


@pytest.mark.parametrize(("version", "file"), RELEASES)
def test_every_release_gives_the_same_phrases(tmp_path: Path, version: str, file: str) -> None:
    ms_cxr_folder.make(tmp_path, version, file)
    samples = read(tmp_path)
    assert [(s.meta["category"], s.question, len(s.boxes)) for s in samples] == [
        ("Pneumonia", "left basilar opacity", 1),
        ("Cardiomegaly", "the heart is enlarged", 1),
        ("Edema", "bilateral interstitial edema", 2),
        ("Pleural Effusion", "small pleural effusions", 2),
        ("Cardiomegaly", "moderate cardiomegaly", 1),
    ]
    first = samples[0]
    assert (first.task, first.reference, first.size) == ("refer", "", (120, 160))
    assert first.images == (str(tmp_path / ms_cxr_folder.image_path(0, "02aa804e")),)
    # (60, 80, 30, 40) of 120 x 160.
    [box] = first.boxes
    assert (box.x0, box.y0, box.x1, box.y1) == (0.5, 0.5, 0.75, 0.75)
    assert [s.meta["boxes"] for s in samples] == ["1", "1", "several", "several", "1"]
    assert len({s.id for s in samples}) == 5


@pytest.mark.parametrize("file", ["csv", "json"])
def test_version_1_1_0_has_splits(tmp_path: Path, file: str) -> None:
    path = ms_cxr_folder.make(tmp_path, "1.1.0", file)
    counts = {split: len(read(tmp_path, split, path.name)) for split in ("train", "validate", "test", "all")}
    assert counts == {"train": 3, "validate": 1, "test": 1, "all": 5}
    with pytest.raises(DataError, match="did you mean 'validate'"):
        read(tmp_path, "valid")


def test_version_1_0_0_has_its_patients_divided_if_asked(tmp_path: Path) -> None:
    ms_cxr_folder.make(tmp_path, "1.0.0")
    with pytest.raises(DataError, match=r"(?s)line 2: this release of MS-CXR has no splits.*'all'.*1\.1\.0"):
        read(tmp_path, "train")
    for seed in range(5):
        patients = []
        for split in ("train", "validate", "test"):
            found = list(ms_cxr.load(tmp_path, split, validate_share=0.3, test_share=0.3, split_seed=seed))
            patients += sorted({Path(s.images[0]).parts[-3] for s in found if isinstance(s, Sample)})
        assert sorted(patients) == sorted(ms_cxr_folder.PATIENTS)  # each in one split


@pytest.mark.parametrize("file", ["csv", "json"])
def test_a_patient_who_is_in_two_splits_is_found(tmp_path: Path, file: str) -> None:
    rows = ms_cxr_folder.rows()
    ms_cxr_folder.make(tmp_path, "1.1.0", file, rows)
    first = read(tmp_path, "train")[0]
    assert (first.meta["patient"], first.meta["study"]) == ("p10000032", "s50414260")
    (pair,) = audit_dataset(dataset(), ["train", "test"], tmp_path)["leakage"]
    assert {key: found["count"] for key, found in pair["groups"].items()} == {"patient": 0, "study": 0}
    # A second image of the test's only patient, in another study, is trained on.
    rows[0]["path"] = rows[0]["path"].replace("p10/p10000032/s50414260", "p10/p10001217/s50414269")
    ms_cxr_folder.make(tmp_path, "1.1.0", file, rows)
    (pair,) = audit_dataset(dataset(), ["train", "test"], tmp_path)["leakage"]
    assert {key: found["count"] for key, found in pair["groups"].items()} == {"patient": 1, "study": 0}
    assert pair["groups"]["patient"]["examples"] == ["p10001217"]


def test_a_path_of_ones_own_names_no_patient(tmp_path: Path) -> None:
    rows = ms_cxr_folder.rows()
    for each in rows:
        each["path"] = f"flat/{Path(each['path']).name}"
    ms_cxr_folder.make(tmp_path, given=rows)
    assert not {"patient", "study"} & read(tmp_path)[0].meta.keys()


def test_tasks_and_phrases_with_one_box(tmp_path: Path) -> None:
    ms_cxr_folder.make(tmp_path)
    samples = read(tmp_path, tasks=["refer", "identify", "detection"], boxes="one")
    assert len(samples) == 9
    refer, identify, detection = samples[:3]
    names, asked = zip(*(s.id.rsplit("-", 1) for s in (refer, identify, detection)), strict=True)
    assert len(set(names)) == 1
    assert asked == ("refer", "identify", "detection")
    assert (identify.question, identify.reference) == ("", "left basilar opacity")
    assert (detection.question, detection.reference) == ("left basilar opacity", "")
    assert refer.boxes == identify.boxes == detection.boxes
    assert [len(s.boxes) for s in read(tmp_path, boxes="several")] == [2, 2]


@pytest.mark.parametrize("file", ["csv", "json"])
@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ((100, 80, 30, 40), "the box stands out of its image"),
        ((60, 80, 0, 40), "the box has no area"),
        ((60, 80, -30, 40), "the box is inverted"),
        (("", 80, 30, 40), "a box needs four finite numbers"),
        ((0.5, 0.5, 0.25, 0.25), "the box is not in the declared unit"),
    ],
)
def test_a_wrong_row_is_left_out_with_its_phrase_and_counted(
    tmp_path: Path, file: str, box: tuple[Any, ...], reason: str
) -> None:
    rows = ms_cxr_folder.rows()
    rows[2] |= dict(zip("xywh", box, strict=True))  # one of the two boxes of the edema
    path = ms_cxr_folder.make(tmp_path, "1.1.0", file, rows)
    samples, left_out = load_split(dataset(), "train", tmp_path)
    assert [s.meta["category"] for s in samples] == ["Pneumonia", "Cardiomegaly"]
    place = f"{path}, line 4" if file == "csv" else f"{path}, annotation 3"
    assert [(row.place, row.reason) for row in left_out] == [(place, reason)]
    found = audit_dataset(dataset(), ["train", "test"], tmp_path)
    assert [(each["reason"], each["count"]) for each in found["left_out"]["train"]] == [(reason, 1)]
    assert found["left_out"]["test"] == []
    assert any(f"train: left out 1, {reason}, e.g. {place}" in sentence for sentence in found["summary"])


def test_more_wrong_rows_than_a_few_are_an_error(tmp_path: Path) -> None:
    rows = ms_cxr_folder.rows()
    for each in rows[:2]:
        each["w"] = 500
    ms_cxr_folder.make(tmp_path, given=rows)
    with pytest.raises(
        DataError, match=r"(?s)line 2: the box stands out.*2 wrong rows, 1 right phrases.*published"
    ):
        read(tmp_path, "train")


def change(rows: list[dict[str, Any]], number: int, **values: Any) -> list[dict[str, Any]]:
    rows[number] |= values
    return rows


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"category_name": "Pneumonie"}, "line 3: MS-CXR has no category 'Pneumonie'.*mean 'Pneumonia'"),
        ({"split": "validation"}, r"line 3: MS-CXR has no split 'validation'"),
        ({"image_width": 121}, r"line 3, image .*02aa804e\.jpg: the image is not as large.*121 x 160 in"),
        ({"path": "files/p10/none.jpg"}, r"no image at .*none\.jpg"),
        ({"path": "../other.jpg"}, r"line 3: a file name must stay inside"),
    ],
)  # fmt: skip
def test_what_is_an_error(tmp_path: Path, values: dict[str, Any], words: str) -> None:
    ms_cxr_folder.make(tmp_path)
    given = change(ms_cxr_folder.rows(), 1, **values)
    path = tmp_path / "MS_CXR_Local_Alignment_v1.1.0.csv"
    lines = [",".join(str(value) for value in each.values()) for each in given]
    path.write_text("\n".join([",".join(given[0]), *lines]))
    with pytest.raises(DataError, match=f"(?s){words}"):
        read(tmp_path)


def test_a_missing_column_and_an_empty_phrase(tmp_path: Path) -> None:
    path = ms_cxr_folder.make(tmp_path, given=change(ms_cxr_folder.rows(), 0, label_text="  "))
    _, left_out = load_split(dataset(), "all", tmp_path)
    assert left_out == [LeftOut(f"{path}, line 2", "the phrase is empty")]
    path.write_text(path.read_text().replace("label_text", "label"))
    with pytest.raises(DataError, match=r"(?s)line 2: no field 'label_text'.*did you mean 'label'"):
        read(tmp_path)


def test_scaled_images_need_to_be_declared(tmp_path: Path) -> None:
    ms_cxr_folder.make(tmp_path)
    whole = read(tmp_path)
    for path in tmp_path.rglob("*.jpg"):
        Image.open(path).resize((60, 80)).save(path)
    with pytest.raises(DataError, match="scaled_images = true"):
        read(tmp_path)
    scaled = read(tmp_path, scaled_images=True)
    assert [s.boxes for s in scaled] == [s.boxes for s in whole]
    assert scaled[0].size == (60, 80)


def test_one_release_in_a_folder_or_its_file_as_root(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="exactly one MS_CXR_Local_Alignment"):
        read(tmp_path)
    old = ms_cxr_folder.make(tmp_path, "1.0.0")
    ms_cxr_folder.make(tmp_path, "1.1.0", "json")
    assert len(read(tmp_path, root=old.name)) == 5
    ms_cxr_folder.make(tmp_path, "1.1.0")
    with pytest.raises(DataError, match=r"(?s)v1\.0\.0\.csv.*v1\.1\.0\.csv.*name the file itself"):
        read(tmp_path)
    (tmp_path / "apart").mkdir()
    moved = old.rename(tmp_path / "apart" / old.name)
    assert len(read(tmp_path, root=f"apart/{moved.name}", images="..")) == 5


def test_its_text_stays_on_the_machine() -> None:
    assert provenance_of_loader("ms_cxr") == "restricted"
    assert provenance_of_loader("ms_cxr_medrpg") == "restricted"
    assert provenance_of_loader("coco") == "unknown"
