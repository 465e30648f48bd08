"""The tasks of the two papers. A new one is an entry here.

The instructions called `paper` are the papers' where they state them, ours in the same manner where they do
not; those called `varied` are ours, several wordings a task.
"""

from __future__ import annotations

from pefomed.tasks.task import Task

_KNOWN = (
    Task(
        "vqa",
        answer="words",
        asked="question",
        scale="binary",
        needs_place=True,
        instructions={
            "paper": ("Based on the image, respond to this question with a short answer: {question}",),
            "varied": (
                "Based on the image, respond to this question with a short answer: {question}",
                "Look at the image and answer in a few words: {question}",
                "Answer this question about the medical image briefly: {question}",
                "What does the image say to this question? {question}",
            ),
        },
    ),
    Task(
        "caption",
        answer="text",
        asked="",
        scale="level",
        instructions={
            "paper": ("Describe the given medical image briefly.",),
            "varied": (
                "Describe the given medical image briefly.",
                "Write a short caption for this medical image.",
                "Say in one sentence what this medical image shows.",
                "Summarise the content of this image.",
            ),
        },
    ),
    Task(
        "report",
        answer="text",
        asked="",
        scale="level",
        instructions={
            "paper": ("Describe the given chest x-ray image in detail.",),
            "varied": (
                "Describe the given chest x-ray image in detail.",
                "Write the findings of this chest x-ray.",
                "Report what this radiograph shows.",
                "Take a close look at this chest x-ray and describe the findings.",
            ),
        },
    ),
    Task(
        "refer",
        answer="boxes",
        asked="phrase",
        instructions={
            "paper": ("Where is {question} in the image?",),
            "varied": (
                "Where is {question} in the image?",
                "Give the location of {question}.",
                "Mark {question} in this image.",
            ),
        },
    ),
    Task(
        "identify",
        answer="words",
        asked="boxes",
        instructions={
            "paper": ("What is in the region {question}?",),
            "varied": (
                "What is in the region {question}?",
                "Name the structure at {question}.",
                "Say what the box {question} contains.",
            ),
        },
    ),
    Task(
        "grounding",
        answer="marked text",
        asked="",
        instructions={
            "paper": ("Describe the given medical image with the places of what it shows.",),
            "varied": (
                "Describe the given medical image with the places of what it shows.",
                "Write a caption and mark the place of each structure.",
            ),
        },
    ),
    Task(
        "detection",
        answer="boxes",
        asked="phrase",
        names_phrase=True,
        instructions={"paper": ("{question}",), "varied": ("{question}",)},
    ),
)

TASKS: dict[str, Task] = {task.name: task for task in _KNOWN}
"""Name -> task, in the order in which they are listed; those of recipes behind the known ones."""


def add(task: Task) -> None:
    """Add a task to the table of this process; the same one again changes nothing.

    Raises:
        ValueError: there is another task of that name.
    """
    if TASKS.setdefault(task.name, task) != task:
        ours = any(task.name == known.name for known in _KNOWN)
        there = "one of pefomed's own" if ours else "defined otherwise already"
        raise ValueError(f"the task {task.name!r} is {there}; choose another name")
