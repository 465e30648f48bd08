from __future__ import annotations

from pathlib import Path

import pytest

from pefomed import recipe
from pefomed.datasets import slake
from pefomed.datasets.provenance import provenance, provenance_in_words, provenance_of_loader

RESTRICTED = """
from pefomed.datasets.card import DataCard

CARD = DataCard(title="Ward", licence="none", link="", citation="", restricted=True)


def load(root, split):
    return iter(())
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "ward_seven.py").write_text(RESTRICTED)
    monkeypatch.syspath_prepend(str(tmp_path))
    loaders = {"open": "slake", "own": "table", "ward": "ward_seven:load", "gone": "not_installed:load"}
    raw = {
        "name": "r",
        "model": {"vision_encoder": "v", "language_model": "l"},
        "data": {name: {"loader": loader, "root": "."} for name, loader in loaders.items()},
    }
    (tmp_path / "recipe.toml").write_text(recipe.dumps(recipe.parse(raw)), encoding="utf-8")
    return tmp_path


def test_a_card_says_whether_data_may_leave(run: Path) -> None:
    found = {name: provenance(run, name) for name in ("open", "own", "ward", "gone", "absent")}
    assert found == {
        "open": "open",
        "own": "unknown",  # a table's card is not its data's
        "ward": "restricted",
        "gone": "unknown",
        "absent": "unknown",
    }
    assert provenance(run / "elsewhere", "open") == "unknown"
    assert provenance_of_loader("slake") == "open"


def test_in_words_nobody_elses_code_is_asked(run: Path) -> None:
    assert provenance_in_words(run, "open") == slake.CARD.licence
    for name in ("own", "ward", "absent"):
        assert provenance_in_words(run, name) == "not known whether it is restricted"
