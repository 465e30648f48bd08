"""The command that chooses how sure an answer must be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pefomed.cli.options import Json, RunArgument, checked_run
from pefomed.cli.output import print_json

if TYPE_CHECKING:
    from pefomed.answers.sureness import Rule

app = typer.Typer()

On = Annotated[
    list[str] | None,
    typer.Option("--on", metavar="NAME=SPLIT", help="A data set and its split, e.g. slake=validate."),
]


@app.command(
    rich_help_panel="Work",
    epilog="Example: pefomed threshold runs/slake --on slake=validate",
)
def threshold(
    run: RunArgument,
    on: On = None,
    most_wrong: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Largest share of wrong answers among the answered; else 0.1."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="What must be high: probability, drawn_support or drawn_agreement."
        ),
    ] = None,
    unlike: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Not sure about pictures of less likeness than this, e.g. 0.02."),
    ] = None,
    json_: Json = False,
) -> None:
    """Choose how sure an answer must be so that answered questions are wrong at most so often.

    It is chosen on answers to a split that was neither trained on nor is scored; `pefomed predict RUN --on
    NAME=SPLIT` makes them. Less sure answers are "not sure" from then on: pefomed ask, and Python.
    """
    from pefomed.evaluation.threshold import choose_threshold

    folder = checked_run(run)
    given: dict[str, Any] = {"most_wrong": most_wrong, "by": by, "unlike": unlike}
    settings = {name: value for name, value in given.items() if value is not None}
    rule = choose_threshold(folder, splits_of(on), settings)
    if json_:
        print_json(rule.model_dump())
    else:
        _print(folder, rule)


def splits_of(words: list[str] | None) -> dict[str, str]:
    """Return data set -> split of `NAME=SPLIT` words.

    Raises:
        typer.BadParameter: a word is something else.
    """
    found = {}
    for word in words or ():
        name, equals, split = word.partition("=")
        if not (name and equals and split):
            raise typer.BadParameter(f"--on {word!r} is not NAME=SPLIT, such as slake=validate")
        found[name] = split
    return found


def _print(run: Path, rule: Rule) -> None:
    about = f"of {rule.questions:,} questions about {rule.pictures:,} pictures of {rule.source}"
    if rule.threshold is None:
        typer.echo(
            f"no threshold keeps wrong answers at {100 * rule.most_wrong:.3g} % {about}: nothing is answered."
            f" The least that can be promised here is {100 * rule.least_level:.3g} %"
        )
        return
    share = 100 * rule.wrong / rule.answered
    typer.echo(
        f"{rule.by.replace('_', ' ')} of {rule.threshold:.4g} or more: {about} {rule.answered:,}"
        f" ({100 * rule.answered / rule.questions:.1f} %) are answered, {rule.wrong:,} of these wrong"
        f" ({share:.1f} %)"
    )
    typer.echo(f"promised: {rule.promise()}")
    typer.echo(f"what it does to the scored answers: pefomed evaluate {run}")
