"""The package as others import it: typed, its names complete, and light until a model is needed."""

from __future__ import annotations

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
