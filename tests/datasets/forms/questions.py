"""Questions and answers in published forms."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from tests.datasets.forms.form import (
    QA,
    Form,
    Seen,
    asked,
    inside,
    picture,
    pictures,
    put,
    put_json,
    put_lines,
)

CHOICES = ("Lung", "Liver", "Heart", "Spleen")
CHOSEN = "What is shown?\nA: Lung\nB: Liver\nC: Heart\nD: Spleen"


def vqa_med(root: Path) -> None:
    pictures(root / "images", "0", "3", ending=".jpg")
    put(root / "QA.txt", "".join(f"{image}|{question}|{answer}\n" for image, question, answer in QA))


def vqa_med_several(root: Path) -> None:
    pictures(root / "images", "0", "3", ending=".jpg")
    put(root / "answers.txt", "0|yes|a mass\n3|left\n0|one|two|three, or four\n")


def vqa_v2(root: Path) -> None:
    pictures(root / "images", "0", "3", ending=".jpg")
    rows = [
        {
            "image": f"{image}.jpg", "question": question, "question_type": "what",
            "multiple_choice_answer": answer, "answer_type": "other",
            "answers": [
                {"answer": each, "answer_confidence": "yes", "answer_id": n}
                for n, each in enumerate(("other", answer, answer)[: 3 - number])
            ],
        }
        for number, (image, question, answer) in enumerate(QA)
    ]  # fmt: skip
    put_json(root / "train.json", rows)


def joined_answers(root: Path) -> None:
    pictures(root / "images", "0", "3")
    put(
        root / "train.csv",
        "image,question,answer\n0.png,Is there a mass?,yes|a mass\n3.png,Which side?,left\n",
    )


def pmc_vqa(root: Path) -> None:
    picture(root / "images/PMC1_1.jpg")
    choices = ",".join(f" {letter}:{text} " for letter, text in zip("ABCD", CHOICES, strict=True))
    header = "Figure_path,Caption,Question,Choice A,Choice B,Choice C,Choice D,Answer,split"
    put(root / "train.csv", f"{header}\nPMC1_1.jpg,A picture.,What is shown?,{choices},A,train\n")


def omnimedvqa(root: Path) -> None:
    picture(root / "Images/set/0.png")
    row = {
        "dataset": "set", "question_id": "set_0000", "question_type": "Anatomy Identification",
        "question": "What is shown?", "gt_answer": "Lung", "image_path": "Images/set/0.png",
        **{f"option_{letter}": text for letter, text in zip("ABCD", CHOICES, strict=True)},
        "modality_type": "CT",
    }  # fmt: skip
    put_json(root / "QA_information/Open-access/set.json", [row])


def medxpertqa(root: Path) -> None:
    picture(root / "images/MM-0-a.jpeg")
    picture(root / "images/MM-0-b.jpeg", 1)
    row = {
        "id": "MM-0", "question": "What is shown?", "label": "A",
        "options": dict(zip("ABCD", CHOICES, strict=True)),
        "images": ["MM-0-a.jpeg", "MM-0-b.jpeg"], "medical_task": "Diagnosis", "body_system": "Thoracic",
    }  # fmt: skip
    put_lines(root / "MM/test.jsonl", [row])


def vlmevalkit(root: Path) -> None:
    image = base64.b64encode(picture(root / "drawn.png").read_bytes()).decode()
    header = "index\timage\tquestion\tA\tB\tC\tD\tanswer\tcategory"
    put(root / "set.tsv", f"{header}\n0\t{image}\tWhat is shown?\t" + "\t".join(CHOICES) + "\tA\tOrgan\n")


def kvasir_vqa(root: Path) -> None:
    pictures(root / "images", "0", "3", ending=".jpg")
    rows = [f"instruments,{question},{answer},{image}" for image, question, answer in QA]
    put(root / "metadata.csv", "\n".join(["source,question,answer,img_id", *rows]) + "\n")


def mimic_ext_vqa(root: Path) -> None:
    pictures(root / "files/p10/p10000001/s50000001", "0", "3", ending=".jpg")
    rows: list[dict[str, Any]] = [
        {
            "split": "train", "idx": n, "subject_id": "10000001", "study_id": "50000001",
            "image_id": image,
            "image_path": f"p10/p10000001/s50000001/{image}.jpg", "question": question,
            "semantic_type": "verify", "content_type": "presence", "template": "Is there ${attribute}?",
            "template_program": "program_1", "template_arguments": {"object": {}}, "answer": [answer],
        }
        for n, (image, question, answer) in enumerate(QA)
    ]  # fmt: skip
    rows.append({**rows[0], "idx": 2, "question": "Which findings are there?", "answer": []})
    put_json(root / "train.json", rows)


def slake(root: Path) -> None:
    for number, (image, _, _) in enumerate(QA):
        picture(root / f"imgs/xmlab{image}/source.jpg", number)
    rows = [
        {
            "img_id": int(image), "img_name": f"xmlab{image}/source.jpg", "question": question,
            "answer": answer,
            "q_lang": "en", "location": "Lung", "modality": "CT", "answer_type": "OPEN", "base_type": "vqa",
            "content_type": "Organ", "triple": ["vhead", "_", "_"], "qid": n,
        }
        for n, (image, question, answer) in enumerate(QA)
    ]  # fmt: skip
    put_json(root / "train.json", rows)


def vqa_rad(root: Path) -> None:
    pictures(root / "images", "synpic0", "synpic3", ending=".jpg")
    rows = [
        {
            "qid": n, "image_name": f"synpic{image}.jpg", "image_organ": "CHEST", "question": question,
            "answer": answer, "answer_type": "OPEN", "question_type": "PRES", "phrase_type": "freeform",
        }
        for n, (image, question, answer) in enumerate(QA)
    ]  # fmt: skip
    put_json(root / "trainset.json", rows)


def hub_questions(root: Path, **columns: str) -> None:
    """Write Parquet with the pictures inside, as the hub's copies have it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    images = [
        {
            "bytes": picture(root.parent / f"{root.name}-drawn/{image}.png", seed).read_bytes(),
            "path": f"{image}.png",
        }
        for seed, (image, _, _) in enumerate(QA)
    ]
    table = {"image": images, "question": [q for _, q, _ in QA], "answer": [a for *_, a in QA]}
    (root / "data").mkdir(parents=True)
    pq.write_table(pa.table(table), root / "data/train-00000-of-00001.parquet")


