from __future__ import annotations

import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.errors import HfHubHTTPError

from pefomed.cli import main
from pefomed.datasets import LOADERS, card, slake
from pefomed.datasets import get as getting
from pefomed.datasets.get import folder_of, get
from pefomed.datasets.listing import facts_of, in_full
from pefomed.errors import DataError, RecipeError, StorageError
from pefomed.files.unzip import unzip


class FakeHub:
    """Stands in for the hub: what is asked of it, and files that it puts where they are wanted."""

    def __init__(self, files: dict[str, bytes]):
        self.files, self.asked = files, {}

    def dataset_info(self, *_: Any, **__: Any) -> None:
        pass

    def download(self, repository: str, **asked: Any) -> str:
        self.asked = {"repository": repository, **asked}
        for name, data in self.files.items():
            (asked["local_dir"] / name).parent.mkdir(parents=True, exist_ok=True)
            (asked["local_dir"] / name).write_bytes(data)
        return str(asked["local_dir"])


def use(monkeypatch: pytest.MonkeyPatch, hub: Any) -> None:
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: hub)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub.download)


def zipped(path: Path, files: dict[str, bytes | str]) -> bytes:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path.read_bytes()


def test_slake_is_fetched_unpacked_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = zipped(
        tmp_path / "made.zip",
        {
            "imgs/xmlab1/source.jpg": b"jpeg",
            "__MACOSX/imgs/._a": b"x",
            "imgs/.DS_Store": b"x",
            "imgs/empty/": b"",
        },
    )
    record = (
        '[{"img_name": "xmlab1/source.jpg", "question": "q?", "answer": "a", "q_lang": "en", "qid": 1,'
        ' "location": "Lung", "modality": "CT", "answer_type": "OPEN", "base_type": "vqa",'
        ' "content_type": "Modality"}]'
    )
    hub = FakeHub({"validation.json": record.encode(), "imgs.zip": archive})
    use(monkeypatch, hub)
    about = get("slake", tmp_path / "slake")
    assert about is slake.CARD
    assert hub.asked["repository"] == "BoKelvin/SLAKE"
    assert hub.asked["repo_type"] == "dataset"
    assert hub.asked["allow_patterns"] == ["*.json", "imgs.zip"]
    (sample,) = slake.load(tmp_path / "slake", "validate")
    assert Path(sample.images[0]).read_bytes() == b"jpeg"
    assert sorted(path.name for path in (tmp_path / "slake/imgs").iterdir()) == ["xmlab1"]


def test_the_command_says_where_and_how_to_cite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, FakeHub({"data/train-00000-of-00001.parquet": b""}))
    with pytest.raises(SystemExit) as left:
        main(["data", "get", "vqa_rad", "--data", str(tmp_path)])
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert str(tmp_path / "vqa_rad") in shown
    assert "VQA-RAD (Hugging Face copy)" in shown
    assert "CC0 1.0" in shown
    assert "Lau, Gayen" in shown
    assert f"pefomed data audit vqa_rad vqa_rad --data {tmp_path}" in shown


def test_of_credentialed_data_it_says_where_to_apply_and_what_to_put_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["data", "get", "mimic_cxr", "--data", str(tmp_path), "--root", "mimic"])
    assert left.value.code == 2
    shown = " ".join(capsys.readouterr().err.split())
    for words in (
        "cannot be fetched",
        "credentialed",
        "physionet.org",
        str(tmp_path / "mimic"),
        "split.csv.gz",
    ):
        assert words in shown
    assert not (tmp_path / "mimic").exists()


