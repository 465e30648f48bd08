"""A folder of a hospital's DICOM studies and volumes as tables and images that name nobody.

OUT/table.csv, OUT/series.csv, OUT/boxes.csv, OUT/images/<patient>/<study>/<instance>.png, OUT/report.json
and OUT/report.md can be given on. Beside it `OUT.secret/` holds the key of the pseudonyms, what they stand
for, every source file's outcome and what was found in free text: it stays where the patients are.

First the header of every file is read (`looking`), so that a series is known as a whole; then what is drawn
on images (`annotations`); then slices are chosen (`planning`) and converted (`convert`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pefomed.startup.faces import lazily

if TYPE_CHECKING:
    from pefomed.deidentify.convert import ImportSettings
    from pefomed.deidentify.folder import import_folder, secret_folder

__all__ = ["ImportSettings", "import_folder", "secret_folder"]

__getattr__ = lazily(
    __name__,
    {
        "ImportSettings": ".convert",
        "import_folder": ".folder",
        "secret_folder": ".folder",
    },
)
