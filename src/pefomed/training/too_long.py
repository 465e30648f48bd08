"""Training samples whose text is too long: left out or cut by their data set's rule.

Which they are follows from texts, recipe and tokenizer alone, so every process and every resumed training
finds the same; the log names them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pefomed.errors import listed
from pefomed.packing.fitting import Fitting
from pefomed.recipe import Dataset
from pefomed.schema import Sample


@dataclass
class TooLong:
    """The rule of one data set, and the samples that it was applied to."""

    dataset: Dataset
    fitting: Fitting
    ids: list[str] = field(default_factory=list)

    @property
    def cuts(self) -> bool:
        """Whether it is the end of their texts that is left out, not the samples."""
        return self.dataset.too_long == "cut"

    def takes(self, sample: Sample) -> bool:
        """Return whether to train on the sample, and remember it if it is too long."""
        # What the rule makes an error is found when the sample is tokenised.
        if self.dataset.too_long == "error" or self.fitting.too_long(sample) is None:
            return True
        self.ids.append(sample.id)
        return self.cuts

    def text(self, name: str) -> str:
        """Return what the log says of data set `name`; nothing if no sample is too long."""
        if not self.ids:
            return ""
        most = self.fitting.prompt.max_text_tokens
        done = "cut" if self.cuts else "left out"
        return f"{name}: {len(self.ids)} samples of more than {most} tokens of text {done}: " + listed(
            self.ids, most=10
        )
