"""Small files in the true form of published sets, read by a mapping alone; values are invented."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pefomed.datasets import load_split
from pefomed.errors import DataError
from pefomed.recipe import Dataset
from pefomed.schema import Sample


def lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def read(
    folder: Path, name: str, text: str, split: str = "train", loader: str = "table", **options: Any
) -> tuple[list[Sample], dict[str, int]]:
    """Return the samples and how many rows are left out for which reason."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    samples, left_out = load_split(Dataset(loader=loader, root=name, options=options), split, folder)
    return samples, Counter(each.reason for each in left_out)


def seen(sample: Sample, folder: Path) -> tuple[list[str], str, tuple[str, ...]]:
    return [str(Path(i).relative_to(folder)) for i in sample.images], sample.question, sample.references


TEXTS: dict[str, tuple[str, str, dict[str, Any], list[tuple[list[str], str, tuple[str, ...]]]]] = {
    "ImageCLEF VQA-Med, no header, no ending": (
        "QA.txt", "synpic123|what is shown?|mr, flair\nsynpic7|is it normal?|no\n",
        {"header": ["image", "question", "answer"], "columns": {"image": "Images/{image}.jpg"}},
        [(["Images/synpic123.jpg"], "what is shown?", ("mr, flair",)),
         (["Images/synpic7.jpg"], "is it normal?", ("no",))],
    ),
    "VQA-Med 2020, several answers": (
        "several.txt", "synpic1|yes|a mass\nsynpic2|left|on the left\n",
        {"header": ["image", "answer", "answer_2"],
         "columns": {"image": "{image}.jpg", "question": {"constant": "What is abnormal in the image?"}}},
        [(["synpic1.jpg"], "What is abnormal in the image?", ("yes", "a mass")),
         (["synpic2.jpg"], "What is abnormal in the image?", ("left", "on the left"))],
    ),
    "PMC-VQA": (
        "train.csv",
        "index,Figure_path,Caption,Question,Choice A,Choice B,Choice C,Choice D,Answer,split\n"
        "0,PMC1_Fig1.jpg,A CT.,What is shown?,A:Lung ,B:Liver ,C:Heart ,D:Brain ,A,train\n",
        {"images": "images", "columns": {
            "image": "Figure_path", "question": "Question", "answer": "Answer",
            "choices": ["Choice A", "Choice B", "Choice C", "Choice D"]}},
        [(["images/PMC1_Fig1.jpg"], "What is shown?\nA: Lung\nB: Liver\nC: Heart\nD: Brain", ("A",))],
    ),
    "OmniMedVQA": (
        "ACRIMA.json",
        json.dumps([{"dataset": "ACRIMA", "question_id": "ACRIMA_0000", "question_type": "Anatomy",
                     "question": "Which organ?", "gt_answer": "Eye", "image_path": "Images/ACRIMA/a.png",
                     "option_A": "Eye", "option_B": "Ear", "option_C": "Lung", "option_D": "Skin",
                     "modality_type": "Fundus"}]),
        {"columns": {"image": "image_path", "answer": "gt_answer", "id": "question_id",
                     "choices": ["option_A", "option_B", "option_C", "option_D"], "meta": ["modality_type"]}},
        [(["Images/ACRIMA/a.png"], "Which organ?\nA: Eye\nB: Ear\nC: Lung\nD: Skin", ("Eye",))],
    ),
    "MIMIC-Diff-VQA, two studies a question": (
        "mimic_pair_questions.csv",
        "study_id,subject_id,ref_id,question_type,question,answer,split\n"
        "502,100123,501,difference,what has changed?,\"nothing, it is stable\",train\n",
        {"columns": {"image": ["p{subject_id:.2}/p{subject_id}/s{ref_id}.jpg",
                               "p{subject_id:.2}/p{subject_id}/s{study_id}.jpg"], "meta": ["question_type"]}},
        [(["p10/p100123/s501.jpg", "p10/p100123/s502.jpg"], "what has changed?", ("nothing, it is stable",))],
    ),
    "questions inside objects": (
        "nested.jsonl",
        lines({"U_id": "c0", "image": "0.png",
               "Description": {"Question": "Is there a mass?", "Answer": "yes"}}),
        {"columns": {"question": "Description.Question", "answer": "Description.Answer", "id": "U_id"}},
        [(["0.png"], "Is there a mass?", ("yes",))],
    ),
    "PubMedVision, a list of images and turns": (
        "PubMedVision.json",
        json.dumps([{"id": "r_1", "image": ["images/pmc_1.jpg", "images/pmc_2.jpg"], "modality": "CT",
                     "conversations": [{"from": "human", "value": "What is it?"},
                                       {"from": "gpt", "value": "A cyst."}]}]),
        {"columns": {"question": "conversations.0.value", "answer": "conversations.1.value"}},
        [(["images/pmc_1.jpg", "images/pmc_2.jpg"], "What is it?", ("A cyst.",))],
    ),
    "Kvasir-VQA-x1, an id without ending": (
        "x1.jsonl",
        lines({"img_id": "cla820gl5", "complexity": 1, "question": "Any polyp?", "answer": "no polyp seen",
               "original": '[{"q": "Are there polyps?", "a": "no"}]', "question_class": ["polyp_count"]}),
        {"columns": {"image": "images/{img_id}.jpg", "further": ["original.0.a"], "meta": ["complexity"]}},
        [(["images/cla820gl5.jpg"], "Any polyp?", ("no polyp seen", "no"))],
    ),
    "class numbers": (
        "labels.csv", "file,Target\na.png,1\nb.png,0\n",
        {"columns": {"image": "file", "question": {"constant": "Is there an opacity?"},
                     "answer": {"column": "Target", "words": {"0": "no", "1": "yes"}}}},
        [(["a.png"], "Is there an opacity?", ("yes",)), (["b.png"], "Is there an opacity?", ("no",))],
    ),
    "IU-Xray-like reports, several images": (
        "reports.csv",
        "study_id,findings,impression,view,path\n1,Clear lungs.,Normal.,frontal,0.png\n"
        "1,Clear lungs.,Normal.,lateral,1.png\n2,,Effusion.,frontal,2.png\n",
        {"task": "report", "columns": {
            "image": "path", "answer": ["findings", "impression"],
            "group_by": "study_id", "role": "view", "roles": ["lateral", "frontal"]}},
        [(["1.png", "0.png"], "", ("Clear lungs. Normal.",)), (["2.png"], "", ("Effusion.",))],
    ),
    "CheXpert Plus": (
        "df_chexpert_plus.csv",
        "path_to_image,frontal_lateral,deid_patient_id,patient_report_date_order,section_findings,"
        "section_impression,split\n"
        "train/patient1/study1/view1_frontal.jpg,Frontal,patient1,1,,1. Clear.,train\n"
        "train/patient1/study1/view2_lateral.jpg,Lateral,patient1,1,,1. Clear.,train\n"
        "train/patient1/study2/view1_frontal.jpg,Frontal,patient1,2,Big heart.,Cardiomegaly.,train\n",
        {"task": "report", "images": "PNG", "columns": {
            "image": "path_to_image", "answer": ["section_findings", "section_impression"],
            "group_by": ["deid_patient_id", "patient_report_date_order"], "joined_by": "\n"}},
        [(["PNG/train/patient1/study1/view1_frontal.jpg", "PNG/train/patient1/study1/view2_lateral.jpg"], "",
          ("1. Clear.",)),
         (["PNG/train/patient1/study2/view1_frontal.jpg"], "", ("Big heart.\nCardiomegaly.",))],
    ),
    "ReXGradient-160K, a list of images in text": (
        "train.csv",
        'id,PatientID,ImagePath,Findings,Impression\ns1,p1,"[\'a/1.png\', \'a/2.png\']",Clear.,Normal.\n',
        {"task": "report", "columns": {"image": "ImagePath", "answer": ["Findings", "Impression"]}},
        [(["a/1.png", "a/2.png"], "", ("Clear. Normal.",))],
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", TEXTS)
def test_questions_and_reports(tmp_path: Path, form: str) -> None:
    name, text, options, expected = TEXTS[form]
    samples, left_out = read(tmp_path, name, text, **options)
    assert [seen(sample, tmp_path) for sample in samples] == expected
    assert not left_out


# Of 640 x 480: x 64, y 48, width 256, height 192.
BOX = (0.1, 0.1, 0.5, 0.5)
PIXEL = {"form": "xywh", "unit": "pixel"}

BOXES: dict[str, tuple[str, str, dict[str, Any], list[tuple[str, str, int]], dict[str, int]]] = {
    "NIH ChestX-ray14": (
        "BBox_List_2017.csv",
        "Image Index,Finding Label,Bbox [x,y,w,h],,,\n0.png,Mass,64.0,48,256,192,,,\n",
        {"columns": {"image": "Image Index", "question": "Finding Label"},
         "boxes": {"columns": ["Bbox [x", "y", "w", "h]"], **PIXEL}},
        [("0.png", "Mass", 1)], {},
    ),
    "RSNA pneumonia": (
        "stage_2_train_labels.csv",
        "patientId,x,y,width,height,Target\n0,64.0,48.0,256.0,192.0,1\n1,,,,,0\n",
        {"columns": {"image": "{patientId}.png", "question": {"constant": "lung opacity"}},
         "boxes": {"columns": ["x", "y", "width", "height"], **PIXEL},
         "skip": [{"column": "Target", "is": 0}]},
        [("0.png", "lung opacity", 1)], {"Target is 0": 1},
    ),
    "VinDr-CXR": (
        "train.csv",
        "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\n0,Mass,9,R1,64,48,320,240\n"
        "1,No finding,14,R1,,,,\n1,No finding,14,R2,,,,\n",
        {"columns": {"image": "{image_id}.png", "question": "class_name"},
         "boxes": {"columns": ["x_min", "y_min", "x_max", "y_max"], "form": "xyxy", "unit": "pixel",
                   "reader": ""},
         "skip": [{"column": "class_name", "is": "No finding"}]},
        [("0.png", "Mass", 1)], {"class_name is No finding": 2},
    ),
    "hub detection columns": (
        "metadata.jsonl",
        lines(
            {"file_name": "0.png", "objects": {
                "bbox": [[64, 48, 256, 192], [0, 0, 64, 48], [320, 240, 320, 240]],
                "category": ["mass", "cyst", "mass"]}},
            {"file_name": "1.png", "objects": {"bbox": [], "category": []}}),
        {"columns": {"image": "file_name", "question": "objects.category"},
         "boxes": {"columns": ["objects.bbox"], **PIXEL}},
        [("0.png", "mass", 2), ("0.png", "cyst", 1)], {"an image without annotations": 1},
    ),
    "hub detection, a list of objects": (
        "metadata.jsonl",
        lines({"file_name": "0.png", "objects": [{"bbox": [64, 48, 256, 192], "label": 1},
                                                 {"bbox": [0, 0, 64, 48], "label": 0}]}),
        {"columns": {"image": "file_name",
                     "question": {"column": "objects.label", "words": {"0": "cyst", "1": "mass"}}},
         "boxes": {"columns": ["objects.bbox"], **PIXEL}},
        [("0.png", "mass", 1), ("0.png", "cyst", 1)], {},
    ),
    "lists of sides": (
        "a.jsonl",
        lines({"image": "0.png", "labels": ["mass", "cyst"], "x": [64, 0], "y": [48, 0], "w": [256, 64],
               "h": [192, 48], "id": "i1"}),
        {"columns": {"question": "labels"}, "boxes": {"columns": ["x", "y", "w", "h"], **PIXEL}},
        [("0.png", "mass", 1), ("0.png", "cyst", 1)], {},
    ),
    "a value left out of lists": (
        "a.jsonl",
        lines({"image": "0.png", "o": {"b": [[64, 48, 256, 192], [0, 0, 64, 48]], "c": ["mass", "rib"]}}),
        {"columns": {"question": "o.c"}, "boxes": {"columns": ["o.b"], **PIXEL},
         "skip": [{"column": "o.c", "is": ["rib", "heart"]}]},
        [("0.png", "mass", 1)], {"o.c is rib or heart": 1},
    ),
}  # fmt: skip


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    for number in range(2):
        Image.new("L", (640, 480), number).save(tmp_path / f"{number}.png")
    return tmp_path


@pytest.mark.parametrize("form", BOXES)
def test_boxes(pictures: Path, form: str) -> None:
    name, text, options, expected, gone = BOXES[form]
    samples, left_out = read(pictures, name, text, **options)
    assert [(Path(s.images[0]).name, s.question, len(s.boxes)) for s in samples] == expected
    first = samples[0].boxes[0]
    assert (first.x0, first.y0, first.x1, first.y1) == pytest.approx(BOX)
    assert left_out == gone
    assert len({sample.id for sample in samples}) == len(samples)


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        ({"bbox": [[1, 2, 3, 4]], "category": ["a", "b"]}, "lists of the same length.*bbox: 1.*category: 2"),
        ({"bbox": None, "category": ["a"]}, "lists of the same length"),
        ({"bbox": "x", "category": ["a"]}, "is a list, and the boxes are not"),
    ],
)
def test_lists_that_do_not_fit(pictures: Path, objects: dict[str, Any], words: str) -> None:
    columns = {"question": "objects.category"}
    boxes = {"columns": ["objects.bbox"], **PIXEL}
    with pytest.raises(DataError, match=f"(?s)line 1: .*{words}"):
        read(pictures, "a.jsonl", lines({"image": "0.png", "objects": objects}), columns=columns, boxes=boxes)


