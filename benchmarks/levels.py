"""How often 95 % intervals hold the truth, and how often p is below .05 where nothing differs, as tables.

    .venv/bin/python -m benchmarks.levels [--trials 1000] [--only coverage figures differences ...]

Everything is drawn from a seed: the same command prints the same numbers.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks import other_intervals
from benchmarks.drawn_scores import KINDS, SIZES, clusters_of, null_pair, pair_of
from pefomed.agreement import cohen_kappa, kendall_tau_b, krippendorff_alpha
from pefomed.metrics.captions.bleu import bleu
from pefomed.metrics.statistics.interval import Interval, figure_intervals, mean_interval
from pefomed.metrics.statistics.paired import mcnemar, paired_figures, paired_means
from pefomed.progress import track

Numbers = NDArray[np.float64]

IMAGES = (3, 5, 10, 20, 50, 100, 200)
ALARM_IMAGES = (3, 5, 10, 20, 50, 100)
DRAWS = 999  # of a p
RESAMPLES = 499  # of the intervals that are held against ours


def coverage(trials: int) -> list[list[str]]:
    """Return a row per kind and size: the share of intervals that hold the true mean, by number of images.

    Of each method one line; where all items are alike each gets the exact binomial interval, as ours does.
    """
    rows = []
    for name, kind in track(KINDS.items(), "coverage of means", unit="kinds"):
        for size in SIZES:
            held = {method: [0.0] * len(IMAGES) for method in (*other_intervals.NAMES, "ours")}
            for place, images in enumerate(IMAGES):
                random = np.random.default_rng(images)
                drawn = other_intervals.drawn_images(random, images, RESAMPLES)
                for _ in range(trials):
                    clusters = clusters_of(random, images, size)
                    values = kind.draw(random, clusters)
                    ours = mean_interval(values, clusters, top=kind.top)
                    found = {method: _ends(ours) for method in held}
                    if np.ptp(values) > 0:
                        found |= other_intervals.intervals(values, clusters, drawn)
                    for method, (low, high) in found.items():
                        held[method][place] += (low <= kind.truth <= high) / trials
            rows += [[name, size, method, *_percent(shares)] for method, shares in held.items()]
    return rows


def coverage_of_figures(trials: int) -> list[list[str]]:
    """Return the same of figures that are no means of items: BLEU-1 and BLEU-4 of reports, one an image."""
    truth = bleu(_report_sums(np.random.default_rng(9), 1_000_000).sum(0, keepdims=True))[0]
    rows = {n: [0.0] * len(IMAGES) for n in (1, 4)}
    for place, images in enumerate(track(IMAGES, "coverage of BLEU", unit="numbers of images")):
        random = np.random.default_rng(images)
        for _ in range(trials):
            found = figure_intervals(_report_sums(random, images), np.arange(images), bleu)
            for n, shares in rows.items():
                low, high = _ends(found[n - 1])
                shares[place] += (low <= truth[n - 1] <= high) / trials
    return [[f"BLEU-{n}", "1", "ours", *_percent(shares)] for n, shares in rows.items()]


def coverage_of_differences(trials: int) -> list[list[str]]:
    """Return the same of the difference of two systems, right or wrong, where few or many items differ."""
    rows = []
    for up, down in track(((0.02, 0.0), (0.03, 0.01), (0.1, 0.05), (0.3, 0.1)), "differences", unit="kinds"):
        for size in SIZES:
            shares = []
            for images in IMAGES:
                random, held = np.random.default_rng(images), 0
                for _ in range(trials):
                    pair, truth = pair_of(random, images, size, up, down)
                    low, high = _ends(paired_means(*pair).interval)
                    held += low <= truth <= high
                shares.append(held / trials)
            rows.append([f"{100 * up:g} % up, {100 * down:g} % down", size, "ours", *_percent(shares)])
    return rows


def coverage_of_agreement(trials: int) -> list[list[str]]:
    """Return the same of coefficients of two raters, 40 % of whose labels of five levels are drawn anew."""

    def raters(random: np.random.Generator, items: int) -> NDArray[np.int64]:
        level = random.choice(5, items, p=(0.1, 0.1, 0.2, 0.3, 0.3))
        anew = random.choice(5, (2, items), p=(0.1, 0.1, 0.2, 0.3, 0.3))
        return np.where(random.random((2, items)) < 0.4, anew, level)

    coefficients: dict[str, Callable[..., object]] = {
        "Cohen's kappa": cohen_kappa,
        "Krippendorff's alpha, ordinal": lambda one, other, **how: krippendorff_alpha(
            np.stack((one, other), 1), "ordinal", **how
        ),
        "Kendall's tau-b": kendall_tau_b,
    }
    rows = []
    for name, coefficient in track(coefficients.items(), "agreement", unit="coefficients"):
        truth = coefficient(*raters(np.random.default_rng(9), 400_000), draws=0).value  # type: ignore[attr-defined]
        for size in SIZES[:2]:
            shares, given = [], []
            for images in IMAGES:
                random, held, made = np.random.default_rng(images), 0, 0
                for _ in range(trials):
                    clusters = clusters_of(random, images, size)
                    found = coefficient(*raters(random, len(clusters)), clusters=clusters)
                    if found.low is not None:  # type: ignore[attr-defined]
                        made += 1
                        held += found.low <= truth <= found.high  # type: ignore[attr-defined]
                shares.append(held / made if made else float("nan"))
                given.append(made / trials)
            rows.append([name, size, "ours", *_percent(shares)])
            rows.append([name, size, "given", *_percent(given)])
    return rows


def alarms(trials: int) -> list[list[str]]:
    """Return the share of p < .05 of two systems of which neither is better, by number of images."""
    rows = []
    for kind in track(("right", "values", "BLEU-4"), "false alarms", unit="kinds"):
        for size in SIZES if kind != "BLEU-4" else ("1",):
            tests = ("bootstrap", "McNemar", "ours") if kind == "right" else ("bootstrap", "ours")
            shares: dict[str, list[float]] = {test: [] for test in tests}
            for images in ALARM_IMAGES:
                random = np.random.default_rng(images)
                drawn = other_intervals.drawn_images(random, images, DRAWS)
                low = dict.fromkeys(tests, 0)
                for _ in range(trials):
                    for test, p in _p_of(random, images, size, kind, drawn).items():
                        low[test] += p < 0.05
                for test in tests:
                    shares[test].append(low[test] / trials)
            rows += [[kind, size, test, *_percent(found)] for test, found in shares.items()]
    return rows


def _p_of(random: np.random.Generator, images: int, size: str, kind: str, drawn: Numbers) -> dict[str, float]:
    if kind == "BLEU-4":
        a, b = _report_sums(random, images), _report_sums(random, images)
        [found] = paired_figures(a, b, np.arange(images), lambda t: bleu(t)[:, 3:], draws=DRAWS)
        differences = bleu(drawn @ b)[:, 3] - bleu(drawn @ a)[:, 3]
        return {"bootstrap": _bootstrap_p(differences), "ours": found.p or 0.0}
    pair = null_pair(random, images, size, kind)
    ps = {"bootstrap": _bootstrap_p(drawn @ np.bincount(pair.clusters, pair.b - pair.a))}
    if kind == "right":
        ps["McNemar"] = mcnemar(pair.a == 1, pair.b == 1)
    return ps | {"ours": paired_means(*pair, draws=DRAWS).p or 0.0}


def _bootstrap_p(differences: Numbers) -> float:
    """Return twice the smaller share of draws on either side of 0: what stood here before sign flips."""
    if np.ptp(differences) == 0:
        return 1.0 if differences[0] == 0 else 2 / (1 + len(differences))
    side = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    return min(1.0, 2 * (1 + side) / (1 + len(differences)))


def _report_sums(random: np.random.Generator, reports: int) -> Numbers:
    """Return the ten sums of BLEU of reports of 20 to 59 words, good and bad ones."""
    length = random.integers(20, 60, reports)
    reference = np.maximum(length + random.integers(-8, 12, reports), 1)
    numbers = [length - n for n in range(4)]  # of 1- to 4-grams
    good = random.beta(3, 3, reports)
    matched = [random.binomial(number, good ** (n + 1)) for n, number in enumerate(numbers)]
    return np.stack((length, reference, *numbers, *matched), axis=1).astype(np.float64)


def _ends(interval: Interval | None) -> tuple[float, float]:
    """Return the ends; where there are none any value is held, as nothing is claimed."""
    if interval is None or interval.low is None or interval.high is None:
        return -np.inf, np.inf
    return interval.low - 1e-12, interval.high + 1e-12


def _percent(shares: Sequence[float]) -> list[str]:
    return ["–" if np.isnan(share) else f"{100 * share:.1f}" for share in shares]  # noqa: RUF001


PARTS = ("coverage", "figures", "differences", "agreement", "alarms")


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument(
        "--trials", type=int, default=1000, help="drawn data sets of each kind, size and number"
    )
    options.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    chosen = options.parse_args()
    measures = {
        "coverage": coverage, "figures": coverage_of_figures, "differences": coverage_of_differences,
        "agreement": coverage_of_agreement, "alarms": alarms,
    }  # fmt: skip
    for part in chosen.only:
        images = ALARM_IMAGES if part == "alarms" else IMAGES
        heads = [part, "items per image", "method", *map(str, images)]
        print("| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads), sep="\n")
        for row in measures[part](chosen.trials):
            print("| " + " | ".join(row) + " |", flush=True)
        print()


if __name__ == "__main__":
    main()
