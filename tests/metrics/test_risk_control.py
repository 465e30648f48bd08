"""The threshold that keeps wrong answers rare: by hand, and its promise over many drawn splits."""

import numpy as np
import pytest

from pefomed.metrics.risk_control import control


def test_by_hand() -> None:
    """Two pictures of two questions: m = 2.

    t = .9: (0 + 2) / (1 + 2) = 2/3; .8: 2/4; .7: (0 + 2) / (3 + 2) = 2/5; .6: (1 + 2) / (4 + 2) = 1/2.
    """
    confidence, wrong = np.array([0.9, 0.8, 0.7, 0.6]), np.array([0.0, 0.0, 0.0, 1.0])
    pictures = np.array([0, 1, 0, 1])
    found = control(confidence, wrong, pictures, 0.4)
    assert found == (0.7, 3, 0, 2, pytest.approx(0.4))
    assert control(confidence, wrong, pictures, 0.5).threshold == 0.6  # the least of all that keep it
    assert control(confidence, wrong, pictures, 0.39) == (None, 0, 0, 2, pytest.approx(0.4))


def test_answers_of_one_confidence_are_answered_together() -> None:
    confidence, wrong = np.array([0.8, 0.8, 0.8, 0.8]), np.array([0.0, 0.0, 0.0, 1.0])
    # Three of them alone would keep it; all four do not: (1 + 1) / (4 + 1).
    assert control(confidence, wrong, np.arange(4), 0.3).threshold is None
    assert control(confidence, wrong, np.arange(4), 0.4) == (0.8, 4, 1, 1, pytest.approx(0.4))


def test_what_is_never_given_counts_nowhere() -> None:
    confidence = np.array([0.9, 0.8, -np.inf, -np.inf])
    found = control(confidence, np.array([0.0, 0.0, 1.0, 1.0]), np.arange(4), 0.4)
    assert (found.threshold, found.answered, found.wrong) == (0.8, 2, 0)
    nothing = control(np.full(4, -np.inf), np.zeros(4), np.arange(4), 0.4)
    assert (nothing.threshold, nothing.least_level) == (None, 1.0)


def drawn(random: np.random.Generator, pictures: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return answers about pictures, each easy or hard as a whole, of 1 to 12 questions."""
    sizes = random.integers(1, 13, pictures)
    number = np.repeat(np.arange(pictures), sizes)
    skill = np.repeat(random.beta(3, 1.5, pictures), sizes)
    right = random.random(len(number)) < skill
    confidence = np.clip(0.3 * skill + 0.4 * right + 0.5 * random.random(len(number)), 0, 1)
    return confidence, (~right).astype(float), number


@pytest.mark.parametrize("level", [0.1, 0.2])
def test_the_promise_holds_in_the_mean(level: float) -> None:
    """W of a new picture is at most level * A of it at t*, in the mean over 500 drawn validation sets.

    t* is found by trying every confidence, as the module's docstring says it.
    """
    random = np.random.default_rng(5)
    wrongs, asked, answered = [], [], []
    for _ in range(500):
        confidence, wrong, number = drawn(random, 41)
        new = number == 40
        found = control(confidence[~new], wrong[~new], number[~new], level, questions=12)
        t = np.inf if found.threshold is None else found.threshold
        order = np.argsort(-confidence)
        shares = wrong[order].cumsum() / np.arange(1, len(order) + 1)
        kept = confidence[order][shares <= level].tolist()
        best = min(kept, default=np.inf)
        assert best <= t
        wrongs.append(wrong[new & (confidence >= t)].sum())
        asked.append((new & (confidence >= best)).sum())
        answered.append((new & (confidence >= t)).sum())
    gap = level * np.array(asked) - np.array(wrongs)
    assert gap.mean() > -2 * gap.std() / len(gap) ** 0.5
    # What the added picture costs is little: the share of the answered is kept too.
    assert np.sum(wrongs) <= level * np.sum(answered)
