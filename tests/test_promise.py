"""The benchmark of what a threshold promises."""

import numpy as np
from benchmarks.promise import measured


def test_drawn_answers_keep_it() -> None:
    """60 pictures of 4 answers whose confidence is their chance to be right."""
    random = np.random.default_rng(3)
    confidence = random.beta(5, 1, 240)
    wrong = (random.random(240) > confidence).astype(float)
    found = measured(confidence, wrong, np.repeat(np.arange(60), 4), 0.15, times=60)
    assert found.level == 0.15
    assert 0 < found.together <= 0.15
    assert found.answered > 0.4
    assert found.highest >= found.wrong
