from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.datasets.made_parquet import table_of

from pefomed.datasets import LeftOut, load_samples, load_split
from pefomed.datasets.found_splits import found_splits
from pefomed.errors import DataError, RecipeError
from pefomed.recipe import Dataset
from pefomed.schema import Sample

WriteJson = Callable[[Path, Any], Path]
Said = tuple[tuple[str, ...], str, str]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))


def dataset(path: Path, **options: Any) -> Dataset:
    return Dataset(loader="conversations", root=str(path), options=options)


def read(path: Path, split: str = "train", **options: Any) -> list[Sample]:
    return load_samples(dataset(path, **options), split, path.parent)


def said(samples: list[Sample]) -> list[Said]:
    """What is shown, asked and answered, the images by their names."""
    return [
        (tuple(Path(image).name for image in each.images), each.question, each.reference) for each in samples
    ]


def of(tmp_path: Path, *records: dict[str, Any], **options: Any) -> list[Said]:
    path = tmp_path / "c.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return said(read(path, **options))


def asked(*texts: Any, **more: Any) -> dict[str, Any]:
    """A record whose messages are `texts`, the first from the user."""
    roles = ("user", "assistant")
    return {
        "messages": [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)],
        "image": "a.png",
        **more,
    }


HUMAN, GPT = {"from": "human", "value": "<image>\nq?"}, {"from": "gpt", "value": "a"}
TYPED = [
    {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "q?"}]},
    {"role": "assistant", "content": [{"type": "text", "text": "a"}]},
]
PLAIN = [{"role": "user", "content": "<image>q?"}, {"role": "assistant", "content": "a"}]


@pytest.mark.parametrize(
    "record",
    [
        {"id": "1", "image": "a.png", "conversations": [HUMAN, GPT]},  # LLaVA
        {"id": "1", "image": ["a.png"], "conversations": [HUMAN, GPT]},  # LLaVA-NeXT
        {"image": "a.png", "conversations": [HUMAN | {"value": "q?\n<image>"}, GPT]},  # LLaVA's pre-training
        {"image": "a.png", "conversatons": [HUMAN | {"value": "q?"}, GPT]},  # LLaVA-Med
        {"images": ["a.png"], "conversations": [HUMAN, GPT], "system": ""},  # LlamaFactory, ShareGPT
        {"images": ["a.png"], "messages": PLAIN},  # LlamaFactory, ms-swift
        {"images": ["a.png"], "messages": TYPED},  # TRL
        {"images": [{"bytes": None, "path": "a.png"}], "messages": TYPED},
        {"images": [{"path": "a.png"}], "messages": PLAIN},
        {"image": "a.png", "prompt": TYPED[:1], "completion": TYPED[1:]},  # TRL, prompt and completion
        {"images": ["a.png"], "prompt": [{"role": "user", "content": "q?"}], "completion": TYPED[1:]},
        {"conversation": [{"human": "<image>q?", "assistant": "a"}], "images": ["a.png"]},  # ms-swift
        {"query": "<image>q?", "response": "a", "images": ["a.png"]},  # ms-swift
        {"instruction": "<image>q?", "input": "", "output": "a", "images": ["a.png"]},  # LlamaFactory, Alpaca
        {"messages": json.dumps(PLAIN), "images": json.dumps(["a.png"])},  # as tables keep lists
        {"messages": [TYPED[0] | {"content": [{"type": "image", "image": "a.png"}, "q?"]}, TYPED[1]]},
        {"messages": [TYPED[0] | {"content": [{"image": "a.png"}, {"text": "q?"}]}, TYPED[1]]},  # Qwen-VL
        {
            "messages": [  # OpenAI
                TYPED[0]
                | {
                    "content": [
                        {"type": "text", "text": "q?"},
                        {"type": "image_url", "image_url": {"url": "a.png"}},
                    ]
                },
                TYPED[1],
            ]
        },
        {
            "conversations": [HUMAN | {"from": "user", "value": "Picture 1: <img>a.png</img>\nq?"}, GPT]
        },  # Qwen-VL
        {"image": "a.png", "messages": [PLAIN[0] | {"content": "<|image_1|>\nq?"}, PLAIN[1]]},  # Phi
        {  # Hugging Face's copy of LLaVA: parts with an index, empty keys as Parquet has them
            "images": ["a.png"],
            "messages": [
                TYPED[0]
                | {
                    "content": [
                        {"type": "text", "text": "q?", "index": None},
                        {"type": "image", "text": None, "index": 0},
                    ]
                },
                TYPED[1],
            ],
        },
    ],
)
def test_every_published_form_is_found_by_itself(tmp_path: Path, record: dict[str, Any]) -> None:
    assert of(tmp_path, record) == [(("a.png",), "q?", "a")]


