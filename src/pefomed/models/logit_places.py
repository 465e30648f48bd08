"""A language model that computes logits at given places only, whatever stands around its output layer.

What stands around the output layer (scaling, soft caps) differs between families, so the family's own forward
pass is run, of a copy of the model that shares every part but this: before its output layer the wanted hidden
states are picked. The model itself is not touched, so that several threads may run it at once.

Shapes: B rows, L tokens, H width, A places, V vocabulary.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn


def with_logits_at(language_model: Any, index: tuple[Tensor, Tensor]) -> Any:
    """Return `language_model` with logits (1, A, V) at the rows (A,) and columns (A,) of `index` only."""
    head = language_model.get_output_embeddings()
    return _replaced(language_model, _path(language_model, head), _Picked(head, index))


class _Picked:
    """An output layer that is given hidden states (B, L, H) and sees those at `index`."""

    def __init__(self, head: nn.Module, index: tuple[Tensor, Tensor]):
        self._head, self._index = head, index

    def __call__(self, hidden: Tensor, *others: Any, **named: Any) -> Any:
        return self._head(hidden[self._index][None], *others, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._head, name)


def _path(module: nn.Module, part: nn.Module) -> list[str]:
    """Return the names that lead from `module` to `part`."""
    for name, child in module._modules.items():  # where it is in nearly every family
        if child is part:
            return [name]
    return next(name for name, found in module.named_modules() if found is part).split(".")


def _replaced(module: Any, path: list[str], part: Any) -> Any:
    """Return a copy of `module` that shares its weights and all its parts but the one at `path`."""
    copy = object.__new__(type(module))
    inner = _replaced(module._modules[path[0]], path[1:], part) if len(path) > 1 else part
    copy.__dict__.update(module.__dict__)
    copy.__dict__["_modules"] = {**module._modules, path[0]: inner}
    return copy
