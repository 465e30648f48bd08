"""Folders of pretrained parts, read with one error for whatever is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoConfig

from pefomed.errors import PefomedError, WeightsError

_LAYER = re.compile(r"\.(?:layers|layer|h|blocks)\.(\d+)\.")
_REMEDY = "fetch or copy the folder again, or name another part"


@contextmanager
def readable(folder: Path, what: str) -> Iterator[None]:
    """Turn whatever is raised while `what` is read from `folder` into one error.

    Raises:
        WeightsError: it cannot be read.
    """
    before = transformers.utils.logging.get_verbosity()
    transformers.utils.logging.set_verbosity_error()  # the halves that we leave out are no news
    try:
        yield
    except (PefomedError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # of the readers of six formats, none of which promises its errors
        raise WeightsError(
            f"the {what} in {folder} cannot be read", found=first_line(error), remedy=_REMEDY
        ) from None
    finally:
        transformers.utils.logging.set_verbosity(before)


def configuration(folder: Path) -> Any:
    """Return the configuration in a folder; code that lies beside it is never run.

    Raises:
        WeightsError: there is none, or transformers does not know its kind.
    """
    with readable(folder, "configuration"):
        return AutoConfig.from_pretrained(folder, trust_remote_code=False)


def load(
    kind: Any,
    folder: Path,
    dtype: torch.dtype,
    *,
    unused: tuple[str, ...] = (),
    layers: int | None = None,
    **options: Any,
) -> Any:
    """Load a pretrained part; a tensor it needs and does not find is an error, never a random one.

    Args:
        unused: beginnings of names of tensors that may be missing, for nothing of ours asks for them.
        layers: how many the configuration has, where the folder holds nothing but this part.

    Raises:
        WeightsError: the weights cannot be read, or are not all there.
    """
    with readable(folder, "weights"):
        model, report = kind.from_pretrained(
            folder, dtype=dtype, output_loading_info=True, trust_remote_code=False, **options
        )
    missing = sorted(name for name in report["missing_keys"] if not name.startswith(unused))
    for name in report["missing_keys"] - set(missing):  # random by now, and part of what features are kept by
        torch.nn.init.zeros_(model.get_parameter(name))
    if missing:
        raise WeightsError(
            f"the weights in {folder} lack tensors their configuration needs",
            found=f"{len(missing)} missing, e.g. {', '.join(missing[:5])}",
            remedy="fetch them again with `pefomed weights fetch`, or name a matching part",
        )
    numbers = [int(found[1]) for name in report["unexpected_keys"] if (found := _LAYER.search(name))]
    if layers is not None and max(numbers, default=0) >= layers:
        raise WeightsError(
            f"the weights in {folder} are of more layers than their configuration has",
            found=f"{max(numbers) + 1} layers instead of {layers}",
            remedy=_REMEDY,
        )
    return model


def first_line(error: Exception) -> str:
    """Return the kind of an error and the first line of what it says, at most 300 characters."""
    said = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return ": ".join([type(error).__name__, *[said[:300]] * bool(said)])
