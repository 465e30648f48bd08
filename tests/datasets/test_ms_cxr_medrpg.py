from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.datasets import ms_cxr_folder

from pefomed.datasets import load_split
from pefomed.errors import DataError
from pefomed.recipe import Dataset
from pefomed.schema import Sample

PATH = ms_cxr_folder.image_path(0, "02aa804e")
# Width and height are the original's; the box is in the frame of 640 x 640.
RECORD = (17, 12, 1, PATH, [160, 320, 320, 160], 120, 160, "the heart is enlarged")
MAGIC = 0x1950A86A20F9469CFC6C


def save(root: Path, content: Any, legacy: bool = False) -> Path:
    """Write what `torch.save` writes: a zip, or the pickles of torch before 1.6."""
    path = root / "MS_CXR_test.pth"
    if legacy:
        machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2}}
        parts: list[Any] = [MAGIC, 1001, machine, content, []]
        path.write_bytes(b"".join(pickle.dumps(part, 2) for part in parts))
        return path
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("MS_CXR_test/data.pkl", pickle.dumps(content, 2))
        archive.writestr("MS_CXR_test/version", "3\n")
    return path


def read(root: Path, split: str = "test", **options: Any) -> list[Sample]:
    return load_split(Dataset(loader="ms_cxr_medrpg", root=".", options=options), split, root)[0]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    ms_cxr_folder.make(tmp_path)
    return tmp_path


@pytest.mark.parametrize("legacy", [False, True])
def test_boxes_are_in_a_squashed_frame(root: Path, legacy: bool) -> None:
    save(root, [RECORD], legacy)
    [sample] = read(root)
    # 160 / 640, 320 / 640, (160 + 320) / 640, (320 + 160) / 640, whatever the image's own shape is.
    [box] = sample.boxes
    assert (box.x0, box.y0, box.x1, box.y1) == (0.25, 0.5, 0.75, 0.75)
    assert sample.size == (120, 160)
    assert sample.question == RECORD[-1]
    assert sample.meta == {
        "category": "Cardiomegaly", "patient": "p10000032", "study": "s50414260", "boxes": "1",
    }  # fmt: skip
    assert sample.images == (str(root / PATH),)


def test_what_torch_itself_saves_is_read(root: Path) -> None:
    torch = pytest.importorskip("torch")
    for number, new in enumerate((True, False)):
        torch.save([RECORD], root / "MS_CXR_test.pth", _use_new_zipfile_serialization=new)
        assert len(read(root)) == 1, number


@pytest.mark.parametrize("legacy", [False, True])
def test_nothing_in_the_file_is_run(root: Path, legacy: bool) -> None:
    class Harmful:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(root / "made"),)

    save(root, [RECORD, Harmful()], legacy)
    with pytest.raises(DataError, match="run code"):
        read(root)
    assert not (root / "made").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"a": 1}, "expected a list"),
        ([RECORD[:7]], r"entry 1: expected \(anno_id"),
        ([(*RECORD[:2], 9, *RECORD[3:])], r"entry 1: unknown category 9"),
        ([(*RECORD[:3], 5, *RECORD[4:])], "entry 1: expected path, box and phrase"),
        ([(*RECORD[:3], "files/none.jpg", *RECORD[4:])], "no image at"),
        (
            [(*RECORD[:4], [400, 0, 400, 100], *RECORD[5:])] * 2,
            "stands out of its image; in all 2 wrong rows",
        ),
    ],
)
def test_mistakes(root: Path, content: Any, words: str) -> None:
    save(root, content)
    with pytest.raises(DataError, match=f"(?s){words}"):
        read(root)


def test_no_zip_no_pickle_no_file_no_split(root: Path) -> None:
    with pytest.raises(DataError, match=r"no file at .*MS_CXR_val\.pth"):
        read(root, "validate")
    with pytest.raises(DataError, match="no split 'val'"):
        read(root, "val")
    (root / "MS_CXR_test.pth").write_bytes(b"nothing")
    with pytest.raises(DataError, match="not a pickle"):
        read(root)
    with zipfile.ZipFile(root / "MS_CXR_test.pth", "w") as archive:
        archive.writestr("other", "")
    with pytest.raises(DataError, match="not saved by torch"):
        read(root)
