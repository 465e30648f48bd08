"""What several training processes decide together: all go the same way, or all stop with the same error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list

from pefomed.errors import PefomedError
from pefomed.startup import processes

T = TypeVar("T")


def in_main(decide: Callable[[], T]) -> T:
    """Return what `decide` returns in the main process, or raise its error, in all of them.

    Raises:
        PefomedError: as `decide`.
    """
    if processes.count() == 1:
        return decide()
    told: list[Any] = [None, None]
    if processes.is_main():
        try:
            told[0] = decide()
        except PefomedError as error:
            told[1] = error
    broadcast_object_list(told)
    if told[1] is not None:
        raise told[1]
    result: T = told[0]
    return result


def in_any(accelerator: Accelerator, here: bool) -> bool:
    """Return whether it is so in any process: they must stop at the same step."""
    if accelerator.num_processes == 1:
        return here
    flag = torch.tensor(float(here), device=accelerator.device)
    return bool(accelerator.reduce(flag, "sum") > 0)