def test_forms_may_be_mixed_in_one_file(tmp_path: Path) -> None:
    found = of(
        tmp_path, {"image": "a.png", "conversations": [HUMAN, GPT]}, {"images": ["b.png"], "messages": TYPED}
    )
    assert found == [(("a.png",), "q?", "a"), (("b.png",), "q?", "a")]


def test_a_field_and_a_speaker_may_be_named(tmp_path: Path) -> None:
    record = {
        "scan": "a.png",
        "talk": [{"role": "Patient", "content": "q?"}, {"role": "Doctor", "content": "a"}],
    }
    named = {"messages": "talk", "image": "scan"}
    roles = {"Patient": "user", "Doctor": "assistant"}
    assert of(tmp_path, record, columns=named, roles=roles) == [(("a.png",), "q?", "a")]
    with pytest.raises(
        DataError, match=r"(?s)line 1: no field with a conversation.*scan, talk.*columns\.mess"
    ):
        of(tmp_path, record)
    with pytest.raises(DataError, match=r"(?s)a message of 'Patient'.*roles = \{ \"Patient\" = \"user\" \}"):
        of(tmp_path, record, columns=named)
    with pytest.raises(DataError, match=r"(?s)no column 'talkk'.*did you mean 'talk'"):
        of(tmp_path, record, columns={"messages": "talkk"}, roles=roles)
    with pytest.raises(DataError, match=r"(?s)no column 'sacn'.*did you mean 'scan'"):
        of(tmp_path, record, columns={"messages": "talk", "image": "sacn"}, roles=roles)


THREE = asked("<image>\nIs it CT?", "yes", "Which organ?", "liver", "Which side?", "right")


def test_several_turns(tmp_path: Path) -> None:
    one = ("a.png",)
    assert of(tmp_path, THREE) == [
        (one, "Is it CT?", "yes"), (one, "Which organ?", "liver"), (one, "Which side?", "right"),
    ]  # fmt: skip
    assert of(tmp_path, THREE, turns="first") == [(one, "Is it CT?", "yes")]
    assert of(tmp_path, THREE, turns="history")[2] == (
        one, "Is it CT?\nyes\nWhich organ?\nliver\nWhich side?", "right",
    )  # fmt: skip


def test_earlier_turns_of_a_query(tmp_path: Path) -> None:
    record = {"query": "q2", "response": "a2", "history": [["<image>q1", "a1"]], "images": ["a.png"]}
    assert of(tmp_path, record) == [(("a.png",), "q1", "a1"), (("a.png",), "q2", "a2")]


def test_a_question_is_about_the_images_shown_until_then(tmp_path: Path) -> None:
    record = asked("<image>first?", "a1", "<image>second?", "a2", image=["a.png", "b.png"])
    assert of(tmp_path, record) == [(("a.png",), "first?", "a1"), (("a.png", "b.png"), "second?", "a2")]
    # Without any mark all of them stand before the first question.
    record = asked("first?", "a1", "second?", "a2", image=["a.png", "b.png"])
    assert [images for images, _, _ in of(tmp_path, record)] == [("a.png", "b.png")] * 2


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("<image>\n<image>\nWhat changed?", "What changed?"),
        ("What changed? <image> <image>", "What changed?"),
        ("<image>\nWhat changed from <image>?", "What changed from image 2?"),
        ("Is <image> older than <image>?", "Is image 1 older than image 2?"),
        ("<|image_2|> then <|image_1|>: is <|image_2|> older?", "then image 2: is image 1 older?"),
        ("<image 1>\n<image 2>\nCompare.", "Compare."),
        (
            [{"type": "text", "text": "Now:"}, {"type": "image"}, {"type": "text", "text": "Before:"},
             {"type": "image"}, {"type": "text", "text": "Changed?"}],
            "Now:\nimage 1\nBefore:\nimage 2\nChanged?",
        ),
    ],
)  # fmt: skip
def test_images_between_words_keep_their_place(tmp_path: Path, text: Any, question: str) -> None:
    [(images, found, _)] = of(tmp_path, asked(text, "a", image=["a.png", "b.png"]))
    assert (sorted(images), found) == (["a.png", "b.png"], question)


