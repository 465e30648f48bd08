"""A run that is killed some times ends as one that never was; `make kill` does so fifty times."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(1800)  # some seconds of work; on a busy machine minutes
def test_killed_runs_end_in_the_same_bytes(tmp_path: Path) -> None:
    # A process of its own: what is forked must not have computed anything yet.
    done = subprocess.run(
        [sys.executable, "-m", "fuzz.kills", "--kills", "2", "--each", "2", "--seed", "8"],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"TMPDIR": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all the same" in done.stdout
    assert list(tmp_path.iterdir()) == []
