"""How like a picture is to the nearest picture that was trained on, by the frozen vision encoder.

A picture is the mean of its patches' features, scaled to length 1; the distance of two is 1 - cosine. Its
level is the share of held-out pictures, not trained on, that are at least so far from their nearest
training picture, with this one among them: (1 + how many) / (1 + all), the p-value of a conformal test of
whether the picture is like the held-out ones (Bates, Candes, Lei, Romano and Sesia, Annals of Statistics
51, 2023). The held-out pictures are those of the last stage's validation split; without one each training
picture is held against all others.

RUN/likeness/training.safetensors keeps the vectors of the training pictures (T, D) and the distances of the
held-out ones (H,): what is needed to say it of any picture. It holds no pixels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from pefomed.errors import DataError, typed
from pefomed.files import jsonl
from pefomed.files.storage import write
from pefomed.models.protocol import ImageFeatures
from pefomed.runs import RunFolder
from pefomed.samples.question_hash import shown_hash
from pefomed.schema import Likeness, Sample

Source = Callable[[Iterable[str]], ImageFeatures]

_BLOCK = 1024
_DIGITS = 6


class Pictures(NamedTuple):
    """What training pictures look like, and how far held-out ones are from them."""

    training: Tensor
    """(T, D), rows of length 1."""
    held_out: Tensor
    """(H,), ascending."""
    of: str
    """Hash of all this."""
    what: str
    """Of which pictures the held-out distances are."""

    def distances(self, vectors: Tensor) -> list[float]:
        """Return how far vectors (N, D) are from the nearest training picture."""
        return nearest(vectors, self.training).tolist()

    def level(self, distance: float) -> float:
        """Return the share of held-out pictures at least so far, this one among them."""
        as_far = len(self.held_out) - int(torch.searchsorted(self.held_out, torch.tensor(distance)))
        return (1 + as_far) / (1 + len(self.held_out))


def vectors_of(images: Sequence[str], source: Source) -> Tensor:
    """Return the vectors (N, D), float32, of images by path or given name."""
    means = [source([image])[0].float().mean(0).cpu() for image in images]
    return torch.nn.functional.normalize(torch.stack(means), dim=1)


def nearest(vectors: Tensor, known: Tensor, *, among_themselves: bool = False) -> Tensor:
    """Return the distance (N,) of each of `vectors` (N, D) to the nearest of `known` (T, D).

    Args:
        among_themselves: both are the same, and none is its own nearest.
    """
    found = []
    for start in range(0, len(vectors), _BLOCK):
        cosines = vectors[start : start + _BLOCK] @ known.T
        if among_themselves:
            cosines[range(len(cosines)), range(start, start + len(cosines))] = -1.0
        found.append(1 - cosines.amax(1))
    # The same picture is at 0, whatever the last digits: else equal ones would be ranked by rounding.
    return torch.cat(found).clamp(min=0.0, max=2.0).round(decimals=_DIGITS)


def measure(training: Sequence[str], held_out: Sequence[str], source: Source) -> Pictures:
    """Return what the training pictures look like; without `held_out` ones they are held against each other.

    Args:
        training: paths, at least two.
    """
    known = vectors_of(training, source)
    if held_out:
        far, what = nearest(vectors_of(held_out, source), known), "held-out pictures"
    else:
        far, what = nearest(known, known, among_themselves=True), "training pictures, each against the others"
    digest = hashlib.sha256(known.numpy().tobytes() + far.numpy().tobytes()).hexdigest()[:16]
    return Pictures(known, far.sort().values, digest, what)


def keep(run: Path, pictures: Pictures) -> None:
    """Write what `Pictures` holds into the run."""
    tensors = {"training": pictures.training.contiguous(), "held_out": pictures.held_out.contiguous()}
    write(RunFolder(run).training_pictures_file, save(tensors, {"of": pictures.of, "what": pictures.what}))


def kept(run: Path) -> Pictures | None:
    """Return what a run keeps; None if it keeps none.

    Raises:
        DataError: the file is damaged.
    """
    path = RunFolder(run).training_pictures_file
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as stored:
            about = stored.metadata() or {}
            training, held_out = stored.get_tensor("training"), stored.get_tensor("held_out")
    except (SafetensorError, OSError) as error:
        raise _damaged(run, path, str(error)) from None
    if training.ndim != 2 or held_out.ndim != 1 or not len(training) or not len(held_out):
        raise _damaged(run, path, f"shapes {tuple(training.shape)} and {tuple(held_out.shape)}")
    return Pictures(training.float(), held_out.float(), about.get("of", ""), about.get("what", ""))


def write_likeness(
    run: Path, split: tuple[str, str], samples: Sequence[Sample], pictures: Pictures, source: Source
) -> None:
    """Write how like the pictures of each sample are; of several the least like counts."""
    images = list(dict.fromkeys(image for sample in samples for image in sample.images))
    far = dict(zip(images, pictures.distances(vectors_of(images, source)), strict=True))
    records = []
    for sample in samples:
        distance = max(far[image] for image in sample.images)
        records.append(
            Likeness(
                sample_id=sample.id,
                distance=distance,
                level=pictures.level(distance),
                shown=shown_hash(sample),
                of=pictures.of,
            )
        )
    write(RunFolder(run).likeness_file(split), jsonl.lines(records))


def is_measured(run: Path, split: tuple[str, str], samples: Sequence[Sample], of: str) -> bool:
    """Return whether the run says it of just these samples, held against the pictures of this hash."""
    known = {one.sample_id: one for one in jsonl.read(RunFolder(run).likeness_file(split), Likeness)}
    return known.keys() == {sample.id for sample in samples} and all(
        known[sample.id].of == of and known[sample.id].shown == shown_hash(sample) for sample in samples
    )


def _damaged(run: Path, path: Path, found: str) -> DataError:
    return DataError(
        f"{path} is damaged", found=found, remedy=f"delete it and run `pefomed predict {typed(run)}` again"
    )