def test_numbered_marks_name_the_image_and_not_its_turn(tmp_path: Path) -> None:
    [(images, question, _)] = of(tmp_path, asked("See <|image_2|>, not <|image_1|>.", "a", image=["a", "b"]))
    assert (images, question) == (("b", "a"), "See image 1, not image 2.")


def test_boxes_in_a_text_are_text(tmp_path: Path) -> None:
    answer = "<|object_ref_start|>mass<|object_ref_end|><|box_start|>(1,2),(3,4)<|box_end|> [1, 2, 3, 4]"
    assert of(tmp_path, asked("<image>Where?", answer))[0][2] == answer


def test_system_prompts_are_left_out_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    system = {"role": "system", "content": [{"type": "text", "text": "You are a radiologist."}]}
    first, second = asked("q1", "a1", "q2", "a2"), asked("q3", "a3", system="Be brief.")
    first["messages"].insert(0, system)
    assert [question for _, question, _ in of(tmp_path, first, second)] == ["q1", "q2", "q3"]
    assert (
        "c.jsonl: the system prompts of 2 records are left out; `system = 'before'`"
        in capsys.readouterr().err
    )
    assert [question for _, question, _ in of(tmp_path, first, second, system="before")] == [
        "You are a radiologist.\nq1", "You are a radiologist.\nq2", "Be brief.\nq3",
    ]  # fmt: skip
    assert "system prompts" not in capsys.readouterr().err


def test_captions_have_no_question(tmp_path: Path) -> None:
    record = asked("<image>\nDescribe the image.", "A fracture.")
    assert of(tmp_path, record, task="caption") == [(("a.png",), "", "A fracture.")]
    assert of(tmp_path, asked("<image>", "A fracture."), task="report") == [(("a.png",), "", "A fracture.")]
    with pytest.raises(RecipeError, match=r"(?s)option 'task'.*'refer'.*'vqa', 'caption' or 'report'"):
        of(tmp_path, record, task="refer")


