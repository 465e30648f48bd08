"""Every option of every loader is told, from the loader itself; docs/data.md holds the same."""

from __future__ import annotations

import contextlib
import json
import sys
import typing
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from pefomed.cli import main
from pefomed.datasets import LOADERS, loader
from pefomed.datasets.options import Option, arguments, options_of
from pefomed.datasets.options_page import markdown
from pefomed.mapping.skip import Kind

DOCS = Path(__file__).parents[2] / "docs"

THEIRS = '''
import dataclasses
import enum
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, TypedDict

from pydantic import BaseModel, Field


class Side(enum.Enum):
    LEFT = "left"
    RIGHT = "right"


class Window(BaseModel):
    centre: float
    """Middle of the
    window."""
    width: float = Field(400, gt=0, description="Its width.")


class Rule(TypedDict, total=False):
    column: str
    """Which column."""


@dataclasses.dataclass
class Views:
    first: str = "ap"
    """The first view."""
    windows: list[Window] = dataclasses.field(default_factory=list)


def load(
    root: Path,
    split: str,
    *,
    side: Side = Side.LEFT,
    share: Annotated[float, Field(ge=0, lt=1)] = 0.5,
    views: Views | None = None,
    skip: tuple[Rule, ...] = (),
    named: dict[str, Window] = {},
    mode: "Literal[1, 2]",
    plain=None,
    **more,
) -> Iterator[int]:
    """Yield nothing.

    Args:
        side: which side,
            or the other.
        share, mode: two things: told once.

    Raises:
        DataError: views: never.
    """
    yield from ()
'''


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "their_ward.py").write_text(THEIRS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "their_ward", raising=False)
    return "their_ward:load"


def test_a_loader_of_somebody_else_tells_every_option_down_to_the_last_table(theirs: str) -> None:
    found = {each.name: each for each in options_of(theirs)}
    assert list(found) == [
        *("side", "share", "views", "views.first", "views.windows"),
        *("views.windows[].centre", "views.windows[].width"),
        *("skip", "skip[].column", "named", "mode", "plain", "**more"),
    ]
    side = Option("side", "`left`, `right`", ("left", "right"), False, "left", "Which side, or the other.")
    assert found["side"] == side
    assert (found["share"].kind, found["share"].meaning) == ("number ≥ 0, < 1", "Two things: told once.")
    assert found["mode"].required
    assert found["mode"].choices == (1, 2)
    assert found["views.first"].meaning == "The first view."
    assert found["views.windows[].centre"].meaning == "Middle of the window."
    assert found["views.windows[].centre"].required
    assert found["views.windows[].width"].meaning == "Its width."
    assert found["views.windows[].width"].kind == "number > 0"
    assert found["skip"].kind == "list of table"
    assert not found["skip[].column"].required
    # the same table a second time
    assert found["named"].meaning == "Fields as of `views.windows`."
    assert found["plain"].kind == "anything"


def test_every_option_of_ours_says_what_it_means() -> None:
    for name in LOADERS:
        for each in options_of(name):
            assert each.meaning, f"{name}: {each.name} has no meaning; write it into Args or below the field"


def test_the_docs_hold_every_option() -> None:
    page = (DOCS / "data.md").read_text(encoding="utf-8")
    assert markdown() in page, "docs/data.md: paste the output of `pefomed data options` again"
    for name in LOADERS:
        for each in options_of(name):
            assert f"`{each.name.split('.')[-1]}`" in page


def test_arguments_are_those_of_their_section_alone() -> None:
    said = "One.\n\nArgs:\n    a: first\n        more: of it\n\n    *b: (x) second\n\nRaises:\n    c: no"
    assert arguments(said) == {"a": "first more: of it", "b": "(x) second"}


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_list_of_one_loader_shows_its_options_as_wide_as_the_terminal(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    shown = listed(["coco"], capsys).split("options:\n")[1]
    lines = shown.splitlines()
    assert max(map(len, lines)) <= width
    names = [line.split(":")[0].strip() for line in lines if line.startswith("  ") and line[2] != " "]
    assert names == [each.name for each in options_of("coco")]
    assert "file with that field" in " ".join(shown.split())


def test_the_list_as_json_has_every_option(theirs: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("table", theirs):
        (row,) = json.loads(listed([name, "--json"], capsys))
        assert [each["option"] for each in row["options"]] == [each.name for each in options_of(name)]
    (row,) = json.loads(listed(["iu_xray", "--json"], capsys))
    text = row["options"][0]
    assert text == {
        "option": "text",
        "type": "`findings`, `impression`, `findings+impression`",
        "required": True,
        "choices": ["findings", "impression", "findings+impression"],
        "meaning": text["meaning"],
    }


def test_an_unknown_loader_is_one_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["data", "list", "tabel"])
    assert left.value.code == 2
    assert "did you mean 'table'" in capsys.readouterr().err


def listed(words: list[Any], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as left:
        main(["data", "list", *words])
    assert left.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", ["coco", "yolo", "voc", "labelme", "table", "hugging_face", "conversations"])
def test_skip_tells_the_loaders_own_kinds_and_no_others(name: str) -> None:
    [skip] = [option for option in options_of(name) if option.name == "skip"]
    hints = typing.get_type_hints(loader(name), include_extras=True)
    taken = []
    for kind in typing.get_args(Kind):
        with contextlib.suppress(ValidationError):
            TypeAdapter(hints["skip"]).validate_python([kind])
            taken.append(kind)
    assert sorted(skip.choices) == sorted(taken)
    assert [each for each in typing.get_args(Kind) if f"`{each}`" in skip.kind] == taken
    assert 0 < len(taken) < len(typing.get_args(Kind))
