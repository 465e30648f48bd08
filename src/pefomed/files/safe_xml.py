"""XML files without entities: a file that defines some could grow without bound or name other files.

As defusedxml does, which has had no release since 2021.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from pefomed.errors import DataError
from pefomed.files.files import missing_file

SIZE_LIMIT = 16 * 2**20
"""Most bytes of one file; those that are read here have some ten thousand."""


def parse_xml(path: Path, parser: expat.XMLParserType) -> None:
    """Give a file to an expat parser whose handlers its caller has set.

    Raises:
        DataError: the file is missing, too large, not XML, or has entities.
    """
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise missing_file(path, error) from None
    if len(data) > SIZE_LIMIT:
        raise DataError(f"{path} is too large", found=f"more than {SIZE_LIMIT:,} bytes")

    def refuse(name: str, *_: object) -> None:
        raise DataError(
            f"{path} has XML entities, which are not read",
            found=f"the entity {name!r}",
            remedy="published files have none: download the file again",
        )

    parser.EntityDeclHandler = refuse
    parser.SkippedEntityHandler = refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise DataError(f"{path} is not XML", found=str(error), remedy="download the file again") from None


def read_xml(path: Path) -> Element:
    """Return the root element of a file.

    Raises:
        DataError: see `parse_xml`.
    """
    tree = TreeBuilder()
    parser = expat.ParserCreate()
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.data
    parse_xml(path, parser)
    return tree.close()
