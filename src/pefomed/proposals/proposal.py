"""What a file is proposed to be read as: the part of a recipe, why, and what nobody but its owner knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ProposedChoice:
    """One answer to a question."""

    value: Any
    gives: str
    """What it makes of the first row or box."""
    option: str = ""
    """The option it is said by, if another one than the question's."""


@dataclass(frozen=True)
class Question:
    """An option that the file does not say."""

    option: str
    """With dots: `boxes.form`."""
    why: str
    choices: tuple[ProposedChoice, ...] = ()
    needed: bool = True
    """Whether nothing is read without it."""


@dataclass
class Proposal:
    """The part `[data.NAME]` of a recipe."""

    name: str
    loader: str
    root: str
    about: str
    """What the file is, in one line."""
    options: dict[str, Any] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    """Option, with dots -> how it is known."""
    questions: list[Question] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What else was seen: other columns that may be meant, owners that are audited."""

    def set(self, option: str, value: Any, why: str) -> None:
        """Set an option and say why."""
        set_option(self.options, option, value)
        self.why[option] = why

    def ask(self, option: str, why: str, *choices: ProposedChoice, needed: bool = True) -> None:
        """Leave an option to the owner of the file."""
        self.questions.append(Question(option, why, choices, needed))

    @property
    def open(self) -> list[Question]:
        """The questions without whose answers nothing is read."""
        return [one for one in self.questions if one.needed]

    def first_choices(self) -> dict[str, Any]:
        """Return the options with the first answer to every question that is needed."""
        options = copy_options(self.options)
        for one in self.open:
            if one.choices:
                set_option(options, one.choices[0].option or one.option, one.choices[0].value)
        return options


def set_option(options: dict[str, Any], option: str, value: Any) -> None:
    """Set the option at a dotted name."""
    *tables, last = option.split(".")
    for name in tables:
        options = options.setdefault(name, {})
    options[last] = value


def copy_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options whose tables can be changed."""
    return {
        name: copy_options(value) if isinstance(value, dict) else value for name, value in options.items()
    }


def flat(options: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield options with dotted names, tables gone into."""
    for name, value in options.items():
        if isinstance(value, dict) and value:
            yield from flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value
