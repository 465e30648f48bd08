import pytest

from pefomed.metrics.phrase_place import phrase_side, phrase_zone


@pytest.mark.parametrize(
    ("phrase", "side", "zone"),
    [
        ("Left lower lobe opacity", "left", "lower"),
        ("small right-sided pleural effusion", "right", ""),
        ("bibasilar atelectasis", "both", "lower"),
        ("opacities in the left and right upper lobes", "both", "upper"),
        ("RUL mass", "right", "upper"),
        ("left mid to lower lung consolidation", "left", "lower middle"),
        ("apical pneumothorax", "", "upper"),
        ("cardiomegaly", "", ""),
        ("a brightly leftover word", "", ""),  # neither right nor left
    ],
)
def test_side_and_zone(phrase: str, side: str, zone: str) -> None:
    assert (phrase_side(phrase), phrase_zone(phrase)) == (side, zone)
