"""Every reader of files from outside, by the name that `python -m fuzz.run --only` takes."""

from __future__ import annotations

from fuzz import annotations, box_files, packed, pictures, records, tables, talks
from fuzz.target import Target

TARGETS: dict[str, Target] = {
    **pictures.TARGETS,
    **tables.TARGETS,
    **packed.TARGETS,
    **box_files.TARGETS,
    **annotations.TARGETS,
    **talks.TARGETS,
    **records.TARGETS,
}
