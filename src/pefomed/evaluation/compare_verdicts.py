"""Two runs compared in what a rater who judged both said of their answers."""

from __future__ import annotations

import numpy as np

from pefomed.evaluation.paired_difference import AnsweredPair, PairedDifference, item_difference
from pefomed.evaluation.predictions import all_samples
from pefomed.evaluation.verdicts import labels_by_sample, read_raters
from pefomed.metrics.lookup import of_rater
from pefomed.tasks import BINARY, LEVELS


def verdicts_compared(pair: AnsweredPair) -> list[PairedDifference]:
    """Return the differences rater by rater, of what each labelled in both runs."""
    raters_a, raters_b = (
        {rater.name: rater for rater in read_raters(run, all_samples(run))} for run in pair.runs
    )
    differences = []
    for name in raters_a.keys() & raters_b.keys():
        for metric, tasks in ((of_rater("judged"), BINARY), (of_rater("levels"), LEVELS)):
            a, b = (labels_by_sample(raters[name], majority=metric.binary) for raters in (raters_a, raters_b))
            places = [
                place
                for place in pair.places(tasks)
                if pair.samples[place].id in a and pair.samples[place].id in b
            ]
            if places:
                values = [np.array([side[pair.samples[place].id] for place in places]) for side in (a, b)]
                # An undecided judge (as many 1 as 0) is half right, which McNemar's test does not know.
                decided = metric.binary and all(np.isin(side, (0.0, 1.0)).all() for side in values)
                differences.append(
                    item_difference(pair, f"{metric.name}:{name}", places, *values, decided=decided)
                )
    return sorted(differences, key=lambda difference: difference.metric)