FAULTS = [
    (asked("<image>q?", "a", image=None), "no image", "the record holds no image"),
    (asked("q?", "a", image=[]), "no image", "the record holds no image"),
    ({"messages": [], "image": "a.png"}, "no conversation", "is empty"),
    ({"messages": None, "image": "a.png"}, "no conversation", "is empty"),
    (asked("<image><image>q?", "a"), "image count", "2 marks (0 with an image of their own), 1 im"),
    (asked("<image>q?", "a", image=["a", "b"]), "image count", "1 marks"),
    (asked("<|image_3|>q?", "a", image=["a", "b"]), "image count", "1 marks"),
    (asked([{"type": "image", "image": "b"}, "q?"], "a"), "image count", "1 with an image of their own"),
    (asked("q?", "see <image>"), "image in answer", "answer 1 shows an image"),
    (asked("<video>q?", "a"), "other medium", "<video> stands for a film"),
    (asked([{"type": "audio", "audio": "a.wav"}], "a"), "other medium", "'audio'"),
    ({"image": "a", "messages": [{"role": "tool", "content": "x"}]}, "other role", "a message of 'tool'"),
    ({"image": "a", "conversations": [GPT, HUMAN]}, "wrong order", "begins with an answer"),
    ({"image": "a", "conversations": [HUMAN, HUMAN, GPT]}, "wrong order", "messages of the user in a row"),
    ({"image": "a", "conversations": [HUMAN, GPT, GPT]}, "wrong order", "in a row, numbers 2 and 3"),
    (asked("<image>q?", "a", "and?"), "no answer", "the last question has no answer"),
    (asked("<image>", "a"), "empty question", "question 1 is empty"),
    (asked("<image>q?", " \n"), "empty answer", "answer 1 is empty"),
    (asked("<image>q?", None), "empty answer", "answer 1 is empty"),
    (
        asked("<image>Find <ref-object>", "<bbox>", objects={"ref": ["x"], "bbox": [[1, 2, 3, 4]]}),
        "placeholders",
        "<ref-object>, whose value is in `objects`",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("record", "reason", "words"), FAULTS)
def test_what_cannot_be_read_is_an_error_or_left_out(
    tmp_path: Path, record: dict[str, Any], reason: str, words: str
) -> None:
    good = {"image": "a.png", "conversations": [HUMAN, GPT]}
    with pytest.raises(DataError) as caught:
        of(tmp_path, good, record)
    assert "c.jsonl, line 2: " in str(caught.value)
    assert words in str(caught.value).replace("\n  ", " ")
    assert f'skip = ["{reason}"]' in str(caught.value)
    samples, left_out = load_split(dataset(tmp_path / "c.jsonl", skip=[reason]), "train", tmp_path)
    assert said(samples) == [(("a.png",), "q?", "a")]
    [one] = left_out
    assert isinstance(one, LeftOut)
    assert (one.place, one.reason) == (f"{tmp_path / 'c.jsonl'}, line 2", reason)


def test_one_empty_answer_leaves_the_other_questions(tmp_path: Path) -> None:
    record = asked("q1", "a1", "q2", "", "q3", "a3")
    assert [question for _, question, _ in of(tmp_path, record, skip=["empty answer"])] == ["q1", "q3"]
    history = of(tmp_path, record, skip=["empty answer"], turns="history")
    assert history[1][1] == "q1\na1\nq3"


def test_a_question_before_the_first_image(tmp_path: Path) -> None:
    record = asked("Hello?", "Hello.", "<image>q?", "a")
    with pytest.raises(DataError, match="no image is shown before question 1"):
        of(tmp_path, record)
    assert of(tmp_path, record, skip=["no image"]) == [(("a.png",), "q?", "a")]


def test_an_unknown_rule_names_the_known(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"(?s)skip.*'no imgae'.*'no image'"):
        of(tmp_path, THREE, skip=["no imgae"])


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (asked(3, "a"), "a message is a text, or a list of parts"),
        (asked([3], "a"), "a message is a text, or a list of parts"),
        (asked([{"type": "text", "text": 3}], "a"), "a message is a text"),
        ({"image": "a", "messages": ["q?", "a"]}, "an entry of 'messages' is no message"),
        ({"image": "a", "messages": [{"who": "user"}]}, "keys: who"),
        ({"image": "a", "messages": [{"role": "user"}]}, "keys: role"),
        ({"image": "a", "messages": "hello"}, "holds no list of messages"),
        ({"image": "a", "question": "q?", "answer": "a"}, "no field with a conversation"),
        (asked("q?", "a", image=3), "this is no image"),
        (asked("q?", "a", image="https://x.org/a.png"), "a picture's name is a URL"),
        (
            asked([{"type": "image_url", "image_url": {"url": "http://x/a"}}, "q"], "a", image=None),
            "is a URL",
        ),
        (asked("q?", "a", image="../a.png"), "must stay inside"),
        (asked("q?", "a", image="imgs\\a.png"), "a path with backslashes"),
        (asked("<img>../../a.png</img>q?", "a", image=None), "must stay inside"),
        (asked("q?", "a", image="file:///etc/a.png"), "must stay inside"),
        (asked("q?", "a", image="data:image/png;base64,!!"), "is damaged"),
        (asked("q?", "a", image="data:image/png,abc"), "without `;base64,`"),
        (asked("q?", "a", image="data:image/png;base64,"), "an image of 0 bytes"),
        (asked("q?", "a", further_answers="b"), "must be a list of texts"),
        ({"query": "q", "response": "a", "history": ["x"], "image": "a"}, "pairs of a question"),
    ],
)
def test_malformed_records_are_one_error_that_names_them(
    tmp_path: Path, record: dict[str, Any], words: str
) -> None:
    with pytest.raises(DataError) as caught:
        of(tmp_path, record)
    assert f"{tmp_path / 'c.jsonl'}, line 1" in str(caught.value)
    assert words in str(caught.value)


