"""One Open-i report in XML: its sections, its images and its first coded problem.

<eCitation> ... <MeSH><major>normal</major></MeSH>
  <AbstractText Label="FINDINGS">...</AbstractText> ... <parentImage id="CXR1_1_IM-0001-3001">
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from pefomed.files.safe_xml import parse_xml


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
    reader = _Reader()
    parse_xml(path, reader.parser)
    return reader.whole()


class _Reader:
    def __init__(self) -> None:
        self.report = OpenIReport()
        self._sections: dict[str, list[str]] = {}
        self._text: list[str] | None = None  # of the element that is being read
        self._label = ""
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

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
