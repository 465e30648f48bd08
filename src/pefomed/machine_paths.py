"""What a page says of places on this machine: a path's last parts, as pages and tables are handed on.

Folders tell names of people, projects and hospitals. Of an absolute path the last two parts are kept, enough
to find the file for whoever has it, and never the first or the name of somebody's home:
`/home/jane/rad/imgs/1.png` becomes `…/imgs/1.png`. Addresses of the web stay as they are.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any

MARK = "…/"


def short_name(path: str) -> str:
    """Return the last two parts of a path; of an absolute one never its root or the name of a home."""
    parts = [part for part in re.split(r"[/\\]" if _ABSOLUTE.match(path) else "/", path) if part]
    if _ABSOLUTE.match(path):
        parts = parts[1:] if re.fullmatch(r"[A-Za-z]:|file:", parts[0] if parts else "") else parts
        home = len(parts) > 1 and parts[0].lower() in ("home", "users")
        parts = parts[2 if home else 1 :] or parts[:1] * (not home)
    return "/".join(parts[-2:])


def without_paths(text: str) -> str:
    """Return `text` with every absolute path in it shortened as by `short_name`, behind `…/`."""
    if "/" not in text and "\\" not in text:
        return text
    if _ABSOLUTE.match(text) and len(Path(text).parts) > 2 and os.path.exists(text):
        return MARK + short_name(text)  # one path, whatever its name holds
    # What stands in quotation marks, or begins with a folder of ours, may hold spaces.
    text = _QUOTED.sub(lambda found: found[1] + MARK + short_name(found[2]) + found[1], text)
    for folder in _folders():
        below = rf"(?<![\w/]){re.escape(folder)}((?:[/\\]{_PART})+)"
        text = re.sub(below, lambda found: MARK + "/".join(re.split(r"[/\\]", found[1])[1:][-2:]), text)
    return _BARE.sub(lambda found: MARK + short_name(found[0]), text)


def all_without_paths(value: Any) -> Any:
    """Return a JSON value with the paths in all its texts shortened."""
    if isinstance(value, dict):
        return {without_paths(str(key)): all_without_paths(one) for key, one in value.items()}
    if isinstance(value, list):
        return [all_without_paths(one) for one in value]
    return without_paths(value) if isinstance(value, str) else value


_ABSOLUTE = re.compile(r"(?:file://)?/(?!/)|[A-Za-z]:[/\\]|\\\\\w")
_PART = r"""[^\s/\\"'<>|,;:()\[\]{}]+"""
_KNOWN = (
    "home|root|Users|tmp|var|private|mnt|media|srv|opt|data|work|workspace|scratch|Volumes|content|usr|nfs"
    "|gpfs|lustre|etc"
)
_QUOTED = re.compile(r"""(["'])((?:(?:file://)?/|[A-Za-z]:[/\\]|\\\\)[^"'\n/\\]+[/\\][^"'\n]*)\1""")
_BARE = re.compile(
    rf"(?<![\w./\\<~…@+-])(?:file://)?(?:/(?:{_KNOWN})(?=/)(?:/{_PART})+|(?:/{_PART}){{3,}})/?"
    rf"|(?<![\w/\\…])(?:[A-Za-z]:[/\\]|\\\\){_PART}(?:[/\\]+{_PART})+"
)


def _folders() -> list[str]:
    """Return this machine's folders that a text may name, the longest first."""
    named = [Path.cwd(), Path.home(), Path(tempfile.gettempdir())]
    named += [Path(os.environ["PEFOMED_DATA"]).expanduser()] if os.environ.get("PEFOMED_DATA") else []
    both = {str(path.absolute()) for path in named} | {os.path.realpath(path) for path in named}
    return sorted((one for one in both if len(Path(one).parts) > 1), key=len, reverse=True)
