"""A URL given as a path is found, however `Path` has written it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pefomed.cli.options import checked_run
from pefomed.errors import ImageError, RecipeError, RunError
from pefomed.files.urls import url_in
from pefomed.images.images import open_image
from pefomed.recipe import load


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("https://example.org/a b.png", "https://example.org/a b.png"),
        (Path("https://example.org/a.png"), "https://example.org/a.png"),
        (Path("/data") / "http://example.org/a.png", "http://example.org/a.png"),
        ("S3://bucket/a.png", "S3://bucket/a.png"),
        ("file:///home/a.png", "file://home/a.png"),
        ("scan.png", None),
        ("C:/images/scan.png", None),
        ("folder/nothttps:/a.png", None),
        ("what is https: a word?", None),
        ("https:", None),
    ],
)
def test_urls_are_found(path: str | Path, url: str | None) -> None:
    assert url_in(path) == url


def test_wherever_a_file_is_expected_a_url_is_called_one() -> None:
    given = Path("https://example.org/x.toml")
    for read, error in ((open_image, ImageError), (load, RecipeError), (checked_run, RunError)):
        with pytest.raises(error, match=r"https://example\.org/x\.toml is a URL"):
            read(given)
