from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from tests.datasets.made_parquet import table_of, write_arrow, write_parquet

from pefomed.datasets import load_samples
from pefomed.errors import DataError
from pefomed.files import columnar
from pefomed.files.arrow_sizes import unpacked_sizes
from pefomed.files.rows import read_table
from pefomed.recipe import Dataset
from pefomed.schema import Sample

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def image(content: bytes | None, path: str | None = None) -> dict[str, Any]:
    return {"bytes": content, "path": path}


def rows(count: int = 5) -> list[dict[str, Any]]:
    return [
        {
            "image": image(PNG + bytes([number % 2])),
            "question": f"q{number}?",
            "answer": "a",
            "organ": number % 2,
        }
        for number in range(count)
    ]


def cells(path: Path, column: str = "image") -> list[Any]:
    return [row[column] for _, row in read_table(path)]


@pytest.mark.parametrize(("write", "name"), [(write_parquet, "t.parquet"), (write_arrow, "t.arrow")])
def test_images_are_unpacked_once_and_named_by_content(
    tmp_path: Path, cache: Path, write: Callable[..., Path], name: str
) -> None:
    path = write(tmp_path / name, rows())
    places = [place for place, _ in read_table(path)]
    assert places[-1] == f"{path}, row 5"
    paths = cells(path)
    assert paths[0] == paths[2] == paths[4] != paths[1] == paths[3]
    assert Path(paths[1]).read_bytes() == PNG + b"\x01"
    assert Path(paths[1]).suffix == ".png"
    assert len(list(cache.glob("images/??/*.png"))) == 2


def test_the_second_reading_reads_no_image(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_parquet(tmp_path / "t.parquet", rows())
    first = cells(path)

    def never(*_: Any) -> Any:
        raise AssertionError("read again")
        yield

    monkeypatch.setattr(columnar, "_column", never)
    assert cells(path) == first
    Path(first[0]).unlink()
    with pytest.raises(AssertionError, match="read again"):
        cells(path)


def test_what_is_not_the_same_file_any_more_is_unpacked_again(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", rows(3))
    first = cells(path)
    write_parquet(path, list(reversed(rows(4))))
    assert cells(path) == [first[1], first[0], first[1], first[0]]


def test_several_images_none_raw_bytes_and_files_of_their_own(tmp_path: Path) -> None:
    several = [{"image": [image(b"GIF8a"), image(b"GIF8b")]}, {"image": []}, {"image": None}]
    two, empty, nothing = cells(write_parquet(tmp_path / "several.parquet", several))
    assert [Path(one).read_bytes() for one in two] == [b"GIF8a", b"GIF8b"]
    assert (empty, nothing) == ([], None)
    raw, unknown = cells(write_parquet(tmp_path / "raw.parquet", [{"image": b"BMxx"}, {"image": b"what?"}]))
    assert (Path(raw).suffix, Path(unknown).suffix) == (".bmp", ".img")
    outside = write_parquet(tmp_path / "files.parquet", [{"image": image(None, "scans/a.png")}])
    assert cells(outside) == [str(tmp_path / "scans/a.png")] == cells(outside)
    for name in ("../a.png", "/etc/passwd", "C:\\a.png", "scans/../../a.png"):
        path = write_parquet(tmp_path / "bad.parquet", [{"image": image(None, name)}])
        with pytest.raises(DataError, match=r"(?s)bad\.parquet, row 1: a file name must stay inside"):
            cells(path)
    with pytest.raises(DataError, match="row 1: an image of 0 bytes"):
        cells(write_parquet(tmp_path / "empty.parquet", [{"image": image(b"")}]))


def test_class_numbers_become_names(tmp_path: Path) -> None:
    features = {
        "organ": {"names": ["lung", "liver"], "_type": "ClassLabel"},
        "other": {"_type": "ClassLabel"},
    }
    del features["other"]
    path = write_parquet(tmp_path / "t.parquet", rows(3), features=features)
    assert cells(path, "organ") == ["lung", "liver", "lung"]
    path = write_parquet(tmp_path / "u.parquet", [{"organ": -1}, {"organ": 7}], features=features)
    with pytest.raises(DataError, match=r"u\.parquet, row 2: column 'organ': class 7 has no name"):
        cells(path, "organ")


def test_the_arrow_file_format_is_read_too(tmp_path: Path) -> None:
    made = table_of(rows(3))
    with (
        pyarrow.OSFile(str(tmp_path / "f.arrow"), "wb") as sink,
        pyarrow.ipc.new_file(sink, made.schema) as out,
    ):
        out.write_table(made)
    assert cells(tmp_path / "f.arrow", "question") == ["q0?", "q1?", "q2?"]


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow"])
@pytest.mark.parametrize("cut", [0, 3, 40, -9, -400])
def test_a_damaged_file_is_a_clear_error(tmp_path: Path, name: str, cut: int) -> None:
    write = write_parquet if name.endswith("parquet") else write_arrow
    path = write(tmp_path / name, rows())
    data = path.read_bytes()
    path.write_bytes(data[:cut] if name.endswith("parquet") or cut >= 0 else b"XX" + data[2:])
    with pytest.raises(DataError, match=rf"(?s){name}.*"):
        list(read_table(path))


@pytest.mark.parametrize(("write", "name"), [(write_parquet, "t.parquet"), (write_arrow, "t.arrow")])
def test_changed_bytes_give_rows_or_our_error(tmp_path: Path, write: Callable[..., Path], name: str) -> None:
    # pyarrow follows damaged offsets out of its buffers, and the process ends, unless it is asked to check.
    whole = write(tmp_path / name, rows()).read_bytes()
    chance = random.Random(0)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.choice([1, 1, 2, 20])):
            data[chance.randrange(len(data))] = chance.randrange(256)
        (tmp_path / name).write_bytes(data)
        with contextlib.suppress(DataError):
            list(read_table(tmp_path / name))


def test_missing_file_and_a_row_group_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"no file at .*none\.parquet"):
        list(read_table(tmp_path / "none.parquet"))
    path = write_parquet(tmp_path / "t.parquet", rows())
    monkeypatch.setattr(columnar, "GROUP_LIMIT", 10)
    with pytest.raises(DataError, match="row group 0 is too large"):
        list(read_table(path))


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_parquet(tmp_path / "t.parquet", rows(1))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match=r"pefomed\[parquet\]"):
        list(read_table(path))


