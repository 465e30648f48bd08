"""The commands that do the work: run, and its steps one by one."""

from __future__ import annotations

import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pefomed.cli.endpoint import (
    AllowRemote,
    Attempts,
    Concurrency,
    KeyEnv,
    PerMinute,
    ServedAs,
    Timeout,
    Yes,
    answer,
)
from pefomed.cli.options import Data, Json, Out, Overrides, RecipeFile, checked_run, overrides_of
from pefomed.cli.output import print_json, print_protocols, print_scores
from pefomed.cli.threshold import On, splits_of
from pefomed.runs import RunFolder
from pefomed.startup import processes

if TYPE_CHECKING:
    from pefomed.schema import Score

app = typer.Typer()

RUNS = Path("runs")
# Of the tasks in `schema`, which takes too long to import for the help, those that answers are scored in.
Judged = Literal["vqa", "caption", "report", "refer", "detection"]
Fresh = Annotated[bool, typer.Option("--fresh", help="Throw away what is there and begin anew.")]
Open = Annotated[bool, typer.Option("--open", help="Open the report in the browser.")]


@app.command(rich_help_panel="Work", epilog="Example: pefomed demo --open")
def demo(out: Out = RUNS, set_: Overrides = None, fresh: Fresh = False, open_: Open = False) -> None:
    """Train, predict, score and report on synthetic images: everything within minutes, without any data."""
    overrides = overrides_of(set_)
    from pefomed.workflow import pipeline

    _finish(pipeline.demo(out, overrides, fresh=fresh), open_)


@app.command(
    rich_help_panel="Work", epilog="Example: pefomed run recipes/mini/slake.toml --data ~/data --set seed=1"
)
def run(
    recipe: RecipeFile,
    out: Out = RUNS,
    data: Data = None,
    set_: Overrides = None,
    fresh: Fresh = False,
    open_: Open = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Only check data, texts, images, disks and memory; write nothing there."
        ),
    ] = False,
) -> None:
    """Train every stage, predict, score and report; what is already there is kept and continued."""
    overrides = overrides_of(set_)
    from pefomed.workflow import pipeline

    if check:
        folder = pipeline.check(recipe, out, data, overrides, fresh=fresh)
        typer.echo(f"checked, and nothing is wrong; the run's folder is {folder}")
        return
    _finish(pipeline.run(recipe, out, data, overrides, fresh=fresh), open_)


@app.command(rich_help_panel="Work", epilog="Example: pefomed train runs/slake --resume")
def train(
    target: Annotated[
        Path,
        typer.Argument(metavar="RECIPE|RUN", help="A recipe's file or name, or a run's folder to continue."),
    ],
    out: Out = RUNS,
    data: Data = None,
    set_: Overrides = None,
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="Continue an interrupted training, or begin anew.")
    ] = True,
) -> None:
    """Train every stage of a recipe."""
    overrides = overrides_of(set_)
    from pefomed.workflow import pipeline

    folder = pipeline.train(target, out, data, overrides, fresh=not resume)
    if processes.is_main():
        typer.echo(f"adapter: {RunFolder(folder).adapter}")


