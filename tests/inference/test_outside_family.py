"""A family from outside of the package, of images of unequal lengths: trained, cached, asked, blind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from peft import LoraConfig, get_peft_model
from PIL import Image
from tests.tiny import byte_tokenizer, model_recipe, table_recipe
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM

import pefomed
from pefomed.boxes import Resizing
from pefomed.features.frozen import Features, mean_image
from pefomed.inference.predictor import Predictor
from pefomed.models.text_tokens import TextTokens
from pefomed.packing.batch import collate, rows, tokenise
from pefomed.recipe import Prompt, Stage
from pefomed.schema import Sample
from pefomed.training.log import Log
from pefomed.training.loop import Loop
from pefomed.training.loss import answer
from pefomed.training.validation import Validation

IMAGE, PATCH, WIDTH = 300, 10, 8


class Pixels:
    """Images as they are, of any whole number of patches."""

    def settings(self) -> list[Any]:
        return ["as it is"]

    def pixels(self, image: Image.Image) -> Tensor:
        return torch.from_numpy(np.asarray(image.convert("L"), dtype=np.float32) / 255)


class Words:
    """The processor: an image's tokens are as many as it has patches of 10 x 10."""

    def __init__(self) -> None:
        self.tokenizer, self.image_processor = byte_tokenizer(), Pixels()
        self.positions, self.resizing = None, Resizing()
        self._texts = TextTokens(self.tokenizer)

    def image_tokens(self, image: str) -> int:
        with Image.open(image) as opened:
            return (opened.width // PATCH) * (opened.height // PATCH)

    def tokens_for(self, length: int) -> int:
        return length

    def encode_prompt(self, write: Callable[..., str], counts: Sequence[int] | None = None) -> list[int]:
        first, *others = self._texts.of_prompt(write)
        places = [[IMAGE] * count + text for count, text in zip(counts or (), others, strict=True)]
        return [1, *first, *(token for text in places for token in text)]

    def encode_answer(self, text: str) -> list[int]:
        return [*self._texts(text), self.tokenizer.eos_token_id]


class Family(nn.Module):
    """Patches of any number, a projector, a LLaMA whose masks are dense; nothing of the composed model."""

    shares_rows = True

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.vision_encoder = nn.Linear(PATCH * PATCH, WIDTH)
        self.projector = nn.Linear(WIDTH, 32)
        config = LlamaConfig(
            vocab_size=len(byte_tokenizer()),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            initializer_range=0.5,
        )
        self.language_model = LlamaForCausalLM._from_config(config, attn_implementation="eager")
        self.requires_grad_(False)

    def feature_settings(self) -> list[Any]:
        return ["patches", PATCH]

    def feature_about(self) -> dict[str, Any]:
        return {"patch": PATCH}

    def feature_bytes(self) -> int:
        return 4 * 100 * WIDTH

    @torch.no_grad()
    def features_of(self, pixels: Sequence[Tensor]) -> list[Tensor]:
        found = []
        for one in pixels:
            patches = one.unfold(0, PATCH, PATCH).unfold(1, PATCH, PATCH).reshape(-1, PATCH * PATCH)
            found.append(self.vision_encoder(patches))
        return found

    def fit_attention(self, compute: Any, *, decoding: bool) -> str:
        return "eager"

    def embed(self, input_ids: Tensor, image_features: Sequence[Tensor] | None) -> Tensor:
        places = input_ids == IMAGE
        embeds = self.language_model.get_input_embeddings()(input_ids.masked_fill(places, 0))
        if image_features is None:
            return embeds
        tokens = self.projector(torch.cat(list(image_features)))
        assert len(tokens) == int(places.sum())
        return embeds.masked_scatter(places[..., None], tokens)

    def forward(
        self,
        *,
        input_ids: Tensor,
        position_ids: Tensor,
        answer_index: tuple[Tensor, Tensor],
        image_features: Any = None,
        tree: Tensor | None = None,
        attention_mask: Tensor | None = None,
        key_positions: Tensor | None = None,
        past_key_values: Any = None,
        use_cache: bool = False,
    ) -> Any:
        if tree is not None:
            places = torch.arange(tree.shape[1])
            query, key = places[:, None], places[None]
            attention_mask = ((key <= query) & (query < tree[:, None, :]))[:, None]
        assert attention_mask is not None
        mask = torch.zeros(attention_mask.shape).masked_fill(~attention_mask, torch.finfo(torch.float32).min)
        hidden = self.language_model.model(
            inputs_embeds=self.embed(input_ids, image_features),
            attention_mask=mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            use_cache=use_cache,
        ).last_hidden_state
        logits = self.language_model.lm_head(hidden[answer_index])[None]
        return SimpleNamespace(logits=logits, past_key_values=past_key_values)


def adapted() -> Any:
    lora = LoraConfig(
        r=4, target_modules=r".*language_model\..*(q_proj|v_proj)", modules_to_save=["projector"]
    )
    torch.manual_seed(0)
    return get_peft_model(Family(), lora)  # type: ignore[arg-type]


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    """Return three questions about each of three images, of 12, 6 and 12 patches."""
    made = []
    for number, (width, height) in enumerate([(40, 30), (20, 30), (30, 40)]):
        pixels = np.random.default_rng(number).integers(0, 256, (height, width), dtype=np.uint8)
        Image.fromarray(pixels).save(path := tmp_path / f"{number}.png")
        for question, reference in (("is it left?", "yes"), ("is it large?", "no"), ("what is it?", "lung")):
            sample = Sample(
                id=f"{number} {question}",
                images=(str(path),),
                task="vqa",
                question=question,
                reference=reference,
            )
            made.append(sample)
    return made


def test_rows_of_it_have_the_loss_of_single_texts(samples: list[Sample]) -> None:
    model, words = adapted(), Words()
    features = Features(model.get_base_model(), words.image_processor, None)
    made = tokenise(samples, Prompt(), words)  # type: ignore[arg-type]
    assert {one.prompt.count(IMAGE) for one in made} == {6, 12}
    total = 0.0
    base = model.get_base_model()
    for one in made:
        ids = torch.tensor([[*one.prompt, *one.answer]])
        embeds = base.embed(ids, [features(one.sample.images)[0]])
        logits = base.language_model(inputs_embeds=embeds).logits[0, len(one.prompt) - 1 : -1]
        loss = nn.functional.cross_entropy(logits, torch.tensor(one.answer), reduction="sum")
        total += float(loss.detach())
    batch = collate(rows(made, share_image=True, max_questions=8))
    assert len(batch.input_ids) == 3
    assert float(answer(model, batch, features(batch.images)).loss.detach()) == pytest.approx(total, rel=1e-5)


def test_it_trains_and_answers(
    samples: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    model, words = adapted(), Words()
    base = model.get_base_model()
    frozen = {name: value.clone() for name, value in base.named_parameters() if not value.requires_grad}
    made = rows(tokenise(samples, Prompt(), words), share_image=True, max_questions=8)  # type: ignore[arg-type]
    features = Features(base, words.image_processor, tmp_path / "cache")
    features.prepare(sorted({sample.images[0] for sample in samples}))
    assert [len(one) for one in features(row.images[0] for row in made)] == [12, 6, 12]
    assert features.computed == 3
    stage = Stage(name="task", data={"d": 1}, steps=2, lr=1e-2, lr_end=1e-3)
    log = tmp_path / "log.jsonl"
    measure = partial(Validation, words.tokenizer.decode, 100)
    Loop(
        stage, model, features, [[made], [made]], len(samples), [], measure, Accelerator(cpu=True), Log(log),
        tmp_path / "stage",
    ).run()  # fmt: skip
    losses = Log(log).losses("task")
    assert len(losses) == 2
    assert losses[1] < losses[0]
    assert all(torch.equal(value, frozen[name]) for name, value in base.named_parameters() if name in frozen)
    assert (tmp_path / "stage" / "final" / "adapter_model.safetensors").exists()

    recipe = table_recipe(tmp_path, model_recipe(tmp_path))
    asking = Predictor.of(recipe, model, words)  # type: ignore[arg-type]
    answers = asking.answer(samples)
    for sample, said in zip(samples, answers, strict=True):
        assert list(said.token_ids) == by_a_plain_loop(base, words, sample, features(sample.images)[0])
    given = [pefomed.Request(Path(one.images[0]).read_bytes(), one.question) for one in samples]
    assert asking.answer(given) == answers

    # 12, 6 and 12 patches: the mean image has the middle number, one vector at every place.
    blind = features.mean(sample.images[0] for sample in samples)
    assert blind.shape == (12, WIDTH)
    assert torch.equal(blind[0], blind[11])
    texts = {sample.question: set[str]() for sample in samples}
    for told in asking.predict(samples, blind=blind):
        texts[told.sample_id[2:]].add(told.text)
    assert all(len(found) == 1 for found in texts.values())


def by_a_plain_loop(base: Any, words: Words, sample: Sample, features: Tensor) -> list[int]:
    [asked] = tokenise([sample], Prompt(), words, answers=False)  # type: ignore[arg-type]
    tokens: list[int] = []
    while len(tokens) < 12 and 2 not in tokens:
        with torch.no_grad():
            embeds = base.embed(torch.tensor([[*asked.prompt, *tokens]]), [features])
            tokens.append(int(base.language_model(inputs_embeds=embeds).logits[0, -1].argmax()))
    return tokens


def test_the_mean_of_unequal_images_counts_each_image_once() -> None:
    # Means 1 and 5 over tokens; as images 3, though 3 of 4 tokens are 1.
    found = mean_image([torch.ones(3, 2), torch.full((1, 2), 5.0)])
    assert torch.equal(found, torch.full((1, 2), 3.0))  # the lower one of 1 and 3 places
    # Of one length place by place.
    two = [torch.tensor([[0.0], [2.0]]), torch.tensor([[2.0], [6.0]])]
    assert torch.equal(mean_image(two), torch.tensor([[1.0], [4.0]]))
