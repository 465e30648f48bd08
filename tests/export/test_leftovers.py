"""What a killed export leaves is removed by the next one, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pefomed.export.folder import whole_folder

WRITING = """
import sys, pathlib
from pefomed.export.folder import whole_folder
with whole_folder(pathlib.Path(sys.argv[1])) as part:
    (part / "a.json").write_text("{}")
    print(part, flush=True)
    sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no such locks there")


def started(out: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start an export that waits with a file written; return it and its hidden folder."""
    command = [sys.executable, "-c", WRITING, str(out)]
    export = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert export.stdout is not None
    return export, Path(export.stdout.readline().strip())


def test_only_what_a_killed_export_left_is_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killed, left = started(tmp_path / "a")
    living, held = started(tmp_path / "b")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    others = [tmp_path / ".part-0123456789ab", tmp_path / ".part-copied", tmp_path / ".part-elsewhere"]
    for folder in others:
        folder.mkdir()
    mark = left.with_name(f"{left.name}.export")
    # The mark of another folder, of another machine, and one that is a link.
    Path(f"{others[1]}.export").write_bytes(mark.read_bytes())
    Path(f"{others[2]}.export").write_text('{"export": ".part-elsewhere", "machine": "another"}')
    assert left.is_dir()
    with whole_folder(tmp_path / "c") as part:
        (part / "b.json").write_text("{}")
    assert f"{left}: what an export left that was killed is removed" in capsys.readouterr().err
    assert not any(path.exists() for path in (left, mark))
    assert all(folder.is_dir() for folder in (held, *others))
    living.communicate("")
    assert living.returncode == 0
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["a.json"]
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["b.json"]
    assert not any(path.exists() for path in (held, Path(f"{held}.export")))


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "a"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
