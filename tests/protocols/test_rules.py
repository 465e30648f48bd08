"""Each rule on texts where rules part, with the value by hand from what the rule says."""

import pytest

from pefomed.metrics.normalise import vqa_challenge, vqa_style
from pefomed.protocols import llava_med, lmms_slake, medevalkit, printed, tokens
from pefomed.protocols import vqa_challenge as challenge
from pefomed.protocols.question import Question, language_of


@pytest.mark.parametrize(
    ("reference", "answer", "x_ray", "plain"),
    [
        ("X-ray", "x ray", True, True),  # the hyphen becomes a space
        ("X-ray", "xray", True, False),
        ("two", "2", True, True),
        ("The left lung", "left lung.", True, True),
        ("a", "the", False, False),  # both become empty
        ("", "", False, False),
        ("", "yes", False, False),
    ],
)
def test_the_challenge_and_the_x_ray_rule(reference: str, answer: str, x_ray: bool, plain: bool) -> None:
    assert challenge.x_ray_equal(reference, answer) is x_ray
    assert challenge.challenge_equal(reference, answer) is plain


def test_vlmevalkit_keeps_a_full_stop_behind_a_digit() -> None:
    assert not challenge.vlmevalkit_equal("2", "2.")
    assert challenge.challenge_equal("2", "2.")
    assert challenge.vlmevalkit_equal("The lung", "lung.")
    assert challenge.vlmevalkit_equal("2.5 cm", "2.5 cm")


def test_the_two_normalisations_differ_in_the_x_ray_alone() -> None:
    assert vqa_challenge("The X-Ray.") == "x ray"
    assert vqa_style("The X-Ray.") == "xray"


@pytest.mark.parametrize(
    ("reference", "answer", "recall"),
    [
        ("left lung", "lung lung lung", 3 / 4),  # 3 found, `left` lacks
        ("left lung", "the lung", 1 / 2),
        ("left lung", "heart", 0),
        ("left lung", "", 0),
    ],
)
def test_llava_med_counts_repetitions(reference: str, answer: str, recall: float) -> None:
    assert llava_med.open_recall(reference, answer) == pytest.approx(recall)


def test_llava_med_finds_no_in_normal() -> None:
    assert llava_med.closed_hit("no", "It is normal")
    assert not llava_med.closed_hit("yes", "It is normal")
    assert not llava_med.closed_hit("", "anything")


def test_what_run_eval_leaves_out() -> None:
    """Right; wrong with a `no` in it, left out; wrong without yes and no, counted: 1 of 2, not 1 of 3."""
    pairs = [("yes", "yes"), ("yes", "no"), ("left", "right")]
    assert llava_med.printed_closed(pairs) == pytest.approx(1 / 2)
    assert sum(llava_med.closed_hit(*pair) for pair in pairs) / 3 == pytest.approx(1 / 3)
    assert llava_med.printed_closed([("yes", "no")]) == 0
    assert llava_med.printed_closed([]) is None


SQUAD = [
    ("the left lung", "left lung", 1.0),
    ("left lung", "left lung, and the heart", 2 * 2 / (2 + 4)),  # left lung and heart
    ("lung lung", "lung", 2 * 1 / (2 + 1)),
    ("X-ray", "xray", 1.0),  # SQuAD deletes marks
    ("X-ray", "x ray", 0.0),
    ("yes", "no", 0.0),
    ("", "", 0.0),
]


@pytest.mark.parametrize(("reference", "answer", "f1"), SQUAD)
def test_tokenized_f1(reference: str, answer: str, f1: float) -> None:
    """So says SQuAD's script in transformers too (`compute_f1`), but for nothing against nothing, there 1."""
    assert tokens.token_f1(reference, answer) == pytest.approx(f1)


