from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from pefomed.audit.near_duplicates import near_duplicates
from pefomed.datasets.phantom import samples as phantom
from pefomed.datasets.phantom import scene as phantom_scene
from pefomed.datasets.phantom import text as phantom_text
from pefomed.errors import DataError, StorageError
from pefomed.images.fingerprints import fingerprint
from pefomed.images.images import open_image, pixel_hash
from pefomed.schema import Sample

SMALL = {"train": 16, "validate": 8, "test": 8, "size": 64}


def load(root: Path, split: str = "train", **options: object) -> list[Sample]:
    return list(phantom.load(root, split, **{**SMALL, **options}))  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_images_and_samples(tmp_path: Path) -> None:
    first, second = load(tmp_path / "a"), load(tmp_path / "b")
    assert [(s.id, s.question, s.reference, s.boxes) for s in first] == [
        (s.id, s.question, s.reference, s.boxes) for s in second
    ]
    images = [sorted({s.images[0] for s in samples}) for samples in (first, second)]
    assert [pixel_hash(path) for path in images[0]] == [pixel_hash(path) for path in images[1]]
    other = load(tmp_path / "a", seed=1)
    assert [s.reference for s in other] != [s.reference for s in first]


def test_a_longer_split_begins_with_the_shorter_one() -> None:
    assert phantom_scene.scenes(0, "train", 20)[:5] == phantom_scene.scenes(0, "train", 5)


def test_splits_share_no_image(tmp_path: Path) -> None:
    hashes = {
        split: {pixel_hash(s.images[0]) for s in load(tmp_path, split)}
        for split in ("train", "validate", "test")
    }
    assert [len(found) for found in hashes.values()] == [16, 8, 8]
    assert len(set().union(*hashes.values())) == 32


def test_no_image_looks_like_one_of_another_split(tmp_path: Path) -> None:
    # The demo's own counts; with patients standing anywhere 5 of 80 and 2 of 40 looked like one of training.
    prints = {
        split: {
            s.id: fingerprint(open_image(s.images[0]))
            for s in phantom.load(tmp_path, split, tasks=("caption",), size=96)
        }
        for split in phantom_scene.SPLITS
    }
    every = {name: one for found in prints.values() for name, one in found.items()}
    for one, other in (("train", "test"), ("train", "validate"), ("validate", "test")):
        near = near_duplicates(
            {name: each.bits for name, each in prints[one].items()},
            {name: each.bits for name, each in prints[other].items()},
            lambda names: {name: every[name].thumbnail for name in names},
        )
        assert near == []


@pytest.mark.parametrize("seed", [0, 1, 2, 123])
def test_patients_of_two_splits_stand_apart(seed: int) -> None:
    # A shift by 0.025 of the width alone left 0 of 40 images looking alike, one up or down 1 of 40.
    places = {
        split: np.array([(s.pose.dx, s.pose.dy) for s in phantom_scene.scenes(seed, split, 320)])
        for split in phantom_scene.SPLITS
    }
    for one, other in (("train", "test"), ("train", "validate"), ("validate", "test")):
        apart = np.abs(places[one][:, None] - places[other][None]).max(axis=2)
        assert apart.min() >= 0.028
    for found in places.values():
        # In the middle on average: neither side and no height belongs to one split.
        assert np.abs(found.mean(axis=0)).max() < 0.006


def test_a_question_alone_gives_nothing_away(tmp_path: Path) -> None:
    # The answers to every question are equally frequent, over all of its wordings together.
    answers: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for sample in load(tmp_path, "train"):
        answers[sample.id.rsplit("-", 1)[1]][sample.reference] += 1
    kinds = {"heart": 2, "opacity": 2, "effusion": 2, "nodules": 4, "device": 4, "zone": 4, "side": 2}
    assert {key: len(found) for key, found in answers.items()} == kinds
    for found in answers.values():
        assert len(set(found.values())) == 1


def test_answers_captions_reports_and_boxes_agree(tmp_path: Path) -> None:
    for scene in phantom_scene.scenes(3, "train", 64):
        answers = {asked.key: asked.answer for asked in phantom_text.questions(scene)}
        caption, report, boxes = phantom_text.caption(scene), phantom_text.report(scene), scene.boxes()
        assert (answers["opacity"] == "yes") == ("zone" in answers) == ("opacity" in boxes)
        assert ("opacity" in caption) == (answers["opacity"] == "yes") == ("no opacity" not in report)
        assert ("effusion" in caption) == (answers["effusion"] == "yes") == ("effusion" in boxes)
        if "zone" in answers:
            assert f"{answers['zone']} zone" in caption
            assert f"{answers['zone']} zone" in report
        if "side" in answers:
            assert f"{answers['side']} pleural effusion" in report
        count = len(boxes.get("nodule", ()))
        assert answers["nodules"] == ("zero", "one", "two", "three")[count]
        assert ("enlarged heart" in caption) == (answers["heart"] == "yes")


