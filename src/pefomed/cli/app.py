"""The commands put together, and the way a user's mistakes are shown."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from pefomed.cli import (
    ablation,
    adapter,
    ask,
    cache,
    data,
    item_export,
    judge,
    rate,
    recipes,
    steps,
    threshold,
    weights,
)
from pefomed.cli.single_values import refuse_repeated
from pefomed.errors import Interrupted, PefomedError, StorageError
from pefomed.files.storage import path_error
from pefomed.startup.guarded_imports import absent, broken_in

USER_ERROR = 2
INTERRUPTED = 130

app = typer.Typer(
    help="Adapt a multimodal language model to medical images with few trained weights, and measure it.",
    epilog="Start here: pefomed demo",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(steps.app)
app.add_typer(ablation.app)
app.add_typer(judge.app)
app.add_typer(rate.app)
app.add_typer(ask.app)
app.add_typer(threshold.app)
app.add_typer(item_export.app)
for name, group in {
    "data": data.app,
    "weights": weights.app,
    "adapter": adapter.app,
    "cache": cache.app,
    "recipe": recipes.app,
}.items():
    app.add_typer(group, name=name, rich_help_panel="Manage", no_args_is_help=True)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 2 a mistake of the user's, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # Accepted anywhere, because it is added to the end of a command that has just failed.
    debug = "--debug" in words
    try:
        command = typer.main.get_command(app)
        refuse_repeated(command)
        command(args=[word for word in words if word != "--debug"], prog_name="pefomed")
    except (PefomedError, OSError, MemoryError, RuntimeError, ImportError, UnicodeEncodeError) as error:
        explained = _explained(error)
        if explained is None:
            raise
        if debug:
            traceback.print_exc()
        typer.echo(typer.style("error:", fg=typer.colors.RED, bold=True) + f" {explained}", err=True)
        sys.exit(INTERRUPTED if isinstance(explained, Interrupted) else USER_ERROR)
    except SystemExit as ended:
        # A Ctrl-C that no command made an error of ours: typer turns it into the bare exit code.
        if ended.code == INTERRUPTED:
            typer.echo("interrupted; the same command does what is left", err=True)
        raise
    sys.exit(0)


def _version(wanted: bool) -> None:
    if wanted:
        from pefomed import __version__

        typer.echo(f"pefomed {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where in the program an error arose.")] = False,
) -> None:
    """Adapt a multimodal language model to medical images with few trained weights, and measure it."""


def _explained(error: BaseException) -> PefomedError | None:
    """Return the error as one of ours, or None if it is a fault of the program's own."""
    if isinstance(error, PefomedError):
        return error
    if broken := broken_in(error):
        return broken
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith("pefomed"):
        return absent(error.name.partition(".")[0])
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        return StorageError(
            f"cannot write {error.filename or 'to the disk'}",
            found=os.strerror(error.errno),
            remedy="free space or choose another folder, then run the same command again",
        )
    if isinstance(error, OSError) and (error.errno == errno.ENAMETOOLONG or error.filename is not None):
        return path_error(error)
    if isinstance(error, FileNotFoundError) and _is_lost():
        return StorageError(
            "the folder that this was started in is gone",
            remedy="change to one that is there, then run it again",
        )
    if isinstance(error, UnicodeEncodeError) and error.encoding == "ascii":
        return PefomedError(
            "the locale of this terminal knows no letters but ASCII",
            found=ascii(error.object[error.start : error.end][:20]),
            remedy="set LC_ALL=C.UTF-8 or PYTHONUTF8=1, then run the same command again",
        )
    # By name: torch's own class, and torch is not to be imported here.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return PefomedError(
            "the memory does not suffice",
            found=str(error).splitlines()[0] if str(error) else "no more to be had",
            remedy="lower `batch_tokens`, or see what is needed with `pefomed describe RECIPE`",
        )
    return None


def _is_lost() -> bool:
    """Return whether the working folder was removed."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False
