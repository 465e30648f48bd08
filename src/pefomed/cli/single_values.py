"""An option that takes one value and is given twice is an error: the last would count without a word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from pefomed.errors import PefomedError


def refuse_repeated(command: Any) -> None:
    """Let a command, and each command below it, refuse what is given twice or both ways.

    Args:
        command: click's, as typer makes it.
    """
    command.parse_args = partial(_parse_args, command, command.parse_args)
    for below in getattr(command, "commands", {}).values():
        refuse_repeated(below)


def _parse_args(command: Any, parse: Callable[[Any, list[str]], list[str]], ctx: Any, args: list[str]) -> Any:
    # The parser lists an option as often as it was met; what it keeps of it is the last value.
    _, _, met = command.make_parser(ctx).parse_args(args=list(args))
    for option, times in Counter(met).items():
        if times < 2 or option.param_type_name != "option" or option.multiple or option.count:
            continue
        if not option.is_flag:
            raise PefomedError(
                f"{_named(option.opts)} is given {times} times, and takes one value",
                found=", ".join(_values(args, option.opts)) or None,
                remedy="give it once",
            )
        forms = [name for name in args if name in (*option.opts, *option.secondary_opts)]
        if len({name in option.secondary_opts for name in forms}) > 1:
            raise PefomedError(
                f"{' and '.join(dict.fromkeys(forms))} contradict each other", remedy="give one"
            )
    return parse(ctx, args)


def _named(names: Sequence[str]) -> str:
    return max(names, key=len)


def _values(args: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return what is given to an option, as far as it stands behind its whole name."""
    after = [args[place + 1] for place, word in enumerate(args[:-1]) if word in names]
    return after + [
        word.partition("=")[2] for word in args if word.partition("=")[0] in names and "=" in word
    ]
