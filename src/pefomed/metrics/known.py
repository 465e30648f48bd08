"""The metrics there are. A new one is an entry here, or a function of a user's own (see `plugins`).

Evaluation, comparison, agreement, terminal, report and the list in docs/metrics.md go through this table;
what it does not say of a metric nobody knows.
"""

from __future__ import annotations

from dataclasses import replace

from pefomed.metrics.closed import closed_accuracy, closed_reading
from pefomed.metrics.exact_match import exact_match, exact_match_vqa
from pefomed.metrics.metric import Metric, Place
from pefomed.metrics.normalise import vqa_style
from pefomed.metrics.overlap import llava_med_recall, token_f1, token_precision, token_recall
from pefomed.metrics.writing import cleaned
from pefomed.tasks.task import AnswerKind

CLOSED = "answer_type=CLOSED"
"""The group of closed questions."""
ANY_BOX = "boxes=any"
"""The group of phrases with boxes, where a split has phrases without any, too."""

_WORDS: tuple[AnswerKind, ...] = ("words",)
_TEXTS: tuple[AnswerKind, ...] = ("text", "marked text")
_BOXES: tuple[AnswerKind, ...] = ("boxes", "marked text")
_ALL: tuple[AnswerKind, ...] = ("words", "text", "boxes", "marked text")
IOU_THRESHOLDS = (0.3, 0.5, 0.7)

_QUESTIONS = (
    Metric(
        "exact_match", "Exact match", "exact", _WORDS,
        "equal but for case, spaces, Unicode forms, Markdown and HTML",
        binary=True, function=exact_match, reading=lambda _, answer: cleaned(answer), of_sentences=False,
        beside_labels=True,
        # Last of texts: only those that follow a template have one.
        first=(Place("words", 0), Place("text", 4)),
    ),
    Metric(
        "exact_match_vqa", "Exact match, VQA-style", "exact", _WORDS,
        "equal after the VQA challenge's normalisation, x ray = xray",
        binary=True, function=exact_match_vqa, reading=lambda _, answer: vqa_style(answer),
        of_sentences=False, correctness=True, beside_labels=True,
    ),
    Metric(
        "token_recall", "Token recall", "words", _WORDS,
        "words in common / words of the reference, as multisets",
        function=token_recall, first=(Place("words", 2),),
    ),
    Metric(
        "token_precision", "Token precision", "words", _WORDS,
        "words in common / words of the answer, as multisets", function=token_precision,
    ),
    Metric(
        "token_f1", "Token F1", "words", _WORDS,
        "2 * words in common / words of both, as multisets", function=token_f1,
    ),
    Metric(
        "llava_med_recall", "Token recall, LLaVA-Med's", "words", _WORDS,
        "LLaVA-Med's recall: repetitions in the answer count", function=llava_med_recall,
    ),
    Metric(
        "closed_accuracy", "Closed accuracy", "closed", _WORDS,
        "closed questions only: a leading yes or no decides, of the answer and of a reference in a sentence,"
        " else the answer says the reference, not negated and not yes beside no",
        binary=True, function=closed_accuracy, reading=closed_reading, first=(Place("words", 1, CLOSED),),
    ),
)  # fmt: skip

_CAPTIONS = (
    *(
        Metric(
            f"bleu_{n}", f"BLEU-{n}", "texts", _TEXTS, f"corpus BLEU-{n}, closest reference length",
            unit="", per="corpus", first=(Place("text", 2),) if n == 4 else (), beside_labels=n == 4,
        )
        for n in range(1, 5)
    ),
    Metric(
        "meteor", "METEOR", "texts", _TEXTS, "METEOR 1.5 of its Java program, -l en -norm",
        unit="", per="corpus", first=(Place("text", 3),),
    ),
    Metric(
        "rouge_l", "ROUGE-L", "texts", _TEXTS, "mean ROUGE-L, beta 1.2",
        unit="", first=(Place("text", 1),), beside_labels=True,
    ),
    Metric(
        "cider", "CIDEr", "texts", _TEXTS, "mean CIDEr, n = 4, sigma 6, times 10",
        unit="", most=10.0, per="corpus", first=(Place("text", 0),), beside_labels=True, fewest=50,
    ),
)  # fmt: skip

