"""Pictures that somebody else's table names: those of its folder and no others."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pefomed.cli import main
from pefomed.errors import DataError
from pefomed.files import jsonl
from pefomed.outside.run import outside_run
from pefomed.report import write_report
from pefomed.schema import Sample


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one picture, beside one that is nobody's business."""
    for place in ("given/images", "secret"):
        (tmp_path / place).mkdir(parents=True)
        Image.new("RGB", (8, 8), "red").save(tmp_path / place / "x.png")
    return tmp_path / "given"


def written(folder: Path, image: Any) -> Path:
    file = folder / "theirs.json"
    row = {"id": "q1", "question": "Big?", "reference": "yes", "answer": "yes", "image": image}
    file.write_text(json.dumps([row]), encoding="utf-8")
    return file


def images_in(run: Path) -> tuple[str, ...]:
    [sample] = jsonl.read(run / "samples" / "d-test.jsonl", Sample)
    return sample.images


@pytest.mark.parametrize(
    "name",
    [
        "../secret/x.png",
        "images/../../secret/x.png",
        "..\\secret\\x.png",
        "../secret/x.png#window=lung",
        "images/x.png; ../secret/x.png",
        ["images/x.png", "../secret/x.png"],
        "/etc/x.png",
        "C:\\secret\\x.png",
        "..",
        "\0",
    ],
)
def test_a_name_that_leads_out_is_refused(folder: Path, name: Any) -> None:
    with pytest.raises(DataError, match=r"(?s)record 1: a file name must stay inside.*--images FOLDER"):
        outside_run(written(folder, name), folder / "run", "d")
    assert not (folder / "run").exists()


def test_absolute_names_are_taken_inside_the_folder_alone(folder: Path) -> None:
    run = outside_run(written(folder, str(folder / "images" / "x.png")), folder / "run", "d")
    assert images_in(run) == (str(folder / "images" / "x.png"),)
    for outside in (folder.parent / "secret" / "x.png", folder / ".." / "secret" / "x.png"):
        with pytest.raises(DataError, match="must stay inside"):
            outside_run(written(folder, str(outside)), folder / "other", "d")
    # A folder whose name only begins alike is another one.
    (folder.parent / "given2").mkdir()
    with pytest.raises(DataError, match="must stay inside"):
        outside_run(written(folder, str(folder.parent / "given2" / "x.png")), folder / "other", "d")


@pytest.mark.parametrize("name", ["link.png", "linked/x.png", "link.png#frame=0", "odd#frame=0"])
def test_a_link_that_leads_out_is_refused(folder: Path, name: str) -> None:
    secret = folder.parent / "secret"
    (folder / "link.png").symlink_to(secret / "x.png")
    (folder / "odd#frame=0").symlink_to(secret / "x.png")
    (folder / "linked").symlink_to(secret)
    with pytest.raises(DataError, match="a link that leads out of it"):
        outside_run(written(folder, name), folder / "run", "d")


def test_links_within_the_folder_and_to_the_folder_are_followed(folder: Path, tmp_path: Path) -> None:
    (folder / "link.png").symlink_to(folder / "images" / "x.png")
    (tmp_path / "way").symlink_to(folder)
    written(folder, "link.png")
    run = outside_run(tmp_path / "way" / "theirs.json", tmp_path / "run", "d")
    assert images_in(run) == (str(tmp_path / "way" / "link.png"),)


def test_a_folder_named_by_hand_is_meant(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = folder.parent / "secret"
    words = ["evaluate", str(written(folder, "x.png")), "--out", str(folder / "run"), "--dataset", "d"]
    with pytest.raises(SystemExit) as end:
        main([*words, "--images", str(secret), "--json"])
    assert not end.value.code
    assert images_in(folder / "run") == (str(secret / "x.png"),)
    with pytest.raises(DataError, match="no folder of pictures"):
        outside_run(folder / "theirs.json", folder / "other", "d", images=secret / "absent")


@pytest.mark.parametrize("image", [True, {"name": "x"}, [["x.png"]]])
def test_what_is_no_name_is_refused(folder: Path, image: Any) -> None:
    with pytest.raises(DataError, match="the name of a picture must be text"):
        outside_run(written(folder, image), folder / "run", "d")


@pytest.mark.parametrize("name", ["loop.png", "a" * 5000, "images/absent.png"])
def test_what_cannot_be_opened_is_said_by_the_page(folder: Path, name: str) -> None:
    (folder / "loop.png").symlink_to(folder / "loop.png")
    run = outside_run(written(folder, name), folder / "run", "d")
    assert "data:image/jpeg" not in write_report(run).read_text(encoding="utf-8")


def test_pictures_inside_a_table_are_taken(folder: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    secret = folder.parent / "secret" / "x.png"
    row = {"id": "q1", "question": "Big?", "reference": "yes", "answer": "yes"}

    def run_of(image: dict[str, Any], out: str) -> Path:
        table = pyarrow.Table.from_pylist([{**row, "image": image}])
        parquet.write_table(table, folder / f"{out}.parquet")
        return outside_run(folder / f"{out}.parquet", folder / out, "d")

    [path] = images_in(run_of({"bytes": secret.read_bytes(), "path": None}, "packed"))
    assert Path(path).read_bytes() == secret.read_bytes()
    (folder / "link.png").symlink_to(secret)
    with pytest.raises(DataError, match="a link that leads out"):
        run_of({"bytes": None, "path": "link.png"}, "named")
