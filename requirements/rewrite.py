"""Rewrites the pins and their hashes: `make pins`, or `python requirements/rewrite.py [options of uv]`.

uv resolves for every platform and Python from 3.11 at once and writes the hash of every file that the index
holds of each pin. Versions stay as they are unless `--upgrade` or `--upgrade-package NAME` says otherwise.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
HEADS = {
    "pins.txt": """\
# Exact versions of everything that the Makefile installs, with the hash of every published file of each: all
# platforms, Python 3.11 and newer. Written by `make pins`. A constraints file: what nothing asks for is not
# installed. Needs pip 26 or newer, which requirements/build.txt brings.
# The hashes of torch are those of the index and of the builds in requirements/torch-builds.txt.
""",
    "build.txt": """\
# pip itself and what builds the project, installed before everything else. Written by `make pins`.
""",
}
"""What stands on top of each file."""

_BUILD = ("hatchling", "pip")
_BUILT = re.compile(r"^(sha256:[0-9a-f]{64})  (\S+)$", re.MULTILINE)
_PIN = re.compile(r"^[\w.-]+==[^\\\n]+", re.MULTILINE)


def main(options: list[str]) -> int:
    """Rewrite both files; return the exit code of uv where it fails, which leaves both as they were."""
    with tempfile.TemporaryDirectory() as made:
        pins, build = Path(made, "pins.txt"), Path(made, "build.txt")
        code = _compiled(pins, [str(HERE.parent / "pyproject.toml"), "--all-extras"], options)
        code = code or _compiled(build, ["-", "--constraint", str(pins)], options, "\n".join(_BUILD))
        if code:
            return code
        builds = (HERE / "torch-builds.txt").read_text("utf-8")
        pins.write_text(_with_builds(pins.read_text("utf-8"), builds), "utf-8")
        for file in (pins, build):
            (HERE / file.name).write_text(HEADS[file.name] + file.read_text("utf-8"), "utf-8")
    return 0


def _compiled(file: Path, sources: list[str], options: list[str], told: str | None = None) -> int:
    """Write the pins of `sources` to `file`, which starts as today's versions: uv would keep their hashes."""
    kept = _PIN.findall((HERE / file.name).read_text("utf-8"))
    file.write_text("".join(f"{pin}\n" for pin in kept), "utf-8")
    return subprocess.run(
        ["uv", "pip", "compile", *sources, "--universal", "--python-version", "3.11", "--generate-hashes",
         "--no-annotate", "--no-header", "--quiet", "--output-file", str(file), *options],
        input=told, text=True, stdout=subprocess.DEVNULL,
    ).returncode  # fmt: skip


def _with_builds(pins: str, builds: str) -> str:
    """Return `pins` with the hashes of those builds that are of the pinned torch."""
    found = re.search(r"^torch==(\S+) .*?(?=^\S)", pins, re.MULTILINE | re.DOTALL)
    if found is None:
        raise SystemExit("error: torch is not among the pins")
    more = [hashed for hashed, name in _BUILT.findall(builds) if name.startswith(f"torch-{found[1]}+")]
    if not more:
        print(f"note: no build of torch {found[1]} in torch-builds.txt", file=sys.stderr)
    lines = "".join(f" \\\n    --hash={hashed}" for hashed in more)
    return pins[: found.end()].rstrip("\n") + lines + "\n" + pins[found.end() :]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
