from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from pefomed.datasets import card, load_split, mimic_cxr
from pefomed.errors import DataError, RecipeError
from pefomed.recipe import Dataset
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Sample

# The published layout with made-up identifiers and texts.
SPLIT = """\
dicom_id,study_id,subject_id,split
02aa804e-bde0afdd-112c0b34-7bc16630-4e384014,50414267,10000032,train
174413ec-4ec4c1f7-34ea26b7-c5f994f8-79ef1962,50414267,10000032,train
2a2277a9-b0ded155-c0de8eb9-c124d10e-82c5caab,53189527,10000032,train
e084de3b-be89b11e-20fe3f9f-9c8d8dfe-4cfd202c,53911762,10000764,train
68b5c4b1-227d0485-9cc38c3f-7b84ab51-4b472714,53911763,10000764,train
096052b7-d256dc40-453a102b-fa7d01c6-1b22c6b4,50578979,10000935,validate
"""
METADATA = """\
dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns
02aa804e-bde0afdd-112c0b34-7bc16630-4e384014,10000032,50414267,CHEST (PA AND LAT),PA,3056,2544
174413ec-4ec4c1f7-34ea26b7-c5f994f8-79ef1962,10000032,50414267,CHEST (PA AND LAT),LATERAL,3056,2544
2a2277a9-b0ded155-c0de8eb9-c124d10e-82c5caab,10000032,53189527,CHEST (PORTABLE AP),AP,3056,2544
e084de3b-be89b11e-20fe3f9f-9c8d8dfe-4cfd202c,10000764,53911762,,,3056,2544
68b5c4b1-227d0485-9cc38c3f-7b84ab51-4b472714,10000764,53911763,,AP,3056,2544
"""
SECTIONS = """\
study,impression,findings,last_paragraph,comparison
s50414267,No acute process.,"There is no focal
 consolidation, ___ effusion.",,None.
s53189527,Normal.,,,
s53911762,,Clear.,,
"""
TEXT = """\
                                 FINAL REPORT
 EXAMINATION:  CHEST (PA AND LAT)

 FINDINGS:

 There is no focal consolidation.
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "mimic-cxr-2.0.0-split.csv.gz").write_bytes(gzip.compress(SPLIT.encode()))
    (tmp_path / "mimic-cxr-2.0.0-metadata.csv").write_text(METADATA)
    (tmp_path / "mimic_cxr_sectioned.csv").write_text(SECTIONS)
    return tmp_path


def load(root: Path, split: str = "train", **options: Any) -> tuple[list[Sample], list[LeftOut]]:
    dataset = Dataset(loader="mimic_cxr", root=str(root), options={"text": "findings", **options})
    return load_split(dataset, split, root)


def test_one_sample_an_image_with_the_findings(root: Path) -> None:
    samples, left_out = load(root)
    assert [sample.meta["study"] for sample in samples] == ["s50414267", "s50414267", "s53911762"]
    first = samples[0]
    assert first.id == "mimic_cxr-train-02aa804e-bde0afdd-112c0b34-7bc16630-4e384014"
    assert first.images == (
        str(root / "files/p10/p10000032/s50414267/02aa804e-bde0afdd-112c0b34-7bc16630-4e384014.jpg"),
    )
    assert (first.task, first.reference) == ("report", "There is no focal consolidation, ___ effusion.")
    assert first.meta == {"patient": "p10000032", "study": "s50414267", "view": "PA"}
    assert "view" not in samples[2].meta  # ViewPosition is empty
    assert [(row.place, row.reason) for row in left_out] == [
        ("mimic_cxr_sectioned.csv, study s53189527", "a study without findings"),
        ("mimic_cxr_sectioned.csv, study s53911763", "a study without sections"),
    ]


def test_one_sample_a_study_of_chosen_views(root: Path) -> None:
    samples, _ = load(root, samples="study", text="findings+impression", task="caption")
    assert [len(sample.images) for sample in samples] == [2, 1, 1]
    assert samples[0].id == "mimic_cxr-train-s50414267"
    assert samples[0].task == "caption"
    assert samples[0].reference == "There is no focal consolidation, ___ effusion. No acute process."
    frontal, _ = load(root, views=["PA", "AP"], text="impression")
    assert [sample.reference for sample in frontal] == ["No acute process.", "Normal."]
    with pytest.raises(DataError, match=r"(?s)no image of 'train' has a view of pa.*AP, LATERAL, PA"):
        load(root, views=["pa"])


def test_raw_reports(root: Path) -> None:
    with pytest.raises(DataError, match=r"no file at .*p10/p10000935/s50578979\.txt"):
        load(root, "validate", text="report")
    path = root / "reports/p10/p10000935/s50578979.txt"
    path.parent.mkdir(parents=True)
    path.write_text(TEXT)
    ((sample,), _) = load(root, "validate", text="report", reports="reports")
    assert sample.reference == (
        "FINAL REPORT EXAMINATION: CHEST (PA AND LAT) FINDINGS: There is no focal consolidation."
    )
    assert sample.meta == {"patient": "p10000935", "study": "s50578979"}  # not in the metadata file


def test_it_is_restricted_and_mistakes_are_named(root: Path, tmp_path: Path) -> None:
    about = card("mimic_cxr")
    assert about is not None
    assert about.restricted
    with pytest.raises(RecipeError, match="needs the option 'text'"):
        load_split(Dataset(loader="mimic_cxr", root=str(root)), "train", root)
    with pytest.raises(DataError, match="did you mean 'validate'"):
        load(root, "valid")
    (root / "mimic-cxr-2.0.0-metadata.csv").unlink()
    assert len(load(root)[0]) == 3  # only views need it
    with pytest.raises(DataError, match=r"`views` needs mimic-cxr-2\.0\.0-metadata\.csv"):
        load(root, views=["PA"])
    (root / "mimic_cxr_sectioned.csv").unlink()
    with pytest.raises(DataError, match=r"(?s)sections is not at.*mimic_cxr_sectioned\.csv"):
        load(root)
    with pytest.raises(DataError, match=r"(?s)MIMIC-CXR is not at.*split\.csv\.gz.*data list mimic_cxr"):
        list(mimic_cxr.load(tmp_path / "none", "train", text="findings"))


def test_published_counts_are_of_all_images_and_studies() -> None:
    assert sum(counts.samples for counts in mimic_cxr.CARD.splits.values() if counts) == 377_110
