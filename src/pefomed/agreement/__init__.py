"""Agreement of judges, humans and metrics: coefficients with intervals, or the reason for none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pefomed.startup.faces import lazily

if TYPE_CHECKING:
    from pefomed.agreement.alpha import krippendorff_alpha
    from pefomed.agreement.coefficient import Coefficient
    from pefomed.agreement.correlation import bias, kendall_tau_b, pearson_r, spearman_rho
    from pefomed.agreement.kappa import cohen_kappa, fleiss_kappa, mean_cohen_kappa
    from pefomed.agreement.records import Agreement, Agreements
    from pefomed.agreement.run import agreement_of, write_agreement
    from pefomed.agreement.spread import equal_share, flip_share, sd_difference, sd_of_means

__all__ = [
    "Agreement",
    "Agreements",
    "Coefficient",
    "agreement_of",
    "bias",
    "cohen_kappa",
    "equal_share",
    "fleiss_kappa",
    "flip_share",
    "kendall_tau_b",
    "krippendorff_alpha",
    "mean_cohen_kappa",
    "pearson_r",
    "sd_difference",
    "sd_of_means",
    "spearman_rho",
    "write_agreement",
]

__getattr__ = lazily(
    __name__,
    {
        "Agreement": ".records",
        "Agreements": ".records",
        "Coefficient": ".coefficient",
        "agreement_of": ".run",
        "bias": ".correlation",
        "cohen_kappa": ".kappa",
        "equal_share": ".spread",
        "fleiss_kappa": ".kappa",
        "flip_share": ".spread",
        "kendall_tau_b": ".correlation",
        "krippendorff_alpha": ".alpha",
        "mean_cohen_kappa": ".kappa",
        "pearson_r": ".correlation",
        "sd_difference": ".spread",
        "sd_of_means": ".spread",
        "spearman_rho": ".correlation",
        "write_agreement": ".run",
    },
)
