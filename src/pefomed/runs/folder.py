"""A run's folder: where everything in it is. Nobody else joins a path.

What the files hold is told in docs/architecture.md; each is read by the part that writes it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pefomed.runs.split import Split

if TYPE_CHECKING:
    from pefomed.recipe import Predict, Recipe
    from pefomed.schema import Sample


Way = Literal["", "vocabulary", "neighbours"]
"""How the answers of a file were found, if not as the run's own are: chosen from a closed vocabulary, or with
similar training images told in the prompt."""

WAYS: tuple[Way, ...] = ("vocabulary", "neighbours")


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run, which need not exist yet."""

    path: Path

    @property
    def recipe_file(self) -> Path:
        """The resolved recipe; a run of somebody else's answers has none."""
        return self.path / "recipe.toml"

    @property
    def outside_file(self) -> Path:
        """Says, in the place of a recipe, where the answers of somebody else's model came from."""
        return self.path / "outside.json"

    @property
    def outside_training_file(self) -> Path:
        """Holds what that model was trained on, where it is known."""
        return self.path / "training.jsonl"

    @property
    def endpoint_file(self) -> Path:
        """Which model behind an endpoint answered."""
        return self.path / "endpoint.json"

    @property
    def description_file(self) -> Path:
        return self.path / "describe.json"

    @property
    def log_file(self) -> Path:
        return self.path / "log.jsonl"

    @property
    def environment_file(self) -> Path:
        return self.path / "environment.json"

    @property
    def audit_file(self) -> Path:
        return self.path / "audit.json"

    @property
    def scores_file(self) -> Path:
        return self.path / "scores.jsonl"

    @property
    def scores_card(self) -> Path:
        """What the scores were computed from."""
        return self.path / "scores.card.json"

    @property
    def item_scores(self) -> Path:
        """Folder of the value of each metric of each answer."""
        return self.path / "item_scores"

    def item_scores_file(self, split: tuple[str, str]) -> Path:
        """Return the values of the answers about a split, named as (data set, split)."""
        return self.item_scores / f"{Split(*split).stem}.jsonl"

    def item_scores_files(self) -> list[Path]:
        """Return the files of values, by name."""
        return sorted(self.item_scores.glob("*.jsonl"))

    @property
    def metrics_file(self) -> Path:
        """Which metrics of a user's own the scores hold beside ours."""
        return self.path / "metrics.json"

    @property
    def protocols_file(self) -> Path:
        """What each protocol makes of the answers, a line for each split."""
        return self.path / "protocols.jsonl"

    @property
    def training_images_file(self) -> Path:
        """Which answered samples show an image that was trained on: data set and split -> id -> kind."""
        return self.path / "training_images.json"

    @property
    def agreement_file(self) -> Path:
        return self.path / "agreement.json"

    @property
    def adapter(self) -> Path:
        """Folder of the adapter that was trained, one PEFT adapter."""
        return self.path / "adapter"

    @property
    def stages(self) -> Path:
        """Folder with a folder of checkpoints for each stage."""
        return self.path / "checkpoints"

    def stage(self, name: str) -> Path:
        """Return the folder of a stage's checkpoints."""
        return self.stages / name

    def final(self, stage: str) -> Path:
        """Return the folder of the adapter that a stage ends with."""
        return self.stage(stage) / "final"

    @property
    def samples(self) -> Path:
        """Folder of the samples that were answered."""
        return self.path / "samples"

    @property
    def predictions(self) -> Path:
        """Folder of the answers."""
        return self.path / "predictions"

    def samples_file(self, split: tuple[str, str]) -> Path:
        """Return the samples of a split, named as (data set, split)."""
        return self.samples / f"{Split(*split).stem}.jsonl"

    def predictions_file(self, split: tuple[str, str], *, blind: bool = False, way: Way = "") -> Path:
        """Return the answers about a split.

        Args:
            blind: with the image features replaced by their mean.
            way: found in another way than the run's own answers.
        """
        kind = _BLIND if blind else f".{way}" if way else ""
        return self.predictions / f"{Split(*split).stem}{kind}.jsonl"

    def probe(self, name: str) -> RunFolder:
        """Return the folder of a probe's samples and answers, which lie there as those of a run do."""
        return RunFolder(self.path / PROBES / name)

    def probe_folders(self) -> list[RunFolder]:
        """Return the folders of the probes that were answered, by name."""
        return [RunFolder(path) for path in sorted((self.path / PROBES).glob("*")) if path.is_dir()]

    def samples_files(self) -> list[Path]:
        """Return the files of samples, by name."""
        return sorted(self.samples.glob("*.jsonl"))

    def predictions_files(self, *, blind: bool | None = False) -> list[Path]:
        """Return the files of the run's own answers, of those that did not see the images, or with None all.

        Answers found in another way are among all alone.
        """
        paths = sorted(self.predictions.glob("*.jsonl"))
        if blind is None:
            return paths
        ways = tuple(f".{way}" for way in WAYS)
        return [p for p in paths if p.stem.endswith(_BLIND) == blind and not p.stem.endswith(ways)]

    def split_of(self, stem: str) -> Split:
        """Return the split that a file's name is of: as the recipe parts it, or else at its last hyphen."""
        return Split.of(stem, self._recipe.predict.data.items() if self._recipe else ())

    def sampled_splits(self) -> list[Split]:
        """Return the splits of which there are samples, by the names of their files."""
        return [self.split_of(path.stem) for path in self.samples_files()]

    def read_samples(
        self, split: tuple[str, str] | None = None, *, on_cut: list[str] | None = None
    ) -> Iterator[Sample]:
        """Yield the samples of a split, or those of all; none where there is no such file.

        The tasks that the recipe defines are known before the first sample is read.

        Args:
            on_cut: gets a sentence about a last line that a killed writer left unfinished.

        Raises:
            RecipeError: the recipe is not valid.
            DataError: a line is no sample.
        """
        from pefomed.files import jsonl
        from pefomed.schema import Sample

        _ = self._recipe
        for path in self.samples_files() if split is None else [self.samples_file(split)]:
            yield from jsonl.read(path, Sample, on_cut=on_cut)

    @property
    def calibration(self) -> Path:
        """Folder like a run's of the samples and answers that a threshold is chosen on."""
        return self.path / "calibration"

    @property
    def threshold_file(self) -> Path:
        """How sure an answer must be to be given."""
        return self.path / "threshold.json"

    @property
    def drawn(self) -> Path:
        """Folder of the drawn answers."""
        return self.path / "drawn"

    def drawn_file(self, split: tuple[str, str]) -> Path:
        """Return the drawn answers about a split, named as (data set, split)."""
        return self.drawn / f"{Split(*split).stem}.jsonl"

    def drawn_files(self) -> list[Path]:
        """Return the files of drawn answers, by name."""
        return sorted(self.drawn.glob("*.jsonl"))

    @property
    def likeness(self) -> Path:
        """Folder of how like pictures are to those trained on."""
        return self.path / "likeness"

    def likeness_file(self, split: tuple[str, str]) -> Path:
        """Return how like the pictures of a split are, named as (data set, split)."""
        return self.likeness / f"{Split(*split).stem}.jsonl"

    def likeness_files(self) -> list[Path]:
        """Return the files of how like pictures are, by name."""
        return sorted(self.likeness.glob("*.jsonl"))

    @property
    def training_pictures_file(self) -> Path:
        """What the pictures that were trained on look like to the vision encoder."""
        return self.likeness / "training.safetensors"

    @property
    def verdicts(self) -> Path:
        """Folder of what judges and people said."""
        return self.path / "verdicts"

    def verdicts_file(self, rater: str) -> Path:
        """Return the labels of a judge or person; `rater` is a name that a file may have."""
        return self.verdicts / f"{rater}.jsonl"

    def verdicts_files(self) -> list[Path]:
        """Return the files of labels, by name."""
        return sorted(self.verdicts.glob("*.jsonl"))

    def rater_card(self, rater: str) -> Path:
        """Return the card that says who a judge or person is."""
        return card_of(self.verdicts_file(rater))

    def replies_file(self, rater: str) -> Path:
        """Return a judge's replies as they came: apart from the verdicts, which others read by `*.jsonl`."""
        return self.verdicts / "replies" / f"{rater}.jsonl"

    @property
    def ratings_database(self) -> Path:
        """The rating sessions: assignment, links, every click."""
        return self.verdicts / "rating.sqlite"

    @property
    def report(self) -> Path:
        """Folder of the page and its tables."""
        return self.path / "report"

    @property
    def page(self) -> Path:
        return self.report / "index.html"

    @property
    def tables(self) -> Path:
        """Folder of the page's tables as CSV and LaTeX."""
        return self.report / "tables"

    @property
    def figures(self) -> Path:
        """Folder of the page's plots."""
        return self.report / "figures"

    @property
    def comparison_page(self) -> Path:
        """The page that compares this run with others."""
        return self.report / "compare.html"

    def holds_run(self) -> bool:
        """Return whether there is a recipe, or somebody else's answers."""
        return self.recipe_file.exists() or self.outside_file.exists()

    def read_recipe(self) -> Recipe | None:
        """Return the recipe; None if there is none.

        Raises:
            RecipeError: it is not valid.
        """
        from pefomed.recipe import load  # not for those who only ask where a file is

        return load(self.recipe_file) if self.recipe_file.exists() else None

    @cached_property
    def _recipe(self) -> Recipe | None:
        """The recipe as it was when it was first asked for, for what the names and tasks of files mean."""
        return self.read_recipe()

    def clear_trained(self) -> None:
        """Remove what training has left and what the trained model answered; verdicts and the recipe stay."""
        for folder in (
            self.stages,
            self.adapter,
            self.samples,
            self.predictions,
            self.path / PROBES,
            self.calibration,
            self.drawn,
            self.likeness,
            self.item_scores,
            self.report,
        ):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (
            self.log_file,
            self.scores_file,
            self.scores_card,
            self.metrics_file,
            self.threshold_file,
            self.protocols_file,
            self.environment_file,
        ):
            file.unlink(missing_ok=True)


def asked_ways(predict: Predict) -> tuple[Way, ...]:
    """Return the ways, beside the run's own, in which a recipe wants questions to be answered."""
    wanted = {"vocabulary": predict.vocabulary is not None, "neighbours": predict.neighbours > 0}
    return tuple(way for way in WAYS if wanted[way])


def card_of(records: Path) -> Path:
    """Return the card beside a file of answers or verdicts."""
    return records.with_suffix(".card.json")


def run_of(records: Path) -> Path:
    """Return the run in whose `samples/`, `predictions/` or `verdicts/`, or a probe's, a file lies."""
    folder = records.parent.parent
    return folder.parent.parent if folder.parent.name == PROBES else folder


def waiting_file(predictions: Path) -> Path:
    """Return where answers wait that are to replace those of a file, until all of them are there."""
    return predictions.parent / "again" / predictions.name


PROBES = "probes"
_BLIND = ".blind"
