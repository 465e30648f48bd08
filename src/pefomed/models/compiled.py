"""The language model's layers compiled by `torch.compile`, and computed as they are where that fails.

Compiling is an optimisation. Whatever goes wrong in it (no compiler, a broken one, no headers, a temporary
folder that is full or cannot be written, a compilation that does not end) goes wrong in the call of a layer
that needs code it does not have yet: at the first step, or at any later one of another shape. That very call
then runs the layer as it is, and so does every call after it, so that the step's result is the one it has
without compiling. Backward code is made together with forward code (`force_non_lazy_backward_lowering`): a
backward pass, where several processes may wait for each other, never compiles.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch
from torch import nn

from pefomed.errors import PefomedError, RecipeError

COMPILE_SECONDS = 600.0
"""The longest that one layer's code may take to be made; usually 10 to 40 s, minutes on a busy machine."""


class CompiledLayers:
    """Layers that are called through compiled code until that fails once.

    Args:
        layers: alike in everything but their weights, so that one compilation serves them all.
        required: raise where compiling fails instead of going on without.
        warn: gets the one line that says why the layers are no longer compiled.
    """

    def __init__(self, layers: Sequence[nn.Module], *, required: bool, warn: Callable[[str], None]):
        self._layers, self._required, self._warn = layers, required, warn
        self.active = False
        if not can_compile():
            self._give_up(f"torch {torch.__version__} makes backward code too late; a newer one is needed")
            return
        try:
            from torch._functorch import config as backward
            from torch._inductor import config as inductor

            backward.force_non_lazy_backward_lowering = True  # type: ignore[attr-defined]
            if next(layers[0].parameters()).device.type == "cpu":
                # Compilers that are children of this process are ended with it, and when they take too long.
                inductor.compile_threads = 1
            for layer in layers:
                layer.compile(dynamic=True)
        except Exception as error:
            self._give_up(error)
            return
        self.active = True
        for layer in layers:
            layer._compiled_call_impl = self._guarded(layer, layer._compiled_call_impl)  # type: ignore[assignment]

    def _guarded(self, layer: nn.Module, compiled: Any) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if self.active:
                before = _random_state(layer)
                try:
                    with _limited(COMPILE_SECONDS):
                        return compiled(*args, **kwargs)
                except PefomedError:
                    raise
                except (Exception, _TakesTooLong) as error:
                    _restore(before)  # the same dropout as if nothing had been tried
                    self._give_up(error)
            return layer._call_impl(*args, **kwargs)

        return call

    def _give_up(self, why: BaseException | str) -> None:
        """Leave the layers as they are and say so.

        Raises:
            RecipeError: they were required to be compiled.
        """
        self.active = False
        for layer in self._layers:
            layer._compiled_call_impl = None
        reason = why if isinstance(why, str) else _named(why)
        if self._required:
            raise RecipeError(
                "compute.compile = 'on', but the layers cannot be compiled here",
                found=reason,
                remedy="install a C++ compiler (g++) and Python's headers and see that the temporary folder"
                " can be written, or set compute.compile = 'auto'",
            ) from None
        self._warn(
            f"the layers cannot be compiled here ({reason}): training goes on without, more slowly;"
            " compute.compile = 'off' does not try"
        )


def can_compile() -> bool:
    """Return whether this torch can make backward code together with forward code (2.10 and newer)."""
    try:
        from torch._functorch import config
    except Exception:  # a torch without it, or with a part of it that cannot be imported here
        return False
    return hasattr(config, "force_non_lazy_backward_lowering")


def _named(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return ": ".join([type(error).__name__.lstrip("_"), *lines[:1]])


class _TakesTooLong(BaseException):
    """Not an Exception: what compiles catches those and goes on."""


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise _TakesTooLong in the block after `seconds`; no limit outside the main thread or on Windows."""
    here = threading.current_thread() is threading.main_thread()
    if not here or not hasattr(signal, "setitimer"):
        yield
        return

    def handle(number: int, frame: FrameType | None) -> None:
        raise _TakesTooLong(f"took longer than {seconds:g} s")

    begun = time.monotonic()
    handler = signal.signal(signal.SIGALRM, handle)
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:  # somebody else's alarm goes on
            signal.setitimer(signal.ITIMER_REAL, max(1e-3, left - (time.monotonic() - begun)))


def _random_state(layer: nn.Module) -> tuple[torch.Tensor, torch.Tensor | None]:
    device = next(layer.parameters()).device
    return torch.get_rng_state(), torch.cuda.get_rng_state(device) if device.type == "cuda" else None


def _restore(state: tuple[torch.Tensor, torch.Tensor | None]) -> None:
    torch.set_rng_state(state[0])
    if state[1] is not None:
        torch.cuda.set_rng_state(state[1])
