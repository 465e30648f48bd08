"""What preprocessing does to an image is done to its boxes, and undone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pefomed.boxes import BoxFormat, Resizing, read_boxes
from pefomed.errors import DataError
from pefomed.models.processing import PefomedImageProcessor
from pefomed.schema import Box

SIDE = 224


@st.composite
def _boxes(draw: st.DrawFn) -> Box:
    x0, y0 = draw(st.floats(0, 0.9)), draw(st.floats(0, 0.9))
    x1, y1 = draw(st.floats(x0 + 0.05, 1)), draw(st.floats(y0 + 0.05, 1))
    return Box(x0=x0, y0=y0, x1=x1, y1=y1)


@given(
    st.tuples(st.integers(20, 3000), st.integers(20, 3000)),
    _boxes(),
    st.sampled_from(["squash", "letterbox"]),
)
def test_a_box_comes_back_within_half_a_bin(size: tuple[int, int], box: Box, resize: str) -> None:
    frame = Resizing(resize, SIDE).frame(size)  # type: ignore[arg-type]
    (read,) = read_boxes(BoxFormat().box(frame.to_model(box))).boxes
    back = frame.to_image(read)
    if back is None:  # a sliver of a narrow image, lost between two bins
        assert min(frame.width, frame.height) * 0.05 < 1 / 100
        return
    # Half a bin of the square is half a bin / width of the image; a sliver is widened to a whole bin.
    for low, high, share in (("x0", "x1", frame.width), ("y0", "y1", frame.height)):
        thin = (getattr(box, high) - getattr(box, low)) * share < 1 / 100
        allowed = (1 if thin else 0.5) / 100 / share + 1e-9
        assert abs(getattr(back, low) - getattr(box, low)) <= allowed
        assert abs(getattr(back, high) - getattr(box, high)) <= allowed


@pytest.mark.parametrize("size", [(300, 100), (100, 300), (224, 224), (97, 61)])
@pytest.mark.parametrize("resize", ["squash", "letterbox"])
def test_the_frame_is_where_the_pixels_go(size: tuple[int, int], resize: str) -> None:
    # A white block in a black image, before and after: its edges in the square, to a pixel and a half
    # (bicubic scaling blurs an edge).
    width, height = size
    array = np.zeros((height, width, 3), dtype=np.uint8)
    x0, x1, y0, y1 = width // 4, width // 2, height // 5, height // 2
    array[y0:y1, x0:x1] = 255
    processor = PefomedImageProcessor(
        image_size=SIDE, resize=resize, image_mean=(0, 0, 0), image_std=(1, 1, 1)
    )
    pixels = processor.pixels(Image.fromarray(array))[0].numpy() > 0.5
    rows, columns = np.flatnonzero(pixels.any(1)), np.flatnonzero(pixels.any(0))
    box = Box(x0=x0 / width, y0=y0 / height, x1=x1 / width, y1=y1 / height)
    seen = Resizing(resize, SIDE).frame(size).to_model(box)  # type: ignore[arg-type]
    found = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    assert np.abs(np.array([seen.x0, seen.y0, seen.x1, seen.y1]) * SIDE - found).max() <= 1.5


def test_a_box_in_the_padding_is_none() -> None:
    # 300 x 100 in a square: the image lies between y = 1/3 and 2/3.
    frame = Resizing("letterbox", SIDE).frame((300, 100))
    assert frame.to_image(Box(x0=0.1, y0=0.0, x1=0.5, y1=0.3)) is None
    clipped = frame.to_image(Box(x0=0.1, y0=0.0, x1=0.5, y1=1.0))
    assert clipped == Box(x0=0.1, y0=0.0, x1=0.5, y1=1.0)


def test_letterbox_needs_the_size() -> None:
    with pytest.raises(DataError, match="width and height"):
        Resizing("letterbox", SIDE).frame(None)
