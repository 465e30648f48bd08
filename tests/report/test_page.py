from __future__ import annotations

import base64
import hashlib
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image
from tests.report import small_run
from tests.report.parsed import page_of

from pefomed import __version__
from pefomed.errors import DataError, RunError, StorageError
from pefomed.files import jsonl
from pefomed.report import write_report
from pefomed.report.shell import json_for_script
from pefomed.schema import Sample

LOADING = {"src", "srcset", "poster", "data", "action", "background", "ping", "xlink:href"}
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> <!--<script> ' \" & \u2028"


def test_the_page_is_one_file_that_loads_nothing(run: Path) -> None:
    page = page_of(run)
    for tag, attributes in page.tags:
        for name, value in attributes.items():
            if name in LOADING:
                assert value.startswith("data:"), (tag, name, value)
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
    assert not page.attributes("link")
    assert not page.attributes("iframe")
    assert "@import" not in page.html
    assert "url(" not in page.html
    # The tables and figures beside it are copies of what the page holds.
    assert {path.name for path in (run / "report").iterdir()} == {"index.html", "tables", "figures"}


def test_only_the_pages_own_scripts_may_run(run: Path) -> None:
    page = page_of(run)
    (policy,) = [tag["content"] for tag in page.attributes("meta") if "http-equiv" in tag]
    assert "default-src 'none'" in policy
    scripts = [text for attributes, text in page.scripts if attributes.get("type") != "application/json"]
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    assert re.findall(r"'sha256-([^']+)'", policy) == digests
    assert "unsafe-inline" not in policy.split("script-src")[1]


