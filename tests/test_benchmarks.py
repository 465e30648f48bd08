"""The benchmark on a tiny model: every part runs, and what it compares is the same thing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from benchmarks import decoding, machine, memory, ordinary, run
from benchmarks.setting import RECIPE, open_bench, setting
from benchmarks.table import interleaved
from benchmarks.training import samples

from pefomed.recipe import dumps, load
from tests.tiny import model_recipe, table_recipe


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(dumps(table_recipe(tmp_path, model_recipe(tmp_path), images=4, each=6)))
    return path


def test_a_quick_run_prints_and_writes_every_part(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "bench.json"
    code = run.main(["--quick", "--recipe", str(recipe), "--data", str(tmp_path), "--json", str(target)])
    printed = capsys.readouterr().out
    assert code == 0, printed
    assert "its numbers mean nothing" in printed
    rows = {(row["part"], row["what"]): row for row in json.loads(target.read_text())["rows"]}
    assert {part for part, _ in rows} == {
        "training", "share of the machine", "prediction", "peak memory", "step time", "manifest", "processes",
        "DICOM decoding",
    }  # fmt: skip
    assert rows["training", "gradient difference, float32"]["ours"] < 1e-5
    assert rows["prediction", "same text, float32"]["ours"] == 100
    assert rows["processes", "difference of their losses"]["ours"] < 1e-5
    assert rows["processes", "two processes against one"]["note"].startswith("left 2 of")
    assert rows["training", "training"]["target"] == 8
    assert rows["prediction", "answering"]["target"] == 5
    assert all(row["what"].split()[0] in printed for row in rows.values())


def test_dicom_files_are_decoded_on_either_side() -> None:
    pydicom = pytest.importorskip("pydicom")
    rows = {row.what: row for row in decoding.measure(quick=True)}
    files = decoding.readable(decoding.QUICK)
    assert set(rows) == {"all files", *files}
    assert {"not compressed", "run lengths", "JPEG 2000"} <= set(files)
    assert rows["all files"].note.startswith(f"{sum(map(len, files.values()))} files")
    for path in (path for paths in files.values() for path in paths):
        header = pydicom.dcmread(path)
        assert header.file_meta.TransferSyntaxUID.keyword in sum(decoding.KINDS.values(), ())
        assert header.pixel_array.shape[:2] == (header.Rows, header.Columns)
    assert all(row.ours and row.ordinary and row.ratio for row in rows.values())


def test_without_its_data_phantoms_are_measured_and_a_note_says_so(tmp_path: Path) -> None:
    found = setting(RECIPE, tmp_path, tmp_path, quick=True)
    assert "drawn phantoms" in found.note
    assert found.training_samples()[0].id.startswith("phantom-train")
    assert found.test_samples()[0].id.startswith("phantom-test")


def test_an_unknown_recipe_is_one_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--recipe", str(tmp_path / "none.toml")]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_the_ordinary_loop_computes_the_loss_of_ours(recipe: Path, tmp_path: Path) -> None:
    bench = open_bench(setting(recipe, tmp_path, tmp_path, quick=True), tmp_path)
    [batch] = [batch for batch in bench.steps[0]]
    texts = samples([batch])
    total = sum(len(text.answer) for text in texts)
    made = ordinary.batches(texts, bench.processor)
    ways = [(None, False), (bench.features, False), (bench.features, True)]
    with torch.no_grad():
        losses = [
            sum(float(ordinary.batch_loss(bench.model, dense, total, *way)) for dense in made) for way in ways
        ]
        ours = float(bench.loop._answer(bench.model, bench.loop._batch(batch)).loss) / total
    assert losses == pytest.approx([ours] * 3, rel=1e-5)


def test_operations_of_a_known_step(recipe: Path, tmp_path: Path) -> None:
    # One question: n nodes, n (n + 1) / 2 pairs, a answer tokens. The tiny LLaMA: width 32, MLP 64, 2 layers,
    # 4 heads of 8. A layer's linear weights: 4 x 32 x 32 (q, k, v, o) + 3 x 32 x 64 = 10,240.
    # LoRA of rank 4 on q and v: 2 x 4 x (32 + 32) = 512. Projector 2 x 16 to 32: 1,024. 8 image tokens.
    bench = open_bench(setting(recipe, tmp_path, tmp_path, quick=True), tmp_path)
    row = next(row for step in bench.steps for batch in step for row in batch)
    one = type(row)(
        row.sequences[:1], [0] * 20, list(range(20)), [20] * 20, (((18, 5), (19, 6)),), (18,)
    )  # 20 nodes, 2 answer tokens
    vocabulary = len(bench.processor.tokenizer)
    expected = (
        20 * 2 * 10_240 * 4
        + 20 * 2 * 512 * 6
        + 210 * 2 * 32 * 12
        + 2 * 32 * vocabulary * 4
        + 8 * 1_024 * 4
    )  # fmt: skip
    assert machine.operations(bench, [[one]]) == expected


@pytest.mark.parametrize("side", ["ours", "ordinary"])
def test_memory_of_training_is_measured_on_either_side(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], side: str
) -> None:
    memory.main(["training", side, str(recipe), str(tmp_path), str(tmp_path), "--quick"])
    held = float(capsys.readouterr().out.split()[-1])
    assert 50 < held < 20_000  # torch alone is some hundred MiB


PEAKS = """
import mmap
from benchmarks import memory
size = 64 << 20
memory.forget_peak()
peaks = [memory.peak()]
held = mmap.mmap(-1, size)  # pages of its own, which no allocator had before
for place in range(0, size, mmap.PAGESIZE):
    held[place] = 1
peaks.append(memory.peak())
held.close()
memory.forget_peak()
peaks.append(memory.peak())
print(*peaks)
"""


def test_the_peak_is_of_the_work_since_it_was_forgotten() -> None:
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("only Linux can set the peak back")
    # In a process of its own: what other tests have freed can be taken again without a new peak.
    done = subprocess.run(
        [sys.executable, "-c", PEAKS],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    before, with_64_mib, after = map(float, done.stdout.split())
    assert with_64_mib - before > 60
    assert after - before < 10


def test_pairs_are_measured_in_turn() -> None:
    order: list[str] = []
    pair = (lambda: order.append("A"), lambda: order.append("B"))
    times = interleaved([pair, pair])
    assert order == ["A", "B", "A", "B"]
    assert len(times.ours) == len(times.ordinary) == 2


def test_the_shipped_recipe_is_the_one_measured() -> None:
    assert load(RECIPE).name == "mini-vqa_rad"
