"""How a batch of rows is given to the model: as trees, or each row as the one text it is.

Shapes: B rows, L tokens, S images, P patches, D width.
"""

from __future__ import annotations

from typing import Any

import torch

from pefomed.models.protocol import ImageFeatures
from pefomed.packing.batch import Batch


def forward(model: Any, batch: Batch, features: ImageFeatures, **options: Any) -> Any:
    """Run `model` on the batch with image features (S, P, D); `options` go to the model.

    Rows of a model that cannot share them hold one question each: they are plain texts, padded on the right,
    which nothing before the padding can see.
    """
    base = getattr(model, "module", model)
    if base.shares_rows:
        options["tree"] = batch.ends
    else:
        assert len(batch.samples) == len(batch.input_ids), "rows of this model cannot be shared"
        options["attention_mask"] = torch.ones_like(batch.input_ids)
    return model(
        input_ids=batch.input_ids, image_features=features, position_ids=batch.position_ids, **options
    )
