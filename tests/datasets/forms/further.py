"""Further published forms: questions, classes, captions and boxes, each with what is odd about it."""

from __future__ import annotations

from pathlib import Path

from tests.datasets.forms.form import BOX, QA, Form, Seen, asked, boxed, pictures, put, put_json, put_lines

WHAT = "What is shown?"


def quilt_vqa(root: Path) -> None:
    pictures(root / "images", "0", "3", ending=".jpg")
    rows = [
        {
            "image": f"{image}.jpg",
            "question": question,
            "answer": answer,
            "answer_type": "OPEN",
            "context": None,
        }
        for image, question, answer in QA
    ]
    put_lines(root / "quiltvqa_test.jsonl", rows)


def rexvqa(root: Path) -> None:
    pictures(root / "deid_png", "0", "1")
    row = {
        "study_id": "s1", "ImagePath": ["deid_png/0.png", "deid_png/1.png"], "question": WHAT,
        "options": ["A. Lung", "B. Liver"], "correct_answer": "A", "split": "train",
    }  # fmt: skip
    put_json(root / "train_vqa_data.json", {"q1": {"id": "q1", **row}, "q2": {"id": "q2", **row}})


def diff_vqa(root: Path) -> None:
    pictures(root / "images", "10", "11")
    put(
        root / "mimic_pair_questions.csv",
        "study_id,subject_id,ref_id,question_type,question,answer,split\n"
        "11,7,10,difference,what has changed?,there is edema now.,train\n",
    )


def vindr_mammo(root: Path) -> None:
    pictures(root / "images/s1", "0", "1")
    put(
        root / "finding_annotations.csv",
        "study_id,image_id,laterality,view_position,height,width,finding_categories,xmin,ymin,xmax,ymax,split\n"
        "s1,0,L,CC,480,640,\"['Mass', 'Suspicious Calcification']\",64.0,48.0,320.0,240.0,training\n"
        "s1,1,R,CC,480,640,['No Finding'],,,,,training\n",
    )


def ham10000(root: Path) -> None:
    pictures(root / "images", "ISIC_0", "ISIC_1", ending=".jpg")
    put(
        root / "HAM10000_metadata.csv",
        "lesion_id,image_id,dx,dx_type,age,sex,localization\n"
        "HAM_1,ISIC_0,bkl,histo,80.0,male,scalp\nHAM_2,ISIC_1,mel,histo,75.0,male,ear\n",
    )


def isic(root: Path) -> None:
    pictures(root / "images", "ISIC_0", "ISIC_1", ending=".jpg")
    put(root / "GroundTruth.csv", "image,MEL,NV\nISIC_0,1.0,0.0\nISIC_1,0.0,1.0\n")


def captions(root: Path) -> None:
    pictures(root / "images", "0", "1", ending=".jpg")
    put(root / "train.tsv", 'filepath\ttitle\nimages/0.jpg\tA "mass", left\nimages/1.jpg\tNormal.\n')


def shikra(root: Path) -> None:
    pictures(root / "images", "0")
    put_lines(
        root / "train.jsonl",
        [{"img_path": "0.png", "expression": "mass", "bbox": list(BOX), "height": 480, "width": 640}],
    )


FORMS = {
    "Quilt-VQA": Form(quilt_vqa, asked(".jpg")),
    "ReXVQA": Form(rexvqa, (Seen(("0.png", "1.png"), f"{WHAT}\nA: Lung\nB: Liver", ("A",)),) * 2),
    "Medical-Diff-VQA": Form(
        diff_vqa, (Seen(("11.png", "10.png"), "what has changed?", ("there is edema now.",)),)
    ),
    "VinDr-Mammo": Form(
        vindr_mammo,
        (boxed("0.png", "Mass"), boxed("0.png", "Suspicious Calcification")),
        left_out=1,
    ),
    "HAM10000": Form(
        ham10000,
        (
            Seen(("ISIC_0.jpg",), "Which lesion is it?", ("keratosis",)),
            Seen(("ISIC_1.jpg",), "Which lesion is it?", ("melanoma",)),
        ),
    ),
    "ISIC challenge": Form(
        isic,
        (
            Seen(("ISIC_0.jpg",), "Is it a melanoma?", ("yes",)),
            Seen(("ISIC_1.jpg",), "Is it a melanoma?", ("no",)),
        ),
    ),
    "OpenCLIP's captions": Form(
        captions, (Seen(("0.jpg",), "", ('A "mass", left',)), Seen(("1.jpg",), "", ("Normal.",)))
    ),
    "Shikra's expressions": Form(shikra, (boxed("0.png", "mass"),)),
}
