"""The one place that makes prompt text, for training, prediction and serving alike.

`[INST] <Img><ImageHere></Img> [vqa] instruction [/INST]`, byte for byte as PeFoMed and MiniGPT-v2
write it; several images follow each other, each in its own `<Img>...</Img>`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Protocol

from pefomed.boxes import BoxFormat, Resizing
from pefomed.boxes.marks import REFERENCE
from pefomed.boxes.notation import BoxNotation
from pefomed.boxes.samples import is_absent
from pefomed.errors import DataError, RecipeError, nearest
from pefomed.recipe import Prompt
from pefomed.schema import Box, Sample
from pefomed.tasks import TASKS

IMAGE = "<Img><ImageHere></Img>"


class ChatTokenizer(Protocol):
    """What is needed of a tokenizer to use its own chat template."""

    def apply_chat_template(
        self, conversation: list[dict[str, str]], *, tokenize: bool, add_generation_prompt: bool
    ) -> str: ...


AS_IS = Resizing()
"""Boxes in fractions of the image itself: squashed to a square, or given to somebody else's model."""


def instruction(
    sample: Sample, prompt: Prompt, resizing: Resizing = AS_IS, form: BoxNotation | None = None
) -> str:
    """Return the sample's instruction, drawn from its task's pool by a seeded hash of its id.

    Raises:
        RecipeError: the pool is unknown, or a vqa instruction has no place for the question.
        DataError: a box is asked about and there is none.
    """
    pool = instructions(sample.task, prompt)
    digest = hashlib.sha256(f"{prompt.seed}\0{sample.id}".encode()).digest()
    chosen = pool[int.from_bytes(digest[:8], "big") % len(pool)]
    # Not str.format: questions and the user's own instructions may hold braces.
    asked = TASKS[sample.task].asked
    question = (
        (form or _format(prompt)).boxes(_boxes(sample, resizing)) if asked == "boxes" else sample.question
    )
    return chosen.replace("{question}", question)


def instructions(task: str, prompt: Prompt) -> tuple[str, ...]:
    """Return the pool of a task."""
    chosen = prompt.pools.get(task, "paper")
    if isinstance(chosen, str):
        known = TASKS[task].instructions
        if chosen not in known:
            raise RecipeError(f"prompt.pools.{task}: no pool {chosen!r}", remedy=nearest(chosen, known))
        chosen = known[chosen]
    if not chosen:
        raise RecipeError(f"prompt.pools.{task} is empty", remedy="give at least one instruction")
    if TASKS[task].needs_place and not all("{question}" in text for text in chosen):
        raise RecipeError(
            f"prompt.pools.{task}: an instruction has no place for the question",
            remedy="write {question} where the question goes",
        )
    return tuple(chosen)


def body(
    sample: Sample,
    prompt: Prompt,
    resizing: Resizing = AS_IS,
    shield: Callable[[str], str] = str,
    form: BoxNotation | None = None,
) -> str:
    """Return the multimodal body, the same under every template: images, task tag, instruction.

    Args:
        shield: gives what stands for data, which the instruction with its question is, until the whole is
            tokenised (`models/text_tokens.py`).
    """
    asked = instruction(sample, prompt, resizing, form)
    return f"{IMAGE * len(sample.images)} [{sample.task}] {shield(asked)}"


def target(
    sample: Sample, prompt: Prompt, resizing: Resizing = AS_IS, form: BoxNotation | None = None
) -> str:
    """Return the answer to train on, its boxes as text in the frame that the model sees.

    Of a phrase that is nowhere in the image it is that there is no box (`boxes.text.NO_BOX`).

    Raises:
        DataError: a caption marks a box that is not there.
    """
    text = sample.reference.lower() if prompt.answer_case == "lower" else sample.reference
    form = form or _format(prompt)
    task = TASKS[sample.task]
    if task.answer == "boxes":
        boxes = _boxes(sample, resizing)
        return form.phrase(sample.question, boxes) if task.names_phrase else form.boxes(boxes)
    if task.answer == "marked text":
        return REFERENCE.sub(lambda mark: form.phrase(mark[1], _boxes(sample, resizing, mark[2])), text)
    return text


def render(
    sample: Sample,
    prompt: Prompt,
    tokenizer: ChatTokenizer | None = None,
    resizing: Resizing = AS_IS,
    shield: Callable[[str], str] = str,
    form: BoxNotation | None = None,
) -> str:
    """Return the whole prompt; the answer follows it directly. BOS is added by the tokenisation.

    Args:
        resizing: how the image becomes the square that boxes are written in.
        shield: see `body`.
        form: how boxes are written; by default as in the papers.

    Raises:
        RecipeError: the tokenizer's chat template is asked for and there is none.
    """
    text = body(sample, prompt, resizing, shield, form)
    if prompt.template == "llama2":
        return f"[INST] {text} [/INST]"
    if tokenizer is None or not getattr(tokenizer, "chat_template", None):
        raise RecipeError(
            "prompt.template = 'tokenizer', but the tokenizer has no chat template",
            remedy="set prompt.template = 'llama2'",
        )
    conversation = [{"role": "user", "content": text}]
    return tokenizer.apply_chat_template(conversation, tokenize=False, add_generation_prompt=True)


def _boxes(sample: Sample, resizing: Resizing, indices: str = "") -> list[Box]:
    """Return the sample's boxes as the model sees them: those of the comma-joined `indices`, or all."""
    try:
        boxes = [sample.boxes[int(index)] for index in indices.split(",")] if indices else [*sample.boxes]
    except IndexError:
        boxes = []
    if not boxes and not is_absent(sample):
        raise DataError(
            f"sample {sample.id}: the task {sample.task!r} needs boxes",
            found=f"box {indices} of {len(sample.boxes)}" if indices else "none",
            remedy="give the sample its boxes, or leave it out",
        )
    if not boxes:
        return []
    frame = resizing.frame(sample.size)
    # From left to right, then down: an order the model can learn, whatever the file's is.
    return sorted(map(frame.to_model, boxes), key=lambda box: (box.x0, box.y0, box.x1, box.y1))


def _format(prompt: Prompt) -> BoxFormat:
    return BoxFormat(prompt.box_bins, prompt.box_rounding)
