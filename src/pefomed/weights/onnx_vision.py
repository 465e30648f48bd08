"""A DINOv2 encoder inside an ONNX file, rebuilt as a plain transformers `Dinov2Model`.

An exporter keeps the names of biases and norms but folds and renames matrices: a linear layer
`y = x W^T + b` becomes `Add(b, MatMul(x, M))` with an anonymous `M = W^T`. So each matrix is found by the
bias of the `Add` behind it. The position embedding is split into its class and its patch rows,
both constants. Only constants are read; no code of the file is run, except by the parity check, which lets
onnxruntime compute the same encoder. Converters to torch give a graph that computes, not weights by
transformers' names.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import Dinov2Config, Dinov2Model

from pefomed.errors import WeightsError

#: Preprocessing of DINOv2 as published: ImageNet mean and standard deviation.
PREPROCESSOR = {
    "image_processor_type": "BitImageProcessor",
    "do_convert_rgb": True,
    "do_resize": True,
    "size": {"shortest_edge": 256},
    "resample": 3,
    "do_center_crop": True,
    "crop_size": {"height": 224, "width": 224},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}
TOLERANCE = 1e-4  # largest absolute difference of two float32 computations of the same encoder
_PREFIX = "backbone."
_HEAD_WIDTH = 64  # of every ViT of the DINOv2 family
_LEGACY_NAMES = {
    "attention.attention.query": "attention.q_proj",
    "attention.attention.key": "attention.k_proj",
    "attention.attention.value": "attention.v_proj",
    "attention.output.dense": "attention.o_proj",
}


def read_dinov2(path: Path) -> Dinov2Model:
    """Return the encoder of the ONNX file, float32, in eval mode.

    Raises:
        WeightsError: the file is not ONNX, a tensor is missing or left over, or a shape does not fit.
    """
    graph = _load(path).graph
    tensors = _named_tensors(graph, path)
    config = _config(tensors, path)
    model = Dinov2Model(config)
    expected = model.state_dict()
    problems = [f"missing {name}" for name in expected.keys() - tensors.keys()]
    problems += [f"unexpected {name}" for name in tensors.keys() - expected.keys()]
    problems += [
        f"{name} is {tuple(tensors[name].shape)}, not {tuple(expected[name].shape)}"
        for name in expected.keys() & tensors.keys()
        if tensors[name].shape != expected[name].shape
    ]
    if problems:
        raise WeightsError(
            f"{path} does not fit a DINOv2 encoder of width {config.hidden_size}",
            found="; ".join(sorted(problems)),
            remedy="give the file of a DINOv2 encoder exported from transformers",
        )
    model.load_state_dict(tensors, strict=True)
    model.eval()  # type: ignore[no-untyped-call]
    return model


def parity(path: Path, model: Dinov2Model, image_size: int = 224) -> float | None:
    """Return the largest difference between onnxruntime's and the model's last hidden state.

    The input is one image of seeded normal noise. None if onnxruntime is not installed.

    Raises:
        WeightsError: the difference is above `TOLERANCE`.
    """
    if importlib.util.find_spec("onnxruntime") is None:
        return None
    import onnx
    import onnxruntime

    onnx_model = _load(path)
    graph = onnx_model.graph
    output = next(node.output[0] for node in graph.node if f"{_PREFIX}layernorm.bias" in node.input)
    del graph.output[:]
    graph.output.append(onnx.helper.make_empty_tensor_value_info(output))
    session = onnxruntime.InferenceSession(onnx_model.SerializeToString(), providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(0).standard_normal((1, 3, image_size, image_size), dtype=np.float32)
    (theirs,) = session.run([output], {graph.input[0].name: pixels})
    with torch.inference_mode():
        ours = model(torch.from_numpy(pixels)).last_hidden_state.numpy()
    difference = float(np.abs(ours - theirs).max())
    if difference > TOLERANCE:
        raise WeightsError(
            f"the encoder rebuilt from {path} computes something else than the file itself",
            found=f"hidden states differ by up to {difference:.2g} (allowed: {TOLERANCE:g})",
            remedy="report it with the versions of transformers, onnx and onnxruntime",
        )
    return difference


def _load(path: Path) -> Any:
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        return onnx.load(str(path))
    except DecodeError as error:
        raise WeightsError(f"{path} is not an ONNX file", found=str(error), remedy="fetch it again") from None


def _named_tensors(graph: Any, path: Path) -> dict[str, torch.Tensor]:
    """Return the encoder's tensors under transformers' names, matrices turned to (out, in)."""
    from onnx import numpy_helper

    constants = {tensor.name: tensor for tensor in graph.initializer}

    def array(name: str) -> torch.Tensor:
        return torch.from_numpy(numpy_helper.to_array(constants[name]).astype(np.float32))

    tensors = {_rename(name): array(name) for name in constants if name.startswith(_PREFIX)}
    made_by = {node.output[0]: node for node in graph.node}
    for node in graph.node:
        if node.op_type != "Add":
            continue
        for bias, product in (tuple(node.input), tuple(node.input)[::-1]):
            source = made_by.get(product)
            if not bias.startswith(_PREFIX) or source is None or source.op_type != "MatMul":
                continue
            if source.input[1] in constants:
                weight = _rename(bias.removesuffix(".bias")) + ".weight"
                tensors[weight] = array(source.input[1]).T.contiguous()
    rows = [name for name in constants if name.startswith("onnx::") and len(constants[name].dims) == 3]
    rows.sort(key=lambda name: constants[name].dims[1])
    if [constants[name].dims[1] for name in rows[:1]] != [1] or len(rows) != 2:
        raise WeightsError(
            f"{path} has no position embedding of class and patches",
            found=", ".join(f"{name} {list(constants[name].dims)}" for name in rows) or "no such constants",
            remedy="give the file of a DINOv2 encoder exported from transformers",
        )
    tensors["embeddings.position_embeddings"] = torch.cat([array(name) for name in rows], dim=1)
    return tensors


def _rename(name: str) -> str:
    name = name.removeprefix(_PREFIX)
    for old, new in _LEGACY_NAMES.items():
        name = name.replace(old, new)
    return name


def _config(tensors: dict[str, torch.Tensor], path: Path) -> Dinov2Config:
    try:
        width, _, patch, _ = tensors["embeddings.patch_embeddings.projection.weight"].shape
        hidden = tensors["encoder.layer.0.mlp.fc1.bias"].shape[0]
    except KeyError as error:
        raise WeightsError(
            f"{path} has no DINOv2 encoder", found=f"no tensor {error}", remedy="check the file"
        ) from None
    layers = {int(name.split(".")[2]) for name in tensors if name.startswith("encoder.layer.")}
    grid = round((tensors["embeddings.position_embeddings"].shape[1] - 1) ** 0.5)
    return Dinov2Config(
        hidden_size=width,
        num_hidden_layers=len(layers),
        num_attention_heads=width // _HEAD_WIDTH,
        mlp_ratio=hidden // width,
        patch_size=patch,
        image_size=grid * patch,
        use_mask_token=False,  # the mask token is for pre-training only; exporters drop it
    )
