from __future__ import annotations

from pathlib import Path

import pytest

from pefomed.errors import RunError
from pefomed.evaluation.predictions import check_own_ids


def test_an_id_may_stand_in_one_data_set_only() -> None:
    check_own_ids([("a", "x-test"), ("b", "x-test"), ("c", "y-test")], Path("run"))
    # The same id twice in one data set is found where its samples are read.
    check_own_ids([("a", "x-test"), ("a", "x-test")], Path("run"))
    with pytest.raises(RunError, match="a in x-test and in y-test"):
        check_own_ids([("a", "x-test"), ("b", "x-test"), ("a", "y-test")], Path("run"))