PRESETS = {"": "COCO, PTB tokens", "_r2gen": "R2Gen cleaning", "_given": "Tokens as given"}
"""What the names of caption metrics end in -> how the texts became words."""


def _in_presets(metric: Metric) -> list[Metric]:
    said = {"_r2gen": "r2gen", "_given": "as given"}
    return [
        replace(
            metric, name=f"{metric.name}{suffix}", preset=preset, column=metric.title,
            title=f"{metric.title} ({said[suffix]})" if suffix else metric.title,
            first=() if suffix else metric.first,
        )
        for suffix, preset in PRESETS.items()
    ]  # fmt: skip


_LOCATED = (
    Metric(
        "iou", "IoU", "boxes", _BOXES, "intersection over union of the boxes' union areas, exact",
        unit="", first=(Place("boxes", 0), Place("boxes", 6, ANY_BOX)), over_categories=True,
    ),
    Metric(
        "dice", "Dice", "boxes", _BOXES, "Dice of the boxes' union areas, exact, 2 IoU / (1 + IoU)",
        unit="", first=(Place("boxes", 2),), by_group=True, over_categories=True,
    ),
    *(
        Metric(
            f"acc_{share}", f"Acc@{share}", "boxes", _BOXES, f"share of items with IoU >= {share}",
            binary=True, first=(Place("boxes", 1),) if share == 0.5 else (),
            by_group=share == 0.5, over_categories=share == 0.5,
        )
        for share in IOU_THRESHOLDS
    ),
    Metric(
        "pointing", "Pointing", "boxes", _BOXES,
        "share of an answer's boxes whose centre is in a reference box, mean over items",
    ),
    Metric(
        "box_precision", "Precision", "boxes", _BOXES,
        "share of an answer's boxes matched one to one at IoU >= 0.5, mean over items",
    ),
    Metric(
        "box_recall", "Recall", "boxes", _BOXES,
        "share of an item's boxes matched one to one at IoU >= 0.5, mean over items",
    ),
    Metric(
        "mask_dice", "Dice with the mask", "boxes", _BOXES,
        "Dice of the mask and the pixels whose centre is in a box of the answer, mean over phrases with"
        " masks",
        unit="", first=(Place("boxes", 3),),
    ),
    Metric(
        "n_acc", "No-target accuracy", "boxes", _BOXES,
        "share of phrases without a box that are answered by none, arXiv:2308.16182",
        binary=True, first=(Place("boxes", 7),),
    ),
    Metric(
        "t_acc", "Target accuracy", "boxes", _BOXES,
        "share of phrases with boxes that are answered by any box, right or wrong, arXiv:2308.16182",
        binary=True, first=(Place("boxes", 8),),
    ),
)  # fmt: skip

_BY_CATEGORY = tuple(
    Metric(
        f"{metric.name}_macro", f"{metric.title}, mean of categories", "categories", _BOXES,
        f"mean over categories of each one's mean {metric.name}",
        unit=metric.unit, per="corpus", mean_of=metric.name, column=metric.title,
        first=(Place("boxes", 4),) if any(place.rank == 0 for place in metric.first) else (),
    )
    for metric in _LOCATED
    if metric.over_categories
)  # fmt: skip

_SIDES = (
    Metric(
        "side_mistake_rate", "Left and right mistaken", "sides", _BOXES,
        "share of phrases with boxes on one side that are answered on the other",
        binary=True, better="lower", first=(Place("boxes", 5),), column="boxes on one side",
    ),
    Metric(
        "side_mistake_rate_named", "Left and right mistaken where the phrase says it", "sides", _BOXES,
        "the same of phrases whose words say left or right",
        binary=True, better="lower", column="phrase says left or right",
    ),
)  # fmt: skip

