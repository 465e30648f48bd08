from __future__ import annotations

import base64
import io
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from pefomed.audit.show import contact_sheet
from pefomed.errors import StorageError
from pefomed.schema import Box, Sample

Make = Callable[..., Sample]
Writer = Callable[..., Path]


class Tags(HTMLParser):
    """Collects the tags, their attributes and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_meta_value_that_is_empty_is_no_chip(
    tmp_path: Path, make_sample: Make, write_image: Writer
) -> None:
    sample = make_sample("x", write_image("a.png"), meta={"modality": "", "organ": "liver"})
    tags = Tags(contact_sheet([sample], tmp_path / "sheet.html").read_text(encoding="utf-8"))
    assert [attributes["title"] for tag, attributes in tags.found if tag == "span"] == ["organ"]


def test_the_page_is_self_contained_and_escaped(
    tmp_path: Path, make_sample: Make, write_image: Writer
) -> None:
    image = write_image("a'<b>.png")
    box = Box(x0=0.25, y0=0.25, x1=0.75, y1=0.5)
    samples = [
        make_sample("x", image, "<script>alert(1)</script>?", "5 < 6 & more", boxes=(box,)),
        make_sample("y", image, "What?", ""),
        make_sample("z", tmp_path / "none.png"),
    ]
    out = contact_sheet(samples, tmp_path / "deep" / "sheet.html", title="A & B")
    page = out.read_text(encoding="utf-8")
    tags = Tags(page)
    assert "script" not in {tag for tag, _ in tags.found}
    assert "<script>alert(1)</script>?" in tags.text
    assert "5 < 6 & more" in tags.text
    assert "no answer" in tags.text
    assert f"no image at {tmp_path.name}/none.png" in tags.text
    assert str(tmp_path) not in page  # it is handed on
    assert "2 of 2 images, 3 of 3 samples" in tags.text
    assert not any({"href", "srcset"} & attributes.keys() for _, attributes in tags.found)
    assert "url(" not in page
    (img,) = [attributes for tag, attributes in tags.found if tag == "img"]
    source = img["src"]
    assert source is not None
    header, data = source.split(",")
    assert header == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (12, 8)
    # The image is 12 x 8, so the box is x 3 to 9 and y 2 to 4.
    (rect,) = [attributes for tag, attributes in tags.found if tag == "rect"]
    assert [float(rect[key] or "nan") for key in ("x", "y", "width", "height")] == [3, 2, 6, 2]


def test_boxes_stand_behind_their_phrases_in_the_same_colour(tmp_path: Path, write_image: Writer) -> None:
    image = str(write_image("a.png"))
    first, second = Box(x0=0, y0=0, x1=0.5, y1=0.5), Box(x0=0.5, y0=0.5, x1=1, y1=1)
    text = "A <p>mass</p>{1} & the <p>lung</p>{0,1}, <p>bone</p>{7}."
    caption = Sample(id="c", images=(image,), task="grounding", reference=text, boxes=(first, second))
    refer = Sample(id="r", images=(image,), task="refer", question="mass", boxes=(second,))
    tags = Tags(contact_sheet([caption, refer], tmp_path / "sheet.html").read_text(encoding="utf-8"))
    assert "A mass & the lung, bone." in tags.text
    one, two = [str(attributes["stroke"]) for tag, attributes in tags.found if tag == "rect"]
    squares = [str(attributes["style"]) for tag, attributes in tags.found if tag == "i"]
    # mass, the two of the lung, none of the bone, which names a box that is not there; then the phrase.
    assert squares == [f"border-color:{colour}" for colour in (two, one, two, two)]


def test_the_draw_is_seeded_and_by_image(tmp_path: Path, make_sample: Make, write_image: Writer) -> None:
    samples = [
        make_sample(f"{i}-{j}", write_image(f"{i}.png", seed=i), f"question {i}-{j}?")
        for i in range(6)
        for j in range(10)
    ]
    first = contact_sheet(samples, tmp_path / "1.html", n=2, seed=1).read_text(encoding="utf-8")
    again = contact_sheet(samples, tmp_path / "2.html", n=2, seed=1).read_text(encoding="utf-8")
    other = contact_sheet(samples, tmp_path / "3.html", n=2, seed=2).read_text(encoding="utf-8")
    assert first == again != other
    assert first.count("<article>") == 2
    assert first.count("question ") == 20  # all questions of the two images, those that unfold included
    assert first.count("<summary>2 more</summary>") == 2


def test_a_place_that_cannot_be_written(tmp_path: Path, make_sample: Make, write_image: Writer,
                                        monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pefomed.files.storage.os.replace", full)
    with pytest.raises(StorageError, match=r"cannot write .*sheet\.html"):
        contact_sheet([make_sample("a", write_image("a.png"))], tmp_path / "sheet.html")


def test_a_small_image_is_shown_several_times_as_large(
    tmp_path: Path, make_sample: Make, write_image: Writer
) -> None:
    # 12 x 8 pixels: 21 times is the most that stays within 256.
    page = contact_sheet([make_sample("x", write_image("a.png"))], tmp_path / "sheet.html").read_text()
    (img,) = [attributes for tag, attributes in Tags(page).found if tag == "img"]
    assert (img["width"], img["height"], img["style"]) == ("252", "168", "width:252px")