def test_what_strangers_wrote_stays_text(run: Path) -> None:
    rows = [
        (row[0], str(run / "absent.png"), HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
        for row in small_run.ROWS
    ]
    small_run.write_answers(run, rows)
    scores = small_run.scores()
    scores.append(small_run.score("model", f"organ={HOSTILE}", 0.1, 1, implementation=HOSTILE))
    scores.append(small_run.score(f"published:{HOSTILE}", "overall", 0.1, 1))
    (run / "scores.jsonl").unlink()
    jsonl.append(run / "scores.jsonl", scores)
    small_run.write_json(
        run / "audit.json", {"rad": {**small_run.AUDIT, "summary": [HOSTILE], "title": HOSTILE}}
    )
    small_run.write_json(run / "describe.json", {**small_run.DESCRIBE, "memory": {HOSTILE: HOSTILE}})
    log = [*small_run.log_rows(), {"kind": "event", "stage": "task", "text": HOSTILE}]
    (run / "log.jsonl").write_text("".join(str(json_for_script(row)) + "\n" for row in log))

    page = page_of(run)

    assert len(page.scripts) == 3  # the data, the browser, the curves
    assert not page.attributes("img")
    assert not any("onerror" in attributes for _, attributes in page.tags)
    assert page.data["items"][0]["question"] == HOSTILE
    assert page.data["items"][0]["answers"]["model"]["text"] == HOSTILE
    assert HOSTILE in page.text


@pytest.mark.parametrize("text", ["</script>", "<!--", "a\u2028b\u2029c", "&amp;", "</SCRIPT ", "é漢"])
def test_json_in_a_script_block_cannot_end_it(text: str) -> None:
    import json

    made = str(json_for_script({"text": text}))
    assert not set("<>&\u2028\u2029") & set(made)
    assert json.loads(made) == {"text": text}


def test_numbers_are_those_of_the_scores(run: Path) -> None:
    text = page_of(run).text
    # One decimal of a percentage: 0.4321 -> 43.2, interval 0.3321..0.5321 -> 33.2-53.2 (en dash).
    for shown in ("43.2", "33.2–53.2", "56.8", "46.8–66.8", "61.1", "34.6", "77.4", "75.8"):  # noqa: RUF001
        assert shown in text
    assert "+15.4" in text  # 50.0 - 34.6, of the figures as shown
    assert "n = 4 questions on 2 images" in " ".join(text.split())


def test_every_score_is_on_the_page_with_its_proof(run: Path) -> None:
    page = page_of(run)
    rows = [tag for tag in page.attributes("tr") if tag.get("class") == "score"]
    assert len(rows) == len(small_run.scores())
    titles = [tag.get("title", "") for _, tag in page.tags]
    assert any("0.4321" in t and "n = 2" in t and "jackknife" in t and "case and spaces" in t for t in titles)
    for sentence in ("the most frequent training answer", "not comparable: token recall"):
        assert sentence in page.text


def test_leaked_test_images_raise_a_banner(run: Path) -> None:
    text = " ".join(page_of(run).text.split())
    assert "Leakage in VQA-RAD. All 2 images of test also occur in train." in text


def test_an_audit_without_leakage_raises_none(run: Path) -> None:
    pair = {
        **small_run.AUDIT["leakage"][0],
        "images": {"of": 2, "count": 0},
        "triplets": {"of": 4, "count": 0},
    }
    small_run.write_json(run / "audit.json", {"rad": {**small_run.AUDIT, "leakage": [pair]}})
    assert not [tag for tag in page_of(run).attributes("div") if tag.get("class") == "banner"]


@pytest.mark.parametrize(
    ("absent", "sentence"),
    [
        ("scores.jsonl", "No scores yet"),
        ("audit.json", "No audit"),
        ("log.jsonl", "No training log"),
        ("describe.json", "The model is not described"),
        ("recipe.toml", "The run has no recipe.toml"),
        ("samples", "No items"),
        ("predictions", "n = 4"),
    ],
)
def test_a_missing_part_is_said_plainly(run: Path, absent: str, sentence: str) -> None:
    path = run / absent
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert sentence in page_of(run).text


def test_a_recipe_alone_makes_a_page(run: Path) -> None:
    for path in run.iterdir():
        if path.name != "recipe.toml":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    page = page_of(run)
    assert "small" in page.text
    assert f"pefomed {__version__}" in page.text


def test_a_missing_image_is_named_and_the_rest_is_shown(run: Path, tmp_path: Path) -> None:
    (tmp_path / "images" / "a.png").unlink()
    page = page_of(run)
    assert "images/a.png" in page.text
    assert str(tmp_path) not in page.html
    first, second = page.data["images"]
    assert (first["uri"], first["name"]) == ("", "images/a.png")
    assert second["uri"].startswith("data:image/jpeg;base64,")


def test_each_image_is_embedded_once(run: Path) -> None:
    page = page_of(run)
    assert page.html.count("data:image/jpeg") == 2
    assert [item["images"] for item in page.data["items"]] == [[0], [0], [1], [1]]


def test_long_texts_and_several_images_are_items_without_a_verdict(run: Path, tmp_path: Path) -> None:
    for name in ("front.png", "side.png"):
        Image.new("L", (30, 40)).save(tmp_path / name)
    report = Sample(
        id="r1", images=(str(tmp_path / "front.png"), str(tmp_path / "side.png")), task="report",
        reference="The heart is of normal size. " * 40,
    )  # fmt: skip
    jsonl.append(run / "samples" / "rad-test.jsonl", [report])
    jsonl.append(run / "predictions" / "rad-test.jsonl", [small_run.predicted("r1", "No " * 300, cut=True)])
    item = page_of(run).data["items"][-1]
    assert item["images"] == [2, 3]
    assert item["answers"]["model"] == {"text": "No " * 300, "cut": True, "verdicts": None}
    assert item["answers"]["blind"] is None


def test_verdicts_are_those_of_evaluation(run: Path) -> None:
    items = page_of(run).data["items"]
    # Plain and VQA-style exact match: `the liver` is `liver` only for the second, which drops articles.
    assert [item["answers"]["model"]["verdicts"] for item in items] == [[1, 1], [0, 1], [0, 0], [1, 1]]
    assert [item["answers"]["blind"]["verdicts"] for item in items] == [[1, 1], [0, 0], [1, 1], [0, 0]]


def test_the_page_says_under_which_versions_the_run_was_made(run: Path) -> None:
    torch = {"python": "3.12.1", "torch": "2.9.0"}
    one = {"began": "1", "did": ["stage task"], "versions": torch, "settings": {"precision": "float32"},
           "machine": {"cpu": "EPYC, 16 cores", "system": "Linux", "card": "H100"}}  # fmt: skip
    other = one | {"began": "2", "did": ["answers rad-test"], "versions": torch | {"torch": "2.10.0"}}
    small_run.write_json(run / "environment.json", {"sessions": [one, one | {"began": "3"}]})
    text = write_report(run).read_text()
    assert (
        "Computed with Python 3.12.1, torch 2.9.0, on EPYC, 16 cores, Linux, H100, precision float32." in text
    )
    assert text.count("Computed with") == 1
    small_run.write_json(run / "environment.json", {"sessions": [one, other]})
    text = write_report(run).read_text()
    assert "precision float32: stage task." in text
    assert "torch 2.10.0, on EPYC, 16 cores, Linux, H100, precision float32: answers rad-test." in text


def test_a_folder_that_is_no_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run folder"):
        write_report(tmp_path / "nowhere")
    with pytest.raises(RunError, match="holds nothing of a run"):
        write_report(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("audit.json", "{"),
        ("describe.json", "[]"),
        ("log.jsonl", "{}\nnonsense\n{}\n"),
        ("audit.json", '{"rad": []}'),
        ("describe.json", '{"parts": [{"name": "eye", "trained": 0}]}'),
        ("describe.json", '{"parts": [{"name": "eye", "parameters": "many", "trained": 0}]}'),
        ("describe.json", '{"parts": {}}'),
        ("describe.json", '{"total": "12"}'),
        ("describe.json", '{"memory": [1]}'),
        ("environment.json", '{"sessions": [1]}'),
    ],
)
def test_a_damaged_file_is_an_error_that_names_it(run: Path, name: str, text: str) -> None:
    (run / name).write_text(text)
    with pytest.raises(DataError, match=re.escape(name)):
        write_report(run)


def test_a_page_that_cannot_be_written_is_an_error_and_keeps_the_former(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    page = write_report(run)
    former = page.read_bytes()
    monkeypatch.setattr("pefomed.files.storage.os.replace", full)
    with pytest.raises(StorageError, match=r"index\.html"):
        write_report(run)
    assert page.read_bytes() == former


def test_a_cut_last_line_is_said(run: Path) -> None:
    with (run / "log.jsonl").open("a") as file:
        file.write('{"kind": "st')
    assert "is cut and was left out" in page_of(run).text
