"""One reader under atheris, in a process of its own: `python -m fuzz.one NAME [libFuzzer's options] CORPUS`.

The branches of the reader, and of the libraries of `WATCHED`, guide the search.
"""

from __future__ import annotations

import sys
import warnings

import atheris

WATCHED = {
    "dicom": ["pydicom"], "images": ["PIL"], "nifti": ["nibabel"], "nifti_gz": ["nibabel"],
    "recipe": ["tomllib"], "xlsx": ["openpyxl"], "zip": ["zipfile"],
}  # fmt: skip


def main() -> None:
    """Fuzz until libFuzzer's options say stop; the process ends with its exit code."""
    name, *options = sys.argv[1:]
    warnings.simplefilter("ignore")
    # Many libraries are imported when they are first needed: the hook stays.
    with atheris.instrument_imports(include=["pefomed", *WATCHED.get(name, [])]):
        from fuzz.target import check
        from fuzz.targets import TARGETS

        target = TARGETS[name]
        for seed in target.seeds():
            check(target, seed)
        atheris.Setup(["fuzz", *options], lambda data: check(target, data) and None)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