_RATES = (
    Metric(
        "unparsable_rate", "Answers without a readable box", "rates", _BOXES,
        "share of answers with text but without a box, or that there is none",
        binary=True, better="lower", first=(Place("boxes", 9),), column="no readable box",
    ),
    Metric(
        "repaired_rate", "Answers repaired", "rates", _BOXES,
        "share of answers with a repair (missing braces or delimiters, spaces, swapped corners, out of range,"
        " pieces dropped)",
        binary=True, better="lower", column="box repaired",
    ),
    Metric(
        "empty_rate", "Empty answers", "rates", _ALL, "share of answers without text",
        binary=True, better="lower", column="empty",
    ),
    Metric(
        "cut_rate", "Answers cut at the limit", "rates", _ALL, "share of answers cut at the limit of tokens",
        binary=True, better="lower", column="cut at the limit",
    ),
)  # fmt: skip

_PROBES = (
    Metric(
        "probe_right", "Right", "probes", _WORDS,
        "share of the probed questions answered right: closed ones by their yes or no, others exactly",
        binary=True,
    ),
    Metric(
        "probe_right_needs_image", "Right, and otherwise with another picture", "probes", _WORDS,
        "share of the probed questions answered right whose answer is another one with another picture or the"
        " mean image",
        binary=True, column="needs the image",
    ),
    Metric(
        "probe_swap_changed", "Other answer to another picture", "probes", _WORDS,
        "share of answers that are others with another picture of the same modality and organ",
        binary=True, column="another picture",
    ),
    Metric(
        "probe_swap_changed_known", "Other answer where the other picture has one", "probes", _WORDS,
        "the same where the other picture's right answer is known to be another one",
        binary=True, column="another picture, other answer right",
    ),
    Metric(
        "probe_swap_right", "Right about the other picture", "probes", _WORDS,
        "share of answers to another picture that are right, where its answer is known to be another one",
        binary=True, column="right about it",
    ),
    Metric(
        "probe_mean_changed", "Other answer without the picture", "probes", _WORDS,
        "share of answers that are others with the mean image", binary=True, column="mean image",
    ),
    Metric(
        "probe_mirror_followed", "Mirrored answer to the mirrored picture", "probes", _WORDS,
        "share of answers to the mirrored picture and question that are the answer with left and right"
        " exchanged",
        binary=True, column="mirrored",
    ),
    Metric(
        "probe_mirror_followed_sides", "The same where a side is named", "probes", _WORDS,
        "the same where question, reference or answer names a side", binary=True,
        column="mirrored, sides named",
    ),
    Metric(
        "probe_paraphrase_flipped", "Other answer to other words", "probes", _WORDS,
        "share of answers that are others to the question in other words",
        binary=True, better="lower", column="flips in other words",
    ),
    *(
        Metric(
            f"probe_{name}", title, "probes", _WORDS, f"share of questions: {definition}", binary=True,
            better="higher" if name == "right_for_picture" else "lower",
        )
        for name, title, definition in (
            ("right_for_picture", "Right for the picture",
             "right, the same in other words, another with another picture"),
            ("right_by_habit", "Right by habit",
             "right, the same in other words and with other pictures"),
            ("steady_blind", "Steady but blind",
             "wrong, the same in other words and with other pictures"),
            ("wrong_looking", "Wrong though it looks",
             "wrong, the same in other words, another with another picture"),
            ("unsteady", "Unsteady", "another answer in other words, right or wrong"),
        )
    ),
    Metric(
        "probe_absent_affirmed", "Said to be there and is not", "probes", _WORDS,
        "share of questions whether something is there that are not answered no, where no is right",
        binary=True, better="lower",
    ),
    Metric(
        "probe_swap_iou", "IoU with its own boxes on another picture", "probes", _BOXES,
        "IoU of the boxes answered about the picture and about another one; 1 if both say none, 0 if one"
        " cannot be read",
        unit="", better="lower", column="another picture, IoU",
    ),
    Metric(
        "probe_mirror_iou", "IoU with its mirrored boxes on the mirrored picture", "probes", _BOXES,
        "IoU of the boxes answered about the picture, mirrored, and those about the mirrored picture",
        unit="", column="mirrored, IoU",
    ),
    Metric(
        "probe_absent_boxes", "Boxes for what is not there", "probes", _BOXES,
        "share of phrases that are nowhere in the picture and are answered by a box",
        binary=True, better="lower",
    ),
)  # fmt: skip

