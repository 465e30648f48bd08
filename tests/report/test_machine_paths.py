"""Pages and tables are handed on: they hold no path of the machine that made them."""

import base64
import json
import re
import shutil
from pathlib import Path

import pytest
from tests.report import small_run

from pefomed import recipe
from pefomed.files import jsonl
from pefomed.machine_paths import short_name, without_paths
from pefomed.report import write_report, write_reports


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/home/jane/rad/imgs/1.png", "imgs/1.png"),
        ("/home/jane/1.png", "1.png"),
        ("/home/jane", ""),
        ("/root/x.png", "x.png"),
        ("/data", "data"),
        ("C:\\Users\\jane\\rad\\1.png", "rad/1.png"),
        ("imgs/1.png", "imgs/1.png"),
        ("/a/b/c/scan.dcm#frame=3", "c/scan.dcm#frame=3"),
    ],
)
def test_short_names(path: str, name: str) -> None:
    assert short_name(path) == name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("at /home/jane/rad/imgs/1.png: cut", "at …/imgs/1.png: cut"),
        ("encoder (/srv/models/eye)", "encoder (…/models/eye)"),
        ('root = "/clinic/Jane Doe/rad/imgs"', 'root = "…/rad/imgs"'),
        ("file:///home/jane/rad/x.png", "…/rad/x.png"),
        ("key:/mnt/a/b", "key:…/a/b"),
        ("D:\\clinic\\jane\\x.png", "…/jane/x.png"),
        # Neither are these paths of a machine.
        ("https://example.org/a/b/c/d", "https://example.org/a/b/c/d"),
        ("openai/clip-vit/x", "openai/clip-vit/x"),
        ("yes / no, and/or, 5 /mm3", "yes / no, and/or, 5 /mm3"),
        ("samples/ and predictions/", "samples/ and predictions/"),
        ("…/imgs/1.png", "…/imgs/1.png"),
        ("/", "/"),
        ("/tmp", "/tmp"),
    ],
)
def test_paths_in_texts(text: str, said: str) -> None:
    assert without_paths(text) == said
    assert without_paths(said) == said


def test_a_folder_of_ours_may_hold_spaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "Jane Doe"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    assert without_paths(f"no image at {home}/rad/1.png, sorry") == "no image at …/rad/1.png, sorry"
    (home / "x y.png").touch()
    assert without_paths(str(home / "x y.png")) == "…/Jane Doe/x y.png"


def everything(folder: Path) -> str:
    """Return all texts of a report: its files, and what its page holds in data URIs of text."""
    texts = [path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()]
    packed = [found for text in texts for found in re.findall(r"data:text/[^,]*,([\w+/=]+)", text)]
    packed += [found for text in texts for found in re.findall(r"data:application/[^,]*,([\w+/=]+)", text)]
    return "\n".join([*texts, *(base64.b64decode(one).decode() for one in packed)])


def test_a_report_names_no_folder_of_the_machine(run: Path, tmp_path: Path) -> None:
    here = str(tmp_path)
    model = {"vision_encoder": f"{here}/eye", "language_model": f"{here}/mouth"}
    data = {"rad": {"loader": "vqa_rad", "root": f"{here}/some data/rad"}}
    made = recipe.parse({**small_run.RECIPE, "model": model, "data": data})
    (run / "recipe.toml").write_text(recipe.dumps(made), encoding="utf-8")
    part = {"name": f"vision encoder ({here}/eye)", "parameters": 1, "trained": 0}
    small_run.write_json(run / "describe.json", {**small_run.DESCRIBE, "parts": [part]})
    equal = {"image": f"{here}/images/a.png", "same_as": f"{here}/images/b.png"}
    leak = {**small_run.AUDIT["leakage"][0], "images": {"of": 2, "count": 1, "examples": [equal]}}
    audit = {**small_run.AUDIT, "leakage": [leak], "summary": [f"{here}/some/where.json is cut."]}
    small_run.write_json(run / "audit.json", {"rad": audit})
    note = {"kind": "note", "stage": "evaluate", "text": f"left out: {here}/a/b.json"}
    with (run / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(note) + "\n")
    card = {**small_run.CARD, "settings": {"model": f"{here}/judge/model"}}
    small_run.write_rater(run, "judge", card, [{"q1": 1}])
    by = {"metric": "judge_accuracy", "implementation": f"judge {here}/judge/model, 1 run"}
    jsonl.append(run / "scores.jsonl", [small_run.score("model", "overall", 0.5, 4, **by)])
    (tmp_path / "images" / "b.png").unlink()
    write_report(run)
    found = everything(run / "report")
    for name in ("images/a.png", "a/b.json", "judge/model", "some/where.json", "some data/rad"):
        assert f"…/{name}" in found, name
    assert f"{tmp_path.parent.name}/" not in found


def test_a_comparison_names_no_folder_of_the_machine(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = shutil.copytree(run, tmp_path / "elsewhere" / "small")
    write_reports([run, other])
    assert str(tmp_path) not in everything(run / "report")
    assert 'href="../../../elsewhere/small/report/index.html"' in everything(run / "report")
    # From one home to another's the link itself would name them.
    monkeypatch.setenv("HOME", str(tmp_path / "jane"))
    write_reports([run, other])
    assert "elsewhere/small/report" not in everything(run / "report")
