"""Pictures of two splits that are equal or look alike stand in the report side by side, with their alarm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image
from tests.report import small_run
from tests.report.parsed import page_of

from pefomed.report import write_report
from pefomed.report.audit import SHOWN, tell, tell_all


def _pair(folder: Path, count: int = 1) -> dict[str, Any]:
    example = {
        "image": str(folder / "b.png"),
        "like": str(folder / "gone.png"),
        "bits": 7,
        "correlation": 0.98,
    }
    near = {
        "of": 9,
        "count": count,
        "samples": 4,
        "of_samples": 20,
        "empty": 0,
        "examples": [example] * count,
    }
    return {
        **small_run.AUDIT["leakage"][0],
        "images": {"of": 9, "count": 0, "examples": []},
        "triplets": {"of": 20, "count": 0, "examples": []},
        "near_images": near,
        "groups": {"patient": {"of": 5, "count": 2, "examples": ["p1", "p2"], "samples": 3, "without": 0}},
    }


def test_near_images_and_shared_patients_raise_an_alarm(tmp_path: Path) -> None:
    told = tell("rad", {**small_run.AUDIT, "leakage": [_pair(tmp_path, 50)]}, None)
    assert told.alarms == [
        "50 of 9 images of test, with 4 of its 20 samples, look like one of train.",
        "patient: 2 of 5 of test also occur in train.",
    ]
    assert len(told.pairs) == SHOWN


def test_pictures_stand_side_by_side_and_a_lost_one_is_named(run: Path, tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), (9, 99, 9)).save(tmp_path / "b.png")
    small_run.write_json(run / "audit.json", {"rad": {**small_run.AUDIT, "leakage": [_pair(tmp_path)]}})
    # This audit does not say what the pictures held: they must lie in a folder that is named.
    page = write_report(run, data_folder=tmp_path).read_text(encoding="utf-8")
    section = page[page.index('<section id="leakage">') :]
    assert 'alt="test: ' in section
    assert "gone.png" in section
    assert "train and test: 7 of 256 bits differ, correlation 0.980" in section
    assert str(tmp_path) not in section[: section.index("<details>")]


def test_audits_whose_leaking_images_overlap_are_one_leak(tmp_path: Path) -> None:
    leak = {**small_run.AUDIT, "leakage": [_pair(tmp_path)]}
    other = {**small_run.AUDIT, "leakage": [_pair(tmp_path / "elsewhere")]}
    both = {**small_run.AUDIT, "leakage": [_pair(tmp_path), _pair(tmp_path / "third")]}
    calm = {**small_run.AUDIT, "leakage": []}
    leaks, quiet = tell_all({"captions": leak, "vqa": both, "rad": other, "calm": calm}, None)
    # The one with most images tells the leak, the others stand folded below it.
    assert [one.names for one in leaks] == [["vqa", "captions"], ["rad"]]
    assert [one.name for one in quiet] == ["calm"]


def test_one_leak_of_two_audits_keeps_what_only_the_second_says(tmp_path: Path) -> None:
    pair = _pair(tmp_path)
    more = {**pair, "triplets": {"of": 20, "count": 3, "examples": []}}
    found = {name: {**small_run.AUDIT, "leakage": [one]} for name, one in (("captions", pair), ("vqa", more))}
    [leak], _ = tell_all(found, None)
    assert leak.names == ["captions", "vqa"]
    assert leak.alarms[-1].startswith("3 of its 20 samples")


def test_the_page_tells_a_leak_once_with_the_others_folded(run: Path, tmp_path: Path) -> None:
    names = ("rad", "captions", "reports", "captions against rad")
    small_run.write_json(
        run / "audit.json", {name: {**small_run.AUDIT, "leakage": [_pair(tmp_path)]} for name in names}
    )
    page = page_of(run)
    assert len([tag for tag in page.attributes("div") if tag.get("class") == "banner"]) == 1
    assert [tag["class"] for tag in page.attributes("div") if "audit" in tag.get("class", "").split()] == [
        "audit alarm"
    ]
    text = " ".join(page.text.split())
    assert "The same in 3 other audits: captions, reports, captions against rad" in text
