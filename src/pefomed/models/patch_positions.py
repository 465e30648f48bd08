"""Where a patch lies, as numbers beside its features.

The frozen encoder's positions reach its deeper hidden states weakened and mixed with what the patch shows;
a language model that answers with coordinates reads them more easily from numbers of their own:

    phi(x, y) = (cos(pi 2^j x), sin(pi 2^j x), cos(pi 2^j y), sin(pi 2^j y)),  j = 0 ... 3

with (x, y) the patch's centre as fractions of the width and height of the square the encoder sees (waves of
doubling frequency, as in the positions of Vaswani et al. 2017, in two dimensions). Nothing of it is trained.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

OCTAVES = 4
WIDTH = 4 * OCTAVES
"""Numbers of one patch."""


@lru_cache
def patch_positions(grid: int) -> Tensor:
    """Return the positions (grid * grid, WIDTH), float32 on the CPU, of the patches in raster order."""
    with torch.device("cpu"), torch.inference_mode(False):  # kept for training too
        centres = (torch.arange(grid) + 0.5) / grid
        angles = math.pi * 2.0 ** torch.arange(OCTAVES) * centres[:, None]
        waves = torch.cat([angles.cos(), angles.sin()], dim=1)
        across = waves[None].expand(grid, grid, -1)
        down = waves[:, None].expand(grid, grid, -1)
        return torch.cat([across, down], dim=-1).reshape(grid * grid, WIDTH)
