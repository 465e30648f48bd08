"""Everything that the Makefile installs has a version and hashes; pip refuses a file that differs."""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PINS = ROOT / "requirements" / "pins.txt"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pins(file: Path) -> Iterator[tuple[Requirement, list[str]]]:
    """Yield each pin of a file with its hashes."""
    for block in re.sub(r" \\\n\s+", " ", file.read_text()).splitlines():
        if block and not block.startswith("#"):
            pin, *hashes = block.split(" --hash=")
            yield Requirement(pin.strip()), [one.strip() for one in hashes]


def asked(*extras: str) -> list[Requirement]:
    """Return what `asked.py` prints."""
    command = [sys.executable, str(ROOT / "requirements" / "asked.py"), *extras]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [Requirement(line) for line in told.splitlines()]


@pytest.mark.parametrize("name", ["pins.txt", "build.txt"])
def test_every_pin_is_one_version_with_hashes(name: str) -> None:
    found = list(pins(ROOT / "requirements" / name))
    assert len(found) >= 5
    for pin, hashes in found:
        assert [one.operator for one in pin.specifier] == ["=="], pin
        assert hashes, f"{pin}: run `make pins`"
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", one) for one in hashes), pin


def test_the_pins_are_what_the_project_asks_for() -> None:
    versions: dict[str, list[str]] = {}
    for pin, _ in pins(PINS):
        versions.setdefault(canonicalize_name(pin.name), []).append(str(pin.specifier)[2:])
    for wish in asked("dev", "fuzz", "pins"):
        pinned = versions.get(canonicalize_name(wish.name), [])
        assert any(wish.specifier.contains(one) for one in pinned), f"{wish}: run `make pins`"


def test_asked_opens_extras_of_extras() -> None:
    names = {one.name for one in asked("dev")}
    assert {"torch", "pytest", "pydicom", "SimpleITK"} <= names  # its own, dev's, dicom's, volumes'
    assert not {"atheris", "pefomed"} & names


def test_every_dependency_installed_is_pinned() -> None:
    pinned = {canonicalize_name(pin.name) for pin, _ in pins(PINS)}
    waiting, seen = asked("dev"), set()
    while waiting:
        wish = waiting.pop()
        name = canonicalize_name(wish.name)
        if (name, frozenset(wish.extras)) in seen or (
            wish.marker and not wish.marker.evaluate({"extra": ""})
        ):
            continue
        seen.add((name, frozenset(wish.extras)))
        try:
            further = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # asked for on other machines
        assert name in pinned, f"{name} has no pin: run `make pins`"
        for one in map(Requirement, further):
            fits = [not one.marker or one.marker.evaluate({"extra": extra}) for extra in ("", *wish.extras)]
            if any(fits):
                one.marker = None
                waiting.append(one)


def test_torch_has_the_hashes_of_the_builds_listed() -> None:
    pin, hashes = next(one for one in pins(PINS) if one[0].name == "torch")
    listed = re.findall(
        r"^(sha256:\S+)  torch-([^+-]+)\S*$", (PINS.parent / "torch-builds.txt").read_text(), re.M
    )
    assert listed
    assert {one for one, version in listed if pin.specifier.contains(version)} <= set(hashes)


def test_the_makefile_installs_nothing_without_hashes() -> None:
    text = (ROOT / "Makefile").read_text()
    installs = [line for line in text.splitlines() if "$(PIP) " in line]
    assert len(installs) == 4  # what is hashed, the tools of building, torch, the project
    for line in installs:
        assert "--require-hashes" in line or line.endswith("--no-deps --no-build-isolation --editable ."), (
            line
        )


@pytest.mark.parametrize(
    ("pin", "said"), [("right", None), ("wrong", "DO NOT MATCH"), ("none", "pinned with ==")]
)
def test_pip_refuses_a_file_that_differs_from_its_pin(tmp_path: Path, pin: str, said: str | None) -> None:
    # The way of the Makefile: a requirement without a version, whose pin and hash a constraints file holds.
    if Version(importlib.metadata.version("pip")) < Version("26"):
        pytest.skip("pip is older than requirements/build.txt says")
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr(
            "tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    digest = {"right": hashlib.sha256(wheel.read_bytes()).hexdigest(), "wrong": "0" * 64}.get(pin)
    (tmp_path / "pins.txt").write_text(f"tiny==1.0 --hash=sha256:{digest}\n" if digest else "")
    (tmp_path / "asked.txt").write_text("tiny>=0.5\n")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--isolated", "install", "--dry-run", "--no-index",
         "--find-links", tmp_path, "--require-hashes", "--constraint", tmp_path / "pins.txt",
         "--requirement", tmp_path / "asked.txt"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode == 0) == (said is None), done.stderr
    assert said is None or said in done.stderr