def test_the_hub_reads_what_a_table_reads(pictures: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    image = {"bytes": (pictures / "0.png").read_bytes(), "path": None}
    rows = [
        {"image": image, "study": "1", "objects": {"bbox": [BOX_PIXELS, [0, 0, 64, 48]], "category": [1, 0]}},
        {"image": image, "study": "2", "objects": {"bbox": [], "category": []}},
    ]
    for number, row in enumerate(rows):
        path = pictures / "hub" / "data" / f"train-0000{number}-of-00002.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        parquet.write_table(pyarrow.Table.from_pylist([row]), path)
    options = {
        "columns": {
            "question": {"column": "objects.category", "words": {"0": "cyst", "1": "mass"}},
            "meta": ["study"],
        },
        "boxes": {"columns": ["objects.bbox"], **PIXEL},
        "only_split": "test",
    }
    dataset = Dataset(loader="hugging_face", root="hub", options=options)
    samples, left_out = load_split(dataset, "test", pictures)
    assert [(sample.question, len(sample.boxes), sample.meta["study"]) for sample in samples] == [
        ("mass", 1, "1"), ("cyst", 1, "1"),
    ]  # fmt: skip
    assert [each.reason for each in left_out] == ["an image without annotations"]
    assert Path(samples[0].images[0]).read_bytes() == image["bytes"]
    # A study goes over the files of a split.
    options = {
        "task": "report",
        "columns": {"answer": {"constant": "Clear."}, "group_by": {"constant": "all"}},
    }
    dataset = Dataset(loader="hugging_face", root="hub", options=options)
    [study], _ = load_split(dataset, "train", pictures)
    assert len(study.images) == 1  # the same picture twice


BOX_PIXELS = [64, 48, 256, 192]
