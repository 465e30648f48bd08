"""Every family of language models against transformers alone: plain forwards of single questions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor
from transformers import AutoModelForCausalLM

from pefomed.errors import RecipeError, WeightsError
from pefomed.inference import forest
from pefomed.inference.attention_choice import fit_attention
from pefomed.inference.generate import greedy
from pefomed.models.config import PefomedConfig
from pefomed.models.layers import known_alone
from pefomed.models.modeling import PefomedForConditionalGeneration
from pefomed.models.small_copy import plain_model
from pefomed.packing.batch import Tokens, collate, rows
from pefomed.recipe import Compute
from pefomed.schema import Sample
from pefomed.training.loss import answer
from tests.families import ALONE, REFUSED, SHARED
from tests.models.test_encoders import REFUSED as NOT_TAKEN
from tests.models.test_encoders import TAKEN

QUESTIONS = {
    # image, question, answer; with 4 image tokens every text passes the windows of 8 tokens
    "first": ("a", [10, 11, 12, 13, 14, 15], [20, 21, 2]),
    "long": ("a", [10, 11, 12, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39], [22, 23, 24, 25, 26, 2]),
    "branching late": ("a", [10, 11, 12, 13, 14, 16, 17], [20, 27, 2]),
    "of another image": ("b", [10, 40, 41, 42, 43, 44, 45, 46], [21, 2]),
    "as long": ("b", [10, 40, 41, 42, 43, 44, 45, 47], [28, 2]),
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path_factory.getbasetemp() / "families"))
    before = transformers.utils.logging.get_verbosity()
    transformers.utils.logging.set_verbosity_error()
    yield
    transformers.utils.logging.set_verbosity(before)


class Asked:
    """A model of ours and the same language model of transformers, alone."""

    def __init__(self, config: Any):
        torch.manual_seed(0)
        self.alone = AutoModelForCausalLM.from_config(config, attn_implementation="eager").float().eval()
        with torch.no_grad():
            for parameter in self.alone.parameters():
                if parameter.dim() > 1:
                    parameter.normal_(0, 0.3)
                else:
                    parameter.add_(0.1 * torch.randn_like(parameter))
        vision = {"model_type": "dinov2", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
        joined = PefomedConfig(
            vision | {"image_size": 28, "patch_size": 14}, config.to_dict(), image_size=28, group=1
        )
        self.model = PefomedForConditionalGeneration(joined).eval()
        self.model.language_model.load_state_dict(self.alone.state_dict())
        torch.nn.init.normal_(self.model.projector.weight, std=0.3)
        self.images = {name: torch.randn(1, 4, 8) for name in "ab"}
        prompts = {
            name: (1, *[joined.image_token_id] * 4, *asked) for name, (_, asked, _) in QUESTIONS.items()
        }
        self.sequences = [
            Tokens(Sample(id=name, images=(image,), task="vqa"), prompts[name], tuple(reply))
            for name, (image, _, reply) in QUESTIONS.items()
        ]

    def features(self, images: Any) -> Tensor:
        return torch.cat([self.images[image] for image in images])

    def embeds(self, name: str, more: list[int]) -> Tensor:
        """Return one text's embeddings, joined by hand: before the image, its four tokens, behind it."""
        embed = self.alone.get_input_embeddings()
        image, asked, _ = QUESTIONS[name]
        weight = self.model.projector.weight
        tokens = self.images[image] @ weight.T + self.model.projector.bias
        return torch.cat([embed(torch.tensor([[1]])), tokens, embed(torch.tensor([[*asked, *more]]))], dim=1)

    @torch.no_grad()
    def next_logits(self, name: str, more: list[int]) -> Tensor:
        """Return the logits (V,) behind a question and the beginning of an answer."""
        return self.alone(inputs_embeds=self.embeds(name, more), use_cache=False).logits[0, -1]  # type: ignore[no-any-return]

    def loss_alone(self, name: str) -> tuple[Tensor, Tensor]:
        """Return one question's loss and logits, by a forward of its own."""
        reply = QUESTIONS[name][2]
        logits = self.alone(inputs_embeds=self.embeds(name, reply[:-1]), use_cache=False).logits[0]
        logits = logits[-len(reply) :]
        return torch.nn.functional.cross_entropy(logits, torch.tensor(reply), reduction="sum"), logits


def gradient(asked: Asked, loss: Tensor) -> Tensor:
    asked.model.projector.weight.grad = None
    loss.backward()
    assert asked.model.projector.weight.grad is not None
    return asked.model.projector.weight.grad


