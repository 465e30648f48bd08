"""How splits are called: `validate` for `val`, `Validation` and `dev`, and which names a split's own means.

Names that differ in case, spaces and dashes only are one name. A split that is asked for means the name that
is there; if there is none, the one of its synonyms that is. Two synonyms side by side, as `val` and `dev`,
are two splits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from pefomed.errors import DataError, listed

NONE = "(none)"
"""What the split of rows is called whose split is empty."""

SYNONYMS = {
    "train": ("train", "training", "trn"),
    "validate": ("validate", "validation", "valid", "val", "dev", "devel", "development"),
    "test": ("test", "testing", "tst"),
}


def known_split(name: str) -> str:
    """Return what a split is called here: `validate` for `Validation` and `val`; any other name as it is."""
    plain = _plain(name)
    return next((split for split, names in SYNONYMS.items() if plain in names), name)


def seems_split(name: str) -> bool:
    """Return whether a name is that of a split: `val2017`, `Test`, `held-out`, no `labels` and no text."""
    if len(name.split()) > _MOST_WORDS or name.rstrip().endswith((".", "?", "!")):
        return False
    words = re.findall(r"[^\W\d_]+", unicodedata.normalize("NFKC", name).casefold())
    return any(_WORD.fullmatch(word) for word in words)


def is_split(name: str) -> bool:
    """Return whether a name is that of a split and says nothing else: `Val 2017`, and not `stress test`."""
    words = re.findall(r"[^\W\d_]+", unicodedata.normalize("NFKC", name).casefold())
    return 0 < len(words) <= 2 and all(_WORD.fullmatch(word) or word in ("out", "set") for word in words)


def is_held_out(name: str) -> bool:
    """Return whether a split is by its name not for training: `val2017`, `Test A`, `held-out`."""
    words = re.findall(r"[^\W\d_]+", unicodedata.normalize("NFKC", name).casefold())
    return any(_HELD_OUT.fullmatch(word) for word in words)


def seems_none(name: str) -> bool:
    """Return whether a file is by its name no split of its own: `labels`, `metadata`, `all_images`."""
    words = re.findall(r"[^\W\d_]+", name.casefold())
    return not seems_split(name) and all(word in _NO_SPLIT for word in words)


def equal_names(one: str, other: str) -> bool:
    """Return whether two names differ at most in case, spaces and dashes."""
    return _plain(one) == _plain(other)


def meant(split: str, names: Iterable[str]) -> list[str]:
    """Return those of `names`, as they are written, that `split` is made of; none if it is not there.

    Raises:
        DataError: there are several synonyms of it, and none is called so.
    """
    groups = _groups(names)
    if found := groups.get(_plain(split)):
        return found
    alike = [group for group in groups.values() if known_split(group[0]) == known_split(split)]
    if len(alike) > 1:
        raise DataError(
            f"several splits may be meant by {split!r}",
            found=listed([repr(group[0]) for group in alike]),
            remedy="use one of these names, or call them alike if they are one split",
        )
    return alike[0] if alike else []


def split_roles(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the splits that `names` are, those for training first: what each is called here -> its names."""
    groups = list(_groups(names).values())
    known = [known_split(group[0]) for group in groups]
    found = {
        name if known.count(name) == 1 and name in SYNONYMS else group[0]: group
        for name, group in zip(known, groups, strict=True)
    }
    return {name: found[name] for name in in_order(found)}


def in_order(splits: Iterable[str]) -> list[str]:
    """Return splits with those for training first, then validation, test, and others."""
    return sorted(splits, key=_rank)


# The beginnings of COCO's `val2017` and of `train1`; whole words where others begin alike (`device`).
_WORD = re.compile(
    r"train\w*|val|valid|validat\w+|test\w*|dev|devel|development|eval|evaluation|fold|folds|held|heldout|holdout"
    r"|external|internal"
)

_HELD_OUT = re.compile(
    r"val|valid|validat\w+|test\w*|tst|dev|devel|development|eval|evaluation|held|heldout|holdout|external"
)

_MOST_WORDS = 4
"""More of them with spaces between are a text."""

_NO_SPLIT = frozenset(
    "all annotation annotations answer answers caption captions class classes complete coco data dataset file"
    " files full image images index info label labels list map mapping meta metadata name names question"
    " questions readme record records report reports sample samples split splits table total whole".split()
)


def _groups(names: Iterable[str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_plain(name), []).append(name)
    return groups


def _plain(name: str) -> str:
    return re.sub(r"[\s_.-]+", "", unicodedata.normalize("NFKC", name).casefold()) or NONE


def _rank(name: str) -> int:
    order = [*SYNONYMS]
    return order.index(known_split(name)) if known_split(name) in order else len(order)
