"""Layers whose compilation fails: one warning, and the same results as without it."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pefomed.errors import RecipeError
from pefomed.models import compiled
from pefomed.models.compiled import CompiledLayers


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.dropout(self.linear(x), 0.5, self.training)


def layers(monkeypatch: pytest.MonkeyPatch, code: Callable[[Layer, int, Tensor], Tensor]) -> list[Layer]:
    """Two layers whose compiled code is `code(layer, number of the call, x)`."""
    calls = 0

    def compile(self: Layer, **kwargs: Any) -> None:
        def run(x: Tensor) -> Tensor:
            nonlocal calls
            calls += 1
            return code(self, calls, x)

        self._compiled_call_impl = run  # type: ignore[assignment]

    monkeypatch.setattr(Layer, "compile", compile)
    torch.manual_seed(0)
    return [Layer(), Layer()]


def steps(made: list[Layer], count: int = 3) -> list[Tensor]:
    torch.manual_seed(1)
    found = []
    for _ in range(count):
        x = torch.ones(2, 4)
        for layer in made:
            x = layer(x)
        found.append(x)
    return found


def half_drawn_then_broken(layer: Layer, call: int, x: Tensor) -> Tensor:
    torch.rand(7)  # a compilation that has drawn before it fails
    raise RuntimeError("C++ compile error\nand sixty more lines")


@pytest.mark.parametrize("at", [1, 2, 5])
def test_a_failure_gives_the_same_result_and_one_warning(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    def code(layer: Layer, call: int, x: Tensor) -> Tensor:
        return half_drawn_then_broken(layer, call, x) if call == at else layer._call_impl(x)

    made = layers(monkeypatch, code)
    expected = steps(made)
    warnings: list[str] = []
    guarded = CompiledLayers(made, required=False, warn=warnings.append)
    assert guarded.active
    assert all(torch.equal(a, b) for a, b in zip(steps(made), expected, strict=True))
    assert not guarded.active
    [warning] = warnings
    assert "RuntimeError: C++ compile error)" in warning
    assert "sixty" not in warning
    assert "\n" not in warning


def test_required_it_is_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    made = layers(monkeypatch, half_drawn_then_broken)
    warnings: list[str] = []
    CompiledLayers(made, required=True, warn=warnings.append)
    with pytest.raises(RecipeError, match=r"(?s)compute\.compile = 'on'.*C\+\+ compile error.*what to do"):
        steps(made)
    assert warnings == []


def test_what_is_no_fault_of_compiling_is_still_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    made = layers(monkeypatch, lambda layer, call, x: layer._call_impl(x))
    CompiledLayers(made, required=False, warn=lambda text: None)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        made[0](torch.ones(2, 3))


def test_a_compilation_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(layer: Layer, call: int, x: Tensor) -> Tensor:
        while True:
            try:
                time.sleep(60)
            except Exception:  # as compilers do, which then try the next thing
                continue

    made = layers(monkeypatch, hang)
    expected = steps(made)
    monkeypatch.setattr(compiled, "COMPILE_SECONDS", 0.1)
    warnings: list[str] = []
    CompiledLayers(made, required=False, warn=warnings.append)
    before = signal.getitimer(signal.ITIMER_REAL)[0]  # pytest's own limit of a test
    handler = signal.getsignal(signal.SIGALRM)
    assert all(torch.equal(a, b) for a, b in zip(steps(made), expected, strict=True))
    assert "took longer than 0.1 s" in warnings[0]
    assert signal.getsignal(signal.SIGALRM) is handler
    assert (signal.getitimer(signal.ITIMER_REAL)[0] > 0) == (before > 0)


def test_a_torch_that_makes_backward_code_late_is_not_compiled_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "can_compile", lambda: False)
    made = layers(monkeypatch, half_drawn_then_broken)
    warnings: list[str] = []
    assert not CompiledLayers(made, required=False, warn=warnings.append).active
    assert len(warnings) == 1
    with pytest.raises(RecipeError, match="newer one is needed"):
        CompiledLayers(made, required=True, warn=warnings.append)


TRAINING = """
import sys
from pathlib import Path
from pefomed.models import device
from pefomed.training import train
from tests.tiny import model_recipe, table_recipe
device.COMPILE_TOKENS = 0
root, mode = Path(sys.argv[1]), sys.argv[2]
recipe = table_recipe(root, model_recipe(root, lora={"r": 4, "alpha": 8, "dropout": 0.3}), epochs=1)
compute = recipe.compute.model_copy(update={"compile": mode})
train(recipe.model_copy(update={"compute": compute}), root / mode, root)
"""


def test_with_a_broken_compiler_a_training_ends_as_without_compiling(tmp_path: Path) -> None:
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "g++").write_text(
        '#!/bin/sh\nif [ "$1" = --version ]; then echo g++ 13; exit 0; fi\n'
        'echo "fatal error: Python.h: No such file or directory" >&2\nexit 1\n'
    )
    (bin_ / "g++").chmod(0o755)
    environment = os.environ | {
        "PATH": f"{bin_}:{os.environ['PATH']}",
        "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache"),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]),
    }
    environment.pop("CXX", None)
    hashes = {}
    for mode in ("off", "auto"):
        done = subprocess.run(
            [sys.executable, "-c", TRAINING, str(tmp_path), mode],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        said = [line for line in done.stderr.splitlines() if "cannot be compiled" in line]
        assert len(said) == (mode == "auto"), done.stderr
        weights = tmp_path / mode / "adapter" / "adapter_model.safetensors"
        hashes[mode] = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert said[0].startswith("warning: the layers cannot be compiled here (InductorError: ")
    assert hashes["auto"] == hashes["off"]