def test_images_inside_the_records(tmp_path: Path, write_image: Callable[..., Path]) -> None:
    data = write_image("a.png").read_bytes()
    text = base64.b64encode(data).decode()
    url = f"data:image/png;base64,{text}"
    records = [
        asked("q?", "a", image=url),
        asked([{"type": "image_url", "image_url": {"url": url}}, "q?"], "a", image=None),
        asked([{"type": "image", "base64": text}, "q?"], "a", image=None),
        asked(
            [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": text}}, "q?"],
            "a", image=None,
        ),
    ]  # fmt: skip
    path = tmp_path / "c.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    samples = read(path)
    name = hashlib.sha256(data).hexdigest() + ".png"
    assert [Path(sample.images[0]).name for sample in samples] == [name] * 4
    assert Path(samples[0].images[0]).read_bytes() == data
    # Ids are of what the image holds, wherever the cache lies.
    assert {sample.id[:18] for sample in samples} == {samples[0].id}


def parquet(path: Path, rows: list[dict[str, Any]], *, typed: bool = False) -> Path:
    import pyarrow
    import pyarrow.parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    made = pyarrow.Table.from_pylist(rows) if typed else table_of(rows)
    pyarrow.parquet.write_table(made, path)
    return path


def test_parquet_with_images_in_a_column_and_in_the_parts(
    tmp_path: Path, write_image: Callable[..., Path]
) -> None:
    image = {"bytes": write_image("a.png").read_bytes(), "path": "a.png"}
    parts = [
        {"type": "image", "text": None, "image": image},
        {"type": "text", "text": "q?", "image": None},
    ]
    answer = [{"type": "text", "text": "a", "image": None}]
    inside = [{"messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": answer}]}]
    column = [{"images": [image], "messages": json.dumps(TYPED)}]
    name = hashlib.sha256(image["bytes"]).hexdigest() + ".png"
    assert said(read(parquet(tmp_path / "inside.parquet", inside, typed=True))) == [((name,), "q?", "a")]
    assert said(read(parquet(tmp_path / "column.parquet", column))) == [((name,), "q?", "a")]


def test_a_hub_folder_of_shards(tmp_path: Path, write_image: Callable[..., Path]) -> None:
    image = {"bytes": write_image("a.png").read_bytes(), "path": None}

    def rows(*questions: str) -> list[dict[str, Any]]:
        return [
            {"images": [image], "messages": json.dumps([PLAIN[0] | {"content": q}, PLAIN[1]])}
            for q in questions
        ]

    hub = tmp_path / "hub"
    parquet(hub / "data/train-00000-of-00002.parquet", rows("q1"))
    parquet(hub / "data/train-00001-of-00002.parquet", rows("q2"))
    parquet(hub / "data/validation-00000-of-00001.parquet", rows("q3"))
    assert [sample.question for sample in read(hub)] == ["q1", "q2"]
    assert [sample.question for sample in read(hub, "validate")] == ["q3"]
    assert found_splits(dataset(hub), tmp_path) == {"train": None, "validation": None}
    one = tmp_path / "one"
    parquet(one / "data/train-00000-of-00001.parquet", rows("q1", "q2"))
    assert [sample.id for sample in read(one)] == [sample.id for sample in read(hub)]
    with pytest.raises(DataError, match=r"(?s)no Parquet or Arrow files of the split 'test'"):
        read(hub, "test")


def test_splits_in_a_field_in_files_and_named(tmp_path: Path, write_json: WriteJson) -> None:
    records = [asked(f"q{n}", "a", split=split) for n, split in enumerate(["train", "val", "test", "Test"])]
    path = write_json(tmp_path / "c.json", records)
    assert [sample.question for sample in read(path, "validate")] == ["q1"]
    assert [sample.question for sample in read(path, "test")] == ["q2", "q3"]
    assert found_splits(dataset(path), tmp_path) == {"train": 1, "val": 1, "test": 1, "Test": 1}
    assert len(read(path, "held-out", only_split="held-out")) == 4
    folder = tmp_path / "folder"
    write_json(folder / "train.json", records[:1])
    write_json(folder / "test.json", records[1:])
    write_json(folder / "dataset_info.json", {"mine": {"file_name": "train.json"}})
    assert [sample.question for sample in read(folder, "train")] == ["q0"]
    assert found_splits(dataset(folder), tmp_path) == {"train": 1, "test": 3}
    assert found_splits(dataset(folder, columns={"split": "split"}), tmp_path).keys() >= {"train", "val"}


