"""Patients, studies and the like that occur in two splits, where the samples say whose they are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pefomed.audit.finding import finding
from pefomed.samples.owners import is_owner, is_person
from pefomed.schema import Sample


def shared_groups(
    earlier: Sequence[Sample], later: Sequence[Sample], ids: Sequence[str] | None = None
) -> dict[str, dict[str, Any]]:
    """Return for each key that names owners and that both splits have, how many of its values they share.

    A study's number counts together with its patient's where that is known: hospitals count anew.

    Args:
        ids: the keys, of `meta` and `owners`; by default all that name patients, studies and the like.

    Returns:
        key -> `of`, distinct values in `later`; `count` of those that `earlier` has too, with `examples`;
        `samples`, how many of `later` have them; `without`, how many of `later` have no such value.
    """
    keys = [key for key in _keys(later) & _keys(earlier) if _is_wanted(key, ids)]
    return {key: _shared(earlier, later, key) for key in sorted(keys)}


def unchecked(splits: Mapping[str, Sequence[Sample]], ids: Sequence[str] | None = None) -> dict[str, str]:
    """Return the keys that are owners' by name, or among `ids`, and are not compared: key -> why."""
    by_split = {name: _keys(samples) for name, samples in splits.items()}
    present = {key for samples in splits.values() for sample in samples for key in _all(sample)}
    reasons = {
        wanted: "no sample has it" for wanted in ids or () if _plain(wanted) not in map(_plain, present)
    }
    for key in sorted(present):
        lacking = [name for name, keys in by_split.items() if key not in keys]
        if is_owner(key) and not _is_wanted(key, ids):
            reasons[key] = "it is not among those asked for"
        elif _is_wanted(key, ids) and lacking and len(splits) > 1:
            reasons[key] = f"no sample of {', '.join(lacking)} has it"
    return reasons


def _keys(samples: Sequence[Sample]) -> set[str]:
    """Return the keys that at least one sample has a value for."""
    return {key for sample in samples for key, value in _all(sample).items() if _number(value)}


def _all(sample: Sample) -> dict[str, str]:
    return {**sample.owners, **sample.meta}


def _is_wanted(key: str, ids: Sequence[str] | None) -> bool:
    return is_owner(key) if ids is None else _plain(key) in {_plain(name) for name in ids}


def _plain(key: str) -> str:
    return re.sub(r"(uid|id|number|no)$", "", re.sub(r"[\W_]+", "", key.casefold()))


def _shared(earlier: Sequence[Sample], later: Sequence[Sample], key: str) -> dict[str, Any]:
    known = {_value(sample, key) for sample in earlier}
    values = [_value(sample, key) for sample in later]
    distinct = dict.fromkeys(value for value in values if value is not None)
    return {
        "of": len(distinct),
        **finding(" ".join(value) for value in distinct if value in known),
        "samples": sum(value is not None and value in known for value in values),
        "without": sum(value is None for value in values),
    }


def _value(sample: Sample, key: str) -> tuple[str, ...] | None:
    """Return the value, behind that of the patient if the key is not a patient's itself; None if empty."""
    value = _number(_all(sample).get(key, ""))
    if not value:
        return None
    if is_person(key):
        return (value,)
    people = (_number(text) for name, text in _all(sample).items() if is_person(name))
    return (*filter(None, people), value)


def _number(text: str) -> str:
    """Return an owner's number as it was given, empty if there is none.

    A column of numbers with gaps is written by pandas and others with `.0` behind each, and `nan` for a gap;
    the table of another split, without gaps, is not.
    """
    plain = text.strip()
    if plain.casefold() in ("nan", "none", "null", "n/a", "<na>"):
        return ""
    return re.sub(r"^(\d+)\.0+$", r"\1", plain)
