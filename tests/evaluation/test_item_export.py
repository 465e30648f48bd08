"""The table of items, read back by pandas."""

from pathlib import Path

import pandas
import pytest
from tests.evaluation.golden import runs

from pefomed.errors import DataError, RunError
from pefomed.evaluation import evaluate_run
from pefomed.evaluation.item_export import export_items
from pefomed.files import jsonl
from pefomed.runs import RunFolder
from pefomed.schema import Sample


@pytest.mark.parametrize("name", ["items.csv", "items.PARQUET"])
def test_pandas_finds_the_scores_in_it(tmp_path: Path, name: str) -> None:
    run, file = runs.everything(tmp_path), tmp_path / name
    scores = evaluate_run(run)
    rows = export_items(run, file)
    table = pandas.read_csv(file) if name.endswith("csv") else pandas.read_parquet(file)
    assert len(table) == rows == sum(len(p.read_text().splitlines()) for p in (run / "item_scores").iterdir())
    keys = ["dataset", "sample_id", "phrase", "system", "metric"]
    assert not table.duplicated(keys).any()
    modal = table[(table.metric == "exact_match") & (table.dataset == "questions")]
    means = modal.groupby(["system", "meta.modality"])["value"].mean()
    found = {
        (s.system, s.group.partition("=")[2]): s.value
        for s in scores
        if s.metric == "exact_match" and s.group.startswith("modality=") and s.dataset == "questions"
    }
    assert len(found) == 4
    assert means.to_dict() == pytest.approx(found)
    # The second phrase of a caption, a float with all its digits.
    iou = table[(table.metric == "iou") & (table.sample_id == "refer-1") & (table.system == "model")]
    assert iou.phrase.tolist() == [0]
    assert iou["meta.category"].tolist() == ["kidney"]


def test_a_spreadsheet_finds_no_formula_in_it(tmp_path: Path) -> None:
    run = runs.everything(tmp_path)
    path = RunFolder(run).samples_file(("texts", "test"))
    samples = [one.model_copy(update={"meta": {"site": "=1+1"}}) for one in jsonl.read(path, Sample)]
    path.unlink()
    jsonl.append(path, samples)
    evaluate_run(run)
    export_items(run, tmp_path / "items.csv")
    table = pandas.read_csv(tmp_path / "items.csv")
    assert set(table[table.dataset == "texts"]["meta.site"]) == {"'=1+1"}
    assert set(table[table.dataset == "questions"]["meta.site"].dropna()) == set()


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    run = runs.everything(tmp_path)
    with pytest.raises(DataError, match=r"\.csv or \.parquet"):
        export_items(run, tmp_path / "items.xlsx")
    with pytest.raises(RunError, match="no values") as error:
        export_items(run, tmp_path / "items.csv")
    assert "pefomed evaluate" in str(error.value.remedy)
    with pytest.raises(RunError, match="no run at"):
        export_items(tmp_path, tmp_path / "items.csv")
    assert not (tmp_path / "items.csv").exists()