def load(loader: str, root: Path, split: str, **options: Any) -> list[Sample]:
    return load_samples(Dataset(loader=loader, root=str(root), options=options), split, root)


@pytest.mark.parametrize(
    ("split", "files"),
    [
        ("train", ["data/train-00000-of-00002-0a.parquet", "data/train-00001-of-00002-0b.parquet"]),
        ("train", ["default/train/0000.parquet", "default/train/0001.parquet"]),
        ("validate", ["validation-00000-of-00002.parquet", "validation-00001-of-00002.parquet"]),
        ("validate", ["dev/a.parquet", "dev/b.parquet"]),
        ("test", ["test/data-00000-of-00002.arrow", "test/data-00001-of-00002.arrow"]),
        ("fold1", ["fold1.parquet"]),
    ],
)
def test_a_hugging_face_folder_with_a_column_map(tmp_path: Path, split: str, files: list[str]) -> None:
    for file in files:
        write = write_parquet if file.endswith("parquet") else write_arrow
        write(tmp_path / file, rows(3))
    samples = load("hugging_face", tmp_path, split, columns={"meta": ["organ"]})
    assert [sample.question for sample in samples] == ["q0?", "q1?", "q2?"] * len(files)
    assert samples[0].meta == {"organ": "0"}
    assert Path(samples[0].images[0]).is_file()
    with pytest.raises(DataError, match=r"(?s)no Parquet or Arrow files of the split 'other'.*splits: "):
        load("hugging_face", tmp_path, "other")


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    write_parquet(tmp_path / "data/train-00000-of-00003.parquet", rows(1))
    with pytest.raises(DataError, match=r"(?s)2 of the split's 3 files.*train-00001-of-00003\.parquet"):
        load("hugging_face", tmp_path, "train")


def test_one_parquet_file_is_a_table(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "mine.parquet", rows(2))
    first, _ = load("table", path, "train", columns={"meta": ["organ"]})
    assert (first.question, first.reference) == ("q0?", "a")
    assert Path(first.images[0]).is_file()


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
@pytest.mark.parametrize("form", ["new_file", "new_stream"])
def test_a_compressed_batch_says_what_it_unpacks_to(tmp_path: Path, compression: str, form: str) -> None:
    table = pyarrow.table(
        {
            "question": ["x" * 1000] * 900,
            "number": list(range(900)),
            "kind": ["u"] * 900,
            "image": ["a"] * 900,
        }
    )
    table = table.set_column(2, "kind", table["kind"].dictionary_encode())
    path = tmp_path / "t.arrow"
    options = pyarrow.ipc.IpcWriteOptions(compression=compression)
    with getattr(pyarrow.ipc, form)(str(path), table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=300)
    found = [size for size in unpacked_sizes(path) if size > 100_000]
    # pyarrow counts what it holds; buffers are padded to 8 bytes
    assert found == [pytest.approx(batch.nbytes, abs=100) for batch in table.to_batches(max_chunksize=300)]
    assert len([*read_table(path)]) == 900


@pytest.mark.parametrize("name", ["bomb.arrow", "bomb.feather"])
def test_a_small_file_that_unpacks_to_gigabytes_is_refused(tmp_path: Path, name: str) -> None:
    table = pyarrow.table({"question": ["x" * 4096] * 64})
    options = pyarrow.ipc.IpcWriteOptions(compression="zstd")
    with pyarrow.ipc.new_file(str(tmp_path / name), table.schema, options=options) as writer:
        writer.write_table(table)
    content = bytearray((tmp_path / name).read_bytes())
    said = (64 * 4096).to_bytes(8, "little")  # the buffer of all texts
    assert content.count(said + b"\x28\xb5\x2f\xfd") == 1  # before a Zstandard frame
    place = content.index(said + b"\x28\xb5\x2f\xfd")
    content[place : place + 8] = (2**40).to_bytes(8, "little")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=r"too large, at most 1,073,741,824 bytes.*\n.*1,099,511,6"):
        [*read_table(tmp_path / name)]