@app.command(rich_help_panel="Work", epilog="Example: pefomed predict runs/slake --data ~/data")
def predict(
    run: Annotated[
        Path, typer.Argument(metavar="RUN|RECIPE", help="A run's folder; with --endpoint a recipe too.")
    ],
    data: Data = None,
    blind: Annotated[
        bool | None,
        typer.Option("--blind/--no-blind", help="Also answer without the image; by default the recipe says."),
    ] = None,
    probe: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Also ask otherwise: swap, mirror, paraphrase, absent; may be repeated. By default the"
            " recipe says.",
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(min=0, help="Also draw so many answers to each question; by default the recipe says."),
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(min=0, help="Of the drawn answers; by default the recipe's, else 1.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of the drawn answers; by default the recipe's, else 0.")
    ] = None,
    on: On = None,
    endpoint: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Let a vision model behind this OpenAI-compatible endpoint answer."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --endpoint: the model's name there.")
    ] = None,
    out: Out = RUNS,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="With --endpoint: longest answer; by default the recipe's.")
    ] = None,
    api_key_env: KeyEnv = "OPENAI_API_KEY",
    concurrency: Concurrency = 8,
    rpm: PerMinute = None,
    timeout: Timeout = 120.0,
    attempts: Attempts = 6,
    served_as: ServedAs = None,
    yes: Yes = False,
    allow_remote: AllowRemote = False,
) -> None:
    """Answer the samples named in the recipe; those already answered are skipped."""
    if (endpoint is None) != (model is None):
        raise typer.BadParameter("--endpoint and --model belong together")
    if endpoint is None or model is None:
        folder = checked_run(run)
        from pefomed.inference.splits import predict_run

        drawn = {"samples": samples, "temperature": temperature, "seed": seed}
        drawn = {name: value for name, value in drawn.items() if value is not None}
        files = predict_run(folder, data, blind=blind, probes=probe, drawn=drawn, on=splits_of(on))
    else:
        if probe:
            raise typer.BadParameter("--probe is not for an endpoint: it needs the model itself")
        if blind:
            raise typer.BadParameter("--blind is not for an endpoint: its model has no mean image")
        if samples or on:
            raise typer.BadParameter("--samples and --on are not for an endpoint: they need the model itself")
        from pefomed.endpoint import Endpoint

        asked = Endpoint(
            endpoint, model, api_key_env, served_as, timeout, attempts,
            concurrency=concurrency, per_minute=rpm,
        )  # fmt: skip
        files = answer(run, asked, out, data, max_tokens, yes=yes, allow_remote=allow_remote)
    for path in files:
        typer.echo(path)


@app.command(rich_help_panel="Work", epilog="Example: pefomed evaluate answers.csv --dataset vqa_rad --json")
def evaluate(
    target: Annotated[
        Path,
        typer.Argument(metavar="RUN|FILE", help="A run's folder, or a table of somebody else's answers."),
    ],
    data: Data = None,
    json_: Json = False,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            metavar="MODULE:FUNCTION",
            help="Your own metric, in addition to the built-in ones; may be repeated.",
        ),
    ] = None,
    scores_file: Annotated[
        Path | None,
        typer.Option(
            "--scores",
            metavar="TABLE",
            help="Values by sample computed elsewhere: columns sample_id, metric, value; see --declare.",
        ),
    ] = None,
    declare: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC",
            help="--scores: e.g. 'radgraph_f1: least=0, most=1, better=higher', or a TOML file.",
        ),
    ] = None,
    protocols: Annotated[
        bool,
        typer.Option(
            "--protocols", help="Also score as other papers and harnesses would; the page shows it."
        ),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="FILE: the run folder to make; by default runs/ and the file's name.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="FILE: what scores call the data set; by default the file's name.")
    ] = None,
    split: Annotated[str, typer.Option(help="FILE: the split it answers.")] = "test",
    references: Annotated[
        Path | None, typer.Option(metavar="FILE", help="FILE: questions and references, joined by id.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(metavar="MAP", help="FILE: its columns, e.g. 'id=qid, answer=text, separator=|'."),
    ] = None,
    map_: Annotated[
        Path | None,
        typer.Option("--map", metavar="TOML", help="FILE: how it is read, as options of the loader `table`."),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="KEY=VALUE", help="FILE: one of these, e.g. skip='no image'."),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="FILE: where its pictures lie; by default beside it."),
    ] = None,
    task: Annotated[
        Judged | None, typer.Option(help="FILE: the task, if no column says it; by default vqa.")
    ] = None,
    numbers_as_text: Annotated[
        bool, typer.Option("--numbers-as-text", help="FILE: answers may be numbers.")
    ] = False,
    boxes: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TABLE", help="FILE: where the right boxes are, as `options.boxes` of a recipe."
        ),
    ] = None,
    answer_boxes: Annotated[
        list[str] | None,
        typer.Option(metavar="TABLE", help="FILE: where the given ones are, as far as it differs."),
    ] = None,
    train: Annotated[
        Path | None, typer.Option(metavar="TABLE", help="FILE: what was trained on, for floors that learn.")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="FILE: what stands between cells, if it is not found by itself.")
    ] = None,
    header: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES", help="FILE: its columns if it has no header, e.g. 'id,question,answer'."
        ),
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="FILE: which sheet of a workbook.")] = None,
    records: Annotated[
        str | None, typer.Option(metavar="KEY", help="FILE: where in JSON the list is, e.g. data.items.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="FILE: its encoding if it is not UTF-8 or UTF-16, e.g. cp1252.")
    ] = None,
) -> None:
    """Score predictions, with intervals, floors and groups; no model is loaded.

    FILE is CSV, TSV, JSON, JSON Lines or Parquet with the columns id, reference, answer and optionally
    question, image, task, reference_2 and so on, and any others, which results are then grouped by.
    """
    from pefomed.evaluation import evaluate_run
    from pefomed.files.tables import is_table

    saved = (target / "dataset_dict.json").is_file() or is_table(target)
    if saved and target.suffix != ".toml":
        from pefomed.outside.box_columns import box_columns
        from pefomed.outside.options import answer_table, join_columns
        from pefomed.outside.run import columns_of, outside_run

        flags: dict[str, Any] = {
            "task": task, "numbers_as_text": numbers_as_text, "delimiter": delimiter, "header": header,
            "sheet": sheet, "records": records, "encoding": encoding,
        }  # fmt: skip
        said: dict[str, Any] = {name: value for name, value in flags.items() if value}
        for name, texts in (("boxes", boxes), ("answer_boxes", answer_boxes)):
            said |= {name: box_columns(texts, f"--{name.replace('_', '-')}")} if texts else {}
        how = answer_table(map_, {**overrides_of(option), **said})
        how = how.model_copy(
            update={"columns": join_columns(how.columns, columns_of(*columns)) if columns else how.columns}
        )
        pictures = images or ((references or target).parent / how.images if how.images else None)

        folder = outside_run(
            target,
            out or RUNS / target.stem,
            dataset or target.stem,
            split,
            references=references,
            images=pictures,
            columns=how.columns,
            task=how.task,
            separator=how.separator,
            view=how.view,
            numbers_as_text=how.numbers_as_text,
            skip=how.skip,
            how=how.format,
            boxes=how.box_table(pictures),
            train=train,
        )
        typer.echo(f"run: {folder}", err=True)
    else:
        folder = target if RunFolder(target).outside_file.is_file() else checked_run(target)
    scores = evaluate_run(
        folder, data, metric or (), protocols=protocols, values=scores_file, declared=declare or ()
    )
    if json_:
        print_json([score.model_dump() for score in (*scores, *_by_protocol(folder))])
    else:
        print_scores(folder, scores)
        print_protocols(folder)
    _check_scored(folder, scores)


