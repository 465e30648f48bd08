"""A data set as other trainers read it, so that they can be compared on the same questions and pictures.

    OUT/{train,validate,test}.{json,jsonl,parquet}   one file a split
    OUT/images/                                      copies, if they are asked for
    OUT/README.md                                    what it is; tells `datasets` which file is which split

The folder appears whole or not at all, and never replaces one that is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pefomed.startup.faces import lazily

if TYPE_CHECKING:
    from pefomed.export.dataset import FORMS, Exported, Form, export

__all__ = ["FORMS", "Exported", "Form", "export"]

__getattr__ = lazily(
    __name__,
    {
        "Exported": ".dataset",
        "FORMS": ".dataset",
        "Form": ".dataset",
        "export": ".dataset",
    },
)
