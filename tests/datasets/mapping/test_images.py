"""Image paths of a mapping: inside the named folder, absolute or not; URLs and Windows' paths are named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pefomed.datasets import load_samples
from pefomed.errors import DataError
from pefomed.files import jsonl
from pefomed.outside.run import outside_run
from pefomed.recipe import Dataset
from pefomed.schema import Sample

Read = Callable[..., tuple[str, ...]]


def by_table(folder: Path, image: Any, images: Path | None = None) -> Sample:
    row = {"id": "1", "image": image, "question": "Big?", "reference": "yes", "answer": "yes"}
    (folder / "t.jsonl").write_text(json.dumps(row))
    options: dict[str, Any] = {"images": str(images)} if images else {}
    options["columns"] = {"id": ""}
    [sample] = load_samples(Dataset(loader="table", root="t.jsonl", options=options), "train", folder)
    return sample


def by_evaluate(folder: Path, image: Any, images: Path | None = None) -> Sample:
    row = {"id": "1", "image": image, "question": "Big?", "reference": "yes", "answer": "yes"}
    (folder / "t.jsonl").write_text(json.dumps(row))
    run = outside_run(folder / "t.jsonl", folder / f"run-{len([*folder.iterdir()])}", "d", images=images)
    [sample] = jsonl.read(run / "samples" / "d-test.jsonl", Sample)
    return sample


both = pytest.mark.parametrize("read", [by_table, by_evaluate])


@both
def test_absolute_paths_inside_the_folder(tmp_path: Path, read: Callable[..., Sample]) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    (tmp_path / "way").symlink_to(scans)
    absolute, relative = read(tmp_path, str(scans / "a.png")), read(tmp_path, "scans/a.png")
    assert absolute.images == relative.images == (str(scans / "a.png"),)
    assert absolute.id == relative.id  # wherever the data lies
    named = read(tmp_path, [str(scans / "a.png"), "b.png#frame=1"], images=scans)
    assert named.images == (str(scans / "a.png"), f"{scans}/b.png#frame=1")
    # A table with the true folder's paths, read by a link to it.
    assert read(tmp_path, str(scans / "a.png"), images=tmp_path / "way").images == (
        str(tmp_path / "way" / "a.png"),
    )
    for outside in (f"{tmp_path}/b/a.png", f"{scans}/../a.png", f"{scans}2/a.png"):
        with pytest.raises(DataError, match="a file name must stay inside"):
            read(tmp_path, outside, images=scans)


@both
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("http://x.org/a.png", "is a URL.*download the pictures"),
        ("HTTPS://x.org/a.png", "is a URL.*download the pictures"),
        ("s3://bucket/a.png", "is a URL.*download the pictures"),
        ("gs://bucket/a.png", "is a URL.*download the pictures"),
        ("file:///data/a.png", "is a URL.*write the path without `file://`"),
        ("file:a.png", "is a URL.*write the path without `file://`"),
        ("scans\\a.png", "backslashes, as Windows writes it.*'scans/a.png'"),
        ("C:\\scans\\a.png", "must stay inside.*path of Windows.*replace each"),
        ("\\\\server\\a.png", "must stay inside.*path of Windows"),
        ("C:/scans/a.png", "must stay inside"),
    ],
)
def test_what_is_no_path_here_is_named(
    tmp_path: Path, read: Callable[..., Sample], name: str, words: str
) -> None:
    with pytest.raises(DataError, match=f"(?s)t.jsonl, line 1: .*{words}"):
        read(tmp_path, name)


@both
def test_a_file_that_is_called_so_is_read(tmp_path: Path, read: Callable[..., Sample]) -> None:
    (tmp_path / "a\\b.png").write_bytes(b"")
    assert read(tmp_path, "a\\b.png").images == (str(tmp_path / "a\\b.png"),)