def object_of_texts(root: Path) -> None:
    pictures(root / "images", "0", "3")
    rows = [
        {"U_id": f"c{n}", "image": f"{image}.png", "Description": {"Question": question, "Answer": answer}}
        for n, (image, question, answer) in enumerate(QA)
    ]
    put_lines(root / "train.jsonl", rows)


def records_below_a_key(root: Path) -> None:
    pictures(root / "images", "0", "3")
    rows = [{"qid": n, "image": f"{i}.png", "question": q, "answer": a} for n, (i, q, a) in enumerate(QA)]
    put(root / "questions.json", json.dumps({"info": {"version": "1"}, "data": rows}))


def list_of_objects(root: Path) -> None:
    pictures(root / "images", "0", "3")
    put_json(
        root / "questions.json",
        [{"qid": n, "image": f"{i}.png", "question": q, "answer": a} for n, (i, q, a) in enumerate(QA)],
    )


FORMS = {
    "VQA-RAD": Form(vqa_rad, asked(".jpg", "synpic")),
    "SLAKE": Form(slake, tuple(Seen((f"xmlab{i}/source.jpg",), q, (a,)) for i, q, a in QA)),
    "PathVQA, VQA-RAD and others on the hub": Form(hub_questions, inside()),
    "VQA-Med": Form(vqa_med, asked(".jpg")),
    "VQA-Med, several answers": Form(
        vqa_med_several,
        (
            Seen(("0.jpg",), "What is abnormal?", ("yes", "a mass")),
            Seen(("3.jpg",), "What is abnormal?", ("left",)),
            Seen(("0.jpg",), "What is abnormal?", ("one", "two", "three, or four")),
        ),
    ),
    "VQA v2": Form(
        vqa_v2,
        (
            Seen(("0.jpg",), "Is there a mass?", ("yes", "other")),
            Seen(("3.jpg",), "Which side?", ("left", "other")),
        ),
    ),
    "several answers, joined in a cell": Form(
        joined_answers,
        (Seen(("0.png",), "Is there a mass?", ("yes", "a mass")), Seen(("3.png",), "Which side?", ("left",))),
    ),
    "PMC-VQA": Form(pmc_vqa, (Seen(("PMC1_1.jpg",), CHOSEN, ("A",)),)),
    "OmniMedVQA": Form(omnimedvqa, (Seen(("Images/set/0.png",), CHOSEN, ("Lung",)),)),
    "MedXpertQA": Form(medxpertqa, (Seen(("MM-0-a.jpeg", "MM-0-b.jpeg"), CHOSEN, ("A",)),), split="test"),
    "VLMEvalKit's TSV": Form(vlmevalkit, (Seen((".png",), CHOSEN, ("A",)),)),
    "Kvasir-VQA": Form(kvasir_vqa, asked(".jpg")),
    "MIMIC-Ext-MIMIC-CXR-VQA": Form(mimic_ext_vqa, asked(".jpg"), left_out=1),
    "a JSON list of objects": Form(list_of_objects, asked()),
    "JSON, the list below a key": Form(records_below_a_key, asked()),
    "JSON Lines, objects inside": Form(object_of_texts, asked()),
}
