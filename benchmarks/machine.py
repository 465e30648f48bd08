"""What the machine can do and what training asks of it: measured matmul rate, counted operations.

Operations of one step, with n nodes (padding left out), p pairs of a query and a key it may see,
a answer tokens; W weights of the decoder's linear layers, H width of hidden states, V vocabulary,
A = heads x head width, r (i + o) weights of a LoRA pair on a layer of i inputs and o outputs:

    decoder    n W (2 forward + 2 backward)          frozen: no gradient of the weights
    LoRA       n sum r (i + o) (2 forward + 4 backward)
    attention  p layers A (4 forward + 8 backward)
    head       a H V (2 forward + 2 backward)        only where an answer token is
    projector  image tokens x its weights (2 forward + 2 backward)   its input needs no gradient

Norms, activations, softmax and the optimiser are not counted, so the share is a lower bound.
"""

from __future__ import annotations

import os
import platform
import statistics
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.setting import Bench
from benchmarks.table import Row, seconds
from pefomed.packing.batch import PackedRow as Tree


def describe() -> dict[str, Any]:
    """Return what the numbers depend on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def matmul_rates(bench: Bench, repeats: int) -> dict[str, float]:
    """Return GFLOP/s of matmuls (rows x inputs x outputs) of the model's shapes, and of a square one."""
    base: Any = bench.model.get_base_model()
    text = base.config.text_config
    width, mlp = int(text.hidden_size), int(getattr(text, "intermediate_size", None) or 4 * text.hidden_size)
    tokens = bench.stage.batch_tokens
    shapes = [(tokens, width, width), (tokens, width, mlp), (tokens, mlp, width), (2048, 2048, 2048)]
    parameter = next(base.language_model.parameters())
    return {
        " x ".join(map(str, shape)): _rate(shape, parameter.dtype, parameter.device, repeats)
        for shape in shapes
    }


def operations(bench: Bench, batches: list[list[Tree]]) -> float:
    """Return the operations of one training step by the formula above."""
    base: Any = bench.model.get_base_model()
    text, decoder = base.config.text_config, base.language_model.get_decoder()
    trees = [row for batch in batches for row in batch]
    nodes = sum(map(len, trees))
    pairs = sum(depth + 1 for row in trees for depth in row.depths)
    answers = sum(len(pair) for row in trees for pair in row.answers)
    layers = [(name, m) for name, m in decoder.named_modules() if isinstance(m, nn.Linear)]
    frozen = sum(m.weight.numel() for name, m in layers if "lora_" not in name)
    lora = sum(m.weight.numel() for name, m in layers if "lora_" in name)
    heads = int(text.num_attention_heads)
    head = int(getattr(text, "head_dim", None) or text.hidden_size // heads)
    vocabulary = int(text.hidden_size) * int(text.vocab_size)
    projector = int(base.config.vision_config.hidden_size) * base.config.group * int(text.hidden_size)
    image_tokens = sum(len(row.images) for row in trees) * base.config.tokens_per_image
    return float(
        4 * nodes * frozen
        + 6 * nodes * lora
        + 12 * pairs * int(text.num_hidden_layers) * heads * head
        + 4 * answers * vocabulary
        + 4 * image_tokens * projector
    )


def share(bench: Bench, measured: list[tuple[list[list[Tree]], float]], repeats: int) -> list[Row]:
    """Return how much of the fastest matmul's rate training reaches, over measured (batches, seconds)."""
    reached = statistics.median(operations(bench, batches) / took for batches, took in measured) / 1e9
    rates = matmul_rates(bench, repeats)
    fastest = max(rates.values())
    part = "share of the machine"
    base: Any = bench.model.get_base_model()
    kind = str(next(base.language_model.parameters()).dtype).removeprefix("torch.")
    lines = [Row(part, f"matmul {shape}, {kind}", "GFLOP/s", rate) for shape, rate in rates.items()]
    lines.append(Row(part, "training, useful operations", "GFLOP/s", reached))
    lines.append(Row(part, "share of the fastest matmul", "%", 100 * reached / fastest))
    return lines


def _rate(shape: tuple[int, int, int], dtype: torch.dtype, device: torch.device, repeats: int) -> float:
    rows, inputs, outputs = shape
    left = torch.randn(rows, inputs, dtype=dtype, device=device)
    right = torch.randn(outputs, inputs, dtype=dtype, device=device)

    def multiply() -> None:
        for _ in range(4):
            torch.nn.functional.linear(left, right)
        if device.type == "cuda":
            torch.cuda.synchronize()

    multiply()
    # The fastest of them: what the machine can do, not what it did beside others' work.
    return 4 * 2.0 * rows * inputs * outputs / min(seconds(multiply) for _ in range(repeats)) / 1e9


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
