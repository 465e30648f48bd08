"""A family from outside of the package, of images of unequal lengths: trained, cached, asked, blind."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from PIL import Image
from tests.outside_family import IMAGE, WIDTH, Tiny, Words
from tests.tiny import model_recipe, table_recipe
from torch import Tensor, nn

import pefomed
from pefomed.errors import WeightsError
from pefomed.features.frozen import Features, mean_image
from pefomed.inference import attention_choice
from pefomed.inference.attention_choice import fit_attention
from pefomed.inference.predictor import Predictor
from pefomed.models.adapter import add_adapter
from pefomed.packing.batch import collate, rows, tokenise
from pefomed.recipe import Compute, Lora, Prompt, Stage
from pefomed.schema import Sample
from pefomed.training.log import Log
from pefomed.training.loop import Loop
from pefomed.training.loss import answer
from pefomed.training.validation import Validation


def adapted(axes: int = 1) -> Any:
    return add_adapter(Tiny(axes), Lora(r=4, dropout=0.0))


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


@pytest.mark.parametrize("axes", [1, 3])
def test_rows_of_it_have_the_loss_and_gradients_of_single_texts(samples: list[Sample], axes: int) -> None:
    model, words = adapted(axes), Words()
    base = model.get_base_model()
    features = Features(base, words.image_processor, None)
    made = tokenise(samples, Prompt(), words)
    assert {one.prompt.count(IMAGE) for one in made} == {6, 12}
    trained = [one for one in model.parameters() if one.requires_grad]
    total = torch.zeros(())
    for one in made:
        ids = torch.tensor([[*one.prompt, *one.answer]])
        logits = plain(base, ids, features(one.sample.images)[0])[len(one.prompt) - 1 : -1]
        total = total + nn.functional.cross_entropy(logits, torch.tensor(one.answer), reduction="sum")
    batch = collate(rows(made, share_image=True, max_questions=8))
    assert len(batch.input_ids) == 3
    shared = answer(model, batch, features(batch.images)).loss
    assert float(shared.detach()) == pytest.approx(float(total.detach()), rel=1e-5)
    for one, other in zip(
        torch.autograd.grad(shared, trained), torch.autograd.grad(total, trained), strict=True
    ):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-4 * float(other.abs().max()) + 1e-7)


def plain(base: Tiny, ids: Tensor, features: Tensor) -> Tensor:
    """Return the logits (L, V) of one text, by its own positions, written out here once more.

    As Qwen counts them: an image of h x w patches stands at one time, its rows and columns count from there,
    and the text goes on behind the greatest of all.
    """
    embeds = base.embed(ids, [features])
    places: list[list[int]] = []
    following, grid = 0, iter(features[:, WIDTH:].round().long().tolist())
    started: int | None = None
    for token in ids[0].tolist():
        if token == IMAGE and base.axes == 3:
            started = following if started is None else started
            row, column = next(grid)
            places.append([started, started + row, started + column])
        else:
            following = max((max(one) for one in places), default=-1) + 1
            places.append([following] * 3)
            following += 1
    positions = torch.tensor(places).T[:, None]
    length = ids.shape[1]
    mask = torch.full((length, length), torch.finfo(torch.float32).min).triu(1)[None, None]
    model = base.language_model
    hidden = model.model(
        inputs_embeds=embeds, position_ids=positions, attention_mask=mask, use_cache=False
    ).last_hidden_state
    found: Tensor = model.lm_head(hidden)[0]
    return found


def test_answers_with_three_axes_are_those_of_whole_passes(
    samples: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    model, words = adapted(3).eval(), Words()
    base = model.get_base_model()
    features = Features(base, words.image_processor, None)
    asking = Predictor.of(table_recipe(tmp_path, model_recipe(tmp_path)), model, words)
    assert base.shares_rows
    for sample, said in zip(samples, asking.answer(samples), strict=True):
        assert list(said.token_ids) == by_a_plain_loop(base, words, sample, features(sample.images)[0])
    # 3 x 4, 3 x 2 and 4 x 3 patches: the blind image has the grid of one in the middle.
    blind = features.mean(sample.images[0] for sample in samples)
    assert blind[:, WIDTH:].tolist() in [
        [[row, column] for row in range(height) for column in range(width)]
        for height, width in ((3, 4), (4, 3))
    ]


@pytest.mark.parametrize(
    ("mistake", "said"),
    [("sees the other questions", "one question a row"), ("counts wrong with a cache", "with a cache by")],
)
def test_a_family_that_is_wrong_shares_no_rows_or_is_refused(
    mistake: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(attention_choice, "_known", {})
    attention_choice._say_once.cache_clear()
    model = Tiny(mistake=mistake)
    if said == "one question a row":
        assert fit_attention(model, Compute(), Words()) == "eager"
        assert not model.shares_rows
        assert said in capsys.readouterr().err
        return
    with pytest.raises(WeightsError, match=r"single rows: .*with a cache by") as wrong:
        fit_attention(model, Compute(), Words())
    assert said in str(wrong.value)
    assert model.shares_rows


def test_it_trains_and_answers(
    samples: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    model, words = adapted(), Words()
    base = model.get_base_model()
    frozen = {name: value.clone() for name, value in base.named_parameters() if not value.requires_grad}
    made = rows(tokenise(samples, Prompt(), words), share_image=True, max_questions=8)
    features = Features(base, words.image_processor, tmp_path / "cache")
    features.prepare(sorted({sample.images[0] for sample in samples}))
    assert [len(one) for one in features(row.images[0] for row in made)] == [12, 6, 12]
    assert features.computed == 3
    stage = Stage(name="task", data={"d": 1}, steps=2, lr=1e-2, lr_end=1e-3, train=("lora", "merger"))
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
    asking = Predictor.of(recipe, model, words)
    answers = asking.answer(samples)
    for sample, said in zip(samples, answers, strict=True):
        assert list(said.token_ids) == by_a_plain_loop(base, words, sample, features(sample.images)[0])
    given = [pefomed.Request(Path(one.images[0]).read_bytes(), one.question) for one in samples]
    assert asking.answer(given) == answers

    # 12, 6 and 12 patches: the mean image has the middle number, one vector at every place.
    blind = features.mean(sample.images[0] for sample in samples)
    assert blind.shape == (12, WIDTH + 2)
    assert torch.equal(blind[0, :WIDTH], blind[11, :WIDTH])
    texts = {sample.question: set[str]() for sample in samples}
    for told in asking.predict(samples, blind=blind):
        texts[told.sample_id[2:]].add(told.text)
    assert all(len(found) == 1 for found in texts.values())


def by_a_plain_loop(base: Any, words: Words, sample: Sample, features: Tensor) -> list[int]:
    [asked] = tokenise([sample], Prompt(), words, answers=False)
    tokens: list[int] = []
    while len(tokens) < 12 and 2 not in tokens:
        with torch.no_grad():
            logits = plain(base, torch.tensor([[*asked.prompt, *tokens]]), features)
            tokens.append(int(logits[-1].argmax()))
    return tokens


def test_the_mean_of_unequal_images_counts_each_image_once() -> None:
    # Means 1 and 5 over tokens; as images 3, though 3 of 4 tokens are 1.
    found = mean_image([torch.ones(3, 2), torch.full((1, 2), 5.0)])
    assert torch.equal(found, torch.full((1, 2), 3.0))  # the lower one of 1 and 3 places
    # Of one length place by place.
    two = [torch.tensor([[0.0], [2.0]]), torch.tensor([[2.0], [6.0]])]
    assert torch.equal(mean_image(two), torch.tensor([[1.0], [4.0]]))
