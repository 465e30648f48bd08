"""Which kind of attention a model is given, and whether its rows are shared, found out once for its family.

It is the first kind with which rows can be shared (`parity`); where none is right, the first with which one
question a row is. What was found is kept by configuration and versions, in the user's cache.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import torch
import transformers

from pefomed.cache import cache_folder
from pefomed.errors import RecipeError, StorageError, WeightsError
from pefomed.files.storage import write
from pefomed.inference.family_parity import RowParity, compare_rows
from pefomed.inference.parity import ParityError, compare_attention
from pefomed.models.attention import candidates, set_attention
from pefomed.models.family import foreign_code
from pefomed.models.layers import carries_state
from pefomed.models.modeling import PefomedForConditionalGeneration
from pefomed.models.protocol import Processor
from pefomed.progress import note
from pefomed.recipe import Compute

Found = TypeVar("Found", ParityError, RowParity)

_VERSION = 1  # raise it when what is compared, or how rows are computed, changes


def fit_attention(
    model: Any, compute: Compute, processor: Processor | None = None, *, decoding: bool = False
) -> str:
    """Give `model` a kind of attention with which its family is right, and say whether it may share rows.

    A family from outside chooses by itself, and its choice is tried (`family_parity`). Sets
    `model.shares_rows`; returns the kind.

    Args:
        processor: the family's own, where it is from outside.

    Raises:
        RecipeError: the kind that the recipe names is not right for this family, or not for this device.
        WeightsError: none is.
    """
    own: str | None = model.fit_attention(compute, decoding=decoding)
    if own is None and not isinstance(model, PefomedForConditionalGeneration):
        own = "its own"
    if own is not None:
        if processor is not None:
            _try_rows(model, processor, own)
        return own
    config = model.config.text_config
    device = next(model.language_model.parameters()).device
    kinds = candidates(compute, device, decoding=decoding)
    found: dict[str, ParityError] = {}
    for shares in (False,) if carries_state(model.language_model) else (True, False):
        for kind in kinds:
            found[kind] = difference(config, kind, device.type, shares)
            if found[kind].right:
                set_attention(model, kind)
                model.shares_rows = shares
                if not shares:
                    _say_once(f"language models of the kind {config.model_type}")
                return kind
    differs = "; ".join(f"with {kind} attention: {one}" for kind, one in found.items())
    if compute.attention != "auto" and kinds == [compute.attention]:
        raise RecipeError(
            f"compute.attention = {compute.attention!r} is not right for language models of the kind"
            f" {config.model_type}",
            found=differs,
            remedy="set compute.attention = 'auto'",
        )
    raise WeightsError(
        f"language models of the kind {config.model_type} cannot be computed here as transformers does it",
        found=differs,
        remedy="use another language model (docs/families.md lists those that are right)",
    )


def _try_rows(model: Any, processor: Processor, how: str) -> None:
    """Leave a family's rows shared only if that is right.

    Raises:
        WeightsError: not even single rows are.
    """
    name = type(model).__name__
    found: dict[bool, RowParity] = {}
    for shares in (True, False) if model.shares_rows else (False,):
        found[shares] = _rows_apart(model, processor, how, shares)
        if found[shares].right:
            if model.shares_rows != shares:
                model.shares_rows = shares
                _say_once(f"the family {name} ({found[True]})")
            return
    raise WeightsError(
        f"the family {name} does not compute in rows and with a cache what it computes of each text alone",
        found="; ".join(f"{'shared' if shares else 'single'} rows: {one}" for shares, one in found.items()),
        remedy="mend its forward pass: who sees whom, positions, cache (docs/families.md)",
    )


def _rows_apart(model: Any, processor: Processor, how: str, shares: bool) -> RowParity:
    from pefomed import __version__

    first = next(model.language_model.parameters())
    shapes = [[name, list(one.shape)] for name, one in model.named_parameters()]
    code = foreign_code(model, processor, processor.image_processor)
    versions = [_VERSION, __version__, transformers.__version__, torch.__version__]
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    about = [*versions, kind, code, shapes, str(first.dtype), first.device.type, how, shares]
    return _computed_once(about, RowParity, lambda: compare_rows(model, processor, shares))


def difference(config: Any, kind: str, device: str = "cpu", shares: bool = True) -> ParityError:
    """Return how far `kind` of attention is from the plain model of this configuration, computed once."""
    from pefomed import __version__

    fields = {name: value for name, value in config.to_dict().items() if name not in _NOT_THE_FAMILY}
    versions = [_VERSION, __version__, transformers.__version__, torch.__version__]
    about = [*versions, config.model_type, fields, kind, device, shares]
    return _computed_once(about, ParityError, lambda: compare_attention(config, kind, device, shares))


def _computed_once(about: list[Any], kind: Callable[..., Found], compute: Callable[[], Found]) -> Found:
    """Return what was found of `about` in this process, in any before it, or is computed now."""
    key = hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()[:16]
    if key not in _known:
        path = cache_folder() / "parity" / f"{key}.json"
        try:
            _known[key] = kind(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, RecursionError):  # never computed, or not whole: then now
            _known[key] = compute()
            with contextlib.suppress(OSError, StorageError):  # else the next process finds out again
                write(path, json.dumps(_known[key]._asdict()) + "\n")
    found: Found = _known[key]
    return found


@lru_cache
def _say_once(family: str) -> None:
    note(f"questions cannot share rows in {family}: one question a row, in training and prediction")


_known: dict[str, Any] = {}
"""What this process has found out already."""


_NOT_THE_FAMILY = frozenset(
    {"_name_or_path", "architectures", "transformers_version", "dtype", "torch_dtype", "model_type"}
)
