"""A LLaMA folder with `tokenizer.model` alone: read without SentencePiece, as SentencePiece would."""

from __future__ import annotations

import base64
import contextlib
import random
import sys
from pathlib import Path
from typing import Any

import pytest
from transformers import LlamaConfig

from pefomed.errors import WeightsError
from pefomed.models.language_part import language_config, load_tokenizer

PIECES = "▁i ▁is is ▁t ▁th ▁the ▁l ▁le ▁lef ▁left ▁lung un ng lun lung".split()
LETTERS = "▁abcdefghijklmnopqrstuvwxyz"
FIRST = 3 + 256  # after <unk> <s> </s> and the bytes


def folder(root: Path, **trained: Any) -> Path:
    """Write the configuration and the `tokenizer.model` of a LLaMA: bytes, pieces by score, letters."""
    pytest.importorskip("google.protobuf")
    from transformers.utils import sentencepiece_model_pb2_new

    model: Any = sentencepiece_model_pb2_new.ModelProto()
    pieces = [("<unk>", 2), ("<s>", 3), ("</s>", 3), *((f"<0x{byte:02X}>", 6) for byte in range(256))]
    pieces += [(piece, 1) for piece in [*PIECES, *LETTERS]]
    for number, (piece, kind) in enumerate(pieces):
        model.pieces.add(piece=piece, type=kind, score=-max(0, number - FIRST))
    settings = {"model_type": 2, "byte_fallback": True, "unk_id": 0, "bos_id": 1, "eos_id": 2, "pad_id": -1}
    for name, value in (settings | trained).items():
        setattr(model.trainer_spec, name, value)
    model.normalizer_spec.name = "identity"
    model.normalizer_spec.add_dummy_prefix = True
    model.normalizer_spec.remove_extra_whitespaces = False
    made = root / "llama"
    made.mkdir()
    (made / "tokenizer.model").write_bytes(model.SerializeToString())
    LlamaConfig(
        vocab_size=len(pieces),
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
    ).save_pretrained(made)
    return made


def test_tokenizer_model_alone_is_enough(tmp_path: Path) -> None:
    made = folder(tmp_path)
    tokenizer = load_tokenizer(made, language_config(made))
    # ▁l is better than un, which is better than ng: ▁lung is a piece, and not what these lead to
    split = ["▁is", "▁the", "▁left", "▁l", "un", "g"]
    assert tokenizer.tokenize("is the left lung") == split
    # a space of its own, line ends and other scripts as bytes
    assert tokenizer.tokenize("[ is\né") == ["▁", "<0x5B>", "▁is", "<0x0A>", "<0xC3>", "<0xA9>"]
    # BOS 1, then the pieces by their places in the lists above
    wanted = [1, FIRST + 1, FIRST + 5, FIRST + 9, FIRST + 6, FIRST + 11, FIRST + 15 + 7]
    assert tokenizer("is the left lung")["input_ids"] == wanted
    assert tokenizer("</s>", add_special_tokens=False)["input_ids"] == [2]
    assert (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id) == (1, 2, 0)
    assert tokenizer.decode(wanted, skip_special_tokens=True) == "is the left lung"
    assert (
        tokenizer.decode(tokenizer("two  spaces é")["input_ids"], skip_special_tokens=True) == "two  spaces é"
    )


def test_it_splits_as_sentencepiece_does(tmp_path: Path) -> None:
    sentencepiece = pytest.importorskip("sentencepiece")
    made = folder(tmp_path)
    tokenizer = load_tokenizer(made, language_config(made))
    reference = sentencepiece.SentencePieceProcessor(model_file=str(made / "tokenizer.model"))
    rng = random.Random(0)
    for _ in range(300):
        text = "".join(rng.choice("isthelungf  é\n") for _ in range(30))
        assert tokenizer(text, add_special_tokens=False)["input_ids"] == reference.encode(text)


def test_the_chat_template_beside_it_is_taken(tmp_path: Path) -> None:
    made = folder(tmp_path)
    (made / "tokenizer_config.json").write_text(
        '{"chat_template": "[INST] {{ messages[0].content }} [/INST]"}'
    )
    tokenizer = load_tokenizer(made, language_config(made))
    asked = [{"role": "user", "content": "is it"}]
    assert tokenizer.apply_chat_template(asked, tokenize=False) == "[INST] is it [/INST]"


def test_a_package_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = folder(tmp_path)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "google.protobuf.message", None)
        with pytest.raises(
            WeightsError, match=r"no tokenizer\.json(?s:.*)pip install protobuf sentencepiece"
        ):
            load_tokenizer(made, language_config(made))
    # LLaMA 3's file of the same name: a token in base64 and its rank, a line each
    lines = (f"{base64.b64encode(bytes([byte])).decode()} {byte}" for byte in range(256))
    (made / "tokenizer.model").write_text("\n".join(lines))
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    monkeypatch.setitem(sys.modules, "tiktoken.load", None)
    with pytest.raises(WeightsError, match=r"no tokenizer\.json(?s:.*)tiktoken"):
        load_tokenizer(made, language_config(made))


def test_damaged_files_give_one_error_or_a_tokenizer(tmp_path: Path) -> None:
    made = folder(tmp_path)
    whole, config, rng = (made / "tokenizer.model").read_bytes(), language_config(made), random.Random(0)
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        (made / "tokenizer.model").write_bytes(damaged[: rng.choice((len(whole), len(whole) // 2))])
        with contextlib.suppress(WeightsError):
            load_tokenizer(made, config)


def test_another_kind_of_sentencepiece_is_not_taken_for_llamas(tmp_path: Path) -> None:
    if "sentencepiece" in sys.modules:
        pytest.skip("transformers reads it")
    made = folder(tmp_path, model_type=1)  # unigram
    with pytest.raises(WeightsError, match="pip install protobuf sentencepiece"):
        load_tokenizer(made, language_config(made))
