"""Pages without pictures, for those who may hand on numbers and texts alone."""

import json
from pathlib import Path

import pytest
from tests.report import small_run

from pefomed.cli import main
from pefomed.report import write_report, write_reports
from pefomed.samples.question_hash import shown_of


def leaking(run: Path) -> Path:
    """Let the run's audit show two pictures side by side."""
    images = run.parent.parent / "images"
    a, b = str(images / "a.png"), str(images / "b.png")
    equal = {"image": a, "same_as": b, "shown": [shown_of([b]), shown_of([a])]}
    leak = {**small_run.AUDIT["leakage"][0], "images": {"of": 2, "count": 1, "examples": [equal]}}
    small_run.write_json(run / "audit.json", {"rad": {**small_run.AUDIT, "leakage": [leak]}})
    return run


def test_no_page_holds_a_picture(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = write_report(leaking(run)).read_text(encoding="utf-8")
    assert page.count("data:image/jpeg") == 4  # two of the items, two of the audit
    other = tmp_path / "runs" / "other"
    other.mkdir()
    for path in run.rglob("*"):
        if path.is_file() and "report" not in path.parts:
            (other / path.relative_to(run)).parent.mkdir(parents=True, exist_ok=True)
            (other / path.relative_to(run)).write_bytes(path.read_bytes())
    with pytest.raises(SystemExit) as end:
        main(["report", str(run), str(other), "--no-images"])
    assert not end.value.code
    capsys.readouterr()
    pages = sorted(tmp_path.rglob("report/*.html"))
    assert len(pages) == 3
    for path in pages:
        page = path.read_text(encoding="utf-8")
        assert "data:image" not in page.replace("img-src data:", "")
        assert "Without pictures, by choice" in page
        assert "are not shown" not in page  # nothing failed
        data = page.partition('id="browser-data">')[2].partition("</script>")[0]
        assert {image["name"] for image in json.loads(data)["images"]} == {"images/a.png", "images/b.png"}


def test_pictures_are_not_even_opened(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, make: object) -> None:
        raise AssertionError(path)

    monkeypatch.setattr("pefomed.report.thumbnails.from_image", refuse)
    assert len(write_reports([leaking(run)], images=False)) == 1