def test_left_is_on_the_right_of_the_image() -> None:
    for scene in phantom_scene.scenes(0, "train", 64):
        boxes = scene.boxes()
        if scene.opacity is not None:
            (box,) = boxes["opacity"]
            assert ((box.x0 + box.x1) / 2 > 0.5) == (scene.opacity[0] == "left")
            assert ((box.y0 + box.y1) / 2 < 0.42) == (scene.opacity[1] == "upper")
        if scene.effusion is not None:
            (box,) = boxes["effusion"]
            assert ((box.x0 + box.x1) / 2 > 0.5) == (scene.effusion == "left")


def test_boxes_lie_on_what_is_drawn(tmp_path: Path) -> None:
    # A nodule and a pacemaker are brighter than the ring around their box.
    checked = Counter[str]()
    for sample in load(tmp_path, "train", tasks=("refer",), size=256):
        finding = sample.meta["finding"]
        if finding not in ("nodule", "pacemaker"):
            continue
        grey = np.asarray(open_image(sample.images[0]).convert("L"), dtype=float)
        for box in sample.boxes:
            x0, x1, y0, y1 = (round(256 * value) for value in (box.x0, box.x1, box.y0, box.y1))
            inside = grey[y0 + 3 : y1 - 3, x0 + 3 : x1 - 3].mean()
            frame = grey[max(0, y0 - 4) : y1 + 4, max(0, x0 - 4) : x1 + 4]
            ring = np.concatenate(
                [frame[:2].ravel(), frame[-2:].ravel(), frame[:, :2].ravel(), frame[:, -2:].ravel()]
            )
            assert inside > np.median(ring) + 50, sample.id
            checked[finding] += 1
    assert checked["nodule"] >= 10
    assert checked["pacemaker"] == 4


def test_every_scene_has_room_for_its_nodules() -> None:
    for seed in range(20):
        for scene in phantom_scene.scenes(seed, "test", 40):
            for i, (x, y) in enumerate(scene.nodules):
                others = [*scene.nodules[:i], *scene.nodules[i + 1 :]]
                assert all(np.hypot(x - a, y - b) > 2 * scene.nodule_radius for a, b in others)


def test_tasks_and_ids(tmp_path: Path) -> None:
    tasks = ("vqa", "caption", "report", "refer", "identify", "detection", "grounding")
    samples = load(tmp_path, tasks=tasks, train=8)
    assert len({sample.id for sample in samples}) == len(samples)
    found = {task: [sample for sample in samples if sample.task == task] for task in tasks}
    assert len(found["caption"]) == len(found["report"]) == len(found["grounding"]) == 8
    for refer, identify, detection in zip(found["refer"], found["identify"], found["detection"], strict=True):
        assert refer.question == identify.reference == detection.question != ""
        assert refer.reference == identify.question == detection.reference == ""
        assert refer.boxes == identify.boxes == detection.boxes != ()
        assert refer.meta["boxes"] == ("1" if len(refer.boxes) == 1 else "several")
        assert refer.size == (64, 64)


def test_a_grounded_caption_is_the_caption_with_marks(tmp_path: Path) -> None:
    samples = load(tmp_path, tasks=("caption", "grounding", "refer"))
    plain = [sample.reference for sample in samples if sample.task == "caption"]
    grounded = [sample for sample in samples if sample.task == "grounding"]
    for caption, sample in zip(plain, grounded, strict=True):
        assert re.sub(r"<p>(.*?)</p>\{[\d,]+\}", r"\1", sample.reference) == caption
        marks = [
            int(mark) for group in re.findall(r"\{([\d,]+)\}", sample.reference) for mark in group.split(",")
        ]
        assert marks == list(range(len(sample.boxes)))
        referred = [s for s in samples if s.task == "refer" and s.images == sample.images]
        assert sample.boxes == tuple(box for s in referred for box in s.boxes)


def test_images_are_drawn_once(tmp_path: Path) -> None:
    path = Path(load(tmp_path)[0].images[0])
    before = path.stat().st_mtime_ns
    load(tmp_path)
    assert path.stat().st_mtime_ns == before
    assert not list(path.parent.glob("*.part"))


def test_two_processes_may_draw_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from pefomed.datasets.phantom.samples import load;"
        "print(len(list(load(Path(sys.argv[1]), 'train', train=16, size=64))))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    counts = [process.communicate(timeout=200)[0] for process in running]
    assert counts[0] == counts[1] != ""
    files = [path for path in tmp_path.rglob("*.*") if path.is_file()]
    assert [path.suffix for path in files] == [".png"] * 16
    assert len({pixel_hash(path) for path in files}) == 16


def test_unknown_split_and_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="did you mean 'train'"):
        load(tmp_path, "trian")
    if os.geteuid() == 0:
        pytest.skip("the superuser may write everywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="cannot write"):
        load(tmp_path)


def test_a_full_disk_is_a_storage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pefomed.files.storage.os.replace", full)
    with pytest.raises(StorageError, match=r"(?s)No space left.*free space"):
        load(tmp_path)
    assert not list(tmp_path.rglob(".part-*"))
