"""The published test splits that figures are of, by language and by what is called closed."""

from __future__ import annotations

from pefomed.protocols.protocol import QuestionSet

FIELD = {
    "vqa_rad": QuestionSet("en", 179, 272),
    "slake": QuestionSet("en", 645, 416),
    "path_vqa": QuestionSet("en", 3370, 3391),
}
"""Closed by the data set's own field; PathVQA has none, there it is a yes or no."""

YES_NO = {
    "vqa_rad": QuestionSet("en", 200, 251),
    "slake": QuestionSet("en", 706, 355),
    "path_vqa": QuestionSet("en", 3370, 3391),
}
"""Closed where the reference is yes or no."""

SLAKE_ZH = QuestionSet("zh", 613, 420)
SLAKE_BOTH = QuestionSet("both", 1258, 836)
