"""The protocols where a judge decides, of all answers or of the open ones alone.

A run's own judge stands in the place of the paper's, which its figures are named with.
"""

from __future__ import annotations

from pefomed.protocols import medevalkit, printed, test_sets, vqa_challenge
from pefomed.protocols.by_rule import KIT_RADIOLOGY, KIT_SLAKE, PEFOMED
from pefomed.protocols.protocol import Fault, Protocol

BY_JUDGE = (
    Protocol(
        "judge-all", "Judge of all answers (PeFoMed)",
        "the share of answers that a judge calls right, closed ones too; PeFoMed asks GPT-4 ten times",
        PEFOMED._replace(
            commit="c9298fa6aa767ef83ff21f173a6bdbaa00c77c7a", path="gpt_eval/gpt_eval_medvqa.py"
        ),
        vqa_challenge.x_ray_equal, vqa_challenge.x_ray_equal, judged="all", languages=("en", "zh"),
        sets=test_sets.FIELD,
        fault=Fault(
            "a reply that holds no number is left out of both counts, and any number but 1 counts as wrong",
            "at that commit",
        ),
    ),
    Protocol(
        "judge-open", "Judge of open answers, exact match of closed ones",
        "open: the share that a judge calls right; closed by the data set's own field: equal after the VQA"
        " challenge's normalisation, and x ray = x-ray = xray",
        PEFOMED, vqa_challenge.x_ray_equal, vqa_challenge.x_ray_equal, judged="open", sets=test_sets.FIELD,
    ),
    Protocol(
        "medevalkit-slake-judge", "MedEvalKit, SLAKE, with its judge",
        "the share of answers that the judge calls right, closed ones too; SLAKE's English and Chinese"
        " questions together. The kit asks GPT-4.1",
        KIT_SLAKE, medevalkit.slake_open, medevalkit.slake_closed, judged="all", languages=("en", "zh"),
        sets={"slake": test_sets.SLAKE_BOTH}, only_sets=True,
        fault=Fault(
            "closed answers that its rule calls right are counted once more: 4 closed and 4 open answers, all"
            " right, are 12 of 8. The share of open ones is divided by their number once more",
            "that commit, later than 23 October 2025, when its issue 30 showed the version before (c3651c98),"
            " which counts once but stops, as it gives its judge two arguments too many",
        ),
        prints=printed.medevalkit_slake,
    ),
    Protocol(
        "medevalkit-judge", "MedEvalKit, with its judge",
        "open: the share that the judge calls right; closed is what has a yes or no as its reference: by the"
        " kit's rule. The kit asks GPT-4.1",
        KIT_RADIOLOGY, medevalkit.radiology_open, medevalkit.radiology_closed, split="yes/no", judged="open",
        sets={name: test_sets.YES_NO[name] for name in ("vqa_rad", "path_vqa")}, only_sets=True,
        fault=Fault(
            "the total keeps the open answers that are equal, and adds those that the judge calls right; the"
            " share of open ones is divided by their number once more",
            "at that commit",
        ),
        prints=printed.medevalkit_radiology,
    ),
)  # fmt: skip
