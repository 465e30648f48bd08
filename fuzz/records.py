"""Files of published data sets, archives, records, recipes, weights, and what models and judges write."""

from __future__ import annotations

import functools
import io
import json
import pickle
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from fuzz.target import Target, each
from pefomed.boxes.grammar import may_end, may_go_on
from pefomed.boxes.marks import marked_phrases, without_marks
from pefomed.boxes.reading import read_boxes
from pefomed.datasets import load_split
from pefomed.datasets.openi_xml import read_report
from pefomed.endpoint.completion import completion
from pefomed.endpoint.failures import BadBody
from pefomed.files import jsonl
from pefomed.files.unzip import unzip
from pefomed.judges.parse import parse
from pefomed.judges.prompts import HIGHEST
from pefomed.recipe import Dataset, dumps, load, shipped
from pefomed.schema import Box, Prediction, Sample, Score, Verdict

VQA_RAD = [
    {"qid": 1, "image_name": "a.png", "image_organ": "CHEST", "question": "Is it?", "answer": "Yes",
     "answer_type": "CLOSED", "question_type": "PRES", "phrase_type": "freeform"},
]  # fmt: skip
SLAKE = [
    {"qid": 1, "img_id": 1, "img_name": "x/source.jpg", "question": "What?", "answer": "Lung", "q_lang": "en",
     "location": "Lung", "modality": "CT", "answer_type": "OPEN", "base_type": "vqa", "content_type": "Organ",
     "triple": ["vhead", "_", "_"]},
]  # fmt: skip
R2GEN = {
    "train": [{"id": "CXR1", "report": "The heart is normal.", "image_path": ["x/source.jpg"]}],
    "val": [], "test": [],
}  # fmt: skip
COCO = {
    "images": [{"id": 1, "file_name": "a.png", "width": 12, "height": 8, "path": "a.png"}],
    "categories": [{"id": 1, "name": "Edema"}],
    "annotations": [
        {"id": number, "image_id": 1, "category_id": 1, "bbox": box, "label_text": "mild", "split": "train"}
        for number, box in enumerate([[1, 1, 5, 4], [0, 0, 2.5, 1e0]])
    ],
}  # fmt: skip
OUTLINES = (
    [[1, 1, 5, 1, 5, 4.5]], {"size": [8, 12], "counts": [9, 5, 82]}, {"size": [8, 12], "counts": "95b2"},
    "9 5 3 5", "[[1, 1, 5, 1, 5, 4]]", "imgs/x/source.jpg",
)  # fmt: skip
MASK_COLUMN = {"mask": "mask", "runs": "gaps", "without": "absent"}
OUTLINED = COCO | {
    "annotations": [
        {"id": number, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 4], "segmentation": outline}
        for number, outline in enumerate(OUTLINES[:3])
    ]
}
PATH_VQA = [{"image": "a", "question": "Where is it?", "answer": "there"}] * 2
MEDRPG = [(17, 12, 1, "files/p10/a.jpg", [210, 251, 289, 240], 2544, 3056, "the heart is enlarged")]
XML = b"""<?xml version="1.0" encoding="utf-8"?><!DOCTYPE eCitation>
<eCitation><MeSH><major>normal</major></MeSH><AbstractText Label="FINDINGS">The heart &amp; lungs
</AbstractText><AbstractText Label="findings">more &#x41;</AbstractText><parentImage id="CXR1_1"/>
</eCitation>"""
TEXTS = (
    b"{<12><30><45><60>}<delim>{<0><0><100><100>}", b"The <p>liver</p>{0} and <p>kidneys</p>{1,2}.",
    b"The <p>liver</p>{<12> <30> <45><60.5>", b'{"label": 1}', b"```json\n{\"label\": 0}\n```", b"1",
    b"<think>...</think>I cannot",
    b'{"choices":[{"message":{"content":"1"},"finish_reason":"stop"}],"usage":{}}',
)  # fmt: skip
VALUES = (
    b"null", b"true", b"-1", b"0", b"1e999", b"NaN", b"9" * 400, b"9" * 5000, b"[]", b"{}", b'""',
    b'"\\ud800"', b'"../../a.png"', b'"/etc/passwd"', b'"a\\u0000b"', b"[" * 3000,
)  # fmt: skip


def _json(*values: Any) -> Callable[[], list[bytes]]:
    return lambda: [json.dumps(value).encode() for value in values]


def pickles() -> list[bytes]:
    """Return the pickles of both data sets that are published as such, of every protocol."""
    return [
        pickle.dumps(value, protocol)
        for value in (PATH_VQA, MEDRPG)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ]


