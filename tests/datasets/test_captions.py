"""The three collections of captions: ROCO, ImageCLEFmedical Caption 2022, MEDICAT."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.datasets.made_parquet import write_parquet

from pefomed.datasets import card, load_split
from pefomed.errors import DataError
from pefomed.recipe import Dataset
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Sample

WriteImage = Callable[..., Path]


def load(loader: str, root: Path, split: str, **options: Any) -> tuple[list[Sample], list[LeftOut]]:
    return load_split(Dataset(loader=loader, root=str(root), options=options), split, root)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


CAPTIONS = (
    "ROCO_00001\t Axial MRI (coronal view).\n"
    "ROCO_00153\t  Distension digestive avec niveaux hydro-aériques\n"
    "ROCO_00002\t\n"
    'ROCO_00522\t (Case #2) A "large"\tcyst\u2028 of 3 cm.\n'
)
LINKS = (
    "ROCO_00001\twget -r ftp://ftp.ncbi.nlm.nih.gov/pub/pmc/08/04/PMC4083729.tar.gz -O a.tar.gz\tg1.jpg\n"
    "ROCO_00153\twget -r ftp://ftp.ncbi.nlm.nih.gov/pub/pmc/1a/2b/PMC2837471.tar.gz -O b.tar.gz\tg2.jpg\n"
)


def test_roco_as_its_authors_publish_it(tmp_path: Path, write_image: WriteImage) -> None:
    folder = tmp_path / "data/validation/radiology"
    write(folder / "captions.txt", CAPTIONS)
    samples, left_out = load("roco", tmp_path, "validate")
    assert [(sample.id, sample.reference) for sample in samples] == [
        ("roco-validate-ROCO_00001", "Axial MRI (coronal view)."),
        ("roco-validate-ROCO_00153", "Distension digestive avec niveaux hydro-aériques"),
        ("roco-validate-ROCO_00522", '(Case #2) A "large"\tcyst\u2028 of 3 cm.'),
    ]
    assert samples[0].task == "caption"
    assert samples[0].images == (str(folder / "images/ROCO_00001.jpg"),)
    assert [(row.reason, row.place) for row in left_out] == [
        ("an empty caption", f"{folder / 'captions.txt'}, line 3")
    ]
    # What the authors' script fetches is named after the article; what it could not fetch is missing.
    write(folder / "dlinks.txt", LINKS)
    write_image("data/validation/radiology/images/PMC4083729_g1.jpg")
    samples, left_out = load("roco", tmp_path, "validate", missing_images="leave_out")
    assert [sample.images for sample in samples] == [(str(folder / "images/PMC4083729_g1.jpg"),)]
    assert [row.reason for row in left_out] == ["no image file", "an empty caption", "no image file"]
    assert left_out[0].found == str(folder / "images/PMC2837471_g2.jpg")


def test_roco_of_both_kinds(tmp_path: Path) -> None:
    for kind, number in (("radiology", 1), ("non-radiology", 2)):
        write(tmp_path / "data/train" / kind / "captions.txt", f"ROCO_{number:05d}\t a\n")
    samples, _ = load("roco", tmp_path, "train", kind="both")
    assert [sample.meta["kind"] for sample in samples] == ["radiology", "non-radiology"]
    assert len(load("roco", tmp_path, "train")[0]) == 1


def test_roco_of_kaggle(tmp_path: Path) -> None:
    base = tmp_path / "all_data/validation"
    write(
        base / "radiologyvaldata.csv",
        'id,name,caption\nROCO_00007,PMC4608653_CRIM2015-670583.001.jpg," CT, ""axial"" view\n"\n',
    )
    ((sample,), _) = load("roco", tmp_path, "validate")
    assert sample.reference == 'CT, "axial" view'
    assert sample.images == (str(base / "radiology/images/PMC4608653_CRIM2015-670583.001.jpg"),)


def test_roco_version_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    row = {
        "image": {"bytes": b"\x89PNG\r\n\x1a\n", "path": "ROCOv2_2023_test_000001.png"},
        "image_id": "ROCOv2_2023_test_000001", "caption": "Head CT demonstrating a mass.\n",
        "cui": ["C0040405"],
    }  # fmt: skip
    root = tmp_path / "hf"
    write_parquet(root / "data/test-00000-of-00001.parquet", [row])
    ((sample,), _) = load("roco", root, "test")
    assert (sample.id, sample.reference) == (
        "roco-test-ROCOv2_2023_test_000001", "Head CT demonstrating a mass.",
    )  # fmt: skip
    assert Path(sample.images[0]).suffix == ".png"
    about = card("roco", root)
    assert about is not None
    assert (about.title, about.licence) == ("ROCOv2", "CC BY-NC-SA 4.0")


def test_roco_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)ROCO is not at.*captions\.txt.*Kaggle.*ROCOv2"):
        load("roco", tmp_path, "train")
    path = write(tmp_path / "data/train/radiology/captions.txt", "ROCO_00001\ta\nno tab\n")
    with pytest.raises(DataError, match=r"captions\.txt, line 2: expected ROCO_id, a tab"):
        load("roco", tmp_path, "train")
    write(path, "ROCO_00001\ta\n")
    write(path.with_name("dlinks.txt"), "ROCO_00001\twget -r ftp://x/PMC1.tar.gz\t../../../etc/passwd\n")
    with pytest.raises(DataError, match="must stay inside"):
        load("roco", tmp_path, "train")


def test_imageclef_is_separated_by_tabs(tmp_path: Path, write_image: WriteImage) -> None:
    name = "ImageCLEFmedCaption_2022_caption_prediction_valid.csv"
    write(
        tmp_path / name,
        "ID\tcaption\r\n"
        "ImageCLEFmedCaption_2022_valid_084258\tA CT, axial; a 5\" lesion, \"unclear\".\r\n"
        'ImageCLEFmedCaption_2022_valid_084259\t"The ""comet"" sign, arrow."\r\n'
        'ImageCLEFmedCaption_2022_valid_084260\t"Left" and "right"\r\n'
        "ImageCLEFmedCaption_2022_valid_084261\t \r\n",
    )  # fmt: skip
    samples, left_out = load("imageclef", tmp_path, "validate")
    assert [sample.reference for sample in samples] == [
        'A CT, axial; a 5" lesion, "unclear".', 'The "comet" sign, arrow.', '"Left" and "right"',
    ]  # fmt: skip
    assert samples[0].id == "ImageCLEFmedCaption_2022_valid_084258"
    assert samples[0].images == (str(tmp_path / "valid/ImageCLEFmedCaption_2022_valid_084258.jpg"),)
    assert [row.reason for row in left_out] == ["an empty caption"]
    write_image("valid/ImageCLEFmedCaption_2022_valid_084260.jpg")
    samples, left_out = load("imageclef", tmp_path, "validate", missing_images="leave_out")
    assert (len(samples), len(left_out)) == (1, 3)


def test_imageclef_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"did you mean 'validate'|known: train, validate"):
        load("imageclef", tmp_path, "valid")
    with pytest.raises(DataError, match=r"(?s)is not at.*caption_prediction_train\.csv"):
        load("imageclef", tmp_path, "train")
    path = write(tmp_path / "caption_prediction_train.csv", "ID,caption\na,b\n")
    with pytest.raises(DataError, match="expected the header ID, a tab, caption"):
        load("imageclef", tmp_path, "train")
    write(path, "ID\tcaption\na b\n")
    with pytest.raises(DataError, match="line 2: expected an ID, a tab"):
        load("imageclef", tmp_path, "train")
    write(tmp_path / "x_caption_prediction_train.csv", "")
    with pytest.raises(DataError, match="several caption files"):
        load("imageclef", tmp_path, "train")


def figure(number: int, **more: Any) -> dict[str, Any]:
    return {
        "pdf_hash": f"{number:040x}", "fig_key": "Figure4", "fig_uri": "3-Figure4-1.png",
        "s2_caption": "Figure 4. Nuclear magnetic resonance scan.",
        "s2orc_caption": "Figure 4. Another text.",
        "s2orc_references": None, "radiology": True, "scope": False, "predicted_type": "Medical images",
        "oa_info": {"doi": "10.1001/x", "oa": {"license": None}}, **more,
    }  # fmt: skip


MEDICAT = "s2_full_figures_oa_nonroco_combined_medical_top4_public.jsonl"


def write_medicat(path: Path, *figures: dict[str, Any]) -> None:
    write(path, "".join(json.dumps(each) + "\n" for each in figures))


def test_medicat_radiology_and_captions(tmp_path: Path, write_image: WriteImage) -> None:
    write_medicat(
        tmp_path / "release" / MEDICAT,
        figure(1),
        figure(2, radiology=False, s2_caption="Fig 2. Endoscopy."),
        figure(3, s2_caption=None),
        figure(4, s2_caption="", s2orc_caption=None),
    )
    samples, left_out = load("medicat", tmp_path, "train")
    assert [sample.reference for sample in samples] == [
        "Figure 4. Nuclear magnetic resonance scan.", "Figure 4. Another text.",
    ]  # fmt: skip
    assert samples[0].id == f"medicat-{1:040x}_3-Figure4-1.png"
    assert samples[0].images == (str(tmp_path / "release/figures" / f"{1:040x}_3-Figure4-1.png"),)
    assert [(row.reason, row.place.rsplit(", ", 1)[1]) for row in left_out] == [("no caption", "line 4")]
    everything, _ = load("medicat", tmp_path, "train", radiology=False, figure_numbers="drop")
    assert [sample.reference for sample in everything] == [
        "Nuclear magnetic resonance scan.", "Endoscopy.", "Another text.",
    ]  # fmt: skip
    write_image(f"release/figures/{2:040x}_3-Figure4-1.png")
    there, missing = load("medicat", tmp_path, "train", missing_images="leave_out", radiology=False)
    assert (len(there), len(missing)) == (1, 3)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Figure 4. A scan", "A scan"), ("Fig. 12: A scan", "A scan"), ("FIGURE 2A A scan", "A scan"),
        ("Fig S3. A scan", "A scan"), ("Figure IV. A scan", "A scan"),
        ("Figures of eight", "Figures of eight"),
        ("Figure showing 2 cysts", "Figure showing 2 cysts"), ("A scan", "A scan"),
    ],
)  # fmt: skip
def test_the_number_of_a_figure_can_be_dropped(tmp_path: Path, text: str, left: str) -> None:
    write_medicat(tmp_path / MEDICAT, figure(1, s2_caption=text))
    ((sample,), _) = load("medicat", tmp_path, "train", figure_numbers="drop")
    assert sample.reference == left


def test_medicat_holds_out_whole_articles(tmp_path: Path) -> None:
    figures = [figure(n // 2, fig_uri=f"{n}.png") for n in range(400)]
    write_medicat(tmp_path / MEDICAT, *figures)
    with pytest.raises(DataError, match="validate_share"):
        load("medicat", tmp_path, "validate")
    train, validate = (
        load("medicat", tmp_path, split, validate_share=0.2)[0] for split in ("train", "validate")
    )
    assert len(train) + len(validate) == 400
    assert 40 < len(validate) < 120  # a fifth of 200 articles of two figures, by chance
    assert not {s.meta["article"] for s in train} & {s.meta["article"] for s in validate}


def test_medicat_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)MEDICAT is not at.*nonroco"):
        load("medicat", tmp_path, "train")
    broken = figure(1)
    broken["radiologie"] = broken.pop("radiology")
    write_medicat(tmp_path / MEDICAT, broken)
    with pytest.raises(DataError, match=r"line 1: no field 'radiology'(?s:.*)'radiologie'"):
        load("medicat", tmp_path, "train")
    write_medicat(tmp_path / MEDICAT, figure(1, fig_uri="/../../etc/passwd"))
    with pytest.raises(DataError, match="must stay inside"):
        load("medicat", tmp_path, "train")
