"""Paired tests of two runs."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pefomed import jsonl
from pefomed.errors import RunError
from pefomed.evaluate.compare import Difference, compare_runs
from pefomed.evaluate.paired import mcnemar, paired_bootstrap
from pefomed.evaluate.predicted import MARKER
from pefomed.schema import Prediction, Sample, Verdict


def test_mcnemar_by_hand() -> None:
    a = np.array([True] * 5 + [False] * 7)
    b = np.array([True] * 4 + [False] + [True] * 6 + [False])
    # 1 only in a, 6 only in b: 2 * (C(7,0) + C(7,1)) / 2^7 = 16 / 128
    assert mcnemar(a, b) == 0.125
    assert mcnemar(b, a) == 0.125
    assert mcnemar(a, a) == 1.0


@given(st.integers(0, 30), st.integers(0, 30))
def test_mcnemar_is_scipys_binomial_test(only_a: int, only_b: int) -> None:
    a = np.array([True] * only_a + [False] * only_b + [True], dtype=bool)
    b = np.array([False] * only_a + [True] * only_b + [True], dtype=bool)
    expected = stats.binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    assert mcnemar(a, b) == pytest.approx(expected)


def test_mcnemar_of_many_differing_items() -> None:
    a = np.arange(4000) < 1900
    assert mcnemar(a, ~a) == pytest.approx(stats.binomtest(1900, 4000).pvalue)


def test_the_paired_bootstrap_has_the_width_and_p_of_the_paired_t_test() -> None:
    random = np.random.default_rng(3)
    a = random.normal(size=500)
    b = a + random.normal(0.1, 1, size=500)
    difference, low, high, p = paired_bootstrap(a, b, np.arange(500), draws=20000)
    t = stats.ttest_rel(b, a)
    assert difference == pytest.approx((b - a).mean())
    assert (low, high) == pytest.approx(tuple(t.confidence_interval()), abs=0.01)
    assert p == pytest.approx(t.pvalue, abs=0.01)


def test_images_are_drawn_whole_and_equal_runs_do_not_differ() -> None:
    a, b = np.zeros(40), np.repeat([0.0, 1.0], 20)
    one = paired_bootstrap(a, b, np.arange(40))
    four = paired_bootstrap(a, b, np.arange(40) // 4)
    assert one[1] is not None
    assert one[2] is not None
    assert four[1] is not None
    assert four[2] is not None
    assert (four[2] - four[1]) / (one[2] - one[1]) == pytest.approx(2, abs=0.2)
    assert paired_bootstrap(a, a, np.arange(40)) == (0.0, None, None, 1.0)
    assert paired_bootstrap(a, b, np.zeros(40, dtype=int)) == (0.5, None, None, 1.0)


SAMPLES = [
    *(Sample(id=f"v{i}", images=(f"{i // 2}",), task="vqa", question="?", reference="left lung")
      for i in range(8)),
    *(Sample(id=f"r{i}", images=(f"r{i}",), task="report", reference=f"The heart is normal. {i} nodules.")
      for i in range(4)),
]  # fmt: skip


def make(run: Path, answers: dict[str, str], samples: list[Sample] = SAMPLES) -> Path:
    run.mkdir()
    (run / MARKER).write_text("{}")
    jsonl.append(run / "samples" / "d-test.jsonl", samples)
    made = [
        Prediction(sample_id=s.id, text=answers.get(s.id, "?"), tokens=1, finish="stop", generation="g")
        for s in reversed(samples)
    ]
    jsonl.append(run / "predictions" / "d-test.jsonl", made)
    return run


def test_two_runs(tmp_path: Path) -> None:
    a = make(tmp_path / "a", {"v0": "left lung", "v1": "lung", "r0": SAMPLES[8].reference})
    b = make(tmp_path / "b", {f"v{i}": "Left  lung" for i in range(1, 8)} | {"r1": SAMPLES[9].reference})
    for run, label in ((a, 0), (b, 1)):
        told = [Verdict(sample_id=s.id, rater="j", run=n, label=label) for s in SAMPLES[:6] for n in (0, 1)]
        jsonl.append(run / "verdicts" / "j.jsonl", told)
    found: dict[str, Difference] = {difference.metric: difference for difference in compare_runs(a, b)}
    exact = found["exact_match"]
    assert (exact.a, exact.b, exact.difference, exact.n) == (1 / 8, 7 / 8, 6 / 8, 8)
    assert exact.p == 0.0703125  # 2 * (1 + 8) / 2^8: 1 against 7
    assert exact.test == "McNemar, exact"
    assert exact.better == tuple(f"v{i}" for i in range(1, 8))
    assert exact.worse == ("v0",)
    assert found["token_recall"].a == pytest.approx(1.5 / 8)
    assert found["token_recall"].test == "paired bootstrap by image, 2000 draws, seed 0"
    assert found["cider"].n == 4
    assert found["cider"].a == pytest.approx(found["cider"].b, abs=0.5)
    assert found["accuracy:j"].difference == 1.0
    assert found["accuracy:j"].n == 6
    assert found["accuracy:j"].p == 2 / 2**6
    same = {difference.metric: difference for difference in compare_runs(a, a)}
    assert all(difference.difference == 0 and difference.p == 1 for difference in same.values())
    assert set(same) == set(found)


def test_other_samples_are_named(tmp_path: Path) -> None:
    changed = [SAMPLES[0].model_copy(update={"reference": "right"}), *SAMPLES[1:-1]]
    other = [*changed, SAMPLES[-1].model_copy(update={"id": "new"})]
    a, b = make(tmp_path / "a", {}), make(tmp_path / "b", {}, other)
    with pytest.raises(RunError, match=r"only in .*/a: r3; 1 only in .*/b: new; 1 different: v0"):
        compare_runs(a, b)


def test_nothing_in_common(tmp_path: Path) -> None:
    a, b = make(tmp_path / "a", {}), make(tmp_path / "b", {})
    (b / "samples" / "d-test.jsonl").rename(b / "samples" / "e-test.jsonl")
    with pytest.raises(RunError, match=r"no data set in common\n.*d test and e test"):
        compare_runs(a, b)
