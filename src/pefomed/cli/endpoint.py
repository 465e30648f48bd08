"""What the commands that ask an endpoint share: their options, and the question before the first call."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pefomed.errors import Interrupted

if TYPE_CHECKING:
    from pefomed.endpoint import Endpoint

KeyEnv = Annotated[
    str, typer.Option("--api-key-env", metavar="VARIABLE", help="Environment variable that holds the key.")
]
ServedAs = Annotated[
    str | None,
    typer.Option("--served-as", metavar="NAME", help="What the endpoint calls the model in its replies."),
]
Concurrency = Annotated[int, typer.Option(min=1, help="Calls at the same time.")]
PerMinute = Annotated[float | None, typer.Option("--rpm", min=0.1, help="Most calls started a minute.")]
Timeout = Annotated[float, typer.Option(min=1, help="Seconds for one attempt, from start to end.")]
Attempts = Annotated[int, typer.Option(min=1, help="Attempts for each call.")]
PriceIn = Annotated[float | None, typer.Option("--price-in", min=0, help="Price of 1e6 tokens sent.")]
PriceOut = Annotated[float | None, typer.Option("--price-out", min=0, help="Price of 1e6 tokens received.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before the first call.")]
AllowRemote = Annotated[
    bool,
    typer.Option("--allow-remote", help="Send data that is restricted, or of unknown origin, elsewhere."),
]


def confirm(plan: str, yes: bool) -> None:
    """Show what is going to happen, and ask unless `yes`.

    Raises:
        Interrupted: the user does not want it, or cannot be asked.
    """
    typer.echo(plan, err=True)
    if yes:
        return
    try:
        wanted = typer.confirm("Go on?", err=True)
    except typer.Abort:
        wanted = False
    if not wanted:
        raise Interrupted("nothing was sent", remedy="answer y, or add --yes where nobody can be asked")


def answer(
    target: Path,
    endpoint: Endpoint,
    out: Path,
    data: Path | None,
    max_tokens: int | None,
    *,
    yes: bool,
    allow_remote: bool,
) -> list[Path]:
    """Let an endpoint's model answer the samples of a recipe; return the files of predictions."""
    from pefomed.answers import from_endpoint as endpoint_predict
    from pefomed.endpoint import check_may_leave, is_loopback

    about = endpoint_predict.prepare(target, endpoint, out, data, max_tokens)
    left = sum(map(len, about.left.values()))
    everything = sum(map(len, about.samples.values()))
    leaving = f"{left:,} prompts with their images, without the reference answers"
    check_may_leave(about.endpoint.base_url, about.origins, leaving, allow_remote=allow_remote)
    if left:
        where = "stays on this machine" if is_loopback(about.endpoint.base_url) else "leaves this machine"
        told = ", ".join(f"{name} ({origin})" for name, origin in about.origins.items())
        confirm(
            f"{endpoint.model} at {about.endpoint.base_url}: {everything:,} samples,"
            f" {everything - left:,} answered already\n"
            f"  to ask: {left:,} calls, at most {about.max_tokens} tokens out each; what an image costs is"
            " the server's to say\n"
            f"  {where}: {leaving}; {told}",
            yes,
        )
    return endpoint_predict.carry_out(about)
