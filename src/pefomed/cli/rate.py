"""The command for human raters: a page with a private link each, or spreadsheets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pefomed.cli.options import Data, one_of
from pefomed.cli.output import print_table
from pefomed.errors import PefomedError, typed
from pefomed.tasks import LABELLED

if TYPE_CHECKING:
    from pefomed.raters import Session
    from pefomed.raters.server import ServerAddress

app = typer.Typer()

Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, with predictions in it.")]


@app.command(
    rich_help_panel="Work", epilog="Example: pefomed rate runs/slake --raters 10 --sample 100 --seed 7"
)
def rate(
    run: Run,
    raters: Annotated[int | None, typer.Option(min=1, help="Number of raters; by default 10.")] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Answers each rater gets; by default 100, or all if fewer.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Fixes who gets what in which order; by default 0.")
    ] = None,
    names: Annotated[
        str | None, typer.Option(help="Names of the raters, better pseudonyms, with commas between.")
    ] = None,
    models: Annotated[
        str | None,
        typer.Option(help="Those of the names who are language models; nothing of theirs is called human."),
    ] = None,
    wrong_share: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share of answers that exact match called wrong; by default 0.5."),
    ] = None,
    overlap: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share of a rater's answers that all raters get; by default 1: all."),
    ] = None,
    task: Annotated[str | None, one_of(LABELLED, help="What to rate, if the run has both.")] = None,
    host: Annotated[str, typer.Option(help="Address to serve on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to serve on; 0: any free one.")] = 8765,
    link: Annotated[
        str | None,
        typer.Option(metavar="URL", help="What the raters' links begin with, if not http://HOST:PORT."),
    ] = None,
    data: Data = None,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Let other machines reach the page: they get the images.")
    ] = False,
    serve: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Serve the page, or only make the session.")
    ] = True,
    export: Annotated[
        bool, typer.Option("--export", help="Only write RUN/verdicts/<rater>.jsonl from what is rated.")
    ] = False,
    xlsx: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Only write a spreadsheet for each rater to DIR.")
    ] = None,
    import_: Annotated[
        Path | None,
        typer.Option("--import", metavar="FILE|DIR", help="Only read filled-in spreadsheets back."),
    ] = None,
) -> None:
    """Let people rate the run's answers, blinded, on a page with a private link for each.

    The same command continues the session; more raters or a larger sample are added to it. What is rated is
    written to RUN/verdicts at the end.
    """
    _check_installed()
    from pefomed.raters import SessionRequest, open_session
    from pefomed.raters.export import export as write_verdicts
    from pefomed.raters.export import progress
    from pefomed.raters.server import ServerAddress

    if sum((export, xlsx is not None, import_ is not None)) > 1:
        raise typer.BadParameter("--export, --xlsx and --import are separate steps: give one")
    wishes = SessionRequest(task, raters, _listed(names), sample, seed, wrong_share, overlap, _listed(models))
    session = open_session(run, wishes, make=not export and import_ is None, data_folder=data)
    try:
        if export:
            _show_progress(session)
            for one in write_verdicts(session):
                if one.path.exists():
                    typer.echo(one.path)
        elif xlsx is not None:
            from pefomed.raters.workbook import write_workbooks

            for path in write_workbooks(session, xlsx):
                typer.echo(path)
        elif import_ is not None:
            from pefomed.raters.workbook_import import import_workbooks

            for sheet in import_workbooks(session, import_):
                typer.echo(f"{sheet.path}: {sheet.rater}, {sheet.rated} rated, {sheet.changed} changed")
            write_verdicts(session)
        else:
            _describe(session)
            if serve:
                _serve(session, ServerAddress(host, port, link, allow_remote))
            else:
                _show_progress(session)
        if all(one.rated == one.items for one in progress(session)):
            typer.echo(f"every rater has rated everything; next: pefomed evaluate {typed(run)}")
    finally:
        session.database.close()


def _listed(names: str | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(name.strip() for name in names.split(","))


def _check_installed() -> None:
    import importlib.util

    missing = [name for name in ("fastapi", "uvicorn", "openpyxl") if importlib.util.find_spec(name) is None]
    if missing:
        raise PefomedError(
            "rating needs packages that are not installed",
            found=f"no {', '.join(missing)}",
            remedy="pip install 'pefomed[rate]'",
        )


def _describe(session: Session) -> None:
    settings = session.settings
    what = session.scale.noun
    typer.echo(f"{len(settings.names)} raters, {settings.sample} {what} each, seed {settings.seed}")
    if settings.grown:
        begun = settings.grown[0]
        typer.echo(f"  begun with {begun.raters} raters, {begun.sample} {what} each")
    for stratum, (has, rated) in session.drawn.items():
        called = f"that exact match called {stratum}" if stratum else "in all"
        typer.echo(f"  {rated:,} of {has:,} {what} {called}")
    for note in session.notes:
        typer.echo(f"  note: {note}")


def _show_progress(session: Session) -> None:
    from pefomed.raters.export import progress

    rows = [(one.rater.name, one.rated, one.items, one.cannot) for one in progress(session)]
    print_table(("rater", "rated", "of", "cannot judge"), rows)


def _serve(session: Session, address: ServerAddress) -> None:
    from pefomed.raters.export import progress
    from pefomed.raters.server import ListeningSession, warning

    listening = ListeningSession(session, address)
    if warned := warning(session, address):
        typer.echo(typer.style("warning:", fg=typer.colors.YELLOW, bold=True) + f" {warned}", err=True)
    links = listening.links()
    print_table(
        ("rater", "rated", "private link"),
        [(one.rater.name, f"{one.rated} of {one.items}", links[one.rater.name]) for one in progress(session)],
    )
    typer.echo("Give each rater their own link. Ctrl-C ends it; the same command continues.")
    listening.serve(finished=lambda name: typer.echo(f"{name} has rated everything"))
    typer.echo("")
    _show_progress(session)