def test_fields_inside_of_fields_and_rules_of_values(tmp_path: Path) -> None:
    record = {"data": {"talk": PLAIN, "files": ["a.png"], "organ": "liver"}, "kind": "easy", "key": 7}
    columns = {
        "messages": "data.talk", "image": "data.files", "meta": {"organ": "data.organ"}, "id": "q{key}",
    }  # fmt: skip
    path = tmp_path / "c.jsonl"
    path.write_text("".join(json.dumps({**record, "kind": kind}) + "\n" for kind in ("easy", "hard")))
    rule = [{"column": "kind", "is_not": "easy"}]
    samples, left_out = load_split(dataset(path, columns=columns, skip=rule), "train", tmp_path)
    assert said(samples) == [(("a.png",), "q?", "a")]
    assert (samples[0].id, samples[0].meta) == ("q7", {"organ": "liver"})
    assert [(each.place[-6:], each.reason) for each in left_out] == [("line 2", "kind is not easy")]


def test_images_that_are_not_there_and_absolute_ones(
    tmp_path: Path, write_image: Callable[..., Path]
) -> None:
    write_image("imgs/a.png")
    record = asked("<image>q?", "a", image=str(tmp_path / "imgs/a.png"))
    named = asked("<image>q?", "a", image=f"file://{tmp_path}/imgs/a.png")
    gone = asked("<image>r?", "a", image="imgs/b.png")
    assert len(of(tmp_path, record, named, gone)) == 3
    assert of(tmp_path, record, gone, skip="missing image") == [(("a.png",), "q?", "a")]
    [one, other] = read(tmp_path / "c.jsonl", skip=["no image"])
    assert one.images == (str(tmp_path / "imgs/a.png"),)
    relative = of(tmp_path, asked("<image>q?", "a", image="imgs/a.png"), images=".")
    assert relative == [(("a.png",), "q?", "a")]
    assert read(tmp_path / "c.jsonl")[0].id == one.id  # wherever the folder lies
    assert other.question == "r?"


def test_records_below_a_key(tmp_path: Path, write_json: WriteJson) -> None:
    path = write_json(tmp_path / "c.json", {"about": "x", "data": [asked("q?", "a")]})
    assert said(read(path, records="data")) == [(("a.png",), "q?", "a")]
    assert found_splits(dataset(path, records="data"), tmp_path) == {"train": 1}


def test_ids_meta_owners_and_further_answers(tmp_path: Path, write_json: WriteJson) -> None:
    record = asked("q?", "a", id=7, organ="liver", patient="p1", further_answers=["b", "a"])
    path = write_json(tmp_path / "c.json", [record])
    [sample] = read(path, columns={"meta": ["organ"], "id": "id"})
    assert (sample.id, sample.meta, sample.owners) == ("7", {"organ": "liver"}, {"patient": "p1"})
    assert sample.references == ("a", "b")
    several = write_json(tmp_path / "s.json", [THREE | {"id": "x"}])
    assert [sample.id for sample in read(several, columns={"id": "id"})] == ["x-1", "x-2", "x-3"]
    assert [sample.id for sample in read(several, columns={"id": "id"}, turns="first")] == ["x"]
    with pytest.raises(DataError, match=r"(?s)record 1: no column 'uid'.*known: id, image, messages"):
        read(several, columns={"id": "uid"})


def test_ids_are_of_what_is_asked(tmp_path: Path, write_json: WriteJson) -> None:
    # Published records repeat their ids (LLaVA's are those of images), and may be sorted.
    records = [asked("q1", "a", id="x"), asked("q2", "b", id="x"), asked("q1", "c", id="x")]
    before = read(write_json(tmp_path / "c.json", records))
    assert len({sample.id for sample in before}) == 3
    after = read(write_json(tmp_path / "c.json", [records[1], asked("q1", "changed", id="y")]))
    assert [sample.id for sample in after] == [before[1].id, before[0].id]
