"""The constant-report floor."""

import random
import time

import numpy as np
import pytest

from pefomed.floors import constant
from pefomed.metrics.captions import cider
from pefomed.metrics.captions.presets import r2gen

PARTS = [
    ["Heart size normal.", "The heart is enlarged.", "Cardiomegaly is present."],
    ["Lungs are clear.", "There is an opacity in the right lower zone.", "Bibasilar atelectasis."],
    ["No effusion.", "No pneumothorax or pleural effusion.", "There is a small left effusion."],
    ["", "No acute disease.", "Degenerative changes of the spine."],
]


def reports(count: int, seed: int) -> list[str]:
    draw = random.Random(seed)
    texts = [" ".join(draw.choices(part, (5, 2, 1) if len(part) == 3 else None)[0] for part in PARTS)]
    while len(texts) < count:
        extra = f" Nodule of {draw.randint(1, 40)} mm in segment {draw.randint(1, 9)}."
        text = " ".join(draw.choices(part, (5, 2, 1) if len(part) == 3 else None)[0] for part in PARTS)
        texts.append(text + extra * (draw.random() < 0.5))
    return texts


def test_the_best_of_all_candidates_by_ciders_own_function() -> None:
    training, chosen_on = reports(80, 1), reports(40, 2)
    found = constant.constant_report(training, chosen_on)
    targets = [[r2gen(text)] for text in chosen_on]
    means = {
        text: float(np.mean(cider.cider([r2gen(text)] * len(targets), targets)))
        for text in dict.fromkeys(training)
    }
    assert found.cider == pytest.approx(max(means.values()))
    assert means[found.text] == pytest.approx(found.cider)
    assert found.candidates == len({tuple(r2gen(text)) for text in training})


def test_a_report_is_given_as_first_written_and_the_frequent_wins_ties() -> None:
    found = constant.constant_report(["B.", "Heart NORMAL.", "heart normal", "B."], ["heart normal."] * 3)
    assert found.text == "B."  # all of one corpus weighs nothing: every candidate has 0
    found = constant.constant_report(["B.", "Heart NORMAL.", "heart normal"], ["heart normal.", "lung"])
    assert found.text == "Heart NORMAL."


def test_thousands_of_candidates_take_seconds_and_lose_little() -> None:
    training, chosen_on = reports(6000, 3), reports(1500, 4)
    start = time.process_time()
    found = constant.constant_report(training, chosen_on)
    assert time.process_time() - start < 30
    assert found.candidates <= constant.CANDIDATES
    best_frequent = constant.constant_report(training[:150], chosen_on)
    assert found.cider >= best_frequent.cider
