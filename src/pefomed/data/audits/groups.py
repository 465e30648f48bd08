"""Patients, studies and the like that occur in two splits, where the samples say whose they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pefomed.data.audits.finding import finding
from pefomed.schema import Sample

PEOPLE = ("patient", "subject", "person")
IDS = (
    *PEOPLE,
    "study",
    "study_instance_uid",
    "series",
    "series_instance_uid",
    "accession",
    "case",
    "article",
)
"""Meta keys that name what must not be split; `Patient ID` and `patient_id` count as `patient`."""


def shared_groups(
    earlier: Sequence[Sample], later: Sequence[Sample], ids: Sequence[str] = IDS
) -> dict[str, dict[str, Any]]:
    """Return for each of the meta keys `ids` that both splits have, how many of its values they share.

    A study's number counts together with its patient's where that is known: hospitals count anew.

    Returns:
        key -> `of`, distinct values in `later`; `count` of those that `earlier` has too, with `examples`;
        `samples`, how many of `later` have them; `without`, how many of `later` have no such value.
    """
    wanted = {_plain(name) for name in ids}
    keys = [key for key in _keys(later) if _plain(key) in wanted and key in _keys(earlier)]
    return {key: _shared(earlier, later, key) for key in sorted(keys)}


def _keys(samples: Sequence[Sample]) -> set[str]:
    return {key for sample in samples for key in sample.meta}


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
    value = sample.meta.get(key, "").strip()
    if not value:
        return None
    if _plain(key) in PEOPLE:
        return (value,)
    people = (text for name, text in sample.meta.items() if _plain(name) in PEOPLE and text.strip())
    return (*people, value)
