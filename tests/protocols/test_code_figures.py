"""The figures that papers' and harnesses' own code printed of bent answers, in percent.

`python -m benchmarks.protocols` made them, with the code at the commits of `protocols.by_rule` (lmms-eval
0.7.3 and VLMEvalKit, as ms-vlmeval 0.0.20, from their wheels), of all questions of the published test splits.
"""

import os
from functools import cache
from pathlib import Path

import pytest
from benchmarks.bent_answers import bent_answers
from benchmarks.protocols import questions_of

from pefomed.datasets import slake, vqa_rad
from pefomed.protocols.known import PROTOCOLS
from pefomed.protocols.question import Question
from pefomed.protocols.scored import score

pytestmark = pytest.mark.skipif("PEFOMED_DATA" not in os.environ, reason="PEFOMED_DATA names no data")

# data, protocol, overall, open, closed as the definition has them; then what the code prints otherwise
FIGURES = [
    ("slake", "pefomed", (45.6173, 46.8217, 43.7500), {}),
    ("slake", "llava-med", (None, 73.1432, 81.7308), {"closed": 74.8092}),
    ("slake", "lmms-eval-slake-en", (51.4609, 50.5426, 52.8846), {}),
    ("slake", "vlmevalkit", (45.3346, None, None), {"overall": 0.0}),
    ("slake", "medevalkit-slake", (46.3713, None, 46.8750), {"open": 0.0714}),
    ("slake", "medevalkit-slake-judge", (None, None, None),
     {"overall": 85.0141, "open": 0.1060, "closed": 110.8173}),
    ("both", "pefomed", (45.7116, 46.8217, 43.9904), {}),
    ("both", "llava-med", (None, 73.1691, 81.9712), {"closed": 75.0}),
    ("both", "lmms-eval-slake-en", (51.7436, 50.5426, 53.6058), {}),
    ("both", "lmms-eval-slake-zh", (56.5344, 54.8124, 59.0476), {}),
    ("both", "vlmevalkit", (45.4288, None, None), {"overall": 0.0}),
    ("both", "medevalkit-slake", (49.2837, None, 51.3158), {"open": 0.0381}),
    ("both", "medevalkit-slake-judge", (None, None, None),
     {"overall": 87.1538, "open": 0.0537, "closed": 116.6268}),
    ("vqa_rad", "pefomed", (44.5676, 45.2514, 44.1176), {}),
    ("vqa_rad", "llava-med", (None, 72.6071, 81.6176), {"closed": 80.9339}),
    ("vqa_rad", "vlmevalkit", (44.5676, None, None), {"overall": 0.0}),
    ("vqa_rad", "medevalkit", (62.0843, None, 80.4781), {"open": 0.1950}),
    ("vqa_rad", "medevalkit-judge", (None, None, 80.4781), {"overall": 92.2395, "open": 0.3400}),
]  # fmt: skip


@pytest.mark.parametrize(("data", "name", "figures", "printed"), FIGURES)
def test_as_their_code_prints_it(
    data: str, name: str, figures: tuple[float | None, ...], printed: dict[str, float]
) -> None:
    found = score(PROTOCOLS[name], questions(data), "slake" if data == "both" else data)
    for group, figure in zip(("overall", "open", "closed"), figures, strict=True):
        if figure is not None:
            values = found.values[group]  # type: ignore[index]
            assert 100 * sum(values.values()) / len(values) == pytest.approx(figure, abs=5e-5), group
    assert {group: 100 * value for group, value in found.printed.items()} == pytest.approx(printed, abs=5e-5)


def test_the_sizes_are_the_published_ones() -> None:
    for data, name, overall, opened, closed in (
        ("slake", "pefomed", 1061, 645, 416),
        ("slake", "pefomed-yes-no", 1061, 706, 355),
        ("both", "chinese", 1033, 613, 420),
        ("both", "both-languages", 2094, 1258, 836),
        ("both", "medevalkit-slake", 2094, 1258, 836),
        ("vqa_rad", "pefomed", 451, 179, 272),
        ("vqa_rad", "pefomed-yes-no", 451, 200, 251),
        ("vqa_rad", "medevalkit", 451, 200, 251),
    ):
        if name in ("chinese", "both-languages"):
            pytest.importorskip("opencc")
        found = score(PROTOCOLS[name], questions(data), "slake" if data == "both" else data)
        assert [len(found.values[g]) for g in ("overall", "open", "closed")] == [overall, opened, closed]


@cache
def questions(data: str) -> list[Question]:
    root = Path(os.environ["PEFOMED_DATA"])
    if data == "vqa_rad":
        samples = list(vqa_rad.load(root / "vqa_rad", "test"))
    else:
        samples = list(slake.load(root / "slake", "test", language="both" if data == "both" else "en"))
    return questions_of(samples, bent_answers([sample.reference for sample in samples]))
