"""Recipes: strict, resolved without loss, complete in the docs; the shipped ones say what was published."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.errors import RecipeError
from pefomed.recipe import (
    Compute,
    Dataset,
    Evaluate,
    Lora,
    Model,
    Predict,
    Prompt,
    Recipe,
    Section,
    Stage,
    dumps,
    load,
    parse,
    shipped,
    table,
)

ROOT = Path(__file__).parents[1]
RECIPES = sorted((ROOT / "recipes").rglob("*.toml"))


def minimal() -> dict[str, Any]:
    return {
        "name": "tiny",
        "model": {"vision_encoder": "v", "language_model": "l"},
        "data": {"slake": {"loader": "slake", "root": "slake"}},
        "stages": [{"name": "one", "data": {"slake": 1}, "steps": 1, "lr": 1e-4, "lr_end": 0}],
    }


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("parents", "wrong", "nearest"),
    [
        ((), "sedd", "seed"),
        (("model",), "image_sise", "image_size"),
        (("model", "lora"), "rank", None),
        (("data", "slake"), "rot", "root"),
        (("stages", 0), "epoch", "epochs"),
        (("compute",), "thread", "threads"),
    ],
)
def test_unknown_key_names_the_nearest(parents: tuple[Any, ...], wrong: str, nearest: str | None) -> None:
    raw = minimal()
    here: Any = raw
    for part in parents:
        here = here[part] if isinstance(here, list) else here.setdefault(part, {})
    here[wrong] = 1
    with pytest.raises(RecipeError) as caught:
        parse(raw, "mine.toml")
    message = str(caught.value)
    assert message.startswith("mine.toml: unknown key")
    assert ".".join(map(str, (*parents, wrong))) in message
    assert "known: " in message
    assert nearest is None or f"did you mean {nearest!r}?" in message


def test_a_misspelt_required_key_is_shown_rather_than_the_missing_one() -> None:
    raw = minimal()
    raw["model"]["language_modell"] = raw["model"].pop("language_model")
    with pytest.raises(RecipeError, match="did you mean 'language_model'"):
        parse(raw)


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("model.group", 0, "model.group"),
        ("model.lora.dropout", 1.0, "model.lora.dropout"),
        ("stages.0.lr", -1.0, "stages.0.lr"),
        ("stages.0.lr", float("inf"), "stages.0.lr"),
        ("stages.0.epochs", 2, "exactly one of `epochs` and `steps`"),
        ("stages.0.data", {"slaek": 1}, "did you mean 'slake'"),
        ("stages.0.data", {"slake": 0}, "above 0"),
        ("stages.0.data", {}, "at least 1 item"),
        ("predict.data", {"vqa": "test"}, "unknown data set 'vqa'"),
        ("prompt.pools", {"vqaa": "paper"}, "did you mean 'vqa'"),
        ("name", "../elsewhere", "name"),
        ("compute.dtype", "int8", "compute.dtype"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, key: str, value: Any, shown: str) -> None:
    path = written(tmp_path, dumps(parse(minimal())))
    with pytest.raises(RecipeError) as caught:
        load(path, {key: value})
    assert shown in str(caught.value)
    assert "what to do" in str(caught.value)


def test_two_stages_of_one_name_are_refused() -> None:
    raw = minimal()
    raw["stages"] *= 2
    with pytest.raises(RecipeError, match="same name"):
        parse(raw)


def test_overrides_reach_into_tables_and_lists(tmp_path: Path) -> None:
    path = written(tmp_path, dumps(parse(minimal())))
    loaded = load(path, {"stages.0.lr": 0.5, "seed": 7, "model.lora.targets": ["k_proj"]})
    assert loaded.stages[0].lr == 0.5
    assert loaded.seed == 7
    assert loaded.model.lora.targets == ("k_proj",)


@pytest.mark.parametrize("key", ["stages.9.lr", "stages.x.lr", "name.x", "stages.0.lr.x"])
def test_an_override_that_leads_nowhere_is_an_error(tmp_path: Path, key: str) -> None:
    path = written(tmp_path, dumps(parse(minimal())))
    with pytest.raises(RecipeError, match="has no key"):
        load(path, {key: 1})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("name = ", "not a TOML file"),
        (b"name = '\xff'", "not a TOML file"),
        ("", "is not valid"),
    ],
)
def test_a_file_that_is_no_recipe(tmp_path: Path, text: str | bytes, shown: str) -> None:
    with pytest.raises(RecipeError, match=shown):
        load(written(tmp_path, text))


def test_a_missing_file_or_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no recipe at"):
        load(tmp_path / "none.toml")
    with pytest.raises(RecipeError, match="cannot be read"):
        load(tmp_path)


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    text = dumps(parse(minimal()))
    assert load(written(tmp_path, b"\xef\xbb\xbf" + text.encode())) == parse(minimal())


names = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,8}", fullmatch=True)
positive = st.floats(1e-12, 1e6)
plain_values = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
stages = st.builds(
    Stage,
    name=names,
    data=st.just({"d": 1.0}),
    epochs=positive,
    batch_size=st.integers(1, 10**6),
    lr=positive,
    lr_end=positive,
    projector_lr=st.none() | positive,
    max_grad_norm=positive | st.just(float("inf")),
    validate_split=st.none() | st.text(),
    also_train=st.lists(st.text()).map(tuple),
    train=st.sampled_from([("projector",), ("lora",), ("projector", "lora")]),
)
recipes = st.builds(
    Recipe,
    name=names,
    description=st.text(),
    seed=st.integers(-(2**63), 2**63 - 1),
    model=st.builds(
        Model,
        vision_encoder=st.text(),
        language_model=st.text(),
        vision_revision=st.none() | st.text(),
        image_mean=st.none() | st.tuples(positive, positive, positive),
        lora=st.builds(Lora, r=st.integers(1, 512), targets=st.lists(st.text(), min_size=1).map(tuple)),
    ),
    prompt=st.builds(
        Prompt,
        pools=st.dictionaries(st.sampled_from(["vqa", "report"]), st.text() | st.lists(st.text()).map(tuple)),
    ),
    data=st.builds(
        Dataset,
        loader=st.text(),
        root=st.text(),
        options=st.dictionaries(st.text(), plain_values, max_size=4),
        limit=st.none() | st.integers(1, 10**9),
    ).map(lambda dataset: {"d": dataset}),
    stages=st.lists(stages, max_size=3, unique_by=lambda stage: stage.name).map(tuple),
    compute=st.builds(
        Compute, threads=st.none() | st.integers(1, 64), trackers=st.lists(st.text()).map(tuple)
    ),
    predict=st.builds(Predict, data=st.dictionaries(st.just("d"), st.text())),
    evaluate=st.builds(Evaluate, groups=st.lists(st.text()).map(tuple)),
)


@given(recipes)
def test_what_is_written_is_read_back_equal(recipe: Recipe) -> None:
    assert parse(tomllib.loads(dumps(recipe))) == recipe


def test_every_default_is_written_out() -> None:
    raw = tomllib.loads(dumps(parse(minimal())))
    assert raw["compute"]["dtype"] == "auto"
    assert raw["stages"][0]["weight_decay"] == 0.05


def sections(kind: type[Section] = Section) -> set[type[Section]]:
    return {inner for direct in kind.__subclasses__() for inner in (direct, *sections(direct))}


def test_every_field_is_described_and_the_docs_are_up_to_date() -> None:
    assert set(table.TABLES.values()) == sections()
    for section in sections():
        for name, field in section.model_fields.items():
            assert field.description, f"{section.__name__}.{name} has no description"
    page = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    assert table.markdown() in page, "docs/recipes.md: paste the output of `pefomed recipe fields` again"


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.relative_to(ROOT / "recipes").as_posix())
def test_every_shipped_recipe_loads(path: Path) -> None:
    loaded = load(path)
    assert loaded.description
    assert parse(tomllib.loads(dumps(loaded))) == loaded
    assert shipped(path.relative_to(ROOT / "recipes").with_suffix("").as_posix()) == path


def test_a_recipe_that_is_not_shipped_names_those_that_are() -> None:
    with pytest.raises(RecipeError, match="mini/demo"):
        shipped("mini/demonstration")


@pytest.mark.parametrize("name", ["stage1", "vqa_rad", "slake", "pathvqa", "iu_xray"])
def test_the_paper_recipes_hold_the_published_settings(name: str) -> None:
    recipe = load(ROOT / "recipes" / "paper" / f"{name}.toml")
    model, stage = recipe.model, recipe.stages[0]
    # 448 / 14 = 32 patches a side, 32 * 32 / 4 = 256 tokens for the language model
    assert (model.image_size // 14) ** 2 // model.group == 256
    # LoRA on q and v of LLaMA-2 7B (32 layers, 4096 -> 4096): A is 64 x 4096, B is 4096 x 64
    lora = 32 * len(model.lora.targets) * 2 * 4096 * model.lora.r
    # one linear layer from 4 tokens of EVA ViT-g (width 1408) to 4096, with bias
    projector = 1408 * model.group * 4096 + 4096
    assert lora + projector == 56_627_200
    assert (model.lora.alpha, model.lora.dropout) == (16, 0.05)
    assert (stage.lr, stage.lr_end) == ((1e-4, 8e-5) if name == "stage1" else (3e-5, 1e-5))
    assert (stage.weight_decay, stage.betas) == (0.05, (0.9, 0.999))
    assert recipe.prompt.template == "llama2"
    stage1 = load(ROOT / "recipes" / "paper" / "stage1.toml")
    if name != "stage1":
        assert model.start == f"runs/{stage1.name}/adapter"
        assert recipe.predict.data
    else:
        assert stage.data == {"roco": 60, "clef": 60, "medicat": 20, "mimic": 60}


@pytest.mark.parametrize("name", ["", " ", "a/b", "../x", "a\\b", ".hidden", "tab\tx", "x" * 101, "a\u202eb"])
def test_a_data_set_has_a_name_that_a_file_can_have(name: str) -> None:
    tables = {"name": "a", "model": {"vision_encoder": "v", "language_model": "l"}}
    with pytest.raises(RecipeError, match="cannot be the name of a data set: it becomes"):
        parse(tables | {"data": {name: {"loader": "table", "root": "t.csv"}}})


def test_data_sets_whose_files_would_be_one_on_some_systems_are_refused() -> None:
    tables = {"name": "a", "model": {"vision_encoder": "v", "language_model": "l"}}
    one = {"loader": "table", "root": "t.csv"}
    for first, second in (("mine", "Mine"), ("\u00e9", "e\u0301")):
        with pytest.raises(RecipeError, match="differ by case only"):
            parse(tables | {"data": {first: one, second: one}})
    parse(tables | {"data": {"Größe 2": one, "größe-3.x": one}})
