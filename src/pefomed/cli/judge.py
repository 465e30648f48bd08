"""The command that lets a judge mark the answers of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from pefomed.cli.endpoint import (
    AllowRemote,
    Attempts,
    Concurrency,
    KeyEnv,
    PerMinute,
    PriceIn,
    PriceOut,
    ServedAs,
    Timeout,
    Yes,
    confirm,
)
from pefomed.cli.options import Json, one_of
from pefomed.cli.output import print_json, print_table
from pefomed.errors import RunError
from pefomed.tasks import LABELLED

if TYPE_CHECKING:
    from pefomed.judges.work import Work

app = typer.Typer()

JudgedRun = Annotated[Path, typer.Argument(metavar="RUN", help="A folder with samples and predictions.")]
Model = Annotated[str | None, typer.Option(help="The judge's name at the endpoint.", metavar="NAME")]
BaseUrl = Annotated[
    str | None, typer.Option("--base-url", metavar="URL", help="The endpoint, e.g. http://127.0.0.1:8000/v1.")
]


@app.command(
    rich_help_panel="Work",
    epilog="Example: pefomed judge runs/slake --model gpt-4o --base-url https://api.openai.com/v1 --runs 1",
)
def judge(
    run: JudgedRun,
    model: Model = None,
    base_url: BaseUrl = None,
    api_key_env: KeyEnv = "OPENAI_API_KEY",
    runs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How often each answer is judged, each time seeded anew; by default 10, with --with 1.",
            show_default=False,
        ),
    ] = None,
    temperature: Annotated[
        float, typer.Option(min=0, max=2, help="At 0 all runs tend to be the same.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of the first run; the others count on.")] = 0,
    max_tokens: Annotated[
        int, typer.Option(min=1, help="Longest reply; more for a model that thinks.")
    ] = 256,
    structured: Annotated[
        bool, typer.Option("--schema/--no-schema", help="Hold the reply to a schema where supported.")
    ] = True,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    concurrency: Concurrency = 8,
    rpm: PerMinute = None,
    timeout: Timeout = 120.0,
    attempts: Attempts = 6,
    served_as: ServedAs = None,
    rater: Annotated[str | None, typer.Option(help="Name of its files; by default the model's.")] = None,
    only: Annotated[str | None, one_of(LABELLED, help="Only these; captions go with reports.")] = None,
    yes: Yes = False,
    allow_remote: AllowRemote = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="No language model: sentence embeddings and rules, no network.")
    ] = False,
    embeddings: Annotated[
        str, typer.Option(metavar="NAME", help="With --offline: the embeddings, by name, folder or hub id.")
    ] = "all-minilm-l6-v2",
    with_: Annotated[
        str | None,
        typer.Option(
            "--with",
            metavar="MODULE:FUNCTION",
            help="A judge of your own, `(question, reference, answer) -> label`; name only what you trust.",
        ),
    ] = None,
    json_: Json = False,
) -> None:
    """Let a judge mark every answer: 1 or 0 in VQA, 0 to 4 for reports; it never sees the image."""
    if with_ is not None:
        if offline or model or base_url:
            raise typer.BadParameter("--with is a judge: leave --offline, --model and --base-url out")
        from pefomed.judges.own_judge import judge_own

        card = judge_own(run, with_, runs=runs or 1, rater=rater, only=only)
    elif offline:
        if model or base_url:
            raise typer.BadParameter("--offline asks no endpoint: leave --model and --base-url out")
        card = _offline(run, embeddings, only)
    else:
        if not model or not base_url:
            raise typer.BadParameter("give --model and --base-url, or --offline, or --with")
        from pefomed.endpoint import Endpoint
        from pefomed.judges.first_replies import UnreadableJudge
        from pefomed.judges.work import JudgeSettings, prepare

        endpoint = Endpoint(
            base_url, model, api_key_env, served_as, timeout, attempts,
            concurrency=concurrency, per_minute=rpm,
        )  # fmt: skip
        settings = JudgeSettings(temperature, max_tokens, seed, structured)
        work = prepare(run, endpoint, settings, runs=runs or 10, only=only, rater=rater)
        try:
            card = _online(work, price_in, price_out, yes, allow_remote)
        except UnreadableJudge as error:
            _fail(str(error))
    if json_:
        print_json(card)
    else:
        _show(card)
    if card["counts"].get("open"):
        raise RunError(
            f"{card['counts']['open']:,} judgements are still open",
            found="; ".join(card.get("open_because", [])) or None,
            remedy="run the same command again: it asks only what is open",
        )
    if not card["counts"]["scored"]:
        why = ", ".join(card.get("not_judged", {})) or f"{card['counts']['refused']:,} refused"
        _fail(f"no answer got a label\n  found: {why}")


def _fail(problem: str) -> NoReturn:
    """End with exit code 1: nothing was wrong with the command, but there is no result."""
    typer.echo(typer.style("error:", fg=typer.colors.RED, bold=True) + f" {problem}", err=True)
    raise typer.Exit(1)


def _online(
    work: Work, price_in: float | None, price_out: float | None, yes: bool, allow: bool
) -> dict[str, Any]:
    from pefomed.datasets.provenance import provenance
    from pefomed.endpoint import check_may_leave, is_loopback
    from pefomed.judges.endpoint_judge import carry_out
    from pefomed.judges.estimate import estimate
    from pefomed.judges.prompts import messages

    splits = dict.fromkeys(item.split for item in work.items)
    origins = {split.stem: provenance(work.run, split.dataset) for split in splits}
    leaving = (
        f"{len(work.items):,} questions (where there are any), reference answers and predicted answers;"
        " never an image"
    )
    check_may_leave(work.endpoint.base_url, origins, leaving, allow_remote=allow)
    jobs = work.jobs()
    if jobs:
        needed = estimate((messages(job.pair) for job in jobs), price_in, price_out)
        where = "stays on this machine" if is_loopback(work.endpoint.base_url) else "leaves this machine"
        told = ", ".join(f"{stem} ({origin})" for stem, origin in origins.items())
        confirm(
            f"{work.rater} at {work.endpoint.base_url}: {len(work.items):,} answers, {work.runs} runs,"
            f" {len(work.replies):,} replies at hand\n"
            f"  to ask: {needed.sentence()}\n"
            f"  {where}: {leaving}; {told}",
            yes,
        )
    return carry_out(work)


def _offline(run: Path, embeddings: str, only: str | None) -> dict[str, Any]:
    from pefomed.judges.offline_judge import judge_offline
    from pefomed.weights import lookup

    return judge_offline(run, lookup.resolve(embeddings, "sentence"), only)


def _show(card: dict[str, Any]) -> None:
    counts = card["counts"]
    rows = [
        (
            name,
            found["items"],
            _figure(found["mean"], found["sd"]),
            f"{100 * found['flips']:.1f}" if found["flips"] is not None else "",
            found["unscored"],
        )
        for name, found in card["results"].items()
    ]
    print_table(
        ("data", "items", "mean label (sd over runs)", "% that flip", "unscored"), rows, card["title"]
    )
    right = sum(label == pair["expected"] for pair in card["calibration"] for label in pair["labels"])
    asked = sum(len(pair["labels"]) for pair in card["calibration"])
    typer.echo(
        f"{counts['scored']:,} verdicts, {counts['unscored']:,} unscored ({counts['refused']:,} refused);"
        f" calibration pairs as expected: {right} of {asked}"
    )
    for why, count in card.get("not_judged", {}).items():
        typer.echo(f"{count:,} {why}")


def _figure(mean: float | None, sd: float | None) -> str:
    if mean is None:
        return ""
    return f"{mean:.3f}" + (f" ({sd:.3f})" if sd is not None else "")
