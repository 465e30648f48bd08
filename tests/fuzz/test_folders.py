"""Damaged folders of runs, weights and adapters: an error of ours, or what the whole folder gives."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from fuzz.folder_readers import READERS, train
from fuzz.folders import FAULT, SAME, SILENT, Folders
from fuzz.world import World, make

from pefomed.answers.asking import trained_tasks
from pefomed.errors import DataError, WeightsError
from pefomed.evaluation.verdicts import read_raters
from pefomed.models.legacy import import_legacy
from pefomed.training import unreadable
from pefomed.training.log import Log


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folders]:
    root = tmp_path_factory.mktemp("folders")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PEFOMED_CACHE", str(root / "cache"))
        yield Folders(make(root / "world"))


@pytest.fixture
def world(folders: Folders) -> Iterator[World]:
    yield folders.world
    for run in ("finished", "stopped"):
        shutil.rmtree(folders.world.root / run)
        shutil.copytree(folders.world.root / "kept" / run, folders.world.root / run)


@pytest.mark.parametrize("name", [name for name in READERS if not name.startswith("train")])
def test_a_damaged_folder_is_read_as_the_whole_one_or_refused(folders: Folders, name: str) -> None:
    for number in range(3):
        tried = folders.random_try([name], 1000 * number + 7)
        assert tried.end not in (FAULT, SILENT), str(tried)


def test_a_training_goes_on_as_the_whole_one_would(folders: Folders) -> None:
    tried = folders.random_try(["train"], 4)
    assert tried.end not in (FAULT, SILENT), str(tried)


def test_lines_of_the_log_that_are_gone_are_said(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    [whole, _] = train(world)
    shutil.rmtree(world.stopped)
    shutil.copytree(world.root / "kept" / "stopped", world.stopped)
    path = world.stopped / "log.jsonl"
    kept = [line for line in path.read_text().splitlines() if '"step", "stage": "second"' not in line]
    path.write_text("\n".join([*kept, "[1]", "{}", '{"kind": 1, "stage": [], "step": "x"}', "{", '{"cut']))
    [adapter, steps] = train(world)
    assert adapter == whole
    assert [(stage, step) for stage, step, _ in steps if stage == "second"] == [("second", 3), ("second", 4)]
    said = capsys.readouterr().err
    assert "the log lacks 2 of the 2 steps up to here" in said
    assert f"{path}: line {len(kept) + 4} cannot be read and is left out" in said


@pytest.mark.parametrize("damage", ["gone", "cut", "other"])
def test_what_a_stage_was_planned_without_comes_back_from_its_checkpoint(
    world: World, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = train(world)
    shutil.rmtree(world.stopped)
    shutil.copytree(world.root / "kept" / "stopped", world.stopped)
    path = world.stopped / "checkpoints" / "second" / unreadable.FILE
    assert json.loads(path.read_text())["left_out"] == {"table": {"train": ["lost"]}}
    match damage:
        case "gone":
            path.unlink()
        case "cut":
            path.write_bytes(path.read_bytes()[:20])
        case _:
            path.write_text('{"left_out": {}, "lost": []}')
    assert train(world) == whole
    assert (
        "unreadable.json is not as it was written; it is taken from step-00000002" in capsys.readouterr().err
    )


def test_a_list_that_no_checkpoint_has_is_one_error(world: World) -> None:
    folder = world.stopped / "checkpoints" / "second"
    for copy in folder.glob("step-*/unreadable.json"):  # as an earlier version left it
        copy.unlink()
        sums = json.loads((copy.parent / "checksums.json").read_text())
        del sums[copy.name]
        (copy.parent / "checksums.json").write_text(json.dumps(sums))
    for content in ("{}", "[]", '{"left_out": 1, "lost": []}', "{"):
        (folder / unreadable.FILE).write_text(content)
        with pytest.raises(DataError, match=r"unreadable\.json is damaged(?s:.*)--fresh"):
            train(world)


def test_a_flipped_bit_in_a_checkpoint_of_others_is_found(folders: Folders, tmp_path: Path) -> None:
    content = bytearray((folders.world.root / "adapter.pth").read_bytes())
    [name] = [name for name in import_legacy(folders.world.root / "adapter.pth") if "projector.bias" in name]
    values = import_legacy(folders.world.root / "adapter.pth")[name].to(torch.float32).numpy().tobytes()
    content[content.index(values)] ^= 1
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(WeightsError, match=r"a\.pth is damaged\n.*is not as it was written"):
        import_legacy(tmp_path / "a.pth")


def test_a_cut_last_line_does_not_become_part_of_the_next(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"kind": "event", "stage": "a"}\n{"kind": "st')
    Log(tmp_path / "log.jsonl").write("event", "b", text="on")
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["stage"] for line in lines] == ["a", "b"]


def test_damaged_logs_tell_no_tasks(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('["tasks"]\n{"tasks": 3}\n{"tasks": [[1], "vqa"]}\n')
    assert trained_tasks(tmp_path) in ({"vqa"}, None)


def test_verdicts_that_are_gone_and_cards_are_said(folders: Folders, tmp_path: Path) -> None:
    from pefomed.evaluation.predictions import all_samples

    run = tmp_path / "run"
    shutil.copytree(folders.world.finished, run)
    samples, said = all_samples(run), list[str]()
    read_raters(run, samples, said)
    assert said == []
    judge = run / "verdicts" / "judge.jsonl"
    lines = judge.read_text().splitlines(keepends=True)
    judge.write_text("".join(lines[:-1]))
    (run / "verdicts" / "rater-01.card.json").unlink()
    read_raters(run, samples, said)
    assert said[0] == f"{judge} holds {len(lines) - 1} verdicts, and its card speaks of {len(lines)}"
    assert said[1].endswith("has no card beside it: rater-01 is taken for a judge")


def test_the_selection_finds_what_is_not_caught(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    # Otherwise a harness that never damages anything would pass.
    reader, chance = READERS["export"], random.Random(1)
    weights = folders.world.finished / "adapter" / "adapter_model.safetensors"
    monkeypatch.setitem(READERS, "export", type(reader)(reader.reads, lambda _: weights.read_bytes().hex()))
    folders.whole.pop("export", None)
    assert folders.tried("export", weights, "flipped", chance).end == SILENT
    assert folders.tried("export", weights, "folder", chance).end != SAME
    monkeypatch.setitem(READERS, "export", type(reader)(reader.reads, lambda _: [][1]))
    assert folders.tried("export", weights, "empty", chance).end == FAULT
    folders.whole.pop("export", None)
