"""Runs of families that have something of their own, from a recipe to answers that a plain loop gives too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from transformers import AutoModelForCausalLM

from pefomed import recipe as recipes
from pefomed.files import jsonl
from pefomed.inference import attention_choice
from pefomed.inference.predictor import load
from pefomed.models.adapter import base_of
from pefomed.prompts import render
from pefomed.schema import Prediction, Sample
from pefomed.workflow import pipeline
from tests.families import ALONE, SHARED
from tests.tiny import byte_tokenizer, model_recipe, table_recipe

FAMILIES = {
    "Gemma 2 (soft cap, window)": ("q_proj", "v_proj"),
    "LFM 2 (convolutions)": ("q_proj", "v_proj", "in_proj"),
    "GPT-2": ("c_attn",),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_run_answers_as_a_plain_loop_with_its_merged_weights(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    attention_choice._say_once.cache_clear()  # another test may have made it say so
    tokenizer = byte_tokenizer()
    config = (SHARED | ALONE)[family]()
    config.vocab_size = len(tokenizer)
    torch.manual_seed(0)
    saved = AutoModelForCausalLM.from_config(config)
    for parameter in saved.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    saved.save_pretrained(tmp_path / "family")
    tokenizer.save_pretrained(tmp_path / "family")
    lora = {"r": 4, "alpha": 8, "dropout": 0.0, "targets": FAMILIES[family]}
    model = model_recipe(tmp_path, language_model=str(tmp_path / "family"), lora=lora)
    recipe = table_recipe(tmp_path, model, images=2, each=4, epochs=2, lr=1e-2)
    (tmp_path / "r.toml").write_text(recipes.dumps(recipe))
    run = pipeline.run(tmp_path / "r.toml", tmp_path / "runs", tmp_path, {"predict.max_new_tokens": 5})
    said = capsys.readouterr().err
    assert said.count("one question a row, in training and prediction") == (family in ALONE)

    predictor = load(run)
    merged: Any = base_of(predictor.model)
    predictor.model.merge_adapter()
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "family", attn_implementation="eager").eval()
    ours = {
        name.replace(".base_layer", ""): tensor for name, tensor in merged.language_model.state_dict().items()
    }
    plain.load_state_dict({name: ours[name] for name in plain.state_dict()})
    predictions = {
        one.sample_id: one for one in jsonl.read(run / "predictions" / "table-train.jsonl", Prediction)
    }
    samples = list(jsonl.read(run / "samples" / "table-train.jsonl", Sample))
    assert len(samples) == 8
    for sample in samples:
        image = predictor.processor.image_processor(Image.open(sample.images[0]))["pixel_values"]
        prompt = predictor.processor.encode(render(sample, recipe.prompt))
        tokens: list[int] = []
        with torch.no_grad():
            features = merged.encode_images(image)
            while len(tokens) < 5 and tokens[-1:] != [tokenizer.eos_token_id]:
                embeds = merged.embed(torch.tensor([[*prompt, *tokens]]), features)
                tokens.append(int(plain(inputs_embeds=embeds, use_cache=False).logits[0, -1].argmax()))
        assert tokenizer.decode(tokens, skip_special_tokens=True).strip() == predictions[sample.id].text
