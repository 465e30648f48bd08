"""The protocols that need nothing but two texts."""

from __future__ import annotations

from pefomed.protocols import llava_med, lmms_slake, medevalkit, printed, test_sets, tokens, vqa_challenge
from pefomed.protocols.chinese import chinese_equal, either_equal
from pefomed.protocols.protocol import Fault, Protocol, Source

PEFOMED = Source(
    "He et al., PeFoMed, arXiv:2401.02797", "jinlHe/PeFoMed", "4b84378fea98b0b7f614ed9efc6640bb387c9d39",
    "pefomed/common/medvqa_tools/vqa_eval.py",
)  # fmt: skip
KIT = Source("Lingshu Team, arXiv:2506.07044", "alibaba-damo-academy/MedEvalKit")
KIT_SLAKE = KIT._replace(commit="9b12e3b34232a8779cc1275417bf4f72f03d28e0", path="utils/SLAKE/SLAKE.py")
KIT_RADIOLOGY = KIT._replace(
    commit="564d2791f5298e18e57b022bad2ca7aa47b43930", path="utils/VQA_RAD/VQA_RAD.py"
)
OPEN_TWICE = Fault(
    "the share of open answers that it prints was divided by their number once more; its overall is right",
    "at that commit, and before (c3651c98)",
)
_CHALLENGE = Source(
    "Antol et al., VQA, ICCV 2015", "GT-Vision-Lab/VQA", "c4e6a0e4e84b9702d99800d3393652d92b5df224",
    "PythonEvaluationTools/vqaEvaluation/vqaEval.py",
)  # fmt: skip
_LMMS = Source(
    "lmms-eval 0.7.3", "EvolvingLMMs-Lab/lmms-eval", "65ef07dfd5aae0f3bda3106bb672364a1ca00d0a",
    "lmms_eval/tasks/slake/utils.py",
)  # fmt: skip

