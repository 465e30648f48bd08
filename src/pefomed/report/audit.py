"""The leakage audit in sentences, with the alarms that belong on top of the page.

An alarm: images, or whole samples, of the split that was scored occur in a split that was trained on.
Equal texts on other images are told, but raise no alarm: `Is this a CT?` may be asked twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pefomed.errors import DataError
from pefomed.recipe import Recipe


@dataclass(frozen=True)
class Told:
    """One data set's audit as the page shows it."""

    name: str
    sentences: list[str]
    alarms: list[str]
    details: str
    """The whole result as JSON."""


def tell(name: str, result: Any, recipe: Recipe | None) -> Told:
    """Return the audit of the data set the recipe calls `name`.

    Raises:
        DataError: the result is not as `pefomed.data.audit` makes it.
    """
    try:
        sentences = [str(sentence) for sentence in result["summary"]]
        pairs = [pair for pair in result["leakage"] if _matters(pair, name, recipe)]
        alarms = [alarm for pair in pairs for alarm in _alarms(pair)]
    except (KeyError, TypeError) as error:
        raise DataError(
            f"audit.json: the audit of {name!r} is damaged",
            found=f"{type(error).__name__}: {error}",
            remedy="delete audit.json and run the audit again",
        ) from None
    return Told(name, sentences, alarms, json.dumps(result, indent=2, ensure_ascii=False))


def _matters(pair: Mapping[str, Any], name: str, recipe: Recipe | None) -> bool:
    scored = recipe.predict.data.get(name) if recipe else None
    stages = [stage for stage in recipe.stages if name in stage.data] if recipe else []
    trained = {split for stage in stages for split in (stage.split, *stage.also_train)}
    return (scored is None or pair["of"] == scored) and (not trained or pair["in"] in trained)


def _alarms(pair: Mapping[str, Any]) -> list[str]:
    alarms = []
    images, samples = pair["images"], pair["triplets"]
    if images["count"]:
        which = "All" if images["count"] == images["of"] else f"{images['count']:,} of"
        alarms.append(f"{which} {images['of']:,} images of {pair['of']} also occur in {pair['in']}.")
    if samples["count"]:
        alarms.append(
            f"{samples['count']:,} of its {samples['of']:,} samples occur there with the same image,"
            " question and answer."
        )
    return alarms
