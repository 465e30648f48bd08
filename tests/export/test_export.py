"""An export read back, by this project's loaders and by `datasets`, asks the same about the same images."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.datasets.made_dicom import made

from pefomed.cli import main
from pefomed.datasets import load_samples
from pefomed.errors import DataError, ImageError, RunError, StorageError
from pefomed.export import FORMS, Exported, Form, export
from pefomed.images.images import content_hash, open_image
from pefomed.recipe import Dataset, Prompt
from pefomed.schema import Sample

pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")

Told = list[tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]]

TABLE = """\
id,image,question,answer,answer_2,split,organ,task
s1,a.png,"Is it, ""so""?",yes,,train,lung,vqa
s2,a.png;b.png,Où ?,au cœur,le cœur,train,"left
lung",vqa
s3,b.png,Which side?,left,,val,,vqa
"""
COLUMNS = {"meta": ["organ", "task"]}


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))


def picture(path: Path, seed: int = 0, size: tuple[int, int] = (12, 8), **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.fixture
def mine(tmp_path: Path) -> Dataset:
    """Three questions of two splits, one about two images with two right answers."""
    picture(tmp_path / "mine/a.png", 1)
    picture(tmp_path / "mine/b.png", 2)
    (tmp_path / "mine/q.csv").write_text(TABLE, encoding="utf-8")
    return Dataset(loader="table", root="mine/q.csv", options={"columns": COLUMNS})


def written(
    dataset: Dataset, tmp_path: Path, form: Form, *splits: str, **more: Any
) -> tuple[Path, list[Exported]]:
    out = tmp_path / f"out-{form}"
    return out, export(
        dataset, splits or ["train", "validate"], out, form, name="mine", folder=tmp_path, **more
    )[0]


def told(samples: Sequence[Sample]) -> Told:
    """What is asked, the right answers, and what the images hold."""
    return [
        (each.id, tuple(map(content_hash, each.images)), (each.question,), each.references)
        for each in samples
    ]


BACK: dict[str, tuple[str, dict[str, Any]]] = {
    "llava": ("conversations", {"columns": {"id": "id", "meta": ["organ", "meta_task"]}}),
    "messages": ("conversations", {"columns": {"id": "id", "meta": ["organ", "meta_task"]}}),
    "jsonl": ("table", {"columns": {"meta": ["organ", "meta_task"]}}),
    "parquet": ("hugging_face", {"columns": {"meta": ["organ", "meta_task"]}}),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_is_read_back_is_the_same(tmp_path: Path, mine: Dataset, form: Form) -> None:
    out, facts = written(mine, tmp_path, form, copy_images=True)
    assert [(each.split, each.samples, each.images, dict(each.left_out)) for each in facts] == [
        ("train", 2, 2, {}), ("validate", 1, 1, {}),
    ]  # fmt: skip
    loader, options = BACK[form]
    again = Dataset(loader=loader, root=out.name, options=options)
    for split in ("train", "validate"):
        before, after = (load_samples(each, split, tmp_path) for each in (mine, again))
        assert told(after) == told(before)
        assert [list(each.meta.values()) for each in after] == [list(each.meta.values()) for each in before]


def test_the_records_are_as_the_trainers_document_them(tmp_path: Path, mine: Dataset) -> None:
    out, _ = written(mine, tmp_path, "llava", copy_images=True)
    llava = json.loads((out / "validate.json").read_text())
    name = content_hash(tmp_path / "mine/b.png")[:32]
    assert llava == [
        {
            "id": "s3",
            "image": [f"images/{name}.png"],
            "conversations": [
                {"from": "human", "value": "<image>\nWhich side?"},
                {"from": "gpt", "value": "left"},
            ],
            "further_answers": [],
            "organ": "",
            "meta_task": "vqa",
        }
    ]
    out, _ = written(mine, tmp_path, "messages", copy_images=True)
    second = json.loads((out / "train.jsonl").read_text().splitlines()[1])
    assert second["messages"] == [
        {"role": "user", "content": [{"type": "image"}, {"type": "image"}, {"type": "text", "text": "Où ?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "au cœur"}]},
    ]
    assert second["images"] == [
        f"images/{content_hash(tmp_path / 'mine' / one)[:32]}.png" for one in ("a.png", "b.png")
    ]
    info = json.loads((tmp_path / "out-llava/dataset_info.json").read_text())
    assert info["mine_validation"] == {
        "file_name": "validate.json", "formatting": "sharegpt",
        "columns": {"messages": "conversations", "images": "image"},
    }  # fmt: skip


def test_names_that_would_be_the_same_stay_apart(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    header = "image,question,answer,split,task,meta_task,name"
    (tmp_path / "q.csv").write_text(f"{header}\na.png,q?,a,fold 1,x,y,z\na.png,r?,b,fold-1,x,y,z\n")
    meta = {"columns": {"split": "split", "meta": ["task", "meta_task", "name"]}}
    loader = Dataset(loader="table", root="q.csv", options=meta)
    out, _ = written(loader, tmp_path, "jsonl", "fold 1", "Fold_1")
    files = sorted(path.name for path in out.glob("*.jsonl"))
    assert files == ["Fold_1.jsonl", "fold-1.jsonl"]
    row = json.loads((out / files[0]).read_text().splitlines()[0])
    assert (row["meta_meta_task"], row["meta_task"], row["name"]) == ("x", "y", "z")


def single(tmp_path: Path) -> Dataset:
    picture(tmp_path / "one/a.png", 1)
    (tmp_path / "one/q.csv").write_text("image,question,answer\na.png,q1?,yes\na.png,q2?,no\n")
    return Dataset(loader="table", root="one/q.csv")


def test_one_image_each_is_a_path_and_not_a_list(tmp_path: Path) -> None:
    out, _ = written(single(tmp_path), tmp_path, "llava", "train", copy_images=True)
    records = json.loads((out / "train.json").read_text())
    assert (
        records[0]["image"]
        == records[1]["image"]
        == f"images/{content_hash(tmp_path / 'one/a.png')[:32]}.png"
    )
    assert "further_answers" not in records[0]
    assert len(list((out / "images").iterdir())) == 1


def test_datasets_reads_each_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="`datasets` is not installed")
    dataset = single(tmp_path)
    pixels = np.asarray(open_image(tmp_path / "one/a.png"))

    def loaded(form: Form, kind: str) -> Any:
        out, _ = written(dataset, tmp_path, form, "train", copy_images=True)
        file = str(out / f"train{FORMS[form]}")
        return datasets.load_dataset(
            kind, data_files={"train": file}, split="train", cache_dir=str(tmp_path / "hf")
        )

    llava, talks, rows, table = (
        loaded(form, kind)
        for form, kind in [("llava", "json"), ("messages", "json"), ("jsonl", "json"), ("parquet", "parquet")]
    )
    # LlamaFactory: roles by turns, as many marks as pictures. LLaVA: its image beside.
    assert [[turn["from"] for turn in row["conversations"]] for row in llava] == [["human", "gpt"]] * 2
    assert all(row["conversations"][0]["value"].count("<image>") == 1 for row in llava)
    assert all((tmp_path / "out-llava" / row["image"]).is_file() for row in llava)
    # TRL: a part of the type image for each of `images`, which can be cast.
    for row in talks:
        parts = row["messages"][0]["content"]
        assert [part["type"] for part in parts] == ["image"] * len(row["images"]) + ["text"]
    monkeypatch.chdir(tmp_path / "out-messages")
    cast = talks.cast_column("images", datasets.List(datasets.Image()))
    assert (np.asarray(cast[0]["images"][0].convert("RGB")) == pixels).all()
    assert (rows["question"], rows["answer"]) == (["q1?", "q2?"], ["yes", "no"])
    assert isinstance(table.features["image"], datasets.Image)
    assert (np.asarray(table[1]["image"].convert("RGB")) == pixels).all()
    # The README says which file is which split.
    whole = datasets.load_dataset(str(tmp_path / "out-parquet"), cache_dir=str(tmp_path / "hf"))
    assert whole["train"]["question"] == ["q1?", "q2?"]


def odd_pictures(folder: Path) -> list[str]:
    """Pictures that others would show otherwise, or not at all."""
    grey = np.arange(96, dtype=np.uint16).reshape(8, 12) * 600
    made(folder / "ct.dcm", grey, Modality="CT", RescaleSlope=1, RescaleIntercept=-1024)
    Image.fromarray(grey).save(folder / "sixteen.png")
    turned = Image.Exif()
    turned[0x0112] = 6
    picture(folder / "turned.jpg", 3, exif=turned)
    pixels = np.random.default_rng(4).integers(0, 256, (8, 12, 4), dtype=np.uint8)
    Image.fromarray(pixels, "RGBA").save(folder / "clear.png")
    picture(folder / "scan.tif", 5)
    picture(folder / "plain.jpg", 6)
    Image.fromarray(grey.astype(np.uint8)).save(folder / "grey.png")
    return [
        "ct.dcm", "ct.dcm#window=lung", "sixteen.png", "turned.jpg", "clear.png", "scan.tif",
        "plain.jpg#crop=0:0:0.5:1", "plain.jpg", "grey.png",
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["llava", "parquet"])
def test_others_see_the_picture_that_is_seen_here(tmp_path: Path, form: Form) -> None:
    names = odd_pictures(tmp_path)
    rows = "".join(f"{name},q?,a\n" for name in names)
    (tmp_path / "q.csv").write_text("image,question,answer\n" + rows)
    dataset = Dataset(loader="table", root="q.csv")
    out, _ = written(dataset, tmp_path, form, "train", copy_images=True)
    if form == "llava":
        files = [record["image"] for record in json.loads((out / "train.json").read_text())]
        assert [name.rpartition(".")[2] for name in files] == ["png"] * 7 + ["jpg", "png"]
        seen = [Image.open(out / name).convert("RGB") for name in files]
        assert "7 of them written as PNG" in (out / "README.md").read_text()
    else:
        after = load_samples(Dataset(loader="hugging_face", root=out.name), "train", tmp_path)
        seen = [Image.open(sample.images[0]).convert("RGB") for sample in after]
    for name, image in zip(names, seen, strict=True):
        assert np.array_equal(np.asarray(image), np.asarray(open_image(str(tmp_path / name)))), name


def test_what_others_cannot_read_is_said_before_anything_is_written(tmp_path: Path) -> None:
    odd_pictures(tmp_path)
    (tmp_path / "q.csv").write_text("image,question,answer\nct.dcm,q?,a\nplain.jpg,q?,a\nsixteen.png,q?,a\n")
    with pytest.raises(ImageError, match=r"(?s)2 of 3 pictures.*ct\.dcm, .*sixteen\.png.*--copy-images"):
        written(Dataset(loader="table", root="q.csv"), tmp_path, "jsonl", "train")
    assert not (tmp_path / "out-jsonl").exists()
    assert not list(tmp_path.glob(".part-*"))


def test_without_copies_paths_are_of_the_data_sets_folder(tmp_path: Path, mine: Dataset) -> None:
    out, _ = written(mine, tmp_path, "jsonl", "validate")
    [row] = [json.loads(line) for line in (out / "validate.jsonl").read_text().splitlines()]
    assert row["image"] == "b.png"
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "validate.jsonl"]
    again = Dataset(
        loader="table", root=f"{out.name}/validate.jsonl",
        options={"images": str(tmp_path / "mine"), "only_split": "validate"},
    )  # fmt: skip
    assert told(load_samples(again, "validate", tmp_path)) == told(load_samples(mine, "validate", tmp_path))
    # Pictures elsewhere: of the folder that holds all of them.
    picture(tmp_path / "far/x/a.png")
    picture(tmp_path / "far/y/b.png")
    (tmp_path / "mine/far.csv").write_text("image,question,answer\nx/a.png,q?,a\ny/b.png,q?,a\n")
    far = Dataset(loader="table", root="mine/far.csv", options={"images": "../far"})
    [_], base = export(far, ["train"], tmp_path / "far-out", "jsonl", name="far", folder=tmp_path)
    names = [
        json.loads(line)["image"] for line in (tmp_path / "far-out/train.jsonl").read_text().splitlines()
    ]
    assert (base, names) == (tmp_path / "far", ["x/a.png", "y/b.png"])


@pytest.mark.parametrize("form", FORMS)
def test_nothing_names_this_machine(tmp_path: Path, mine: Dataset, form: Form) -> None:
    out, _ = written(mine, tmp_path, form, copy_images=form == "llava")
    for path in out.rglob("*"):
        assert not path.is_file() or str(tmp_path).encode() not in path.read_bytes()


BOXES = "image,phrase,x,y,w,h\na.png,mass,1,2,6,4\na.png,mass,0,0,3,2\n"


@pytest.fixture
def places(tmp_path: Path) -> Dataset:
    picture(tmp_path / "boxes/a.png")
    (tmp_path / "boxes/b.csv").write_text(BOXES)
    boxes = {"columns": ["x", "y", "w", "h"], "form": "xywh", "unit": "pixel"}
    return Dataset(
        loader="table", root="boxes/b.csv", options={"columns": {"question": "phrase"}, "boxes": boxes}
    )


def test_boxes_are_text_as_they_are_trained_on(tmp_path: Path, places: Dataset) -> None:
    # Of 12 x 8 pixels: 1/12 = .083, 2/8 = .25, 7/12 = .583, 6/8 = .75; 3/12 = .25, 2/8 = .25.
    out, _ = written(places, tmp_path, "llava", "train")
    [record] = json.loads((out / "train.json").read_text())
    assert [turn["value"] for turn in record["conversations"]] == [
        "<image>\nWhere is mass in the image?",
        "{<0><0><25><25>}<delim>{<8><25><58><75>}",
    ]
    out, _ = written(places, tmp_path, "jsonl", "train", prompt=Prompt(box_bins=1000))
    [row] = [json.loads(line) for line in (out / "train.jsonl").read_text().splitlines()]
    assert (row["question"], row["prompt"]) == ("mass", "Where is mass in the image?")
    assert row["answer"] == "{<0><0><250><250>}<delim>{<83><250><583><750>}"
    assert np.allclose(sorted(row["boxes"]), [[0, 0, 0.25, 0.25], [1 / 12, 0.25, 7 / 12, 0.75]])
    assert "0 to 1000 of the picture's own" in (out / "README.md").read_text()


def test_captions_are_asked_for(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    (tmp_path / "c.csv").write_text("image,answer\na.png,A fracture.\n")
    dataset = Dataset(loader="table", root="c.csv", options={"task": "caption"})
    out, _ = written(dataset, tmp_path, "messages", "train")
    again = Dataset(
        loader="conversations", root=f"{out.name}/train.jsonl", options={"task": "caption", "images": ".."}
    )
    [before], [after] = (load_samples(each, "train", tmp_path) for each in (dataset, again))
    assert (after.question, after.reference, after.images) == (
        "",
        "A fracture.",
        (str(tmp_path / "out-messages/../a.png"),),
    )
    assert before.reference == after.reference
    asked = json.loads((out / "train.jsonl").read_text())["messages"][0]["content"][1]["text"]
    assert asked == "Describe the given medical image briefly."


def test_a_recipes_instruction_and_case(tmp_path: Path) -> None:
    prompt = Prompt(pools={"vqa": ("Look: {question}",)}, answer_case="lower")
    (tmp_path / "one").mkdir()
    picture(tmp_path / "one/a.png")
    (tmp_path / "one/q.csv").write_text("image,question,answer\na.png,Is it {so}?,Yes\n")
    dataset = Dataset(loader="table", root="one/q.csv")
    out, _ = written(dataset, tmp_path, "llava", "train", prompt=prompt, instruct=True)
    [record] = json.loads((out / "train.json").read_text())
    assert [turn["value"] for turn in record["conversations"]] == ["<image>\nLook: Is it {so}?", "yes"]
    out, _ = written(dataset, tmp_path, "jsonl", "train", prompt=prompt, instruct=True)
    row = json.loads((out / "train.jsonl").read_text())
    assert (row["question"], row["prompt"], row["answer"]) == ("Is it {so}?", "Look: Is it {so}?", "yes")


def test_a_mark_in_a_users_text_is_no_picture(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    (tmp_path / "q.csv").write_text("image,question,answer\na.png,What does <image> mean?,a tag <image>\n")
    for form in ("llava", "messages"):
        out, _ = written(Dataset(loader="table", root="q.csv"), tmp_path, form, "train", copy_images=True)
        [sample] = load_samples(Dataset(loader="conversations", root=out.name), "train", tmp_path)
        assert (sample.question, sample.reference) == ("What does <image > mean?", "a tag <image >")


def test_questions_without_an_answer(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    (tmp_path / "q.csv").write_text("image,question\na.png,q?\n")
    dataset = Dataset(loader="table", root="q.csv", options={"columns": {"answer": ""}})
    with pytest.raises(DataError, match=r"(?s)no sample of the split 'train'.*--to jsonl"):
        written(dataset, tmp_path, "llava", "train")
    assert not (tmp_path / "out-llava").exists()
    out, _ = written(dataset, tmp_path, "jsonl", "train")
    assert json.loads((out / "train.jsonl").read_text())["answer"] == ""


def test_nothing_is_overwritten_and_nothing_half_is_left(
    tmp_path: Path, mine: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out-llava"
    out.mkdir()
    (out / "mine.txt").write_text("kept")
    with pytest.raises(DataError, match="already there"):
        written(mine, tmp_path, "llava")
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
    (out / "mine.txt").unlink()
    picture(tmp_path / "mine/b.png", 2).write_bytes((tmp_path / "mine/b.png").read_bytes()[:80])
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ImageError, match=r"b\.png"):
        written(mine, tmp_path, "llava", copy_images=True)
    assert sorted(tmp_path.iterdir()) == before
    picture(tmp_path / "mine/b.png", 2)

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pefomed.export.dataset.about", stopped)
    with pytest.raises(KeyboardInterrupt):
        written(mine, tmp_path, "llava", copy_images=True)
    assert (sorted(tmp_path.iterdir()), list(out.iterdir())) == (before, [])
    monkeypatch.undo()
    written(mine, tmp_path, "llava")  # an empty folder is free
    assert (out / "train.json").is_file()


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_place_where_nothing_can_be_written(tmp_path: Path, mine: Dataset) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        export(mine, ["train"], tmp_path / "file" / "out", "jsonl", name="mine", folder=tmp_path)


def test_restricted_data_needs_a_word(tmp_path: Path) -> None:
    dataset = Dataset(loader="mimic_cxr", root="mimic", options={"text": "findings"})
    with pytest.raises(RunError, match=r"(?s)mimic_cxr is restricted.*--allow-remote"):
        export(dataset, ["test"], tmp_path / "out", "llava", name="mimic", folder=tmp_path)
    with pytest.raises(DataError):  # asked for, it is looked for
        export(
            dataset, ["test"], tmp_path / "out", "llava", name="mimic", folder=tmp_path, allow_restricted=True
        )


RECIPE = """
[data.mine]
loader = "table"
root = "mine/q.csv"
options = { columns = { meta = ["organ", "task"] } }
"""


def test_the_command(tmp_path: Path, mine: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(["data", "export", *words, "--data", str(tmp_path)])
        shown = capsys.readouterr()
        return int(stopped.value.code or 0), shown.out, shown.err

    out = tmp_path / "talks"
    code, text, error = run("table", "mine/q.csv", "--to", "messages", "-o", str(out), "--copy-images")
    assert (code, error) == (0, "")
    assert text == (
        f"train: 2 samples on 2 images, {out}/train.jsonl\n"
        f"validate: 1 samples on 1 images, {out}/validate.jsonl\n"
        f"paths of pictures are relative to {out}\n"
    )
    assert run("table", "mine/q.csv", "--to", "messages", "-o", str(out))[0] == 2
    (tmp_path / "r.toml").write_text(RECIPE)
    named = tmp_path / "named"
    code, text, error = run(
        str(tmp_path / "r.toml"), "--to", "llava", "--split", "test", "-o", str(named), "--json"
    )
    assert code == 2
    assert "'test'" in error
    code, text, error = run(
        str(tmp_path / "r.toml"), "--to", "llava", "--split", "validate", "-o", str(named), "--json"
    )
    assert code == 0, error
    [facts] = json.loads(text)
    assert (facts["samples"], facts["images_in"]) == (1, str(tmp_path / "mine"))
    [record] = json.loads((named / "validate.json").read_text())
    assert record["conversations"][0]["value"].endswith("short answer: Which side?")
    assert run(str(tmp_path / "r.toml"), "--to", "yolo")[0] == 2


@pytest.mark.parametrize("form", ["llava", "messages", "parquet"])
def test_slake_read_back_is_slake(tmp_path: Path, real_data: Path, form: Form) -> None:
    # All its questions; where pictures are decoded, the first ones.
    slake = Dataset(loader="slake", root=str(real_data / "slake"), limit=None if form == "messages" else 200)
    out = tmp_path / "slake"
    export(slake, ["test"], out, form, name="slake", copy_images=form == "llava")
    more: dict[str, dict[str, Any]] = {
        "llava": {},
        "messages": {"images": str(real_data / "slake")},
        "parquet": {"numbers_as_text": True},  # how many kidneys there are
    }
    loader, options = BACK[form][0], {"columns": {"id": "id"}, **more[form]}
    before = load_samples(slake, "test")
    after = load_samples(Dataset(loader=loader, root=str(out), options=options), "test")
    assert len(after) == (1061 if form == "messages" else 200)
    hashes = {path: content_hash(path) for each in (*before, *after) for path in each.images}
    assert [
        (each.id, each.question, each.reference, hashes[each.images[0]]) for each in after
    ] == [(each.id, each.question, each.reference, hashes[each.images[0]]) for each in before]  # fmt: skip