_RATERS = {
    "judge": "Judge",
    "offline_judge": "Offline judge",
    "model_rater": "Model rater",
    "human": "Human raters",
}
"""What the verdicts of each kind of rater are called."""

_VERDICTS = (
    *(
        Metric(
            f"{name}_accuracy", title, "judged", _WORDS, "share of answers called right", binary=True,
            rater=name,
        )
        for name, title in _RATERS.items()
    ),
    *(
        Metric(
            f"wasm_{name}", f"WASM, {title[0].lower()}{title[1:]}", "levels", _TEXTS,
            "mean level, 0 to 4", unit="", most=4.0, rater=name,
        )
        for name, title in _RATERS.items()
    ),
    # Of one rater in two runs.
    Metric("accuracy", "Right by", "judged", _WORDS, "share of answers called right", binary=True),
    # What a protocol makes of answers; its name stands behind the colon.
    Metric("protocol", "Protocol", "other", _WORDS, "the mean of what a protocol says an answer is worth"),
    Metric("wasm", "WASM by", "levels", _TEXTS, "mean level, 0 to 4", unit="", most=4.0),
)  # fmt: skip

_JUDGEABLE: tuple[AnswerKind, ...] = ("words", "boxes")
"""Answers that are right or wrong."""

_CONFIDENCES = (
    Metric(
        "probability", "Probability", "confidence", _JUDGEABLE,
        "the answer's probability by the model's own distribution",
    ),
    Metric(
        "drawn_support", "Drawn answers that say the same", "confidence", _JUDGEABLE,
        "share of drawn answers that say the same as the answer given; of boxes IoU >= 0.5",
        column="drawn, the same",
    ),
    Metric(
        "drawn_agreement", "Agreement of drawn answers", "confidence", ("words", "text", "boxes"),
        "mean over pairs of drawn answers: words say the same, token F1 of texts, IoU of boxes",
        column="drawn, agree",
    ),
    Metric(
        "likeness", "Likeness to training pictures", "confidence", _JUDGEABLE,
        "share of held-out pictures at least as unlike the nearest training picture as this one",
    ),
)  # fmt: skip

_DECIDED = (
    Metric(
        "answered_share", "Answered", "sure", _JUDGEABLE,
        "share of questions whose answer is as sure as the run's threshold asks", binary=True,
    ),
    Metric(
        "wrong_answered", "Wrong of the answered", "sure", _JUDGEABLE,
        "share of wrong answers among those", binary=True, better="lower",
    ),
)  # fmt: skip

_SURE = (
    Metric(
        "ece", "Calibration error", "sure", _JUDGEABLE,
        "expected calibration error, 15 bins of equal width", per="corpus", better="lower",
    ),
    Metric(
        "ece_mass", "Calibration error, equal bins", "sure", _JUDGEABLE,
        "expected calibration error, 15 bins of about as many answers each", per="corpus", better="lower",
    ),
    Metric(
        "brier", "Brier score", "sure", _JUDGEABLE,
        "mean of (confidence - right)^2", unit="", better="lower",
    ),
    Metric(
        "aurc", "AURC", "sure", _JUDGEABLE,
        "area under the curve of risk against coverage: mean share of wrong answers among the k surest",
        unit="", per="corpus", better="lower",
    ),
    Metric(
        "aurc_excess", "AURC above the best order's", "sure", _JUDGEABLE,
        "AURC less that of all right answers first", unit="", per="corpus", better="lower",
    ),
    Metric(
        "auroc", "AUROC", "sure", _JUDGEABLE,
        "share of pairs of a right and a wrong answer of which the right one is surer, ties half",
        unit="", per="corpus",
    ),
)  # fmt: skip

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        *_QUESTIONS,
        *(each for metric in _CAPTIONS for each in _in_presets(metric)),
        *_LOCATED,
        *_BY_CATEGORY,
        *_SIDES,
        *_RATES,
        *_PROBES,
        *_VERDICTS,
        *_CONFIDENCES,
        *_SURE,
        *_DECIDED,
    )
}
"""Name -> metric, in the order in which they are listed."""
