"""pycocoevalcap's Java programs, where they are installed: oracles of the tests alone."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

DROPPED = {
    "''",
    "'",
    "``",
    "`",
    "-LRB-",
    "-RRB-",
    "-LCB-",
    "-RCB-",
    ".",
    "?",
    "!",
    ",",
    ":",
    "-",
    "--",
    "...",
    ";",
}


def package() -> Path | None:
    found = importlib.util.find_spec("pycocoevalcap")
    folders = list(found.submodule_search_locations or []) if found else []
    return Path(folders[0]) if folders else None


needs_java = pytest.mark.skipif(
    shutil.which("java") is None or package() is None,
    reason="needs Java (e.g. Debian's default-jre-headless) and pycocoevalcap",
)


def ptb(sentences: list[str]) -> list[list[str]]:
    """What Stanford's PTBTokenizer 3.4.1 says, called and filtered as pycocoevalcap does.

    A neutral line follows each sentence, as the program looks past a line's end.
    """
    folder = package()
    assert folder is not None
    jar = folder / "tokenizer" / "stanford-corenlp-3.4.1.jar"
    command = ["java", "-Dfile.encoding=UTF-8", "-cp", str(jar), "edu.stanford.nlp.process.PTBTokenizer"]
    text = "".join(f"{sentence}\nx\n" for sentence in sentences)
    done = subprocess.run(
        [*command, "-preserveLines", "-lowerCase"], input=text.encode(), capture_output=True, check=True
    )
    lines = done.stdout.decode().split("\n")[: 2 * len(sentences) : 2]
    return [[word for word in line.rstrip().split(" ") if word and word not in DROPPED] for line in lines]
