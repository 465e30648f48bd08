"""A run on disk: where each of its files is, who may write them, what happened and under which versions."""

from pefomed.runs.folder import RunFolder
from pefomed.runs.split import Split

__all__ = ["RunFolder", "Split"]
