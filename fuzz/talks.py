"""Conversations: LLaVA, ShareGPT, messages in their several forms, as a list and as lines."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from fuzz.target import Target, each
from pefomed.datasets import load_samples
from pefomed.recipe import Dataset

_SAID = [{"role": "user", "content": "<image>\nq?"}, {"role": "assistant", "content": "a"}]
_WORDS = (
    b"null", b"[]", b"{}", b'""', b"3", b'"../b.png"', b'"<image>"', b'"<|image_9|>"', b'"data:;base64,"',
    b'{"type":"image"}', b'{"bytes":"x","path":3}', b'"system"', b'[["a"]]', b'{"url":{}}', b'"\\ud800"',
)  # fmt: skip
_OPTIONS: tuple[dict[str, Any], ...] = (
    {"columns": {"meta": ["id"], "id": "id"}},
    {"turns": "history", "system": "before"},
    {"skip": ["no image", "image count", "wrong order", "empty answer"], "turns": "first"},
)


def _records() -> list[dict[str, Any]]:
    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, "PNG")
    text = base64.b64encode(buffer.getvalue()).decode()
    url = f"data:image/png;base64,{text}"
    parts = [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "image", "source": {"type": "base64", "data": text}},
        {"type": "text", "text": "q?"},
    ]
    talk = [{"from": "human", "value": "<|image_1|>q?"}, {"from": "gpt", "value": "a"}]
    records: list[dict[str, Any]] = [
        {"image": "a.png", "conversations": talk, "system": "s"},
        {"images": ["a.png", {"path": "b.png"}], "messages": [{"role": "user", "content": "q?"}, _SAID[1]]},
        {"messages": [_SAID[0] | {"content": parts}, _SAID[1], _SAID[0] | {"content": "r?"}, _SAID[1]]},
        {"prompt": _SAID[:1], "completion": _SAID[1:], "image": "a.png", "split": "train"},
        {"query": "q?", "response": "a", "history": [["<img>a.png</img>q?", "a"]]},
        {"messages": json.dumps(_SAID), "images": '["a.png"]', "further_answers": ["b"], "objects": {}},
    ]  # fmt: skip
    return [{"id": str(number), **record} for number, record in enumerate(records)]


def _lists() -> Sequence[bytes]:
    return [json.dumps(_records()).encode(), *(json.dumps([record]).encode() for record in _records())]


def _lines() -> Sequence[bytes]:
    return [b"".join(json.dumps(record).encode() + b"\n" for record in _records())]


def _read(path: Path) -> None:
    datasets = [Dataset(loader="conversations", root=path.name, options=options) for options in _OPTIONS]
    each([str(number) for number in range(len(datasets))], lambda name: load_samples(
        datasets[int(name.name)], "train", path.parent
    ))(path.parent)  # fmt: skip


TARGETS = {
    "conversations": Target(("a.json",), each(("a.json",), _read), _lists, _WORDS),
    "conversation_lines": Target(("a.jsonl",), each(("a.jsonl",), _read), _lines, _WORDS),
}
