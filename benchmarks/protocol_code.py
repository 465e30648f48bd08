"""Runs the code of papers and harnesses on answers and prints its figures as JSON.

`benchmarks.protocols` runs it with the Python of another environment; it imports nothing of this project.
What the code imports and does not use here (torch, image libraries, clients of endpoints) is stood in for.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import sys
import types
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]
"""`question`, `reference`, `answer`, `answer_type`, `language`, and a judge's `label`, 1 or 0."""


def main() -> None:
    name, folder = sys.argv[1], Path(sys.argv[2])
    rows = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):
        found = CODE[name](folder, rows)
    print(json.dumps(found))


def pefomed(folder: Path, rows: Rows) -> dict[str, float]:
    module = _file(folder / "pefomed/common/medvqa_tools/vqa_eval.py")

    class Answers:
        def __init__(self, key: str):
            self.qa = {
                place: {"answer": row[key], "question_type": "", "answer_type": row["answer_type"]}
                for place, row in enumerate(rows)
            }

        def getQuesIds(self) -> list[int]:
            return list(self.qa)

    measured = module.MedVQAEval(Answers("reference"), Answers("answer"), n=6)
    measured.evaluate()
    kinds = measured.accuracy["perAnswerType"]
    return {"overall": measured.accuracy["overall"], "open": kinds["OPEN"], "closed": kinds["CLOSED"]}


def llava_med(folder: Path, rows: Rows) -> dict[str, float]:
    sys.path.insert(0, str(folder / "llava/eval"))
    gt = [
        {"answer_type": row["answer_type"], "conversations": [{}, {"value": row["reference"]}]}
        for row in rows
    ]
    predicted = [{"text": row["answer"], "question_id": place} for place, row in enumerate(rows)]
    found = {}
    for script, names in (
        ("run_eval_batch", {"recall": "open", "yes/no accuracy": "closed"}),
        ("run_eval", {"yes/no accuracy": "printed closed"}),
    ):
        module = importlib.import_module(script)
        kept: list[Any] = []
        module.tabulate = lambda table, headers, kept=kept: kept.extend(table)
        module.evaluate(gt, predicted, {"0": [row["reference"] for row in rows]})
        found |= {names[name]: value for name, value in kept if name in names}
    return found


def lmms_eval(folder: Path, rows: Rows) -> dict[str, float]:
    module = _file(folder / "lmms_eval/tasks/slake/utils.py")
    found = {}
    for language in ("en", "zh"):
        mine = [row for row in rows if row["language"] == language]
        if not mine:
            continue
        records = [
            module.slake_process_results(
                {"answer": row["reference"], "q_lang": language, "answer_type": row["answer_type"]},
                [row["answer"]],
            )["slake_accuracy"]
            for row in mine
        ]
        found |= {
            f"{language} overall": 100 * module.slake_aggregate_accuracy(records),
            f"{language} open": 100 * module.slake_aggregate_open_accuracy(records),
            f"{language} closed": 100 * module.slake_aggregate_closed_accuracy(records),
        }
    return found


def vlmevalkit(folder: Path, rows: Rows) -> dict[str, float]:
    smp = types.ModuleType("vlmeval.smp")
    misc = (folder / "vlmeval/smp/misc.py").read_text(encoding="utf-8")
    begin = misc.index("def process_punctuation")
    exec(misc[begin : misc.index("\ndef ", begin + 1)], smp.__dict__)
    smp.__dict__.update(istype=lambda *_: False, listinstr=lambda *_: False)
    sys.modules["vlmeval"] = types.ModuleType("vlmeval")
    sys.modules["vlmeval.smp"] = smp
    module = _file(folder / "vlmeval/dataset/utils/vqa_eval.py")
    lines = [{"answer": row["reference"], "prediction": row["answer"]} for row in rows]
    found = {}
    for name, method in (("overall", "default"), ("printed overall", "vqa_score")):
        hits = module.hit_calculate([module.process_line(line, method) for line in lines], "mine")
        found[name] = 100 * sum(map(float, hits)) / len(hits)
    return found


def medevalkit(folder: Path, rows: Rows) -> dict[str, float]:
    os.environ.setdefault("openai_api_key", "none")
    sys.path.insert(0, str(folder))
    name = "SLAKE" if any(row["data"] == "slake" for row in rows) else "VQA_RAD"
    module = importlib.import_module(f"utils.{name}.{name}")
    found = {}
    for judged in (False, True):
        os.environ["use_llm_judge"] = str(judged)  # noqa: SIM112  as the kit calls it
        asked = (
            rows
            if name == "SLAKE"
            else [r for r in rows if r["reference"].lower().strip() not in ("yes", "no")]
        )
        labels = [f"<judge>{0 if row['label'] else 1}</judge>" for row in asked]
        module.judger = types.SimpleNamespace(generate_outputs=lambda _, labels=labels: labels)
        samples = [
            {
                "response": row["answer"], "answer": row["reference"], "question": row["question"],
                "lang": row["language"], "answer_type": row["answer_type"],
            }
            for row in rows
        ]  # fmt: skip
        kit = getattr(module, name)
        metrics, _ = kit.cal_metrics(object.__new__(kit), samples)
        prefix = "judged " if judged else ""
        for ours, theirs in (("overall", "total metrics"), ("open", "open"), ("closed", "close")):
            found[prefix + ours] = 100 * metrics[theirs]["acc"]
    return found


CODE = {
    "jinlHe/PeFoMed": pefomed,
    "microsoft/LLaVA-Med": llava_med,
    "EvolvingLMMs-Lab/lmms-eval": lmms_eval,
    "open-compass/VLMEvalKit": vlmevalkit,
    "alibaba-damo-academy/MedEvalKit": medevalkit,
}
"""Repository -> what runs its code."""


class _Anything(types.ModuleType):
    """Stands in for a module that is imported and not used here."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Anything(name)

    def __call__(self, *_: Any, **__: Any) -> Any:
        return _Anything("called")


def _file(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    for unused in ("torch", "PIL", "PIL.Image", "datasets", "openai", "tenacity", "huggingface_hub"):
        sys.modules[unused] = _Anything(unused)
    main()
