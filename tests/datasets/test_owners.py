"""Columns that say whose an image is are audited without being groups of the results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pefomed.audit.groups import shared_groups, unchecked
from pefomed.datasets import load_samples
from pefomed.datasets.found_splits import found_splits, further_splits
from pefomed.files import jsonl
from pefomed.recipe import Dataset
from pefomed.samples.owners import is_owner, is_person, owners_of
from pefomed.schema import Sample


@pytest.mark.parametrize(
    "column",
    "patient Patient patient_id PatientID patientid PATIENT_ID patients Patient-ID PatientName patient_code"
    " anon_patient_id subject_id SubjectID subjectkey mrn MRN pid participant_id Patientennummer"
    " Pat_Nr 患者ID".split(),
)
def test_columns_that_name_a_person(column: str) -> None:
    assert is_owner(column)
    assert is_person(column)


@pytest.mark.parametrize(
    "column",
    "study study_uid StudyInstanceUID study_instance_uid series_id case case_id CaseNo accession"
    " AccessionNumber exam_id visit encounter_id hadm_id article Fallnummer dossier".split(),
)
def test_columns_that_name_a_study_or_case(column: str) -> None:
    assert is_owner(column)
    assert not is_person(column)


@pytest.mark.parametrize(
    "column",
    "id image question answer split patient_age PatientSex patient_position study_date StudyDescription"
    " series_description impatient casein inpatient_ward staircase organ modality uid case_control"
    " use_case".split(),
)
def test_columns_that_name_nobody(column: str) -> None:
    assert not is_owner(column)


def tables(folder: Path) -> Dataset:
    (folder / "t.csv").write_text(
        "image,question,answer,split,PatientID,patient_age,kind\n"
        "a.png,q,x,train,p1,40,k\nb.png,q,y,test,p1,40,k\nb.png,q,z,test,,41,k\n"
    )
    options = {"columns": {"split": "split", "meta": ["kind"]}}
    return Dataset(loader="table", root="t.csv", options=options)


def test_a_tables_column_is_an_owner_and_no_group(tmp_path: Path) -> None:
    dataset = tables(tmp_path)
    train, test = (load_samples(dataset, split, tmp_path) for split in ("train", "test"))
    assert test[0].owners == {"PatientID": "p1"}
    assert test[0].meta == {"kind": "k"}
    [(key, found)] = shared_groups(train, test).items()
    assert (key, found["count"], found["of"], found["without"]) == ("PatientID", 1, 1, 1)
    # Never in a run's files.
    assert "p1" not in jsonl.lines(test)


def test_a_patients_number_is_the_same_with_a_point_and_a_nought_and_nan_is_nobodys() -> None:
    def sample(number: str) -> Sample:
        return Sample(
            id=number,
            images=("a.png",),
            task="vqa",
            question="q",
            reference="r",
            owners={"patient": number, "study": "5"},
        )

    # Patient 1 is in both; of the two without a number nothing is known, nor of 007, which may not be 7.
    train = [sample(number) for number in ("1.0", "7.0", "nan")]
    test = [sample(number) for number in ("1", "2", "007", "None")]
    found = shared_groups(train, test)
    assert found["patient"] == {"of": 3, "count": 1, "examples": ["1"], "samples": 1, "without": 1}
    assert found["study"]["examples"] == ["1 5", "5"]  # that of a known patient, and of nobody


def test_boxes_of_a_table_and_of_a_coco_file(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (100, 80), "grey").save(tmp_path / "a.png")
    (tmp_path / "boxes.csv").write_text("image,phrase,x,y,w,h,mrn\na.png,mass,1,2,30,40,77\n")
    options = {
        "columns": {"question": "phrase"},
        "boxes": {"columns": ["x", "y", "w", "h"], "form": "xywh", "unit": "pixel"},
    }
    [sample] = load_samples(Dataset(loader="table", root="boxes.csv", options=options), "train", tmp_path)
    assert sample.owners == {"mrn": "77"}
    image = {"id": 1, "file_name": "a.png", "width": 100, "height": 80, "patient_id": 5, "study": "s"}
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40]}
    content = {"images": [image], "categories": [{"id": 1, "name": "mass"}], "annotations": [box]}
    for split in ("train", "val2017", "labels"):
        (tmp_path / f"{split}.json").write_text(json.dumps(content))
    dataset = Dataset(loader="coco", root=".", options={"meta": ["study"]})
    [sample] = load_samples(dataset, "train", tmp_path)
    assert sample.owners == {"patient_id": "5"}
    assert sample.meta["study"] == "s"
    assert found_splits(dataset, tmp_path) == {"train": None, "val2017": None}


def test_the_splits_that_are_there(tmp_path: Path) -> None:
    dataset = tables(tmp_path)
    assert found_splits(dataset, tmp_path) == {"train": 1, "test": 2}
    assert further_splits(dataset, ["train"], tmp_path) == {"test": 2}
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("test", "train", "dev", "labels"):
        (folder / f"{name}.csv").write_text("image,question,answer\na.png,q,x\n")
    found = further_splits(Dataset(loader="table", root="folder"), (), tmp_path)
    assert list(found.items()) == [("train", 1), ("validate", 1), ("test", 1)]
    assert found_splits(Dataset(loader="slake", root="slake"), tmp_path) == {}


def sample(number: int, **owners: str) -> Sample:
    return Sample(id=str(number), images=(f"{number}.png",), task="vqa", owners=owners)


def test_what_is_not_compared_is_named() -> None:
    splits = {"train": [sample(1, patient="a", study="")], "test": [sample(2, study="s", ward="w")]}
    assert unchecked(splits) == {
        "patient": "no sample of test has it",
        "study": "no sample of train has it",
    }
    assert unchecked(splits, ["ward"]) == {
        "patient": "it is not among those asked for",
        "study": "it is not among those asked for",
        "ward": "no sample of train has it",
    }
    assert unchecked({"train": splits["train"]}) == {}
    assert unchecked({"a": [sample(1, patient="a")], "b": [sample(2, patient="b")]}) == {}


def test_owners_inside_objects() -> None:
    row = {
        "metadata": {"patientid": 7, "age": 40, "more": {"StudyUID": "1.2"}},
        "patient": {"id": "p1", "smoker": "yes"},
        "turns": [{"patient": "x"}],
    }
    assert owners_of(row) == {"metadata.patientid": "7", "metadata.more.StudyUID": "1.2", "patient.id": "p1"}
    assert owners_of(row, ["metadata.patientid", "patient.id"]) == {"metadata.more.StudyUID": "1.2"}
