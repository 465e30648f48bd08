import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.metrics.captions.corpus import corpora, figures_of, item_sums, tokens_of
from pefomed.metrics.captions.presets import PRESETS, as_given, r2gen


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # Worked by R2Gen's clean_report_iu_xray: sentences split at `. `, marks removed, ` . ` between.
        ("The heart is normal. No effusion.", "the heart is normal . no effusion ."),
        ("1. Heart normal. 2. Lungs clear.", "heart normal . lungs clear ."),
        ("Right-sided PICC, (new); 50% of 3/4.", "right-sided picc new 50 of 34 ."),  # the hyphen stays
        ("XXXX... stable.. T<5> = [a]", "xxxx . stable . t5 a ."),
        ('It\'s "old"', "its old ."),
        ("No.", "no ."),
        ("", "."),
        ("a.\n\nb", "a . b ."),
        ("Compared to ____ and _____", "compared to and ."),
    ],
)
def test_r2gen_by_hand(text: str, words: str) -> None:
    assert " ".join(r2gen(text)) == words


def test_tokens_as_given() -> None:
    assert as_given(" The heart  is\nnormal . No 3-mm mass. ") == [
        "the", "heart", "is", "normal", ".", "no", "3-mm", "mass.",
    ]  # fmt: skip
    # `mass.` and `mass` are two words there and one in the others: 1 of 2, and 2 of 2.
    answers, references = ["a mass."], ["a mass"]
    figures = {
        corpus.preset.name: figures_of(item_sums(corpus, tokens_of(corpus.preset, answers)))[0, 0]
        for corpus in corpora(references, ["report"])
    }
    assert figures["as-given"] == pytest.approx(1 / 2)
    assert figures["coco-ptb"] == pytest.approx(1)


def test_at_most_sixty_words() -> None:
    assert len(r2gen("word " * 200)) == 60
    assert len(PRESETS["coco-ptb"].tokens("word " * 200)) == 200


@given(st.text(alphabet="aB. 12\n_-,;:()", max_size=60))
def test_cleaned_text_is_words_of_letters_digits_and_hyphens(text: str) -> None:
    assert all(set(word) <= set("ab12-_") or word == "." for word in r2gen(text))
