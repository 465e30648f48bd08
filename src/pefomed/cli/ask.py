"""The commands that look at a model: ask it, describe it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pefomed.cli.options import Json, Overrides, RecipeFile, RunArgument, checked_run, overrides_of
from pefomed.cli.output import print_json, print_table
from pefomed.cli.plan import (
    DiskRate,
    Gpus,
    Images,
    ImageSize,
    PlanOptions,
    Samples,
    TextTokens,
    Tflops,
    show_plan,
)
from pefomed.runs import RunFolder
from pefomed.tasks import TASKS

app = typer.Typer()


@app.command(rich_help_panel="Look", epilog='Example: pefomed ask runs/demo a.png "Is there an effusion?"')
def ask(
    run: RunArgument,
    images: Annotated[list[str], typer.Argument(metavar="IMAGE", help="One or more image files.")],
    question: Annotated[
        str, typer.Argument(metavar="QUESTION", help="What to ask, in quotation marks; - reads lines.")
    ],
    task: Annotated[
        str, typer.Option(metavar="TASK", help=f"{', '.join(TASKS)}, or one that the run's recipe defines.")
    ] = "vqa",
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Save the first image with the answer's boxes drawn."),
    ] = None,
    json_: Json = False,
) -> None:
    """Ask a trained model about an image, or about several views of one study.

    With - for QUESTION the model is loaded once and answers each line of the standard input.
    """
    from pefomed.cli.asking import Asking, check_words

    if RunFolder(run).recipe_file.is_file():
        RunFolder(run).read_recipe()  # from here on its own tasks are known
    check_words(images, question, save, task)
    folder = checked_run(run)
    if task not in TASKS:
        raise typer.BadParameter(f"--task {task!r} is not one of {', '.join(map(repr, TASKS))}")
    Asking(folder, images, task, save, json_).answer(question)


@app.command(rich_help_panel="Look", epilog="Example: pefomed describe recipes/paper/vqa_rad.toml")
def describe(
    recipe: RecipeFile,
    set_: Overrides = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Plan its training instead: tokens, operations, bytes, hours.")
    ] = False,
    gpus: Gpus = None,
    samples: Samples = None,
    images: Images = None,
    text_tokens: TextTokens = None,
    tflops: Tflops = None,
    disk_gb_s: DiskRate = None,
    image_mb: ImageSize = None,
    json_: Json = False,
) -> None:
    """Show the parts of a recipe's model, what is trained, and the memory needed; no weights are loaded.

    With --plan, what its training costs on so many GPUs, before any data is there.
    """
    overrides = overrides_of(set_)
    asked = PlanOptions(gpus, samples, images, text_tokens, tflops, disk_gb_s, image_mb)
    if not plan:
        asked.refuse()
    from pefomed import recipe as recipes

    loaded = recipes.load(recipe, overrides)
    if plan:
        show_plan(loaded, asked, json_)
        return
    from pefomed.models.describe import describe as describe_model

    described = describe_model(loaded)
    if json_:
        print_json(described)
    else:
        _print_description(loaded.name, described)


def _print_description(name: str, described: dict[str, Any]) -> None:
    rows = [
        (part["name"], part["parameters"], part["trained"] if part["trained"] else None)
        for part in described["parts"]
    ]
    rows.append(("total", described["total"], described["trainable"]))
    print_table(("part", "parameters", "trained"), rows, title=name)
    memory = {
        f"{key.removesuffix('_gib').replace('_', ' ')}, GiB" if key.endswith("_gib") else key: value
        for key, value in described["memory"].items()
    }
    tokens = described.get("tokens_per_image", "the family's own")
    print_table(("need", "estimate"), [("tokens per image", tokens), *memory.items()])
