import math
import os
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pefomed.datasets import load_samples
from pefomed.evaluation import score_pairs
from pefomed.floors import votes
from pefomed.recipe import Dataset

needs_data = pytest.mark.skipif(
    "PEFOMED_DATA" not in os.environ, reason="needs PEFOMED_DATA with vqa_rad and slake"
)


def test_majority_counts_the_plain_form_and_gives_it_as_first_written() -> None:
    assert votes.majority(["No", "yes", "no ", "YES", "NO"]) == "No"
    assert votes.majority(["b", "a"]) == "b"  # a tie: the earlier


def test_a_near_question_outweighs_several_far_ones() -> None:
    # Smoothed idf, 4 questions: p 1 + ln(5/5) = 1, q r s t 1 + ln(5/2) = 1.916. The first question is
    # the one asked, cosine 1. The others share p: 1 / (1 + 1.916^2) = 0.214, 3 votes of 0.214^3 = 0.03.
    questions, answers = ["p q", "p r", "p s", "p t"], ["yes", "no", "no", "no"]
    assert votes.nearest_text(questions, answers, ["P, q?"]) == ["yes"]


def test_only_seven_vote_and_the_earlier_of_equals() -> None:
    asked = ["is it left"]
    answers = ["a"] * 4 + ["b"] * 4 + ["c"] * 9
    questions = asked * 8 + ["is it right"] * 9
    assert votes.nearest_text(questions, answers, asked) == ["a"]  # 4 a, 3 b
    assert votes.nearest_text(questions, ["b"] * 4 + ["a"] * 13, asked) == ["b"]


def test_equal_votes_go_to_the_earlier_and_spellings_count_together() -> None:
    assert votes.nearest_text(["p", "p"], ["b", "a"], ["p"]) == ["b"]
    assert votes.nearest_text(["p", "p", "p"], ["a", "X-ray", "x-RAY"], ["p"]) == ["X-ray"]


def test_without_a_common_word_the_majority_answers() -> None:
    assert votes.nearest_text(["p", "q", "q"], ["a", "b", "b"], ["z", "", "p"]) == ["b", "b", "a"]
    assert votes.nearest_text(["", "", ""], ["a", "b", "b"], [""]) == ["b"]  # reports have no question


def test_a_question_about_the_same_image_counts_double() -> None:
    # p q is asked of image 1. Of p r and p s one has the better answer, about another image.
    questions, answers = ["p r", "p r", "p s"], ["a", "a", "b"]
    # All three are as similar: two votes of c^3 for a, one of (2 c)^3 = 8 c^3 for b.
    assert votes.nearest_text(questions, answers, ["p"]) == ["a"]
    found = votes.nearest_text(
        questions, answers, ["p", "p", "p"], votes.ImageKeys(["1", "2", "3"], ["3", "1", "new"])
    )
    assert found == ["b", "a", "a"]


def by_definition(questions: list[str], answers: list[str], asked: str) -> set[str]:
    """Every answer that may win: the formula written out, without scikit-learn or numpy."""
    bags = [Counter(re.findall("[a-z0-9]+", text)) for text in questions]
    idf = {
        word: 1 + math.log((1 + len(bags)) / (1 + sum(word in bag for bag in bags)))
        for word in {word for bag in bags for word in bag}
    }

    def unit(bag: Counter[str]) -> dict[str, float]:
        weights = {word: count * idf[word] for word, count in bag.items() if word in idf}
        length = math.sqrt(sum(weight**2 for weight in weights.values()))
        return {word: weight / length for word, weight in weights.items()} if length else {}

    target = unit(Counter(re.findall("[a-z0-9]+", asked)))
    cosines = [sum(target.get(w, 0.0) * x for w, x in unit(bag).items()) for bag in bags]
    nearest = sorted(range(len(bags)), key=lambda place: (-round(cosines[place], 9), place))[:7]
    votes: dict[str, float] = {}
    for place in nearest:
        votes[answers[place]] = votes.get(answers[place], 0.0) + cosines[place] ** 3
    best = max(votes.values())
    if best < 1e-9:
        return {Counter(answers).most_common(1)[0][0]}
    return {answer for answer, vote in votes.items() if vote > best - 1e-6}


TRAINING = st.lists(
    st.tuples(
        st.lists(st.sampled_from("p q r s t".split()), min_size=1, max_size=5).map(" ".join),
        st.sampled_from("abc"),
    ),
    min_size=1,
    max_size=25,
)


def test_chinese_questions_are_told_apart_by_their_characters() -> None:
    """Without spaces a question would be one word, or none: the liver's question is nearer to the liver's."""
    questions = ["\u809d\u810f\u6b63\u5e38\u5417?", "\u56fe\u4e2d\u6709\u80ba\u5417?"]
    answers = ["\u662f", "\u6709"]
    assert votes.nearest_text(questions, answers, ["\u809d\u810f\u5728\u54ea?"]) == ["\u662f"]
    assert votes.nearest_text(questions, answers, ["\u80ba?"]) == ["\u6709"]


@settings(deadline=None, max_examples=60)
@given(TRAINING, st.lists(st.sampled_from("p q r s t u".split()), max_size=4).map(" ".join))
def test_same_as_the_definition(training: list[tuple[str, str]], asked: str) -> None:
    questions, answers = [q for q, _ in training], [a for _, a in training]
    assert votes.nearest_text(questions, answers, [asked])[0] in by_definition(questions, answers, asked)


@needs_data
def test_what_leaked_images_of_vqa_rad_are_worth() -> None:
    """All 203 test images are trained on: 66 instead of 54 by recognising them."""
    dataset, data = Dataset(loader="vqa_rad", root="vqa_rad"), Path(os.environ["PEFOMED_DATA"])
    training, test = load_samples(dataset, "train", data), load_samples(dataset, "test", data)
    answers = votes.nearest_text(
        [sample.question for sample in training],
        [sample.reference for sample in training],
        [sample.question for sample in test],
        votes.ImageKeys([sample.images for sample in training], [sample.images for sample in test]),
    )
    scores = score_pairs([sample.reference for sample in test], answers, draws=0)
    overall = next(score.value for score in scores if score.metric == "exact_match_vqa")
    assert 100 * overall == pytest.approx(66.5, abs=0.05)


@needs_data
@pytest.mark.parametrize(
    ("loader", "figures"),
    [("vqa_rad", (35.2, 66.5, 54.1)), ("slake", (46.8, 57.5, 51.0))],
)
def test_the_published_floors(loader: str, figures: tuple[float, float, float]) -> None:
    dataset, data = Dataset(loader=loader, root=loader), Path(os.environ["PEFOMED_DATA"])
    training, test = load_samples(dataset, "train", data), load_samples(dataset, "test", data)
    answers = votes.nearest_text(
        [sample.question for sample in training],
        [sample.reference for sample in training],
        [sample.question for sample in test],
    )
    scores = score_pairs(
        [sample.reference for sample in test], answers, metas=[sample.meta for sample in test], draws=0
    )
    found = {score.group: 100 * score.value for score in scores if score.metric == "exact_match_vqa"}
    groups = ("answer_type=OPEN", "answer_type=CLOSED", "overall")
    assert [found[group] for group in groups] == pytest.approx(figures, abs=0.05)
