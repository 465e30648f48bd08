"""WebDataset archives, written by tarfile."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pefomed.datasets import load_samples
from pefomed.errors import DataError
from pefomed.files import tar_rows
from pefomed.files.rows import read_table
from pefomed.outside.run import AnswerColumns, outside_run
from pefomed.recipe import Dataset


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))


def picture(shade: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (4, 4), shade).save(buffer, "PNG")
    return buffer.getvalue()


def write(path: Path, members: list[tuple[str, bytes]], mode: Any = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def row(name: str, shade: int = 0) -> list[tuple[str, bytes]]:
    said = {"id": name, "question": "q?", "answer": "a", "reference": "a"}
    return [(f"{name}.png", picture(shade)), (f"{name}.json", json.dumps(said).encode())]


MAP = {"question": "json.question", "answer": "json.answer"}


@pytest.mark.parametrize(("name", "mode"), [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tgz", "w:gz")])
def test_an_archive_is_a_table(tmp_path: Path, name: str, mode: str) -> None:
    path = write(tmp_path / name, [*row("d/1", 1), *row("d/2", 2)], mode)
    samples = load_samples(Dataset(loader="table", root=name, options={"columns": MAP}), "train", tmp_path)
    assert [sample.reference for sample in samples] == ["a", "a"]
    assert [Path(sample.images[0]).read_bytes() for sample in samples] == [picture(1), picture(2)]
    assert [place for place, _ in read_table(path)] == [f"{path}, d/1", f"{path}, d/2"]
    columns = AnswerColumns(**{key: f"json.{key}" for key in ("id", "question", "answer", "reference")})
    assert outside_run(path, tmp_path / "run", "d", columns=columns).is_dir()


def test_numbered_archives_are_one_table(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path / f"train-00000{number}.tar", row(f"t{number}"))
    write(tmp_path / "val-000000.tar", row("v"))
    for root, split, count in (
        ("train-{000000..000002}.tar", "train", 3),
        (".", "train", 3),
        (".", "validate", 1),
    ):
        found = load_samples(Dataset(loader="table", root=root, options={"columns": MAP}), split, tmp_path)
        assert len(found) == count
    (tmp_path / "train-000001.tar").unlink()
    with pytest.raises(DataError, match=r"no file at .*train-000001\.tar"):
        load_samples(Dataset(loader="table", root=".", options={"columns": MAP}), "train", tmp_path)


def test_every_kind_of_member(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    members = [
        ("1.left.png", picture(1)),
        ("1.right.PNG", picture(2)),
        ("1.txt", b" a\n"),
        ("1.cls", b"3"),
        ("1.pkl", b"x"),
        ("._1.png", b""),
    ]
    ((_, found),) = read_table(write(tmp_path / "a.tar", members))
    assert {key: found[key] for key in ("__key__", "txt", "cls")} == {"__key__": "1", "txt": "a", "cls": 3}
    assert [Path(found[key]).read_bytes() for key in ("left.png", "right.png")] == [picture(1), picture(2)]
    assert "pkl" in capsys.readouterr().err
    assert list(read_table(write(tmp_path / "none.tar", []))) == []


def test_nothing_leads_out_and_links_are_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tar", [("../../evil.png", picture()), ("/etc/x.txt", b"y")])
    with tarfile.open(path, "a") as archive:
        link = tarfile.TarInfo("z.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    rows = [found for _, found in read_table(path)]
    assert len(rows) == 2
    assert Path(rows[0]["image"]).is_relative_to(tmp_path / "cache")
    assert not list(tmp_path.parent.glob("**/evil.png"))


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([*row("1"), *row("2"), ("1.txt", b"")], "1: the members of a name must stand together"),
        ([("1.json", b"{")], "1.json: not JSON"),
        ([("1.cls", b"x")], "1.cls: not what its ending says"),
        ([("1.txt", b"\xff")], "1.txt: not what its ending says"),
        ([("1.txt", b""), ("1.txt", b"")], "two members with the ending 'txt'"),
        ([("1.png", b"")], "an image of 0 bytes"),
        ([("1.txt", b"x" * 200)], "a member is too large"),
    ],
)
def test_wrong_members_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, members: list[tuple[str, bytes]], message: str
) -> None:
    monkeypatch.setattr(tar_rows, "LINE_LIMIT", 100)
    with pytest.raises(DataError, match=message):
        list(read_table(write(tmp_path / "a.tar", members)))


@pytest.mark.parametrize("cut", [0, 100, 700])
def test_a_damaged_archive_is_a_clear_error(tmp_path: Path, cut: int) -> None:
    path = write(tmp_path / "a.tar", [("1.txt", b"x" * 5000)])
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataError, match=r"a\.tar is no tar archive that can be read"):
        list(read_table(path))


def test_pictures_are_read_once_while_the_archive_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.tar", [*row("1", 1), *row("2", 2)])
    read: list[str] = []
    content = tar_rows._content
    monkeypatch.setattr(tar_rows, "_content", lambda *given: read.append(given[1].name) or content(*given))

    def names() -> list[str]:
        read.clear()
        for _, found in read_table(path):
            assert Path(found["image"]).read_bytes() == picture(int(found["__key__"]))
            last = Path(found["image"])
        last.touch()
        return list(read)

    whole = ["1.png", "1.json", "2.png", "2.json"]
    next(read_table(path))  # not to its end
    assert names() == whole
    assert names() == ["1.json", "2.json"]
    Path(next(found["image"] for _, found in read_table(path))).unlink()
    assert names() == [*whole[:2], "2.json"]
    path = write(path, [*row("1", 1), *row("3", 3)])
    assert names() == ["1.png", "1.json", "3.png", "3.json"]
