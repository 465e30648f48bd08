from __future__ import annotations

import pytest

from pefomed.agreement.published_levels import IU_XRAY, PublishedLevels, published_levels
from pefomed.metrics.wasm import wasm


@pytest.mark.parametrize("row", IU_XRAY, ids=lambda row: row.title)
def test_the_printed_wasm_follows_from_the_counts(row: PublishedLevels) -> None:
    # The counts on 100 samples are means over raters or runs, printed to two digits; 2.249 was cut to 2.24.
    assert wasm(row.counts) == pytest.approx(row.printed, abs=0.0095 if row.printed == 2.24 else 0.005)
    assert sum(row.counts) == pytest.approx(row.n, rel=0.011)


def test_they_stand_beside_the_test_split_alone() -> None:
    assert len(published_levels("iu_xray", "test")) == 6
    assert published_levels("iu_xray", "train") == published_levels("slake", "test") == ()
