"""The proposal for a file or a folder: what it is taken for decides who looks at it."""

from __future__ import annotations

import re
from pathlib import Path

from pefomed.errors import DataError
from pefomed.files.storage import usable_paths
from pefomed.proposals.coco import add_coco
from pefomed.proposals.folders import recognised
from pefomed.proposals.masks import add_masks
from pefomed.proposals.proposal import Proposal
from pefomed.proposals.published import PublishedLayout, add_published
from pefomed.proposals.table import add_columns
from pefomed.proposals.table_sample import look
from pefomed.proposals.talks import add_talks


@usable_paths()
def propose(path: Path, data_folder: Path) -> Proposal:
    """Return what the file or folder `path` is proposed to be read as.

    Args:
        data_folder: the folder that `root` is relative to, if the file is in it.

    Raises:
        DataError: nothing is there, or it is nothing that a loader reads.
    """
    path = path.expanduser().absolute()
    if not path.exists():
        raise DataError(f"{path} is not there", remedy="give a file or a folder")
    found = recognised(path)
    root = found.root.relative_to(data_folder) if found.root.is_relative_to(data_folder) else found.root
    named = found.root if isinstance(found.content, PublishedLayout) else path
    proposal = Proposal(_name(named), found.loader, root.as_posix(), found.about)
    if found.loader == "coco" and found.table is not None:
        add_coco(proposal, found.table, found.content)
    elif found.loader == "conversations" and found.table is not None:
        add_talks(proposal, found.table, found.content)
    elif isinstance(found.content, PublishedLayout):
        add_published(proposal, found.content)
    elif found.loader == "masks":
        add_masks(proposal, path, *found.content)
    elif found.loader in ("table", "hugging_face") and found.table is not None:
        if found.records:
            proposal.set("records", found.records, "the longest list of objects in the file")
        add_columns(proposal, look(found.table, records=found.records))
    return proposal


def _name(path: Path) -> str:
    stem = path.name.split(".")[0] if path.is_file() else path.name
    return re.sub(r"[^A-Za-z0-9_]+", "_", stem).strip("_").lower() or "mine"
