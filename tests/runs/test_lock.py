"""One process at a time in a run's folder: who holds it is said, and a lock of nobody is taken over."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from pefomed.errors import RunError, StorageError
from pefomed.runs import lock as run_lock
from pefomed.runs.lock import hold

HOLDING = (
    "import sys, time; from pathlib import Path; from pefomed.runs.lock import hold\n"
    "with hold(Path(sys.argv[1])):\n"
    "    print('held', flush=True); sys.stdin.readline()\n"
)


def another(run: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(run)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def write_lock(run: Path, age: float = 0.0, **changes: Any) -> None:
    run.mkdir(exist_ok=True)
    about = run_lock.asdict(run_lock._me()) | changes
    (run / ".lock").write_text(json.dumps(about))
    now = os.stat(run / ".lock").st_mtime
    os.utime(run / ".lock", (now - age, now - age))


def test_the_second_says_who_holds_it_and_a_killed_holder_is_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process = another(tmp_path / "run")
    with (
        pytest.raises(RunError, match=rf"found: process {process.pid} on \S+, since 20"),
        hold(tmp_path / "run"),
    ):
        pass
    process.kill()
    process.wait()
    with hold(tmp_path / "run"):
        assert json.loads((tmp_path / "run" / ".lock").read_text())["pid"] == os.getpid()
    assert "that process has ended" in capsys.readouterr().err
    assert list((tmp_path / "run").iterdir()) == []


def test_a_process_with_the_number_of_the_holder_is_not_the_holder(tmp_path: Path) -> None:
    write_lock(tmp_path / "run", pid=os.getpid(), began="12345")
    with hold(tmp_path / "run"):
        pass


def test_where_the_system_keeps_no_list_of_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_lock, "_PROCESSES", tmp_path / "none")  # macOS, Windows
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        began = run_lock._began(other.pid)
        assert began
        assert began != run_lock._began(os.getpid())
        assert other.poll() is None  # asking did not disturb it
        other.communicate(b"\n")
    assert run_lock._began(other.pid) is None


@pytest.mark.parametrize("silent", [False, True])
def test_another_machine_is_believed_while_it_shows_life(
    tmp_path: Path, silent: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lock(tmp_path / "run", age=400 if silent else 30, host="node7", machine="another", pid=1)
    if silent:
        with hold(tmp_path / "run"):
            assert "process 1 on node7" in capsys.readouterr().err
    else:
        with pytest.raises(RunError, match="process 1 on node7"), hold(tmp_path / "run"):
            pass


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}'])
def test_a_lock_that_cannot_be_read_is_waited_for_like_another_machines(tmp_path: Path, content: str) -> None:
    write_lock(tmp_path / "run")
    (tmp_path / "run" / ".lock").write_text(content)
    with pytest.raises(RunError, match="a lock that cannot be read"), hold(tmp_path / "run"):
        pass
    os.utime(tmp_path / "run" / ".lock", (1, 1))
    with hold(tmp_path / "run"):
        pass


def test_where_there_are_no_hard_links_it_works_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: Any) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refused)
    with hold(tmp_path / "run"):
        assert json.loads((tmp_path / "run" / ".lock").read_text())["pid"] == os.getpid()
        assert not run_lock._place(tmp_path / "run" / ".lock", tmp_path / "run" / ".lock")


def test_of_many_that_find_a_stale_lock_one_gets_it(tmp_path: Path) -> None:
    write_lock(tmp_path / "run", age=1000, machine="another")
    got: list[Any] = []
    start = threading.Barrier(8)

    def try_it() -> None:
        start.wait()
        try:
            got.append(run_lock._acquire(tmp_path / "run"))
        except RunError:
            got.append(None)

    threads = [threading.Thread(target=try_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([one for one in got if one is not None]) == 1
    assert [path.name for path in (tmp_path / "run").iterdir()] == [".lock"]


def test_a_process_that_was_killed_while_it_took_a_lock_over_is_in_nobodys_way(tmp_path: Path) -> None:
    write_lock(tmp_path / "run", began="12345")
    (tmp_path / "run" / ".lock-taken-over").write_text((tmp_path / "run" / ".lock").read_text())
    with hold(tmp_path / "run"):
        assert not (tmp_path / "run" / ".lock-taken-over").exists()


def test_within_a_process_it_is_held_once_and_others_of_a_training_hold_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    with hold(run):
        with hold(run):
            pass
        assert (run / ".lock").exists()
        monkeypatch.setenv("RANK", "1")
        with hold(run):  # beside the main process, which holds it for all
            pass
        assert (run / ".lock").exists()
        monkeypatch.delenv("RANK")
    assert not (run / ".lock").exists()


def test_who_was_taken_over_writes_no_more(tmp_path: Path) -> None:
    with hold(tmp_path / "run"):
        run_lock.check_held()
        write_lock(tmp_path / "run", host="node7", machine="another")
        with pytest.raises(RunError, match=r"taken over from this process(?s:.*)on node7"):
            run_lock.check_held()
    assert (tmp_path / "run" / ".lock").exists()  # it is the other's


def test_what_killed_writers_left_is_swept(tmp_path: Path) -> None:
    run = tmp_path / "run"
    young = [
        run / "checkpoints" / "task" / ".part-step-00000004-77" / "optimiser.pt",
        run / "checkpoints" / "task" / ".part-0123",
        run / "predictions" / ".part-0123",
        run / ".part-adapter-77" / "adapter_config.json",
        run / "verdicts" / ".part-0123",
        run / ".part-0123",
    ]
    old = [run / ".part-4567", run / "report" / ".part-4567"]
    for file in (*young, *old):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("half")
    for file in old:
        os.utime(file, (1, 1))
    with hold(run):
        # A rating page and a report may be writing now, and whoever scores.
        assert {str(path.relative_to(run)) for path in run.rglob(".part-*")} == {
            "verdicts/.part-0123",
            ".part-0123",
        }


def test_a_full_disk_leaves_no_half_of_a_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Path.write_text

    def full(path: Path, text: str) -> int:
        original(path, text[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(StorageError, match="No space left"), hold(tmp_path / "run"):
        pass
    assert list((tmp_path / "run").iterdir()) == []