def torch_zips() -> list[bytes]:
    """Return MedRPG's list as torch saves it, as a zip and as it was before."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(MEDRPG, 2))
    old = b"".join(pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001, {}, MEDRPG, []))
    return [packed.getvalue(), old]


def archives() -> list[bytes]:
    """Return zip archives of each compression."""
    made = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            archive.writestr("imgs/a.txt", b"a" * 50)
            archive.writestr("b/ü.txt", b"b")
        made.append(buffer.getvalue())
    return made


def records() -> list[bytes]:
    """Return a line of each of the record types."""
    box = Box(x0=0.1, y0=0.2, x1=0.5, y1=0.75)
    sample = Sample(
        id="1", images=("a.png",), task="refer", question="q", boxes=(box,), size=(3, 2), meta={"a": "b"}
    )
    answer = Prediction(sample_id="1", text="a", tokens=1, finish="stop", generation="greedy")
    verdict = Verdict(sample_id="1", rater="r", label=None, reason="refused")
    score = Score(metric="m", system="model", dataset="d", split="test", value=0.5, n=3, implementation="i")
    return [jsonl.lines([record, record]).encode() for record in (sample, answer, verdict, score)]


def recipes() -> list[bytes]:
    """Return recipes that are shipped, as they are and with every default spelled out."""
    paths = [shipped(name) for name in ("mini/demo", "mini/slake_grounding")]
    return [path.read_bytes() for path in paths] + [dumps(load(path)).encode() for path in paths]


def checkpoints() -> list[bytes]:
    """Return a `.pth` of a projector and one LoRA pair."""
    import torch

    layer = "llama_model.base_model.model.model.layers.0.self_attn.q_proj"
    names = ("llama_proj.weight", "llama_proj.bias", f"{layer}.lora_A.weight", f"{layer}.lora_B.weight")
    made = []
    for new in (True, False):
        buffer = io.BytesIO()
        tensors = {name: torch.zeros(2, 2, dtype=torch.float16) for name in names}
        torch.save({"model": tensors}, buffer, _use_new_zipfile_serialization=new)
        made.append(buffer.getvalue())
    return made


def _load(loader: str, **options: Any) -> Callable[[Path], None]:
    dataset = Dataset(loader=loader, root=".", options=options)
    return lambda folder: _loaded(dataset, folder)


def _loaded(dataset: Dataset, folder: Path) -> None:
    for name in ("a.png", "imgs/x/source.jpg", "files/p10/a.jpg"):
        if not (folder / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (12, 8)).save(folder / name)
    load_split(dataset, "train", folder)


def _slake_boxes(folder: Path) -> None:
    (folder / "train.json").write_text(json.dumps(SLAKE), encoding="utf-8")
    for read in (_load("slake_boxes", tasks=["refer", "grounding"]), _load("slake_captions")):
        read(folder)


def _both(*readers: Callable[[Path], None]) -> Callable[[Path], None]:
    """Return a reader of a folder by each of `readers`; it fails if none of them can."""

    def read(folder: Path) -> None:
        each([str(number) for number in range(len(readers))], lambda name: readers[int(name.name)](folder))(
            folder
        )

    return read


def _records(folder: Path) -> None:
    path = folder / "a.jsonl"
    kinds = {
        kind.__name__: functools.partial(jsonl.read, path, kind)
        for kind in (Sample, Prediction, Verdict, Score)
    }
    each(list(kinds), lambda name: list(kinds[name.name]()))(folder)


def _texts(folder: Path) -> None:
    text = (folder / "a.txt").read_text(encoding="utf-8", errors="replace")
    read_boxes(text)
    without_marks(text)
    may_go_on(text, 100)
    may_end(text, 100)
    boxes = (Box(x0=0, y0=0, x1=1, y1=1),) * 3
    marked_phrases(Sample(id="1", images=("a",), task="grounding", reference=text, boxes=boxes, size=(2, 2)))


def _replies(folder: Path) -> None:
    text = (folder / "a.txt").read_text(encoding="utf-8", errors="replace")
    bodies = (text, json.dumps({"choices": [{"message": {"content": text}}]}))
    for body in bodies:
        try:
            reply = completion(body)
        except BadBody:
            continue
        for scale in HIGHEST:
            parse(reply, scale)


def _weights(folder: Path) -> None:
    from pefomed.models.legacy import import_legacy

    import_legacy(folder / "a.pth")


def _medrpg(seeds: Callable[[], Sequence[bytes]]) -> Target:
    return Target(("MS_CXR_train.pth",), _load("ms_cxr_medrpg"), seeds)


TARGETS = {
    "vqa_rad": Target(("trainset.json",), _load("vqa_rad"), _json(VQA_RAD), words=VALUES),
    "slake": Target(("train.json",), _load("slake", language="both"), _json(SLAKE), words=VALUES),
    "slake_boxes": Target(
        ("imgs/x/detection.json",), _slake_boxes,
        _json([{"Lung": [1, 1, 5, 4]}, {"Heart": [0, 0, 2.5, 1e0]}]), words=VALUES,
    ),
    "iu_xray": Target(
        ("annotation.json",), _load("iu_xray", text="findings", layout="r2gen"), _json(R2GEN), words=VALUES
    ),
    "coco": Target(
        ("train.json", "MS_CXR_Local_Alignment_v1.json"), _both(_load("coco"), _load("ms_cxr")),
        _json(COCO, OUTLINED),
        words=VALUES,
    ),
    "masks_of_table": Target(
        ("train.json",),
        _load("table", columns={"question": "say"}, boxes=MASK_COLUMN),
        _json(*([{"image": "a.png", "say": "mass", "mask": outline}] for outline in OUTLINES)), words=VALUES,
    ),
    "xml": Target(("a.xml",), lambda folder: read_report(folder / "a.xml"), lambda: [XML], words=(
        b'<!DOCTYPE a [<!ENTITY x "y">]>', b"&x;", b'<!ENTITY x SYSTEM "/etc/passwd">', b'encoding="utf-7"',
    )),
    "pickle": Target(("qas/train/train_qa.pkl",), _load("path_vqa"), lambda: pickles()[:6], words=(
        b"cos\nsystem\n", b"R.", b"2\x86", b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7f", b"I9\n",
    )),
    "torch_pickle": _medrpg(torch_zips),
    "zip": Target(("a.zip",), lambda folder: unzip(folder / "a.zip", folder / "out"), archives),
    "records": Target(("a.jsonl",), _records, records, words=VALUES),
    "recipe": Target(("a.toml",), lambda folder: load(folder / "a.toml"), recipes, VALUES),
    "boxes": Target(("a.txt",), _texts, lambda: TEXTS[:3]),
    "replies": Target(("a.txt",), _replies, lambda: TEXTS[3:], words=VALUES),
    "weights": Target(("a.pth",), _weights, checkpoints),
}  # fmt: skip
