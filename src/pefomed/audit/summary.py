"""An audit's findings as sentences, the ones that matter for believing a score first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pefomed.audit import boxes as audit_boxes


def summarise(result: Mapping[str, Any]) -> list[str]:
    """Return the findings of `audit` as sentences."""
    return [
        *(sentence for pair in result["leakage"] for sentence in _leakage(pair)),
        *(_counts(name, counts) for name, counts in result["counts"].items()),
        *audit_boxes.sentences(result),
        *_faults(result),
    ]


def _leakage(pair: Mapping[str, Any]) -> list[str]:
    earlier, later = pair["in"], pair["of"]
    images, near, texts, triplets = (pair[key] for key in ("images", "near_images", "texts", "triplets"))
    if not images["count"]:
        sentences = [f"No image of {later} occurs in {earlier}."]
    elif images["count"] == images["of"]:
        sentences = [f"All {images['of']:,} images of {later} also occur in {earlier}."]
    else:
        sentences = [f"{images['count']:,} of {images['of']:,} images of {later} also occur in {earlier}."]
    if images["count"] < images["of"]:
        sentences.append(_alike(near, earlier, later))
    if near["empty"]:
        show = "shows" if near["empty"] == 1 else "show"
        sentences.append(
            f"{_number(near['empty'], 'image')} of {later} {show} nothing that could be compared."
        )
    sentences += [_group(key, found, earlier, later) for key, found in pair.get("groups", {}).items()]
    if triplets["count"]:
        sentences.append(
            f"{triplets['count']:,} of {triplets['of']:,} samples of {later} occur in {earlier} with the same"
            f" image, question and answer{_loosely(triplets)}."
        )
    if texts["of"]:
        share = 100 * texts["count"] / texts["of"]
        sentences.append(
            f"{texts['count']:,} of {texts['of']:,} samples of {later} ({share:.0f} %) have a question and"
            f" answer that occur in {earlier}, with whatever image{_loosely(texts)}."
        )
    for name, found in pair.get("answers", {}).items():
        if _differs(found) or name in ("answers", "words"):  # of the answer types only what stands out
            sentences.append(_shift(name, found, earlier, later))
    return sentences


def _alike(near: Mapping[str, Any], earlier: str, later: str) -> str:
    if not near["count"]:
        return f"No other image of {later} looks like one of {earlier}."
    return (
        f"{near['count']:,} of {near['of']:,} images of {later} ({near['samples']:,} of its"
        f" {near['of_samples']:,} samples) look like one of {earlier} without being equal."
    )


def _group(key: str, found: Mapping[str, Any], earlier: str, later: str) -> str:
    without = f"; {_number(found['without'], 'sample')} of {later} have none" if found["without"] else ""
    if not found["count"]:
        return f"{key}: none of {found['of']:,} of {later} occurs in {earlier}{without}."
    return (
        f"{key}: {found['count']:,} of {found['of']:,} of {later} also occur in {earlier}, with"
        f" {_number(found['samples'], 'sample')} of {later}{without}."
    )


def _differs(found: Mapping[str, Any]) -> bool:
    return bool(found["distance"] > found["chance_high"])


def _shift(name: str, found: Mapping[str, Any], earlier: str, later: str) -> str:
    how, example = "are distributed alike", ""
    if _differs(found):
        most = found["moved"][0]
        how = "are distributed differently"
        example = f"; most of all {most['value']!r}, {100 * most['in']:.1f} % and {100 * most['of']:.1f} %"
    return (
        f"The {name} of {earlier} and {later} {how}: total variation {found['distance']:.2f},"
        f" n = {found['n'][0]:,} and {found['n'][1]:,} (by chance {found['by_chance']:.2f}, 95 % below"
        f" {found['chance_high']:.2f}){example}."
    )


def _loosely(triplets: Mapping[str, Any]) -> str:
    more = triplets["ignoring_punctuation"]
    return f" ({more:,} if punctuation is ignored)" if more > triplets["count"] else ""


def _counts(name: str, counts: Mapping[str, Any]) -> str:
    sentence = f"{name}: {_number(counts['samples'], 'sample')} on {_number(counts['images'], 'image')}"
    if counts["open"] or counts["closed"]:
        sentence += f" ({counts['open']:,} open, {counts['closed']:,} closed)"
    if counts["matches"] is None:
        return sentence + "."
    if counts["matches"]:
        return sentence + ", as published."
    published = ", ".join(f"{value:,} {key}" for key, value in counts["published"].items())
    return f"{sentence}; published: {published}."


def _faults(result: Mapping[str, Any]) -> list[str]:
    sentences = []
    unreadable = result["unreadable"]
    if unreadable["count"]:
        first = unreadable["examples"][0]["problem"].splitlines()[0]
        sentences.append(f"{_number(unreadable['count'], 'image')} cannot be read, e.g. {first}.")
    else:
        sentences.append("Every image can be read.")
    if result["same_image"]["count"]:
        sentences.append(f"{_number(result['same_image']['count'], 'image')} occur under several file names.")
    for name, finding in result["duplicates"].items():
        if finding["count"]:
            sentences.append(
                f"{name}: {_number(finding['count'], 'sample')} repeat an earlier image, question and answer."
            )
    for name, finding in result["empty_answers"].items():
        if finding["count"]:
            sentences.append(
                f"{name}: {_number(finding['count'], 'sample')} without an answer, e.g."
                f" {finding['examples'][0]}."
            )
    sentences += [
        f"{key}: not compared between the splits, because {reason}."
        for key, reason in result["unchecked"].items()
    ]
    if len(result["counts"]) == 1:
        [only] = result["counts"]
        sentences.append(f"Only {only} was looked at: what it shares with another split is not known.")
    for name, names in result["written_as"].items():
        as_written = " and ".join(f"{each!r}{_rows(rows)}" for each, rows in names.items())
        sentences.append(f"The split {name} is {as_written} in the files.")
    for name, rows in result["further_splits"].items():
        reason = result["unusable_splits"].get(name)
        if reason:
            sentences.append(f"The split {name!r}{_rows(rows)} cannot be read: {' '.join(reason.split())}.")
        else:
            sentences.append(f"The split {name!r}{_rows(rows)} is there too; it was not looked at.")
    if result["shared_ids"]["count"]:
        sentences.append(f"{_number(result['shared_ids']['count'], 'id')} occur in more than one split.")
    return sentences


def _rows(rows: int | None) -> str:
    return f" ({_number(rows, 'row')})" if rows is not None else ""


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
