"""The options and tables of `pefomed describe --plan`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pefomed.cli.output import print_json, print_table

if TYPE_CHECKING:
    from pefomed.recipe import Recipe

GPUS = "1,4,64"


def _positive(value: float | None) -> float | None:
    if value is not None and not 0 < value < float("inf"):
        raise typer.BadParameter(f"{value:g} is not above 0")
    return value


Gpus = Annotated[str | None, typer.Option(metavar="N,N", help=f"--plan: numbers of GPUs, by default {GPUS}.")]
Samples = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=COUNT", help="--plan: samples of a data set; by default as published."),
]
Images = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=COUNT", help="--plan: distinct images of a data set, likewise."),
]
TextTokens = Annotated[
    float | None,
    typer.Option(help="--plan: mean tokens of a sample's text, by default 128.", callback=_positive),
]
Tflops = Annotated[
    float | None,
    typer.Option(help="--plan: TFLOP/s that a GPU keeps up, by default 60.", callback=_positive),
]
DiskRate = Annotated[
    float | None,
    typer.Option(help="--plan: GB/s of the disk that all GPUs read, by default 1.", callback=_positive),
]
ImageSize = Annotated[
    float | None,
    typer.Option(help="--plan: MB of a mean image file, by default 0.5.", callback=_positive),
]


@dataclass(frozen=True)
class PlanOptions:
    """The options as typed; None where one was not."""

    gpus: str | None
    samples: list[str] | None
    images: list[str] | None
    text_tokens: float | None
    tflops: float | None
    disk_gb_s: float | None
    image_mb: float | None

    def refuse(self) -> None:
        """Raise BadParameter if any was typed: without --plan they mean nothing."""
        for field in fields(self):
            if getattr(self, field.name):
                raise typer.BadParameter(f"--{field.name.replace('_', '-')} belongs to --plan")


def show_plan(recipe: Recipe, options: PlanOptions, json_: bool) -> None:
    """Print the plan of `recipe`."""
    gpus = _numbers(options.gpus or GPUS)
    samples, images = _counts("--samples", options.samples), _counts("--images", options.images)
    from pefomed import cost as scale
    from pefomed.models.shapes import shapes

    named = ("text_tokens", "tflops", "disk_gb_s", "image_mb")
    given = {name: getattr(options, name) for name in named if getattr(options, name) is not None}
    counts = {stage.name: scale.counts(recipe, stage, samples, images) for stage in recipe.stages}
    planned = scale.plan(recipe, shapes(recipe.model), counts, gpus, scale.Rates(**given))
    if json_:
        print_json(planned)
        return
    for stage in planned["stages"]:
        _print_stage(planned, stage)
    typer.echo("assumed:")
    for sentence in planned["assumed"]:
        typer.echo(f"- {sentence}")


def _numbers(text: str) -> list[int]:
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and int(word) > 0 for word in words):
        raise typer.BadParameter(f"--gpus {text!r} is not a list of numbers, e.g. {GPUS}")
    return [int(word) for word in words]


def _counts(option: str, pairs: Sequence[str] | None) -> dict[str, int]:
    found = {}
    for pair in pairs or []:
        name, _, count = pair.partition("=")
        if not name or not count.isdecimal() or int(count) == 0:
            raise typer.BadParameter(f"{option} {pair!r} is not NAME=COUNT, e.g. {option} roco=65460")
        found[name] = int(count)
    return found


def _print_stage(planned: dict[str, Any], stage: dict[str, Any]) -> None:
    columns = (
        "data set",
        "samples",
        "images",
        "trained on",
        "uses of an image",
        "images used",
        "features, GB",
    )
    print_table(
        columns,
        [
            (
                row["name"],
                row["samples"],
                row["images"],
                row["samples_trained"],
                _figure(row["uses_per_image"]),
                row["images_reached"],
                _figure(row["cache_bytes"] / 1e9),
            )
            for row in stage["data"]
        ],
        title=f"{planned['recipe']}, stage {stage['stage']}",
    )
    kept = "kept" if stage["cache_kept"] else "not kept"
    both = stage["training_flops"] + stage["encoding_flops"]
    print_table(
        ("of the stage", "figure"),
        [
            ("samples trained on", f"{stage['samples']:,}"),
            ("tokens of the language model", f"{stage['tokens']:,}"),
            ("operations of the language model", f"{stage['training_flops']:.3g}"),
            ("images encoded, without cache", f"{stage['image_uses']:,}"),
            ("images encoded, with cache", f"{stage['images_reached']:,}"),
            ("operations of the encoder, without cache", f"{stage['encoding_flops']:.3g}"),
            ("operations of the encoder, with cache", f"{stage['encoding_flops_cached']:.3g}"),
            ("the encoder's share, without cache", f"{100 * stage['encoding_flops'] / both:.1f} %"),
            ("bytes of an image's features", f"{planned['feature_bytes_per_image']:,}"),
            ("bytes of the cache", f"{stage['cache_bytes']:,}"),
            (f"features, compute.feature_cache = {stage['cache_setting']}", kept),
        ],
    )
    print_table(("on GPUs", *(f"{row['gpus']:,}" for row in stage["gpus"])), _lines(stage["gpus"]))


def _lines(rows: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [
        ("accumulate", *(f"{row['accumulate']:,}" for row in rows)),
        ("steps", *(f"{row['steps']:,}" for row in rows)),
        ("samples a step", *(f"{row['samples_per_step']:,}" for row in rows)),
        ("hours, without cache", *(_figure(row["hours_without_cache"]) for row in rows)),
        ("hours, filling the cache", *(_figure(row["hours_with_cache"]) for row in rows)),
        ("hours, cache filled before", *(_figure(row["hours_cache_filled"]) for row in rows)),
        ("images decoded, per second and GPU", *(_figure(row["images_per_second_per_gpu"]) for row in rows)),
        ("their files, MB/s and GPU", *(_figure(row["file_bytes_per_second_per_gpu"] / 1e6) for row in rows)),
        (
            "features read, MB/s and GPU",
            *(_figure(row["feature_bytes_per_second_per_gpu"] / 1e6) for row in rows),
        ),
        ("the cache pays from run", *(_figure(row["pays_from_run"]) for row in rows)),
        ("pays from uses of an image", *(_figure(row["pays_from_uses"]) for row in rows)),
        (
            "pays in the first run from a disk of, GB/s",
            *(_figure(_scaled(row["pays_from_disk_bytes_per_second"])) for row in rows),
        ),
    ]


def _scaled(value: float | None) -> float | None:
    return None if value is None else value / 1e9


def _figure(value: float | None) -> str:
    """Return three digits of `value`, never in powers of ten."""
    if value is None:
        return "never"
    return f"{value:,.0f}" if value >= 99.95 else f"{float(f'{value:.3g}'):g}"
