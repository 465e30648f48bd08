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


@pytest.mark.parametrize(
    "first", ["import pefomed, peft", "from pefomed.inference.predictor import Predictor"]
)
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


BROKEN = {
    "torchvision": "raise OSError('libtorch.so: undefined symbol')",
    "torchaudio": "raise ImportError('torchaudio is for another torch')",
    "soundfile": "raise OSError('sndfile library not found')",
    "bitsandbytes": "raise RuntimeError('CUDA setup failed')",
    "torchao": "raise AttributeError('torch.uint4')",
    "boto3": "raise ImportError('cannot import name DEFAULT_CIPHERS')",
    "dill": "raise RuntimeError('dill')",
    "pynvml": "raise RuntimeError('no driver')",  # torch itself expects ModuleNotFoundError alone
    "triton": "raise OSError('libcuda.so.1: cannot open shared object file')",
}
SAID = [name for name in BROKEN if name not in ("pynvml", "triton")]
"""Of the others torch finds out by itself, and goes on."""


def packages(root: Path, contents: dict[str, str]) -> str:
    """Install packages of this content under `root` and return the path to look for packages in."""
    for name, content in contents.items():
        (root / name).mkdir()
        (root / name / "__init__.py").write_text(content + "\n")
        (root / f"{name}-1.0.dist-info").mkdir()
        (root / f"{name}-1.0.dist-info" / "METADATA").write_text(f"Name: {name}\nVersion: 1.0\n")
    return os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])


def test_broken_packages_that_others_import_are_left_out(tmp_path: Path) -> None:
    path = packages(tmp_path, BROKEN)
    code = "import pefomed, accelerate\nfrom transformers import ProcessorMixin\nimport peft\nprint('works')"
    done = python(code, PYTHONPATH=path)
    assert done.stdout == "works\n", done.stderr
    notes = [line for line in done.stderr.splitlines() if line.startswith("note: ")]
    assert sorted(note.split()[1] for note in notes) == sorted(SAID)


def test_bare_folders_and_packages_broken_within_are_left_out(tmp_path: Path) -> None:
    path = packages(tmp_path, {"torchvision": "__version__ = '0.20'"})
    (tmp_path / "torchvision" / "io.py").write_text("raise OSError('undefined symbol')\n")
    (tmp_path / "torchaudio").mkdir()
    done = python("import pefomed\nfrom transformers import ProcessorMixin\nprint('works')", PYTHONPATH=path)
    assert done.stdout == "works\n", done.stderr
    first, second = done.stderr.splitlines()
    assert first.startswith(
        "note: torchvision is left out: it cannot be imported (OSError: undefined symbol)"
    )
    assert second.startswith(
        "note: torchaudio is left out: it cannot be imported (a folder without a package"
    )


@pytest.mark.parametrize(
    ("package", "remedy"),
    [("hqq", "uninstall it"), ("torch", "pip install --force-reinstall torch`")],
)
def test_any_other_broken_package_is_one_error_that_names_it(
    tmp_path: Path, package: str, remedy: str
) -> None:
    path = packages(tmp_path, {package: "raise OSError('libcudart.so.12: cannot open shared object file')"})
    code = (
        "import pefomed\ntry:\n    pefomed.Predictor\nexcept pefomed.PefomedError as error:\n    print(error)"
    )
    done = python(code, PYTHONPATH=path)
    assert done.stdout.startswith(f"the package {package} cannot be imported\n"), done.stderr
    assert "libcudart.so.12: cannot open shared object file" in done.stdout
    assert remedy in done.stdout


def test_a_users_own_imports_fail_as_they_always_do(tmp_path: Path) -> None:
    path = packages(tmp_path, {"theirs": "raise RuntimeError('mine alone')"})
    done = python(
        "import pefomed\ntry:\n    import theirs\nexcept RuntimeError as e:\n    print(e)", PYTHONPATH=path
    )
    assert done.stdout == "mine alone\n", done.stderr


def test_a_cache_folder_that_cannot_be_made_does_not_stop_an_import() -> None:
    done = python("import pefomed.inference.predictor; print('works')", TORCHINDUCTOR_CACHE_DIR="/proc/none")
    assert done.stdout == "works\n", done.stderr


def test_looking_for_pip_leaves_setuptools_as_torch_needs_it() -> None:
    code = "from pefomed.weights import wheel\nwheel._pip()\nimport setuptools\nprint('works')"
    done = python(code)
    assert done.stdout == "works\n", done.stderr


def test_pefomed_alone_imports_neither_torch_nor_transformers() -> None:
    done = python("import sys, pefomed; print(sorted({'torch', 'transformers'} & set(sys.modules)))")
    assert done.stdout == "[]\n", done.stderr
