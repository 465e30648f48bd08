"""A LLaMA's `tokenizer.model` (SentencePiece, byte pairs) as the tokenizer its `tokenizer.json` would be.

Those neighbouring pieces are joined first whose union has the best score; a text begins with the mark of a
space, spaces are marks, and what no piece covers is written in bytes (arXiv 1808.06226). The file is a
protobuf message; SentencePiece itself is not needed, and reads the other kinds where it is installed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors

SPACE = "▁"
_CONTROL = 3
_BPE = 2
_LONGEST = 256  # letters of a piece; SentencePiece's own limit is 16, unless told otherwise


def read_llama_tokenizer(folder: Path) -> Any | None:
    """Return the tokenizer of `folder`/tokenizer.model, None if that is of another kind than LLaMA's.

    Raises:
        ImportError: protobuf is not installed.
    """
    from google.protobuf.message import DecodeError
    from transformers import PreTrainedTokenizerFast
    from transformers.utils import sentencepiece_model_pb2_new

    model: Any = sentencepiece_model_pb2_new.ModelProto()  # type: ignore[attr-defined]
    try:
        model.ParseFromString((folder / "tokenizer.model").read_bytes())
    except DecodeError:  # LLaMA 3's file of this name is tiktoken's
        return None
    trained, spec = model.trainer_spec, model.normalizer_spec
    plain = not spec.precompiled_charsmap and not spec.remove_extra_whitespaces
    if trained.model_type != _BPE or not trained.byte_fallback or not plain or not model.pieces:
        return None
    settings = _settings(folder)
    if settings.get("added_tokens_decoder") or (folder / "added_tokens.json").exists():
        return None
    scores = {piece.piece: piece.score for piece in model.pieces}
    vocabulary = {piece.piece: number for number, piece in enumerate(model.pieces)}
    names = {
        kind: model.pieces[number].piece
        for kind, number in (("unk", trained.unk_id), ("bos", trained.bos_id), ("eos", trained.eos_id))
        if 0 <= number < len(model.pieces)
    }
    tokenizer = Tokenizer(
        models.BPE(
            vocab=vocabulary,
            merges=_merges(scores),
            unk_token=names.get("unk"),
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    prefix = [normalizers.Prepend(SPACE)] if spec.add_dummy_prefix else []
    tokenizer.normalizer = normalizers.Sequence([*prefix, normalizers.Replace(" ", SPACE)])
    decoding = [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence([*decoding, decoders.Strip(" ", left=1)] if prefix else decoding)
    control = [piece.piece for piece in model.pieces if piece.type == _CONTROL]
    tokenizer.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in control])
    if "bos" in names:
        first = (names["bos"], vocabulary[names["bos"]])
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{first[0]} $A", pair=f"{first[0]} $A {first[0]}:1 $B:1", special_tokens=[first]
        )
    chat = settings.get("chat_template")
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        chat_template=chat if isinstance(chat, str) else None,
        **{f"{kind}_token": name for kind, name in names.items()},
    )


def _merges(scores: dict[str, float]) -> list[tuple[str, str]]:
    """Return every pair of pieces that is a piece together, the best first."""
    return [
        (piece[:cut], piece[cut:])
        for piece in sorted(scores, key=lambda name: -scores[name])
        for cut in range(1, min(len(piece), _LONGEST))
        if piece[:cut] in scores and piece[cut:] in scores
    ]


def _settings(folder: Path) -> dict[str, Any]:
    file = folder / "tokenizer_config.json"
    fields = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return fields if isinstance(fields, dict) else {}