BY_RULE = (
    Protocol(
        "pefomed", "Exact match (PeFoMed)",
        "equal after the VQA challenge's normalisation, and x ray = x-ray = xray; open and closed by the"
        " data set's own field; overall is the share of all questions",
        PEFOMED, vqa_challenge.x_ray_equal, vqa_challenge.x_ray_equal, sets=test_sets.FIELD,
    ),
    Protocol(
        "pefomed-yes-no", "Exact match, closed where yes or no",
        "the same equality; closed is what has a yes or no as its reference, as in the copies of VQA-RAD"
        " that have no `answer_type`",
        PEFOMED, vqa_challenge.x_ray_equal, vqa_challenge.x_ray_equal, split="yes/no",
        sets=test_sets.YES_NO,
    ),
    Protocol(
        "vqa-challenge", "The VQA challenge's normalisation",
        "equal after the normalisation of the VQA challenge as it is; of one reference, so not its accuracy"
        " over ten people",
        _CHALLENGE, vqa_challenge.challenge_equal, vqa_challenge.challenge_equal, sets=test_sets.FIELD,
        fault=Fault(
            "its formula asks how many other annotators agree: of one reference every answer is 0 %, and"
            " nothing is normalised",
            "from the start; it is made for ten annotators",
        ),
        prints=printed.vqa_accuracy,
    ),
    Protocol(
        "vlmevalkit", "VLMEvalKit, short answers",
        "equal after the VQA challenge's normalisation, but a full stop behind a digit stays: its default for"
        " data sets that it does not know. It has no SLAKE, VQA-RAD or PathVQA, and no open and closed",
        Source(
            "Duan et al., VLMEvalKit, ACM MM 2024", "open-compass/VLMEvalKit",
            "0a04a1d23a57c404e93e34a76933095fdd46b3d9", "vlmeval/dataset/utils/vqa_eval.py",
        ),
        vqa_challenge.vlmevalkit_equal, vqa_challenge.vlmevalkit_equal, shown=("overall",),
        fault=Fault(
            "its method `vqa_score` is the challenge's formula: of one reference every answer is 0 %",
            "at that commit",
        ),
        prints=printed.vqa_accuracy,
    ),
    Protocol(
        "llava-med", "LLaVA-Med",
        "open: recall of the reference's words, repetitions in the answer count; closed: the reference's"
        " letters stand in the answer (`no` in `normal` too); overall weighs both by their number, which the"
        " paper does not print",
        Source(
            "Li et al., LLaVA-Med, NeurIPS 2023", "microsoft/LLaVA-Med",
            "ad758b687d4e79628dbfdb149dc545641ed29014", "llava/eval/run_eval_batch.py",
        ),
        llava_med.open_recall, llava_med.closed_hit, sets=test_sets.FIELD,
        fault=Fault(
            "run_eval.py leaves wrong closed answers that hold a yes or no out of the mean, and calls all"
            " others wrong that hold neither; run_eval_batch.py does not",
            "at that commit",
        ),
        prints=printed.llava_med_closed,
    ),
    Protocol(
        "medgemma", "Tokenized F1 (MedGemma)",
        "overall: F1 of the words in common of all questions; closed: the share of equal answers where the"
        " reference is yes or no. No code is published: that the words are SQuAD's is our reading. Its"
        " figures of VQA-RAD are of another split, that of Yang et al. (arXiv:2405.03162)",
        Source("Sellergren et al., MedGemma, arXiv:2507.05201, and its model card"),
        tokens.token_f1, tokens.token_equal, tokens.token_f1, split="yes/no", shown=("overall", "closed"),
        sets={"slake": test_sets.YES_NO["slake"]},
    ),
    Protocol(
        "lmms-eval-slake-en", "lmms-eval, task slake_en",
        "equal in lower case without marks and what stands in brackets; yeah and true are yes, nope and false"
        " no",
        _LMMS, lmms_slake.slake_equal, lmms_slake.slake_equal, sets={"slake": test_sets.FIELD["slake"]},
        only_sets=True,
    ),
    Protocol(
        "lmms-eval-slake-zh", "lmms-eval, task slake_zh",
        "equal without marks and what stands in brackets; 是, 有, 包含, 正常 are yes, 否, 没有, 异常 no,"
        " so that 正常 (normal) is right where 有 (there is) was asked for",
        _LMMS, lmms_slake.slake_equal, lmms_slake.slake_equal, languages=("zh",),
        sets={"slake": test_sets.SLAKE_ZH}, only_sets=True,
    ),
    Protocol(
        "chinese", "Exact match, Chinese",
        "equal but for full width, punctuation, traditional forms and numerals in characters; ours, as"
        " no code was published with the data",
        Source("Liu et al., SLAKE, ISBI 2021: the data alone"),
        chinese_equal, chinese_equal, languages=("zh",), sets={"slake": test_sets.SLAKE_ZH},
    ),
    Protocol(
        "both-languages", "Exact match, English and Chinese",
        "English as PeFoMed has it, Chinese equal but for full width, punctuation, traditional forms and"
        " numerals; ours, for figures of all of SLAKE",
        Source("Liu et al., SLAKE, ISBI 2021: the data alone"),
        either_equal, either_equal, languages=("en", "zh"), needs=("en", "zh"),
        sets={"slake": test_sets.SLAKE_BOTH},
    ),
    Protocol(
        "medevalkit-slake", "MedEvalKit, SLAKE, no judge",
        "open: equal in lower case, spaces and marks included; closed: the same without full stops. SLAKE's"
        " English and Chinese questions together",
        KIT_SLAKE, medevalkit.slake_open, medevalkit.slake_closed, languages=("en", "zh"),
        sets={"slake": test_sets.SLAKE_BOTH}, only_sets=True, fault=OPEN_TWICE,
        prints=printed.medevalkit_open_slake,
    ),
    Protocol(
        "medevalkit", "MedEvalKit, no judge",
        "closed is what has a yes or no as its reference: its letters stand in the answer, and those of the"
        " other do not (`no` in `normal` too); open: equal in lower case, marks included",
        KIT_RADIOLOGY, medevalkit.radiology_open, medevalkit.radiology_closed, split="yes/no",
        sets={name: test_sets.YES_NO[name] for name in ("vqa_rad", "path_vqa")}, only_sets=True,
        fault=OPEN_TWICE, prints=printed.medevalkit_open_radiology,
    ),
)  # fmt: skip
