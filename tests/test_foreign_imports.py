"""Somebody else's installation, and a machine without a temporary folder, break nothing here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("first", ["import pefomed, peft", "from pefomed.predict import Predictor"])
def test_a_torchvision_that_does_not_fit_is_left_out(tmp_path: Path, first: str) -> None:
    package = tmp_path / "torchvision"
    package.mkdir()
    # What the registry's torchvision raises beside a CPU build of torch.
    (package / "__init__.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = python(f"{first}\nfrom transformers import ProcessorMixin\nprint('works')", PYTHONPATH=path)
    assert done.stdout == "works\n", done.stderr
    [note] = done.stderr.splitlines()
    assert note.startswith("note: torchvision is left out")
    assert "nms does not exist" in note
    assert "what to do" in note


def test_a_cache_folder_that_cannot_be_made_does_not_stop_an_import() -> None:
    done = python("import pefomed.predict; print('works')", TORCHINDUCTOR_CACHE_DIR="/proc/none")
    assert done.stdout == "works\n", done.stderr


def test_looking_for_pip_leaves_setuptools_as_torch_needs_it() -> None:
    code = "from pefomed.model import wheel\nwheel._pip()\nimport setuptools\nprint('works')"
    done = python(code)
    assert done.stdout == "works\n", done.stderr


def test_pefomed_alone_imports_neither_torch_nor_transformers() -> None:
    done = python("import sys, pefomed; print(sorted({'torch', 'transformers'} & set(sys.modules)))")
    assert done.stdout == "[]\n", done.stderr
