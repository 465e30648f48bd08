"""How many samples and images a stage's data sets have: as published, or as the user says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pefomed.datasets import card
from pefomed.datasets.stage_splits import trained_splits
from pefomed.errors import RecipeError, nearest
from pefomed.recipe import Recipe, Stage


@dataclass(frozen=True)
class Count:
    """Samples of a data set's training splits, distinct images of them, and who says so."""

    samples: int
    images: int
    source: str

    @property
    def images_each(self) -> int:
        """Images of one sample: two views of a study are two, many questions about an image one."""
        return max(1, round(self.images / self.samples))


def counts(
    recipe: Recipe,
    stage: Stage,
    samples: Mapping[str, int] | None = None,
    images: Mapping[str, int] | None = None,
) -> dict[str, Count]:
    """Return the count of each data set of `stage`; nothing is read from disk.

    Args:
        samples: counts that replace the published ones, by data set; each then has as many images.
        images: distinct images, likewise.

    Raises:
        RecipeError: nothing was published about a data set and `samples` does not name it, or they name
            a data set that the recipe does not have.
    """
    said, said_images = samples or {}, images or {}
    for name in (*said, *said_images):
        if name not in recipe.data:
            raise RecipeError(f"the recipe has no data set {name!r}", remedy=nearest(name, recipe.data))
    found: dict[str, Count] = {}
    unknown: list[str] = []
    for name in sorted(stage.data):
        published = _published(recipe, stage, name)
        if name in said:
            found[name] = _limited(Count(said[name], said[name], "as given"), recipe.data[name].limit)
        elif published is not None:
            found[name] = _limited(published, recipe.data[name].limit)
        else:
            unknown.append(name)
            continue
        if name in said_images:
            found[name] = Count(found[name].samples, said_images[name], found[name].source)
    if unknown:
        splits = " + ".join((stage.split, *stage.also_train))
        raise RecipeError(
            f"the plan of stage {stage.name!r} needs the number of samples of: {', '.join(unknown)}",
            found=f"no published count of {splits}",
            remedy="give " + " ".join(f"--samples {name}=COUNT" for name in unknown)
            + ", and --images NAME=COUNT where several samples share an image",
        )  # fmt: skip
    copies = 1 + stage.crops + stage.changes.copies
    return {
        name: Count(
            count.samples * copies, count.images * copies, count.source
        )
        for name, count in found.items()
    }  # fmt: skip


def _published(recipe: Recipe, stage: Stage, name: str) -> Count | None:
    about = card(recipe.data[name].loader)
    used = trained_splits(recipe, stage, name)
    splits = [about.splits.get(split) if about else None for split in used]
    samples = images = 0
    for split in splits:
        if split is None:
            return None
        samples += split.samples
        images += split.images or split.samples
    assert about is not None
    return Count(samples, images, f"published: {about.title}")


def _limited(count: Count, limit: int | None) -> Count:
    if limit is None or count.samples <= limit:
        return count
    return Count(limit, min(count.images, limit * count.images_each), f"{count.source}, limit {limit:,}")
