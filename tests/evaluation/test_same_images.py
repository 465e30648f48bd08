import shutil
from pathlib import Path

from pefomed.evaluation.same_images import contents


def test_copies_links_and_absent_files(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"one")
    (tmp_path / "b.jpg").write_bytes(b"two")
    (tmp_path / "alone.jpg").write_bytes(b"longer")
    shutil.copy(tmp_path / "a.jpg", tmp_path / "copy.jpg")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "alone.jpg")
    names = "a.jpg b.jpg alone.jpg copy.jpg link.jpg absent.jpg x/../absent.jpg gone.jpg".split()
    found = contents(str(tmp_path / name) for name in names)
    named = [found[str(tmp_path / name)] for name in names]
    assert named[0] == named[3]
    assert named[2] == named[4]
    assert named[5] == named[6]
    assert len(set(named)) == 5


def test_a_file_of_its_own_size_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"one")
    (tmp_path / "b.jpg").write_bytes(b"three")
    found = contents([str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg")])
    assert len(set(found.values())) == 2
    assert not any(name.startswith("sha256") for name in found.values())
