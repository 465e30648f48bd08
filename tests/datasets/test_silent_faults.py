"""Files that were read as something they are not, each refused with what it is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.datasets.made_dicom import corpus_file, made

from pefomed.audit.text import bare, normalised
from pefomed.deidentify import ImportSettings, import_folder
from pefomed.errors import DataError, ImageError
from pefomed.files.files import read_json
from pefomed.files.rows import read_table
from pefomed.images.images import open_image
from pefomed.images.windows import AUTO


def test_a_dicom_file_cut_inside_its_header_is_damaged(tmp_path: Path) -> None:
    whole = made(tmp_path / "a.dcm", np.zeros((16, 16), np.uint8), Modality="CT").read_bytes()
    start = whole.rindex(np.zeros(16, np.uint8).tobytes()) - 300
    for end in range(160, max(start, 200), 7):
        (tmp_path / "cut.dcm").write_bytes(whole[:end])
        with pytest.raises(ImageError) as caught:
            open_image(tmp_path / "cut.dcm")
        assert "holds no image" not in str(caught.value)
        assert "damaged" in str(caught.value)
    with pytest.raises(ImageError, match="holds no image"):
        open_image(corpus_file("reportsi.dcm"))


def test_an_import_tells_a_cut_file_from_one_without_picture(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    whole = made(folder / "a.dcm", np.zeros((16, 16), np.uint8), Modality="CT").read_bytes()
    (folder / "cut.dcm").write_bytes(whole[:300])
    (folder / "report.dcm").write_bytes(corpus_file("reportsi.dcm").read_bytes())
    result = import_folder(folder, tmp_path / "ward", ImportSettings(windows={"": AUTO}))
    assert result["files"] == {"image": 1, "unreadable": 1, "no picture": 1}


def test_a_window_in_hounsfield_units_is_for_what_has_them(tmp_path: Path) -> None:
    values = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000
    for name in ("a.png", "a.tiff"):
        Image.fromarray(values).save(tmp_path / name)
        with pytest.raises(ImageError, match=r"(?s)'lung' is in Hounsfield units.*CENTRE:WIDTH"):
            open_image(f"{tmp_path / name}#window=lung")
        assert open_image(f"{tmp_path / name}#window=20000:40000").size == (8, 6)


def test_a_key_that_an_object_has_twice_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"answer": "yes", "answer": "no"}]')
    (tmp_path / "a.jsonl").write_text('{"q": {"answer": "yes", "answer": "no"}}\n')
    with pytest.raises(DataError, match="the key 'answer' is there twice"):
        read_json(tmp_path / "a.json")
    for name in ("a.json", "a.jsonl"):
        with pytest.raises(DataError, match="the key 'answer' is there twice"):
            list(read_table(tmp_path / name))
    (tmp_path / "a.json").write_text(json.dumps([{"a": {"b": 1}, "b": 1}]))
    assert read_json(tmp_path / "a.json") == [{"a": {"b": 1}, "b": 1}]


def test_composed_and_decomposed_letters_are_one_text_to_the_audit() -> None:
    assert normalised("Oede\u0301me") == normalised("oed\u00e9me")
    assert bare("Oede\u0301me!") == bare("oed\u00e9me")
