"""The embeddings in NumPy against the same model in transformers, on random weights and on the real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel

from pefomed.errors import WeightsError
from pefomed.judges.embedding import Embedder
from pefomed.weights import lookup

WORDS = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", *"left right lung heart mass is the a".split()]
TEXTS = ["left lung", "right lung", "the heart is a mass", "lung", "unknown words here, many of them"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A BERT of two layers, 32 wide, with a word tokenizer."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, max_position_embeddings=64, initializer_range=0.3,
    )  # fmt: skip
    BertModel(config, add_pooling_layer=False).save_pretrained(tmp_path)
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    tokenizer.enable_padding(length=20)  # as all-MiniLM-L6-v2's file asks for: must make no difference
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def expected(folder: Path, texts: list[str]) -> np.ndarray:
    """Mean of the last hidden states, of length one, a text at a time."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    model = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    rows = []
    with torch.no_grad():
        for text in texts:
            ids = torch.tensor([tokenizer.encode(text).ids])
            rows.append(torch.nn.functional.normalize(model(ids).last_hidden_state.mean(1)[0], dim=0))
    return torch.stack(rows).numpy()


def test_it_computes_what_transformers_computes(folder: Path) -> None:
    assert np.abs(Embedder(folder)(TEXTS) - expected(folder, TEXTS)).max() < 1e-5


def test_neither_order_nor_company_matters(folder: Path) -> None:
    embed = Embedder(folder)
    together = embed([*TEXTS, TEXTS[0]])
    assert np.abs(together[0] - together[-1]).max() == 0
    alone = np.stack([Embedder(folder)([text])[0] for text in TEXTS])
    assert np.abs(together[:-1] - alone).max() < 1e-6
    assert embed([]).shape[0] == 0


def test_a_folder_without_an_embedding_is_named(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(WeightsError, match=r"tokenizer\.json"):
        Embedder(folder)
    with pytest.raises(WeightsError, match="does not hold a sentence embedding"):
        Embedder(folder / "nothing")


def test_the_published_weights_give_what_transformers_gives() -> None:
    folder = lookup.on_disk("all-minilm-l6-v2", "sentence")
    if folder is None:
        pytest.skip("all-minilm-l6-v2 is not on this disk: pefomed weights fetch all-minilm-l6-v2")
    assert np.abs(Embedder(folder)(TEXTS) - expected(folder, TEXTS)).max() < 1e-5