@pytest.mark.parametrize(
    ("family", "shares"), [*((name, True) for name in SHARED), *((name, False) for name in ALONE)]
)
def test_a_family_is_right(family: str, shares: bool) -> None:
    asked = Asked((SHARED | ALONE)[family]())
    assert fit_attention(asked.model, Compute()) in ("grouped", "eager")
    assert asked.model.shares_rows == shares
    made = rows(asked.sequences, share_image=shares, max_questions=9)
    assert len(made) == (2 if shares else 5)

    # Loss and gradients of a batch of rows, padded, against the questions one by one.
    batch = collate(made)
    ours = answer(asked.model, batch, asked.features(batch.images))
    found = gradient(asked, ours.loss)
    losses, logits = zip(*(asked.loss_alone(one.id) for one in batch.samples), strict=True)
    expected = gradient(asked, torch.stack(losses).sum())
    assert float(ours.loss.detach()) == pytest.approx(sum(float(loss.detach()) for loss in losses), rel=1e-5)
    assert (found - expected).norm() <= 2e-5 * expected.norm()
    assert ours.said.tolist() == torch.cat(logits).argmax(-1).tolist()

    # Cached decoding against a loop without a cache.
    features = asked.features(row.images[0] for row in made)
    generated = greedy(asked.model, made, features, max_new_tokens=7, end_token=-1)
    for one in generated:
        tokens: list[int] = []
        for _ in range(7):
            tokens.append(int(asked.next_logits(one.sample_id, tokens).argmax()))
        assert one.tokens == tokens

    # Trees of continuations behind a question, cut, and grown again.
    trees = forest.grown(asked.model, made, features)
    name = generated[0].sample_id
    assert_alike(trees.logits[0], asked.next_logits(name, []))
    for first, second in ((50, 51), (52, 53)):
        found = trees.grow([0, 0, len(trees) + 1], [first, second, 54])
        for path, row in zip(([first], [second], [second, 54]), found, strict=True):
            assert_alike(row, asked.next_logits(name, path))
        trees.cut()


def assert_alike(found: Tensor, expected: Tensor) -> None:
    # Chunked and step-by-step forms of linear attention add up in another order.
    assert (found - expected).abs().max() <= 5e-5 * expected.std()


@pytest.mark.parametrize("family", REFUSED)
def test_a_family_is_refused(family: str) -> None:
    asked = Asked(REFUSED[family]())
    with pytest.raises(WeightsError, match=r"cannot be computed here(?s:.*)found: (?s:.*)families\.md"):
        fit_attention(asked.model, Compute())


@pytest.mark.parametrize("family", ["Gemma 2 (soft cap, window)", "gpt-oss (sinks, window)"])
def test_pytorchs_attention_is_refused_where_it_knows_no_caps_or_sinks(family: str) -> None:
    asked = Asked(SHARED[family]())
    with pytest.raises(RecipeError, match=r"'sdpa' is not right for(?s:.*)compute\.attention = 'auto'"):
        fit_attention(asked.model, Compute(attention="sdpa"))


def test_what_was_found_out_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    from pefomed.inference import attention_choice

    config = SHARED["LLaMA"]()
    first = attention_choice.difference(config, "grouped")
    monkeypatch.setattr(attention_choice, "compare_attention", None)  # nothing is compared again ...
    assert attention_choice.difference(config, "grouped") == first
    monkeypatch.setattr(attention_choice, "_known", {})
    assert attention_choice.difference(config, "grouped") == first  # ... in another process neither
    config.rope_parameters = {"rope_type": "default", "rope_theta": 5e5}
    with pytest.raises(TypeError):  # but another configuration is another family
        attention_choice.difference(config, "grouped")


def test_wrong_masks_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of indices instead of positions, and questions that see each other."""
    from pefomed.inference.parity import compare_attention
    from pefomed.models import masks

    config = SHARED["Mistral (window)"]()
    assert compare_attention(config, "grouped").right
    rule = masks.Visibility.dense

    def by_index(self: masks.Visibility, family: Any = None) -> Tensor:
        keys, length = self.keys.shape[1], self.queries.shape[1]
        places = torch.arange(keys)
        near = places[keys - length :, None] - places[None, :] < 8
        return rule(self) & near

    monkeypatch.setattr(masks.Visibility, "dense", by_index)
    assert compare_attention(config, "grouped").logits > 0.1

    def leaking(self: masks.Visibility, family: Any = None) -> Tensor:
        keys, length = self.keys.shape[1], self.queries.shape[1]
        places = torch.arange(keys)
        return (places[None, :] <= places[keys - length :, None]).expand(len(self.keys), 1, -1, -1)

    monkeypatch.setattr(masks.Visibility, "dense", leaking)
    assert compare_attention(SHARED["LLaMA"](), "grouped").logits > 0.1


def test_the_page_of_families_lists_what_is_tested() -> None:
    page = (Path(__file__).parents[1] / "docs" / "families.md").read_text()
    listed = [line.split(" | ")[:2] for line in page.splitlines() if line.startswith("| ")]
    for families, rows_ in ((SHARED, "shared"), (ALONE, "one question a row"), (REFUSED, "refused")):
        assert {name for name in families if [f"| {name}", rows_] in listed} == set(families)
    encoders = " ".join(name for name, *_ in listed)
    assert all(name.split(",")[0] in encoders for name in (*TAKEN, *NOT_TAKEN))


@pytest.mark.parametrize(("family", "alone"), [*((n, False) for n in SHARED), *((n, True) for n in ALONE)])
def test_a_plan_knows_without_computing_which_families_cannot_share_rows(family: str, alone: bool) -> None:
    config = (ALONE if alone else SHARED)[family]()
    with torch.device("meta"):
        assert known_alone(plain_model(config)) == alone
