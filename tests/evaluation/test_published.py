import pytest

from pefomed.evaluation.published import OTHER, published_scores
from pefomed.evaluation.published_vqa import SIZES, VQA
from pefomed.protocols.known import PROTOCOLS
from pefomed.protocols.protocol import QuestionSet


@pytest.mark.parametrize("loader", sorted(VQA))
def test_overall_is_the_weighted_mean_of_open_and_closed(loader: str) -> None:
    """Guards against a digit typed wrongly: n open * open + n closed * closed = n * overall."""
    n_open, n_closed, n = SIZES[loader]
    assert n_open + n_closed == n
    for row in VQA[loader]:
        if row.protocol == "medgemma":  # F1 of all and accuracy of closed ones are no parts of one figure
            continue
        if None not in (row.open, row.closed, row.overall):
            assert row.open is not None
            assert row.closed is not None
            # Authors' own overall figures are off by up to 0.37 (MUMC on SLAKE).
            mean = (n_open * row.open + n_closed * row.closed) / n
            assert row.overall == pytest.approx(mean, abs=0.4), row


def test_wasm_follows_from_the_published_levels() -> None:
    levels = {
        0.17: (1048, 79, 33, 20, 0),
        2.80: (51, 170, 192, 318, 449),
        2.84: (39, 125, 193, 447, 376),
        2.79: (22, 118, 267, 449, 324),
    }
    rows = [row for row in OTHER["iu_xray"] if row.n == 1180]
    printed = [row.values["wasm_judge"] for row in rows]
    assert printed == list(levels)
    for wasm, counts in levels.items():
        assert sum(counts) == 1180
        assert sum(i * count for i, count in enumerate(counts)) / 1180 == pytest.approx(wasm, abs=0.005)


def test_rows_become_scores_of_the_recipes_data_set() -> None:
    scores = published_scores("vqa_rad", "test", "rad")
    found = {(score.system, score.metric, score.group): score for score in scores}
    ours = found["published:PeFoMed", "exact_match", "overall"]
    assert (ours.dataset, ours.split, ours.value, ours.n) == ("rad", "test", 0.774, 451)
    assert ours.low is None
    assert found["published:PeFoMed", "exact_match", "answer_type=OPEN"].n == 179
    assert found["published:GPT-4V", "exact_match", "answer_type=CLOSED"].value == 0.614
    assert ("published:GPT-4V", "exact_match", "overall") not in found


def test_llava_med_never_stands_in_the_exact_match_column() -> None:
    rows = [s for loader in VQA for s in published_scores(loader, "test", loader) if "LLaVA" in s.system]
    assert len(rows) == 9
    for score in rows:
        assert score.metric == "llava_med_recall"
        assert "not comparable" in score.implementation


def test_only_where_the_same_split_was_answered() -> None:
    assert published_scores("slake", "validate", "slake") == []
    assert published_scores("slake", "test", "slake", {"language": "zh"}) == []
    assert published_scores("slake", "test", "slake", {"language": "en"}) != []
    assert published_scores("phantom", "test", "phantom") == []
    boxes = {(s.system, s.metric): s.value for s in published_scores("ms_cxr", "test", "ms_cxr")}
    assert boxes["published:MedRPG", "iou"] == 0.594
    assert boxes["published:TransVG", "acc_0.5"] == 0.659


def test_every_row_says_what_it_is_of() -> None:
    for rows in VQA.values():
        for row in rows:
            assert row.protocol in PROTOCOLS or row.note, row
            assert row.source
            assert row.language in ("en", "zh", "both", "not stated")
    for score in published_scores("vqa_rad", "test", "rad"):
        for said in ("protocol ", "language English", "split test", "test images trained on: ", "arXiv"):
            assert said in score.implementation
    pefomed = next(s for s in published_scores("vqa_rad", "test", "rad") if s.system == "published:PeFoMed")
    assert "test images trained on: yes" in pefomed.implementation


def test_a_row_of_no_metric_of_ours_stands_in_no_column() -> None:
    systems = {score.system for score in published_scores("slake", "test", "slake")}
    assert "published:Lingshu-7B" not in systems
    assert "published:MedGemma 1 4B" not in systems


def test_the_test_sets_add_up() -> None:
    """1,061 + 1,033 = 2,094 SLAKE questions; 451 of VQA-RAD either way."""
    known: dict[str, set[QuestionSet]] = {}
    for protocol in PROTOCOLS.values():
        for loader, one in (protocol.sets or {}).items():
            known.setdefault(loader, set()).add(one)
    sizes = {loader: sorted({(one.language, one.n) for one in sets}) for loader, sets in known.items()}
    assert sizes == {
        "slake": [("both", 2094), ("en", 1061), ("zh", 1033)],
        "vqa_rad": [("en", 451)],
        "path_vqa": [("en", 6761)],
    }
