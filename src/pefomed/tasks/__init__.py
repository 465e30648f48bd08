"""What can be asked of an image: one entry for each task, and every set of tasks as a filter over them."""

from pefomed.tasks.known import TASKS, add
from pefomed.tasks.names import (
    ABOUT_BOXES,
    ALL,
    BINARY,
    BOXES,
    HAVE_BOXES,
    JUDGED,
    LABELLED,
    LEVELS,
    MARKED,
    ON_PHRASES,
    TEXTS,
    WITH_BOXES,
    WORDS,
    Names,
    where,
)
from pefomed.tasks.task import HIGHEST, Scale, Task

__all__ = [
    "ABOUT_BOXES",
    "ALL",
    "BINARY",
    "BOXES",
    "HAVE_BOXES",
    "HIGHEST",
    "JUDGED",
    "LABELLED",
    "LEVELS",
    "MARKED",
    "ON_PHRASES",
    "TASKS",
    "TEXTS",
    "WITH_BOXES",
    "WORDS",
    "Names",
    "Scale",
    "Task",
    "add",
    "where",
]
