"""Paths that no file system takes: one error of ours from every function that a user gives a path."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pefomed
from pefomed.agreement import write_agreement
from pefomed.audit.show import contact_sheet
from pefomed.cli import main
from pefomed.datasets import load_samples, load_split, stream_samples
from pefomed.deidentify import import_folder
from pefomed.deidentify.convert import ImportSettings
from pefomed.errors import PefomedError
from pefomed.evaluation.compare import compare_runs
from pefomed.files import jsonl
from pefomed.images.images import content_hash, image_size, open_image
from pefomed.outside.run import outside_run
from pefomed.proposals import propose
from pefomed.raters import open_session
from pefomed.recipe import Dataset
from pefomed.report import write_reports
from pefomed.schema import Sample
from pefomed.workflow import pipeline

PATHS = {"name": Path("x" * 300), "below": Path("x" * 300, "a.csv"), "deep": Path(*["y" * 200] * 25)}
"""A name of more than 255 bytes, something below it, and a path of more than 4,096 of short names."""

TABLE = Dataset(loader="table", root="t.csv")

CALLS: dict[str, Callable[[Path], Any]] = {
    "run": lambda path: pefomed.run(path),
    "run into": lambda path: pefomed.run(Path("mini/demo"), path),
    "check": lambda path: pefomed.check(path),
    "load": lambda path: pefomed.load(path),
    "load_recipe": lambda path: pefomed.load_recipe(path),
    "evaluate_run": lambda path: pefomed.evaluate_run(path),
    "write_report": lambda path: pefomed.write_report(path),
    "write_reports": lambda path: write_reports([path, path]),
    "train": lambda path: pipeline.train(path),
    "demo": lambda path: pipeline.demo(path),
    "export_adapter": lambda path: pipeline.export_adapter(path, Path("a.pth")),
    "import_adapter": lambda path: pipeline.import_adapter(path, Path("mini/demo.toml"), Path("out")),
    "outside_run": lambda path: outside_run(path, Path("out"), "d"),
    "outside_run into": lambda path: outside_run(Path("t.csv"), path, "d"),
    "references": lambda path: outside_run(Path("t.csv"), Path("out"), "d", references=path),
    "images": lambda path: outside_run(Path("t.csv"), Path("out"), "d", images=path),
    "open_session": lambda path: open_session(path),
    "compare_runs": lambda path: compare_runs(path, path),
    "write_agreement": lambda path: write_agreement(path),
    "propose": lambda path: propose(path, Path(".")),
    "import_folder": lambda path: import_folder(path, Path("out"), ImportSettings({})),
    "import into": lambda path: import_folder(Path("."), path, ImportSettings({})),
    "contact_sheet": lambda path: contact_sheet([], path),
    "load_samples": lambda path: load_samples(TABLE.model_copy(update={"root": str(path)}), "test"),
    "load_split": lambda path: load_split(TABLE.model_copy(update={"root": str(path)}), "test"),
    "stream_samples": lambda path: list(stream_samples(TABLE.model_copy(update={"root": str(path)}), "test")),
    "data folder": lambda path: load_samples(TABLE, "test", path),
    "jsonl.read": lambda path: list(jsonl.read(path, Sample)),
    "jsonl.append": lambda path: jsonl.append(path, [Sample(id="1", images=("a",), task="vqa")]),
    "open_image": lambda path: open_image(path),
    "image_size": lambda path: image_size(path),
    "content_hash": lambda path: content_hash(path),
}


@pytest.mark.parametrize("called", CALLS)
@pytest.mark.parametrize("kind", PATHS)
def test_a_path_that_is_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, called: str, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PEFOMED_DATA", raising=False)
    Path("t.csv").write_text("id,reference,answer\n1,yes,yes\n")
    with pytest.raises(PefomedError):
        CALLS[called](PATHS[kind])


@pytest.mark.parametrize(
    "words",
    [
        ("run", "{}"), ("run", "mini/slake", "--out", "{}"), ("train", "{}"), ("predict", "{}"),
        ("evaluate", "{}"), ("evaluate", "t.csv", "--out", "{}"), ("evaluate", "t.csv", "--images", "{}"),
        ("evaluate", "t.csv", "--map", "{}"), ("report", "{}"), ("report", "{}", "{}", "--out", "{}"),
        ("rate", "{}"), ("judge", "{}"), ("ask", "{}", "a.png", "What?"), ("describe", "{}"), ("plan", "{}"),
        ("data", "map", "{}"), ("data", "show", "{}"), ("data", "audit", "table", "{}"),
        ("data", "import", "{}", "--out", "out"), ("data", "export", "{}", "--to", "llava", "--out", "out"),
        ("adapter", "export", "{}", "-o", "a.pth"), ("recipe", "check", "{}"),
        ("recipe", "copy", "mini/slake", "{}"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", PATHS)
def test_the_command_line_has_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...], kind: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("id,reference,answer\n1,yes,yes\n")
    with pytest.raises(SystemExit) as end:
        main([word.format(PATHS[kind]) for word in words])
    assert end.value.code == 2
    assert "Traceback" not in capsys.readouterr().err
