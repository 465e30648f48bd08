"""The package as others import it: typed, its names complete, and light until a model is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pefomed

ROOT = Path(__file__).parents[1]


def test_records_data_scoring_and_reports_run_without_torch() -> None:
    code = (
        "import sys\n"
        "import pefomed, pefomed.cli, pefomed.recipe, pefomed.files.jsonl, pefomed.prompts\n"
        "import pefomed.datasets, pefomed.audit.audit, pefomed.evaluation, pefomed.report\n"
        "sys.exit(str({'torch', 'transformers', 'peft', 'accelerate'} & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_the_public_names_are_exactly_those_that_exist() -> None:
    assert len(set(pefomed.__all__)) == len(pefomed.__all__)
    for name in pefomed.__all__:
        assert getattr(pefomed, name) is not None
    assert set(pefomed.__all__) <= set(dir(pefomed))


def test_the_version_is_the_one_that_is_published() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert pefomed.__version__ == project["version"]
    assert f"version: {project['version']}" in (ROOT / "CITATION.cff").read_text()


def test_the_package_is_marked_as_typed() -> None:
    assert (Path(pefomed.__file__).parent / "py.typed").is_file()


# What a package of a few small files shows at once: each of them needs the others.
SHOWN_AT_ONCE = {
    "boxes", "cost", "datasets", "datasets.conversations", "endpoint", "recipe", "runs", "tasks",
}  # fmt: skip


def test_the_face_of_a_package_imports_what_is_asked_for_alone() -> None:
    root = Path(pefomed.__file__).parent
    eager = set()
    for face in root.glob("*/**/__init__.py"):
        package = ".".join(face.parent.relative_to(root).parts)
        for node in ast.parse(face.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"pefomed.{package}"):
                eager.add(package)
    assert eager == SHOWN_AT_ONCE


def test_one_file_of_a_room_is_loaded_without_the_others() -> None:
    # Each list is what importing the first of it must not load.
    apart = {
        "pefomed.report.figures": ["pefomed.report.page", "pefomed.agreement", "pefomed.recipe"],
        "pefomed.agreement.kappa": ["pefomed.agreement.run", "pefomed.evaluation", "pefomed.runs"],
        "pefomed.raters.scale": ["pefomed.raters.session", "pefomed.datasets"],
        "pefomed.deidentify.characters": ["pefomed.deidentify.convert", "pefomed.images"],
        "pefomed.proposals.names": ["pefomed.proposals.folders", "pefomed.datasets"],
        "pefomed.metrics.exact_match": ["pefomed.evaluation", "pefomed.recipe"],
    }
    code = f"""
import importlib, sys
for one, others in {apart!r}.items():
    for name in [name for name in sys.modules if name.startswith("pefomed.")]:
        del sys.modules[name]
    importlib.import_module(one)
    loaded = [other for other in others if other in sys.modules]
    assert not loaded, (one, loaded)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
