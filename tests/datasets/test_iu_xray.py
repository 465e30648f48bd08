from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pefomed.datasets import card, iu_xray, load_split, openi_xml
from pefomed.errors import DataError, RecipeError
from pefomed.files import safe_xml
from pefomed.recipe import Dataset
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Sample

WriteJson = Callable[[Path, Any], Path]

REPORTS = """\
uid,MeSH,Problems,image,indication,comparison,findings,impression
1,normal,normal,Chest PA and Lateral,Positive TB test,None.,"The  heart is XXXX, normal.",Normal x-XXXX.
2,Cardiomegaly/borderline,Cardiomegaly,"Chest, 2 views",Pain,,,Borderline cardiomegaly.
3,normal,normal,PA,,,Clear lungs.,
4,normal,normal,PA,,,No image.,
"""
PROJECTIONS = """\
uid,filename,projection
1,1_IM-0001-3001.dcm.png,Lateral
1,1_IM-0001-4001.dcm.png,Frontal
1,1_IM-0001-4002.dcm.png,Frontal
2,2_IM-0652-1001.dcm.png,Frontal
3,3_IM-1384-2001.dcm.png,Lateral
"""
XML = """\
<?xml version="1.0" encoding="utf-8"?>
<eCitation><meta type="rr"/><uId id="CXR1"/><MeSH><major>Cardiomegaly/mild</major><major>Other</major></MeSH>
<MedlineCitation><Article><Abstract>
<AbstractText Label="COMPARISON">None.</AbstractText>
<AbstractText Label="FINDINGS">The heart &amp; lungs
 are clear.</AbstractText>
<AbstractText Label="IMPRESSION"/>
</Abstract></Article></MedlineCitation>
<parentImage id="CXR1_1_IM-0001-3001"><caption>PA</caption><url>/hadoop/x.jpg</url></parentImage>
<parentImage id="CXR1_1_IM-0001-4001"/>
</eCitation>
"""


def load(
    root: Path, split: str = "train", text: str = "findings", **options: Any
) -> tuple[list[Sample], list[LeftOut]]:
    dataset = Dataset(loader="iu_xray", root=str(root), options={"text": text, **options})
    return load_split(dataset, split, root)


def all_train(root: Path, text: str = "findings", **more: Any) -> tuple[list[Sample], list[LeftOut]]:
    return load(root, "train", text, validate_share=0, test_share=0, **more)


@pytest.fixture
def r2gen(tmp_path: Path, write_json: WriteJson) -> Path:
    def item(name: str, split: str) -> dict[str, Any]:
        images = [f"{name}/0.png", f"{name}/1.png"]
        return {"id": name, "report": "The heart is normal. ", "image_path": images, "split": split}

    names = {"train": ["CXR2384_IM-0942"], "val": ["CXR1_IM-0001"], "test": ["CXR2_IM-0652"]}
    write_json(
        tmp_path / "annotation.json", {split: [item(name, split) for name in names[split]] for split in names}
    )
    return tmp_path


@pytest.fixture
def kaggle(tmp_path: Path) -> Path:
    (tmp_path / "indiana_reports.csv").write_text(REPORTS, encoding="utf-8")
    (tmp_path / "indiana_projections.csv").write_text(PROJECTIONS, encoding="utf-8")
    (tmp_path / "images/images_normalized").mkdir(parents=True)
    return tmp_path


def test_r2gen_has_its_own_split_and_two_views(r2gen: Path) -> None:
    ((sample,), left_out) = load(r2gen, "validate")
    assert not left_out
    assert sample.id == "iu_xray-validate-CXR1_IM-0001"
    assert sample.task == "report"
    assert sample.images == tuple(str(r2gen / "images/CXR1_IM-0001" / name) for name in ("0.png", "1.png"))
    assert (sample.reference, sample.meta) == ("The heart is normal.", {"study": "CXR1_IM-0001"})
    each, _ = load(r2gen, "test", views="each")
    # As the paper counts: 590 studies are 1,180 samples.
    assert [(sample.id, len(sample.images)) for sample in each] == [
        ("iu_xray-test-CXR2_IM-0652-0", 1), ("iu_xray-test-CXR2_IM-0652-1", 1),
    ]  # fmt: skip
    one, _ = load(r2gen, "test", views="one")
    assert one[0].images == (str(r2gen / "images/CXR2_IM-0652/0.png"),)


def test_what_of_the_report_has_to_be_said(r2gen: Path) -> None:
    with pytest.raises(RecipeError, match="needs the option 'text'"):
        load_split(Dataset(loader="iu_xray", root=str(r2gen)), "test", r2gen)
    with pytest.raises(RecipeError, match=r"(?s)findings only.*text = \"findings\""):
        load(r2gen, "test", "findings+impression")


