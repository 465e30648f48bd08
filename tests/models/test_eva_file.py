"""EVA ViT-g as LAVIS publishes it: a half-precision state dict of names of its own, with a 40th block."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from tests.tiny import image_files, model_recipe
from torch import Tensor
from torch.nn import functional

from pefomed.errors import WeightsError
from pefomed.features.frozen import Features
from pefomed.models.build import build_model
from pefomed.models.describe import part_config
from pefomed.weights.eva_file import eva_state
from pefomed.weights.lookup import resolve, source_of

WIDTH, MLP, PATCH, GRID = 176, 40, 14, 2  # two heads of EVA's width of 88


def published(blocks: int = 3, seed: int = 0) -> dict[str, Tensor]:
    """Random numbers of float16 under the names of LAVIS's model (its lavis/models/eva_vit.py)."""
    generator = torch.Generator().manual_seed(seed)

    def made(*shape: int) -> Tensor:
        return (torch.randn(shape, generator=generator) / math.sqrt(shape[-1])).half()

    state = {
        "cls_token": made(1, 1, WIDTH),
        "pos_embed": made(1, GRID**2 + 1, WIDTH),
        "patch_embed.proj.weight": made(WIDTH, 3, PATCH, PATCH),
        "patch_embed.proj.bias": made(WIDTH),
    }
    for number in range(blocks):
        shapes = {
            "norm1.weight": (WIDTH,),
            "norm1.bias": (WIDTH,),
            "attn.q_bias": (WIDTH,),
            "attn.v_bias": (WIDTH,),
            "attn.qkv.weight": (3 * WIDTH, WIDTH),
            "attn.proj.weight": (WIDTH, WIDTH),
            "attn.proj.bias": (WIDTH,),
            "norm2.weight": (WIDTH,),
            "norm2.bias": (WIDTH,),
            "mlp.fc1.weight": (MLP, WIDTH),
            "mlp.fc1.bias": (MLP,),
            "mlp.fc2.weight": (WIDTH, MLP),
            "mlp.fc2.bias": (WIDTH,),
        }
        state |= {f"blocks.{number}.{name}": made(*shape) for name, shape in shapes.items()}
    return state


def by_hand(state: dict[str, Tensor], pixels: Tensor, blocks: int) -> Tensor:
    """Compute what leaves the last block, written from the paper's formulas for one image (1, 3, S, S)."""
    of = {name: tensor.float() for name, tensor in state.items()}
    x = functional.conv2d(
        pixels, of["patch_embed.proj.weight"], of["patch_embed.proj.bias"], stride=PATCH
    ).flatten(2)
    x = torch.cat([of["cls_token"], x.transpose(1, 2)], 1)
    grid = pixels.shape[-1] // PATCH
    table = of["pos_embed"][0, 1:].T.reshape(1, WIDTH, GRID, GRID)
    table = functional.interpolate(table, size=(grid, grid), mode="bicubic", align_corners=False)
    x = x + torch.cat([of["pos_embed"][:, :1], table.reshape(1, WIDTH, -1).transpose(1, 2)], 1)
    for number in range(blocks):
        own = {name.partition(f"blocks.{number}.")[2]: tensor for name, tensor in of.items()}
        y = functional.layer_norm(x, (WIDTH,), own["norm1.weight"], own["norm1.bias"], 1e-6)[0]
        query, key, value = (y @ part.T for part in own["attn.qkv.weight"].split(WIDTH))
        query, value = query + own["attn.q_bias"], value + own["attn.v_bias"]
        heads = []
        for head in (slice(0, 88), slice(88, 176)):
            scores = query[:, head] @ key[:, head].T / math.sqrt(88)
            heads.append(scores.softmax(-1) @ value[:, head])
        x = x + torch.cat(heads, -1) @ own["attn.proj.weight"].T + own["attn.proj.bias"]
        y = functional.layer_norm(x, (WIDTH,), own["norm2.weight"], own["norm2.bias"], 1e-6)
        y = functional.gelu(y @ own["mlp.fc1.weight"].T + own["mlp.fc1.bias"])
        x = x + y @ own["mlp.fc2.weight"].T + own["mlp.fc2.bias"]
    return x


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "pefomed" / "weights"


@pytest.mark.parametrize("size", [PATCH * GRID, 4 * PATCH])
def test_the_file_is_an_encoder_by_its_path(tmp_path: Path, cache: Path, size: int) -> None:
    file = tmp_path / "eva_vit_g.pth"
    torch.save(published(), file)
    recipe = model_recipe(tmp_path, vision_encoder=str(file), image_size=size, vision_layer=-1)
    model, processor = build_model(recipe)
    [path] = image_files(tmp_path, 1)
    from pefomed.images.images import open_image

    pixels = processor.image_processor.pixels(open_image(path))[None]
    last = by_hand(published(), pixels, 3)[:, 1:]
    wanted = functional.layer_norm(last, (WIDTH,))
    found = Features(model, processor.image_processor, None)([path])
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
    # CLIP's, as BLIP-2's processor has them
    assert processor.image_processor.image_mean[0] == pytest.approx(0.48145466)
    assert part_config(str(file), "vision").num_attention_heads == 2


