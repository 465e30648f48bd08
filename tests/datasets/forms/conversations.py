"""Conversations about images, as other trainers read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.datasets.forms.form import QA, Form, Seen, asked, pictures, put_json, put_lines


def llava(root: Path, key: str = "conversations") -> None:
    pictures(root / "images", "0", "3")
    rows: list[Any] = [
        {
            "id": str(n), "image": f"{image}.png",
            key: [{"from": "human", "value": f"<image>\n{question}"}, {"from": "gpt", "value": answer}],
        }
        for n, (image, question, answer) in enumerate(QA)
    ]  # fmt: skip
    put_json(root / "train.json", rows)


def llava_med(root: Path) -> None:
    llava(root, "conversatons")  # so it is published


def sharegpt(root: Path) -> None:
    pictures(root / "images", "0", "3")
    rows = [
        {
            "images": [f"images/{image}.png"],
            "conversations": [
                {"from": "human", "value": f"<image>{question}"},
                {"from": "gpt", "value": answer},
            ],
        }
        for image, question, answer in QA
    ]
    put_json(root / "train.json", rows)


def trl(root: Path) -> None:
    pictures(root / "images", "0", "3")
    rows = [
        {
            "images": [f"{image}.png"],
            "messages": [
                {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]},
                {"role": "assistant", "content": [{"type": "text", "text": answer}]},
            ],
        }
        for image, question, answer in QA
    ]
    put_lines(root / "train.jsonl", rows)


def several_answers(root: Path) -> None:
    pictures(root, "0", "3")
    rows = [
        {
            "images": [f"{image}.png"],
            "messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}],
            "answers": [answer, "other"][: 2 - number],
        }
        for number, (image, question, answer) in enumerate(QA)
    ]
    put_lines(root / "train.jsonl", rows)


def swift(root: Path) -> None:
    pictures(root / "images", "0", "3")
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"<image>{question}"},
                {"role": "assistant", "content": answer},
            ],
            "images": [f"images/{image}.png"],
        }
        for image, question, answer in QA
    ]
    put_lines(root / "train.jsonl", rows)


def llama_factory(root: Path) -> None:
    pictures(root / "mllm_data", "0", "3")
    rows = [
        {
            "messages": [
                {"content": f"<image>{question}", "role": "user"},
                {"content": answer, "role": "assistant"},
            ],
            "images": [f"mllm_data/{image}.png"],
        }
        for image, question, answer in QA
    ]
    put_json(root / "mllm_demo.json", rows)


FORMS = {
    "LLaVA": Form(llava, asked()),
    "LLaVA-Med": Form(llava_med, asked()),
    "ShareGPT": Form(sharegpt, asked()),
    "TRL messages": Form(trl, asked()),
    "messages, several answers": Form(
        several_answers,
        (Seen(("0.png",), "Is there a mass?", ("yes", "other")), Seen(("3.png",), "Which side?", ("left",))),
    ),
    "ms-swift": Form(swift, asked()),
    "LlamaFactory": Form(llama_factory, asked()),
}
