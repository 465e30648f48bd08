"""What was answered is what is scored: a run whose data, adapter or prompts changed after it was answered."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.tiny import image_files, model_recipe, table_recipe

from pefomed import recipe as recipes
from pefomed.errors import PefomedError, RunError
from pefomed.evaluation import evaluate_run
from pefomed.evaluation.compare import compare_runs
from pefomed.files import jsonl
from pefomed.images.images import content_hash
from pefomed.inference import splits
from pefomed.inference.predictor import Predictor
from pefomed.inference.splits import predict_run
from pefomed.report import write_report
from pefomed.schema import Prediction, Sample
from pefomed.workflow.pipeline import train_recipe

Row = dict[str, str]


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with data, and in `run` an untrained run that has answered it."""
    root = tmp_path_factory.mktemp("answered")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PEFOMED_CACHE", str(root / "cache"))
        recipe = table_recipe(root, model_recipe(root), images=1)
        image_files(root, 4)
        write_table(root, rows_of(4))
        changes = {
            "stages": (),
            "predict": recipe.predict.model_copy(update={"data": {"table": "test"}, "max_new_tokens": 3}),
            "evaluate": recipe.evaluate.model_copy(update={"bootstrap": 0}),
        }
        recipe = recipe.model_copy(update=changes)
        train_recipe(recipe, root / "run", root, untrained=True)
        predict_run(root / "run", root)
        evaluate_run(root / "run", root)
    return root


