"""YAML files as texts, lists and objects: every scalar stays as written, nothing refers to anything else.

YAML would make a class called `no` the value False, and a tag could make any object; aliases, by which a
short file grows without bound, are refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from pefomed.errors import DataError
from pefomed.files.files import read_text

SIZE_LIMIT = 2**20
"""Most characters of a file that says how a data set is laid out."""


def read_yaml(path: Path) -> Any:
    """Return the value of a YAML file; numbers, `true` and `null` are texts, an empty value is an empty text.

    Raises:
        DataError: the file is missing, too large, not YAML, has aliases, or an object has a key twice.
    """
    text = read_text(path)
    if len(text) > SIZE_LIMIT:
        raise DataError(f"{path} is too large", found=f"{len(text):,} characters")
    try:
        return yaml.load(text, Loader=_Texts)
    except yaml.MarkedYAMLError as error:
        at = f" at line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise DataError(f"{path} is not YAML that can be read", found=f"{error.problem}{at}") from None
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        raise DataError(f"{path} is not YAML that can be read", found=str(error)[:200]) from None


class _Texts(yaml.BaseLoader):  # type: ignore[misc]
    def compose_node(self, parent: yaml.Node | None, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.composer.ComposerError(None, None, "aliases are not read", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        found: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        if len(found) < len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "a key is there twice", node.start_mark)
        return found
