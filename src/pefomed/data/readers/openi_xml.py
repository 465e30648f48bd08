"""One Open-i report in XML: its sections, its images and its first coded problem.

    <eCitation> ... <MeSH><major>normal</major></MeSH>
      <AbstractText Label="FINDINGS">...</AbstractText> ... <parentImage id="CXR1_1_IM-0001-3001">

Entities are refused: a file that defines some could grow without bound or name other files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from pefomed.data.readers.files import missing_file
from pefomed.errors import DataError

SIZE_LIMIT = 16 * 2**20
"""Most bytes of one report; the largest published one has some ten thousand."""


@dataclass
class OpenIReport:
    """What a report says."""

    sections: dict[str, str] = field(default_factory=dict)
    """`findings`, `impression`, `indication`, `comparison`: the text, spaces as they are."""
    images: list[str] = field(default_factory=list)
    """Names without suffix, in the order of the report."""
    major: str = ""
    """The first coded problem; `normal` for none."""


def read_report(path: Path) -> OpenIReport:
    """Return the report in `path`.

    Raises:
        DataError: the file is missing, too large, not XML, or has entities.
    """
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise missing_file(path, error) from None
    if len(data) > SIZE_LIMIT:
        raise DataError(f"{path} is too large for a report", found=f"more than {SIZE_LIMIT:,} bytes")
    reader = _Reader(path)
    try:
        reader.parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise DataError(f"{path} is not XML", found=str(error), remedy="download the file again") from None
    return reader.whole()


class _Reader:
    def __init__(self, path: Path) -> None:
        self.report = OpenIReport()
        self._path = path
        self._sections: dict[str, list[str]] = {}
        self._text: list[str] | None = None  # of the element that is being read
        self._label = ""
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.EntityDeclHandler = self._refuse
        self.parser.SkippedEntityHandler = self._refuse

    def whole(self) -> OpenIReport:
        """Return the report, its sections joined: a section may stand there in any number of pieces."""
        self.report.sections = {label: " ".join(parts) for label, parts in self._sections.items()}
        return self.report

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "parentImage" and attributes.get("id"):
            self.report.images.append(attributes["id"])
        elif name == "AbstractText" or (name == "major" and not self.report.major):
            self._label, self._text = attributes.get("Label", "").strip().lower(), []

    def _end(self, name: str) -> None:
        if self._text is None or name not in ("AbstractText", "major"):
            return
        text = "".join(self._text).strip()
        self._text = None
        if name == "major":
            self.report.major = text
        elif text:
            self._sections.setdefault(self._label, []).append(text)

    def _characters(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def _refuse(self, name: str, *_: object) -> None:
        raise DataError(
            f"{self._path} has XML entities, which are not read",
            found=f"the entity {name!r}",
            remedy="the published reports have none: download the file again",
        )