@pytest.fixture
def root(answered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PEFOMED_CACHE", str(answered / "cache"))
    monkeypatch.setenv("PEFOMED_DATA", str(tmp_path))
    for name in ("run", "table.jsonl", *(f"image-{n}.png" for n in range(4))):
        source = answered / name
        shutil.copytree(source, tmp_path / name) if source.is_dir() else shutil.copy(source, tmp_path / name)
    return tmp_path


def rows_of(images: int) -> list[Row]:
    asked = [("is it left?", "yes"), ("what is it?", "lung")]
    return [
        {"image": f"image-{n}.png", "question": question, "answer": answer, "split": "test"}
        for n in range(images)
        for question, answer in asked
    ]


def write_table(root: Path, rows: list[Row]) -> None:
    train = {"image": "image-3.png", "question": "is it?", "answer": "yes", "split": "train", "id": "t"}
    rows = [*rows, train]
    (root / "table.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def read(root: Path, blind: bool = False) -> dict[str, Prediction]:
    path = root / "run" / "predictions" / f"table-test{'.blind' * blind}.jsonl"
    found = list(jsonl.read(path, Prediction))
    by_id = {one.sample_id: one for one in found}
    assert len(found) == len(by_id)
    return by_id


def samples_of(root: Path) -> dict[str, Sample]:
    return {one.id: one for one in jsonl.read(root / "run" / "samples" / "table-test.jsonl", Sample)}


def mark(root: Path, text: str = "kept") -> None:
    """Let every answer of the run say `text`, so that new ones can be told from it."""
    for path in (root / "run" / "predictions").glob("*.jsonl"):
        answers = [one.model_copy(update={"text": text}) for one in jsonl.read(path, Prediction)]
        path.write_text(jsonl.lines(answers))


def kept(root: Path, blind: bool = False) -> set[str]:
    return {name for name, one in read(root, blind).items() if one.text == "kept"}


def test_an_edited_question_is_answered_again_and_it_alone(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mark(root)
    rows = rows_of(4)
    before = samples_of(root)
    rows[3]["question"] = "what is that?"
    write_table(root, rows)
    with pytest.raises(RunError, match=r"(?s)no longer.*1 removed.*1 added.*pefomed predict"):
        evaluate_run(root / "run", root)
    predict_run(root / "run", root)
    now = samples_of(root)
    [new] = now.keys() - before.keys()
    [gone] = before.keys() - now.keys()
    assert read(root).keys() == read(root, blind=True).keys() == now.keys()
    assert kept(root) == kept(root, blind=True) == now.keys() - {new}
    assert f"1 answer removed with the samples: {gone}" in capsys.readouterr().err
    evaluate_run(root / "run", root)


def with_own_ids(root: Path) -> list[Row]:
    """Give the rows of the table ids of their own, answer them, mark the answers and return the rows."""
    override(root / "run", {"data.table.options.columns.id": "id"})
    rows = [{**row, "id": f"r{n}"} for n, row in enumerate(rows_of(4))]
    write_table(root, rows)
    predict_run(root / "run", root)
    mark(root)
    return rows


def test_ids_of_ones_own_do_not_hide_another_question(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = with_own_ids(root)
    rows[3]["question"] = "what is that?"
    write_table(root, rows)
    predict_run(root / "run", root)
    assert kept(root) == kept(root, blind=True) == {f"r{n}" for n in range(8) if n != 3}
    assert (
        "1 answer to what was asked otherwise, asked again: r3 (another question)" in capsys.readouterr().err
    )
    assert samples_of(root)["r3"].question == "what is that?"
    assert not (root / "run" / "predictions" / "again").exists()


def test_a_killed_second_answering_leaves_what_belongs_together(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = with_own_ids(root)
    for place in (3, 4):
        rows[place]["question"] = "what is that?"
    write_table(root, rows)
    whole = Predictor.predict

    def killed(self: Predictor, *given: Any, **named: Any) -> Iterator[Prediction]:
        yield next(iter(whole(self, *given, **named)))
        raise KeyboardInterrupt

    monkeypatch.setattr(Predictor, "predict", killed)
    with pytest.raises(KeyboardInterrupt):
        predict_run(root / "run", root)
    # The former answers, all of them, beside the questions that they answer.
    assert kept(root) == {f"r{n}" for n in range(8)}
    assert samples_of(root)["r3"].question == "what is it?"
    monkeypatch.setattr(Predictor, "predict", whole)
    rows[4]["question"] = "is it left?"  # as it was
    write_table(root, rows)
    predict_run(root / "run", root)
    assert kept(root) == {f"r{n}" for n in range(8) if n != 3}
    evaluate_run(root / "run", root)


def test_sorted_rows_and_corrected_references_need_no_new_answer(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mark(root)
    rows = sorted(rows_of(4), key=lambda row: (row["question"], row["image"]), reverse=True)
    rows[0]["answer"] = "kept"
    write_table(root, rows)
    monkeypatch.setattr(splits, "load", None)  # nothing may be answered
    with pytest.raises(RunError, match=r"(?s)1 changed.*pefomed predict"):
        evaluate_run(root / "run", root)
    predict_run(root / "run", root)
    said = capsys.readouterr().err
    assert "1 sample with another reference or other groups: the answers stand" in said
    with pytest.raises(RunError, match=r"(?s)samples/table-test\.jsonl has changed.*pefomed evaluate"):
        write_report(root / "run")
    scores = evaluate_run(root / "run", root)
    [exact] = [s for s in scores if (s.system, s.metric, s.group) == ("model", "exact_match", "overall")]
    assert exact.value == 1 / 8


def test_a_removed_row_takes_its_own_answer_with_it(root: Path) -> None:
    mark(root)
    before = samples_of(root)
    rows = rows_of(4)
    del rows[2]
    write_table(root, rows)
    predict_run(root / "run", root)
    assert kept(root) == kept(root, blind=True) == samples_of(root).keys()
    now = samples_of(root)
    # The copied run names the images of the folder it was copied from.
    assert all(Path(now[name].images[0]).name == Path(before[name].images[0]).name for name in now)
    assert all(now[name].question == before[name].question for name in now)
    assert len(kept(root)) == 7


def test_another_image_under_the_same_name(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mark(root)
    shutil.copy(root / "image-1.png", root / "image-0.png")
    with pytest.raises(RunError, match=r"(?s)about other images.*2: table-test-.*pefomed predict"):
        evaluate_run(root / "run", root)
    predict_run(root / "run", root)
    swapped = {one.id for one in samples_of(root).values() if one.images[0].endswith("image-0.png")}
    assert kept(root) == read(root).keys() - swapped
    assert kept(root, blind=True) == read(root).keys()  # which saw none
    assert "2 answers to what was asked otherwise, asked again" in capsys.readouterr().err
    assert content_hash(root / "image-0.png") == content_hash(root / "image-1.png")
    evaluate_run(root / "run", root)


def other_adapter(run: Path) -> None:
    file = run / "adapter" / "adapter_model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
    (run / "adapter" / "checksums.json").unlink()


def override(run: Path, overrides: dict[str, Any]) -> None:
    file = run / "recipe.toml"
    file.write_text(recipes.dumps(recipes.load(file, overrides)))


def edited(key: str, value: Any) -> Callable[[Path], None]:
    return lambda run: override(run, {key: value})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (other_adapter, "the adapter is another one"),
        (edited("predict.max_new_tokens", 4), "'greedy, at most 3 tokens' instead of"),
        (
            edited("prompt.pools.vqa", ["Say: {question}"]),
            r"prompt\.pools\.vqa: \['Based",
        ),
        (edited("prompt.template", "tokenizer"), "prompt.template: 'llama2' instead"),
        (edited("model.image_size", 42), "model.image_size: 56 instead of 42"),
    ],
    ids=["adapter", "generation", "pool", "template", "model"],
)
def test_answers_made_in_two_ways_are_not_mixed(
    root: Path, change: Callable[[Path], None], named: str
) -> None:
    run = root / "run"
    change(run)
    before = read(root)
    with pytest.raises(RunError, match=rf"(?s)in another way.*{named}.*remove the file"):
        predict_run(run, root)
    assert read(root) == before


def test_answers_of_an_older_version_say_nothing_and_stay(
    root: Path,
) -> None:
    empty = {"asked": "", "shown": "", "made_by": "", "text": "kept"}
    for path in (root / "run" / "predictions").glob("*.jsonl"):
        path.write_text(jsonl.lines(one.model_copy(update=empty) for one in jsonl.read(path, Prediction)))
        assert "asked" not in path.read_text()
        path.with_name(f"{path.stem}.card.json").unlink()
    predict_run(root / "run", root)
    assert kept(root) == samples_of(root).keys()
    evaluate_run(root / "run", root)
    # Of those the samples beside them tell what they answered.
    rows = with_own_ids(root)
    path = root / "run" / "predictions" / "table-test.jsonl"
    path.write_text(jsonl.lines(one.model_copy(update=empty) for one in jsonl.read(path, Prediction)))
    rows[3]["question"] = "what is that?"
    write_table(root, rows)
    predict_run(root / "run", root)
    assert kept(root) == {f"r{n}" for n in range(8) if n != 3}


def test_scores_are_not_shown_beside_other_answers(root: Path) -> None:
    run = root / "run"
    write_report(run)
    mark(root, "lung")
    with pytest.raises(RunError, match=r"(?s)do not belong.*predictions/table-test\.jsonl has changed"):
        write_report(run)
    evaluate_run(run, root)
    write_report(run)
    shutil.rmtree(run / "predictions")
    with pytest.raises(RunError, match=r"(?s)do not belong.*predictions/table-test\.jsonl is gone"):
        write_report(run)


@pytest.mark.parametrize(
    "name", ["recipe.toml", "scores.jsonl", "training_images.json", "samples/table-test.jsonl"]
)
def test_whatever_is_behind_scores_is_noticed(root: Path, name: str) -> None:
    path = root / "run" / name
    changed = {
        "recipe.toml": lambda text: text.replace("floors = true", "floors = false"),
        "scores.jsonl": lambda text: text[: text.index("\n") + 1],
        "training_images.json": lambda text: '{"table-test": {}}',
        "samples/table-test.jsonl": lambda text: text.replace('"lung"', '"liver"'),
    }[name]
    text = path.read_text()
    assert changed(text) != text
    path.write_text(changed(text))
    with pytest.raises(PefomedError, match=r"(?s)do not belong to what is there now.*pefomed evaluate"):
        write_report(root / "run")


def test_samples_edited_beside_their_answers_are_refused_by_every_reader(root: Path) -> None:
    path = root / "run" / "samples" / "table-test.jsonl"
    path.write_text(path.read_text().replace("what is it?", "what is that?"))
    (root / "run" / "scores.card.json").unlink()
    for reader in (evaluate_run, write_report):
        with pytest.raises(RunError, match=r"(?s)4.*pefomed predict"):
            reader(root / "run")
    from pefomed.judges.items import read_items
    from pefomed.raters.pool import read_answers

    for reads in (read_items, read_answers):
        with pytest.raises(RunError, match=r"(?s)to other questions.*4: table-test-.*pefomed predict"):
            reads(root / "run")


def test_runs_that_saw_other_images_are_not_compared(root: Path) -> None:
    other = root / "other"
    shutil.copytree(root / "run", other)
    assert {one.difference for one in compare_runs(root / "run", other)} == {0.0}
    shutil.copy(root / "image-1.png", root / "image-0.png")
    predict_run(other, root)
    with pytest.raises(RunError, match=r"(?s)answered about other images.*2 samples"):
        compare_runs(root / "run", other)