def test_it_is_made_once_and_known_by_its_hash(
    tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "eva_vit_g.pth"
    torch.save(published(), file)
    folder = resolve(str(file), "vision")
    assert resolve(str(file), "vision") == folder
    source = source_of(folder)
    assert (source["origin"], source["file"]) == ("file", "eva_vit_g.pth")
    assert f"eva_vit_g.pth has the SHA-256 {source['sha256']}" in capsys.readouterr().err
    torch.save(published(seed=1), file)
    other = resolve(str(file), "vision")
    assert other != folder
    assert source_of(other)["sha256"] != source["sha256"]
    (other / "model.safetensors").write_bytes(b"")
    with pytest.raises(WeightsError, match=r"model\.safetensors should have [\d,]+ bytes"):
        resolve(str(file), "vision")
    assert json.loads((folder / "config.json").read_text())["num_hidden_layers"] == 3


def test_the_fortieth_block_norm_and_head_are_left_out() -> None:
    state = published(blocks=40)
    extra = {
        "norm.weight": torch.ones(WIDTH),
        "head.bias": torch.ones(5),
        "mask_token": torch.ones(1, 1, WIDTH),
    }
    config, tensors, unused = eva_state(state | extra, Path("eva_vit_g.pth"))
    assert config.num_hidden_layers == 39
    assert unused == ["block 40", "norm.weight", "head.bias", "mask_token"]
    assert not any(name.startswith("encoder.layers.39.") for name in tensors)
    key = slice(WIDTH, 2 * WIDTH)
    assert not tensors["encoder.layers.38.self_attn.qkv.bias"][key].any()
    assert torch.equal(
        tensors["encoder.layers.38.self_attn.qkv.bias"][:WIDTH], state["blocks.38.attn.q_bias"]
    )
    assert torch.equal(tensors["post_layernorm.weight"], torch.ones(WIDTH).half())


def test_every_wrong_tensor_is_named(tmp_path: Path, cache: Path) -> None:
    state = published(blocks=2)
    state["blocks.1.surprise"] = state.pop("blocks.0.norm1.weight")
    del state["blocks.1.attn.v_bias"]
    state["blocks.1.mlp.fc2.bias"] = torch.zeros(3)
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(WeightsError) as caught:
        resolve(str(tmp_path / "a.pth"), "vision")
    text = str(caught.value)
    assert "2 missing: encoder.layers.0.layer_norm1.weight, encoder.layers.1.self_attn.qkv.bias" in text
    assert "1 unexpected: blocks.1.surprise" in text
    assert "1 wrong shape: encoder.layers.1.mlp.fc2.bias (3,) instead of (176,)" in text
    assert not list(cache.glob("a-file-*"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({}, "an empty dict"),
        ({"model": {"llama_proj.weight": torch.zeros(2, 2)}}, "llama_proj.weight"),
        (published(blocks=41), "41 blocks"),
        ({**published(), "pos_embed": torch.zeros(1, 4, WIDTH)}, r"pos_embed \(1, 4, 176\)"),
        ({**published(), "pos_embed": torch.tensor(1.0)}, r"pos_embed \(\)"),
        ({**published(), "pos_embed": torch.zeros(1, 5, 0)}, r"pos_embed \(1, 5, 0\)"),
        ({**published(), "blocks.0.mlp.fc1.weight": torch.tensor(1.0)}, "3 blocks"),
        (
            {**published(), "patch_embed.proj.weight": torch.zeros(WIDTH, 3, 14, 0)},
            r"patches \(176, 3, 14, 0\)",
        ),
        ({**published(), "blocks.0.attn.q_bias": torch.tensor(1.0)}, r"1 missing: .*qkv\.bias"),
        ([1], "list"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, cache: Path, content: object, says: str) -> None:
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=f"found: .*{says}"):
        resolve(str(tmp_path / "other.pth"), "vision")


def test_a_file_that_is_missing_damaged_or_no_encoder(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(WeightsError, match="no file"):
        resolve(str(tmp_path / "eva_vit_g.pth"), "vision")
    torch.save(published(), tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="is no language model"):
        resolve(str(tmp_path / "a.pth"), "language")
    content = (tmp_path / "a.pth").read_bytes()
    (tmp_path / "a.pth").write_bytes(content[: len(content) // 2])
    with pytest.raises(WeightsError, match=r"cannot be read as a `\.pth` file"):
        resolve(str(tmp_path / "a.pth"), "vision")