@app.command(rich_help_panel="Work", epilog="Example: pefomed report runs/first runs/second --open")
def report(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN", help="Folders of runs, or of what `pefomed ablate` made.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With several runs: where the page that compares them goes."),
    ] = None,
    images: Annotated[
        bool, typer.Option("--images/--no-images", help="Embed the pictures, or name them alone.")
    ] = True,
    data: Data = None,
    open_: Open = False,
) -> None:
    """Write the report page of each run, and of several runs one that compares them.

    Each page is one HTML file that opens from disk; its tables lie beside it as CSV and LaTeX.
    """
    if out is not None and len(runs) < 2:
        raise typer.BadParameter("--out names the page that compares runs: give two or more")
    from pefomed.report import write_reports

    pages = write_reports(runs, out, images, data)
    for page in pages:
        show_report(page, open_ and page == pages[-1])


def _finish(run: Path, open_: bool) -> None:
    from pefomed.evaluation.origin import read_scores

    if not processes.is_main():
        return
    scores = read_scores(run)
    print_scores(run, scores)
    show_report(RunFolder(run).page, open_)
    _check_scored(run, scores)


def _by_protocol(run: Path) -> list[Score]:
    """Return what protocols say of the run, as scores of `protocol:NAME`."""
    from pefomed.evaluation.protocol_records import read_protocols

    return [score for split in read_protocols(run)[0] for row in split.rows for score in row.scores]


def _check_scored(run: Path, scores: Sequence[Score]) -> None:
    """End with exit code 1 if nothing says how good the answers are."""
    from pefomed.evaluation.run import is_scored

    if not is_scored(scores):
        typer.echo(f"nothing of {run} was scored; the notes above say why", err=True)
        raise typer.Exit(1)


def show_report(page: Path, open_: bool) -> None:
    """Say where the page is, and open it if asked."""
    typer.echo(f"report: {page}")
    if open_:
        webbrowser.open(page.resolve().as_uri())