@pytest.mark.parametrize(
    ("reference", "answer", "right"),
    [
        ("Yes", "yeah!", True),
        ("Yes", "True", True),
        ("Lung", "lung (left)", True),
        ("X-Ray", "xray", True),
        ("\u6709", "\u6b63\u5e38", True),  # there is, normal: both stand for yes
        ("\u5305\u542b", "\u662f\u7684\u3002", True),
        ("\u4e0d\u5305\u542b", "\u5305\u542b", False),
        ("\u80ba", "\u80ba\uff08\u5de6\u4fa7\uff09", True),
        ("Lung", "", False),
        ("(x)", "(y)", False),  # both become nothing
    ],
)
def test_lmms_eval_on_slake(reference: str, answer: str, right: bool) -> None:
    assert lmms_slake.slake_equal(reference, answer) is right


@pytest.mark.parametrize(
    ("rule", "reference", "answer", "right"),
    [
        (medevalkit.slake_open, "Lung", "lung", True),
        (medevalkit.slake_open, "Lung", "lung.", False),  # marks count in open answers
        (medevalkit.slake_open, "Lung", "The answer is lung", False),  # a space is left before it
        (medevalkit.slake_open, "Lung", "<answer>Lung</answer>", True),
        (medevalkit.slake_open, "Lung", "so \\boxed{Lung}", True),
        (medevalkit.slake_closed, "Yes", "yes.", True),
        (medevalkit.slake_closed, "Yes", "yes, it is", False),  # `Yes` is not `yes`: the rule of equality
        (medevalkit.radiology_closed, "Yes ", "yes, it is", True),
        (medevalkit.radiology_closed, "no", "it is normal", True),
        (medevalkit.radiology_closed, "yes", "yes or no", False),
        (medevalkit.radiology_open, "Left lung ", " left lung", True),
        (medevalkit.radiology_open, "Left lung", "left lung.", False),
        (medevalkit.radiology_open, "", "", False),
    ],
)
def test_medevalkit(rule: medevalkit.Rule, reference: str, answer: str, right: bool) -> None:
    assert bool(rule(reference, answer)) is right


def question(reference: str, answer: str, kind: str, label: float) -> Question:
    return Question("q", (reference,), answer, kind, "en", label)


def test_four_closed_and_four_open_all_right_are_twelve_of_eight() -> None:
    right = [question("Yes", "yes", "CLOSED", 1)] * 4 + [question("Lung", "lung", "OPEN", 1)] * 4
    # And 4 of 4 open ones over 4 once more.
    assert printed.medevalkit_slake(right) == {"overall": 12 / 8, "closed": 8 / 4, "open": 1 / 4}
    # Of VQA-RAD the open ones that are equal count twice.
    assert printed.medevalkit_radiology(right) == {"overall": 12 / 8, "open": 1 / 4}
    assert printed.medevalkit_open_slake(right) == printed.medevalkit_open_radiology(right) == {"open": 1 / 4}


def test_the_challenges_formula_of_one_reference_is_nothing() -> None:
    one = question("yes", "yes", "CLOSED", 1)
    assert printed.vqa_accuracy([one]) == {"overall": 0.0}
    several = Question("q", ("yes", "yes it is"), "yes", "", "en")
    assert printed.vqa_accuracy([several]) == {}


@pytest.mark.parametrize(
    ("text", "meta", "language"),
    [
        ("Is it normal?", {}, "en"),
        ("\u80ba\u6b63\u5e38\u5417?", {}, "zh"),
        ("\u80ba\u306f\u6b63\u5e38\u3067\u3059\u304b?", {}, "ja"),
        ("\u041d\u043e\u0440\u043c\u0430?", {}, "in Cyrillic letters"),
        ("Le foie est-il normal ?", {"language": "fr"}, "fr"),
        ("Is it normal?", {"q_lang": "zh"}, "zh"),
        ("Is it normal?", {"lang": "English"}, "en"),
        ("Is it normal?", {"language": "en-GB"}, "en"),
        ("X?", {"language": "zh_Hant"}, "zh"),
        ("X?", {"language": "Chinese (Traditional)"}, "zh"),
    ],
)
def test_the_language_of_a_question(text: str, meta: dict[str, str], language: str) -> None:
    assert language_of(text, "", meta) == language