def test_kaggle_views_sections_and_what_is_left_out(kaggle: Path) -> None:
    folder = kaggle / "images/images_normalized"
    samples, left_out = all_train(kaggle)
    assert [sample.meta["study"] for sample in samples] == ["1", "3"]
    first, third = samples
    # The first frontal image, then the lateral one; the second frontal one is not used.
    assert first.images == tuple(str(folder / f"1_IM-0001-{number}.dcm.png") for number in (4001, 3001))
    assert first.reference == "The heart is XXXX, normal."
    assert first.meta == {"study": "1", "condition": "normal"}
    assert third.images == (str(folder / "3_IM-1384-2001.dcm.png"),)
    assert [(row.reason, row.place.rsplit(", ", 1)[1]) for row in left_out] == [
        ("a report without findings", "line 3"), ("a report without an image", "line 5"),
    ]  # fmt: skip
    both, left_out = all_train(kaggle, "findings+impression", placeholders="drop", views="one")
    assert [sample.reference for sample in both] == [
        "The heart is, normal. Normal x-.", "Borderline cardiomegaly.", "Clear lungs.",
    ]  # fmt: skip
    assert [sample.meta["view"] for sample in both] == ["frontal", "frontal", "lateral"]
    assert both[1].meta["condition"] == "abnormal"
    assert len(left_out) == 1
    each, _ = all_train(kaggle, views="each")
    assert [sample.meta["view"] for sample in each] == ["lateral", "frontal", "frontal", "lateral"]


def test_the_layouts_without_a_split_are_split_by_study(tmp_path: Path) -> None:
    lines = [f"{uid},,normal,,,,Clear {uid}.,\n" for uid in range(100)]
    (tmp_path / "indiana_reports.csv").write_text(REPORTS.splitlines()[0] + "\n" + "".join(lines))
    views = [f"{uid},{uid}.png,Frontal\n" for uid in range(100)]
    (tmp_path / "indiana_projections.csv").write_text("uid,filename,projection\n" + "".join(views))
    splits = {
        split: {sample.meta["study"] for sample in load(tmp_path, split)[0]}
        for split in ("train", "validate", "test")
    }
    assert {split: len(found) for split, found in splits.items()} == {"train": 70, "validate": 10, "test": 20}
    assert len(set.union(*splits.values())) == 100
    other, _ = load(tmp_path, "test", split_seed=1)
    assert {sample.meta["study"] for sample in other} != splits["test"]


def test_openi_xml(tmp_path: Path) -> None:
    folder = tmp_path / "ecgen-radiology"
    folder.mkdir()
    (folder / "10.xml").write_text(XML, encoding="utf-8")
    (folder / "2.xml").write_text(XML.replace("CXR1_1", "CXR2_1"), encoding="utf-8")
    (tmp_path / "NLMCXR_png").mkdir()
    samples, _ = all_train(tmp_path)
    assert [sample.meta["study"] for sample in samples] == ["2", "10"]
    assert samples[1].reference == "The heart & lungs are clear."
    assert samples[1].images == tuple(
        str(tmp_path / "NLMCXR_png" / f"CXR1_1_IM-0001-{number}.png") for number in (3001, 4001)
    )
    assert samples[1].meta == {"study": "10", "condition": "abnormal"}
    with pytest.raises(DataError, match="empty"):
        all_train(tmp_path, "impression")


BOMB = """\
<?xml version="1.0"?><!DOCTYPE e [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>
<eCitation><AbstractText Label="FINDINGS">&b;</AbstractText></eCitation>"""
OUTSIDE = """\
<?xml version="1.0"?><!DOCTYPE e [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<eCitation><AbstractText Label="FINDINGS">&a;</AbstractText></eCitation>"""
SKIPPED = """\
<?xml version="1.0"?><!DOCTYPE e SYSTEM "http://example.org/e.dtd">
<eCitation><AbstractText Label="FINDINGS">&a;</AbstractText></eCitation>"""
PARAMETER = '<?xml version="1.0"?><!DOCTYPE e [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><e/>'


@pytest.mark.parametrize("text", [BOMB, OUTSIDE, SKIPPED, PARAMETER])
def test_entities_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "1.xml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"1\.xml has XML entities"):
        openi_xml.read_report(path)


@pytest.mark.parametrize(
    "data", [b"", b"<e>", b"<e></f>", b"\xff\xfe\x00", b"<?xml version='1.0' encoding='x'?><e/>"]
)
def test_damaged_xml_is_a_clear_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "1.xml"
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"1\.xml is not XML"):
        openi_xml.read_report(path)


def test_a_huge_report_a_missing_layout_and_an_escaping_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_json: WriteJson
) -> None:
    (tmp_path / "1.xml").write_text(XML)
    monkeypatch.setattr(safe_xml, "SIZE_LIMIT", 100)
    with pytest.raises(DataError, match="too large"):
        openi_xml.read_report(tmp_path / "1.xml")
    with pytest.raises(DataError, match=r"(?s)IU-Xray is not at.*R2Gen.*Kaggle.*Open-i.*found: 1\.xml"):
        load(tmp_path)
    item = {"id": "a", "report": "b", "image_path": ["../../c.png"]}
    write_json(tmp_path / "annotation.json", {"train": [item], "val": [], "test": []})
    with pytest.raises(DataError, match="'train', entry 1: a file name must stay inside"):
        load(tmp_path)
    write_json(tmp_path / "annotation.json", [item])
    with pytest.raises(DataError, match="lists train, val and test"):
        load(tmp_path)


def test_only_r2gens_split_has_published_counts(kaggle: Path) -> None:
    assert card("iu_xray") is iu_xray.CARD
    here = card("iu_xray", kaggle)
    assert here is not None
    assert here.splits == {"train": None, "validate": None, "test": None}