def test_without_a_network_it_says_what_to_do_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoHub(FakeHub):
        def dataset_info(self, *_: Any, **__: Any) -> None:
            raise OSError("no route to host")

    use(monkeypatch, NoHub({}))
    with pytest.raises(DataError, match=r"(?s)cannot be reached.*no route.*hf download.*--include 'data/\*"):
        get("path_vqa", tmp_path / "path_vqa")

    class Refusing(FakeHub):
        def dataset_info(self, *_: Any, **__: Any) -> None:
            response = SimpleNamespace(headers={}, request=None)
            raise HfHubHTTPError("404 Client Error\nmore", response=response)  # type: ignore[arg-type]

    use(monkeypatch, Refusing({}))
    with pytest.raises(DataError, match=r"(?s)refuses flaviagiammarino/path-vqa.*404"):
        get("path_vqa", tmp_path / "path_vqa")


def test_unknown_loaders_own_tables_and_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecipeError, match="did you mean 'slake'"):
        get("slak", tmp_path)
    with pytest.raises(DataError, match="table is not fetched"):
        get("table", tmp_path)
    monkeypatch.setattr(getting.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10**6}))
    with pytest.raises(StorageError, match=r"(?s)35 MB are needed.*found: 1 MB"):
        get("vqa_rad", tmp_path / "none" / "yet")


def test_loaders_of_the_same_files_share_a_folder() -> None:
    assert folder_of("slake_captions") == folder_of("slake") == "slake"
    assert folder_of("mimic_cxr") == "mimic_cxr"


def test_unpacking_again_keeps_what_is_there(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", {"one.txt": "1", "two/three.txt": "3"})
    folder = unzip(tmp_path / "a.zip", tmp_path)
    assert (folder / "two/three.txt").read_text() == "3"
    (folder / "one.txt").write_text("!")  # as large as it should be
    (folder / "two/three.txt").write_text("cut short")
    unzip(tmp_path / "a.zip", tmp_path)
    assert ((folder / "one.txt").read_text(), (folder / "two/three.txt").read_text()) == ("!", "3")


@pytest.mark.parametrize("name", ["../out.txt", "/etc/out.txt", "a/../../out.txt", "C:/out.txt"])
def test_an_archive_cannot_write_elsewhere(tmp_path: Path, name: str) -> None:
    zipped(tmp_path / "a.zip", {name: "x"})
    with pytest.raises(DataError, match="must stay inside"):
        unzip(tmp_path / "a.zip", tmp_path / "inner")
    assert not (tmp_path / "out.txt").exists()


def test_links_bombs_and_damage_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(DataError, match="holds a link"):
        unzip(tmp_path / "link.zip", tmp_path)
    monkeypatch.setattr("pefomed.files.unzip.RATIO_LIMIT", 1)
    zipped(tmp_path / "bomb.zip", {"zeros": b"\0" * 3 * 2**20})
    with pytest.raises(DataError, match="unpacks to too much"):
        unzip(tmp_path / "bomb.zip", tmp_path)
    assert not (tmp_path / "bomb").exists()
    for data in (b"", b"PK", b"no zip"):
        (tmp_path / "cut.zip").write_bytes(data)
        with pytest.raises(DataError, match=r"cut\.zip cannot be unpacked"):
            unzip(tmp_path / "cut.zip", tmp_path)
    data = zipped(tmp_path / "crc.zip", {"a": b"abcdefgh" * 50})
    (tmp_path / "crc.zip").write_bytes(data.replace(data[40:44], b"\0\0\0\0", 1))
    with pytest.raises(DataError, match=r"crc\.zip cannot be unpacked"):
        unzip(tmp_path / "crc.zip", tmp_path)


def test_every_loader_says_what_it_needs() -> None:
    for name in LOADERS:
        facts = facts_of(name)
        about = card(name)
        assert about is not None
        assert facts["needs"]
        if about.link:
            assert about.access, name
            assert about.files, name
        text = in_full(facts)
        assert about.licence in text
        assert ("must not leave the machine" in text) == about.restricted


def test_the_list_of_one_loader_is_told_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["data", "list", "iu_xray"])
    assert left.value.code == 0
    shown = capsys.readouterr().out
    for words in ("2,069", "ecgen-radiology", "please cite: Demner-Fushman", "CC BY-NC-ND 4.0"):
        assert words in shown
