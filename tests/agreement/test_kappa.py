from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from pefomed.agreement import cohen_kappa, fleiss_kappa, mean_cohen_kappa
from pefomed.agreement.kappa import _cohen

# Fleiss, Psychol. Bull. 76 (1971), table 1: 30 patients, 6 psychiatrists, 5 diagnoses.
DIAGNOSES = """
00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006
""".split()

# https://en.wikipedia.org/wiki/Fleiss%27_kappa: 10 items, 14 raters, P = .378, P_e = .213.
TEN_ITEMS = [
    (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
]  # fmt: skip


def ratings_of(counts: list[tuple[int, ...]]) -> list[list[int]]:
    return [[label for label, count in enumerate(row) for _ in range(count)] for row in counts]


def labels_of(table: list[list[int]]) -> tuple[list[int], list[int]]:
    """The two raters' labels behind a square table of counts."""
    pairs = [(i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)]
    one, other = zip(*pairs, strict=True)
    return list(one), list(other)


def test_fleiss_own_example() -> None:
    found = fleiss_kappa(ratings_of([tuple(map(int, row)) for row in DIAGNOSES]))
    assert found.value == pytest.approx(0.430, abs=5e-4)
    assert found.n == 30
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.43 < found.high


def test_fleiss_second_example() -> None:
    assert fleiss_kappa(ratings_of(TEN_ITEMS), draws=0).value == pytest.approx(0.210, abs=5e-4)


def test_fleiss_of_two_raters_by_hand() -> None:
    # Labels 00 00 11 01: pairs agree in 3 of 4 items, P = .75. Shares 5/8 and 3/8: P_e = 34/64.
    # kappa = (48 - 34) / (64 - 34) = 14/30.
    found = fleiss_kappa([[0, 0], [0, 0], [1, 1], [0, 1]], draws=0)
    assert found.value == pytest.approx(14 / 30)


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        # Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, table 18.1:
        # observed .89, by chance .66.
        ([[75, 1, 4], [5, 4, 1], [0, 0, 10]], 0.23 / 0.34),
        # https://en.wikipedia.org/wiki/Cohen%27s_kappa: observed .70, by chance .50; then .54 and .46 ...
        ([[20, 5], [10, 15]], 0.4),
        ([[45, 15], [25, 15]], 0.1304),
        ([[25, 35], [5, 35]], 0.2593),
    ],
)
def test_cohen_textbook(table: list[list[int]], kappa: float) -> None:
    found = cohen_kappa(*labels_of(table))
    assert found.value == pytest.approx(kappa, abs=5e-5)
    assert found.low is not None
    assert found.high is not None
    assert found.low < kappa < found.high


def test_quadratic_weights_give_lins_concordance() -> None:
    # Fleiss and Cohen 1973: with squared weights kappa is 2 s_xy / (s_x^2 + s_y^2 + (x - y)^2).
    random = np.random.default_rng(3)
    x = random.integers(0, 5, 200)
    y = np.clip(x + random.integers(-1, 3, 200), 0, 4)
    concordance = 2 * np.cov(x, y, ddof=0)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    assert cohen_kappa(x, y, quadratic=True, draws=0).value == pytest.approx(concordance)


def test_levels_that_nobody_used_keep_their_distance() -> None:
    # 0 and 4 alone: a disagreement is equally bad everywhere, so weights change nothing.
    one, other = [0, 4, 4, 0, 4, 0], [0, 4, 0, 0, 4, 4]
    assert cohen_kappa(one, other, quadratic=True, draws=0).value == pytest.approx(
        cohen_kappa(one, other, draws=0).value
    )


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_draws_agree_with_scikit_learn(data: st.DataObject) -> None:
    n = data.draw(st.integers(3, 12))
    level = st.integers(0, 4)
    labels = np.array(data.draw(st.lists(st.tuples(level, level), min_size=n, max_size=n)), dtype=float)
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    drawn = np.repeat(labels, weights, axis=0).astype(int)
    if len(np.unique(drawn)) < 2:
        return
    for quadratic in (False, True):
        oracle = cohen_kappa_score(*drawn.T, labels=range(5), weights="quadratic" if quadratic else None)
        (found,) = _cohen(labels, quadratic)(weights[None].astype(float))
        assert found == pytest.approx(oracle, abs=1e-9)


def test_mean_kappa_is_the_mean_over_pairs() -> None:
    random = np.random.default_rng(5)
    truth = random.integers(0, 2, 60)
    ratings = np.column_stack([np.where(random.random(60) < 0.2, 1 - truth, truth) for _ in range(4)])
    pairs = [cohen_kappa_score(ratings[:, i], ratings[:, j]) for i, j in itertools.combinations(range(4), 2)]
    found = mean_cohen_kappa(ratings)
    assert found.value == pytest.approx(np.mean(pairs))
    assert (found.n, found.note) == (60, "")


def test_a_pair_without_kappa_is_left_out_and_said() -> None:
    nan = float("nan")
    # The third rater shares one item with the others: 2 of 3 pairs have no kappa.
    found = mean_cohen_kappa([[0, 0, 1], [1, 1, nan], [0, 1, nan], [1, 1, nan]], draws=0)
    assert found.note == "2 of 3 pairs of raters have no kappa"
    assert found.value == cohen_kappa([0, 1, 0, 1], [0, 1, 1, 1], draws=0).value


def test_missing_labels_are_left_out_in_pairs() -> None:
    found = cohen_kappa([1, None, 0, 1, 0], [1, 1, None, 1, 0], draws=0)
    assert (found.value, found.n) == (1.0, 3)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (cohen_kappa([1, 1, 1], [1, 1, 1]), "all labels are the same"),
        (cohen_kappa([1, None], [1, 0]), "fewer than 2 items"),
        (cohen_kappa([], []), "fewer than 2 items"),
        (fleiss_kappa([[1], [0]]), "one rater only"),
        (fleiss_kappa([[1, 1], [1, 1]]), "all labels are the same"),
        (fleiss_kappa([[1, float("nan")], [0, 0]]), "fewer than 2 items that every rater"),
        (mean_cohen_kappa([[1], [0]]), "one rater only"),
        (mean_cohen_kappa([[1, 1], [1, 1]]), "no pair of raters has a kappa"),
    ],
)
def test_what_cannot_be_computed_says_why(found: object, why: str) -> None:
    assert (found.value, found.low, found.high) == (None, None, None)  # type: ignore[attr-defined]
    assert why in found.note  # type: ignore[attr-defined]


def test_one_constant_rater_agrees_as_by_chance() -> None:
    # Observed agreement 2/3 is the share of 1 in the other rater, and so is chance.
    assert cohen_kappa([1, 1, 1], [1, 1, 0], draws=0).value == pytest.approx(0.0)


def test_perfect_agreement_has_no_interval_of_no_width() -> None:
    found = cohen_kappa([0, 1, 0, 1, 1, 0], [0, 1, 0, 1, 1, 0], clusters=[0, 0, 1, 1, 2, 2])
    assert (found.value, found.low) == (1.0, None)
    assert "the same without any of the images" in found.note


def test_items_of_one_image_are_drawn_together() -> None:
    random = np.random.default_rng(0)
    one = random.integers(0, 2, 40)
    other = np.where(random.random(40) < 0.25, 1 - one, one)
    alone = cohen_kappa(one, other)
    # Each item ten times is no more evidence than once if copies stay together.
    copies = cohen_kappa(np.tile(one, 10), np.tile(other, 10), clusters=np.tile(np.arange(40), 10))
    assert (copies.low, copies.high) == pytest.approx((alone.low, alone.high), abs=1e-9)
    assert copies.n == 400
