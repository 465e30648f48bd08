"""What `pefomed ask` does with its words: checks them before a model is loaded, asks, prints, draws."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pefomed.cli.output import print_json
from pefomed.errors import DataError, RunError
from pefomed.progress import note
from pefomed.runs import RunFolder

if TYPE_CHECKING:
    from PIL import Image

    from pefomed.answers.answer import Answer

LINES = "-"
"""The question that stands for the lines of the standard input."""


def check_words(images: Sequence[str], question: str, save: Path | None, task: str) -> None:
    """Refuse words that were meant otherwise, at once.

    Raises:
        typer.BadParameter: the question is an image file, or there is nowhere or nothing to draw.
    """
    from pefomed.images.given import has_ending, is_picture
    from pefomed.tasks import WITH_BOXES

    if is_picture(question):
        raise typer.BadParameter(f"the last word is the question, and {question!r} is an image file")
    if has_ending(question):
        raise typer.BadParameter(f"the last word is the question, and {question!r} is named as an image is")
    if save is None:
        return
    from PIL import Image

    if task not in WITH_BOXES:
        raise typer.BadParameter(f"--save draws boxes: ask with --task {', '.join(WITH_BOXES)}")
    if Image.registered_extensions().get(save.suffix.lower()) not in Image.SAVE:
        raise typer.BadParameter(f"--save {save}: end the name in .png")
    if any(save.resolve() == Path(image.partition("#")[0]).resolve() for image in images):
        raise typer.BadParameter(f"--save {save} would overwrite the image asked about")


@dataclass(frozen=True)
class Asking:
    """The run and the images of one call."""

    run: Path
    images: Sequence[str]
    task: str
    save: Path | None
    json: bool

    def answer(self, question: str) -> None:
        """Print the answer to `question`, or to each line of the standard input as it comes.

        Raises:
            PefomedError: an image, the question or the run is not as it must be; the answer to a single
                question has no box to draw.
        """
        from pefomed import recipe as recipes
        from pefomed.answers.asking import sample_of, takes_question
        from pefomed.images.given import given_images

        # What can be said before a model is loaded is said at once.
        pictures = given_images(list(self.images))
        recipe = recipes.load(RunFolder(self.run).recipe_file)
        if question != LINES:
            sample_of(question, self.task, (), [picture.size for picture in pictures], recipe)
        import pefomed

        model = pefomed.load(self.run)
        if question != LINES:
            [answer] = model.ask_each(pictures, [question], self.task)
            self._print(question, answer)
            if self.save is not None and answer.doubt:
                note(f"{self.save} is not written: the answer is not sure")
            elif self.save is not None and self._says_none(answer):
                note(f"{self.save} is not written: {_NOTHING}")
            elif self.save is not None and not _draw(pictures[0], answer, self.save):
                raise RunError(
                    "the answer has no box to draw", found=repr(answer.text), remedy="nothing was saved"
                )
            return
        asked: list[str] = []
        lines = _lines(asked, skip_empty=takes_question(self.task, recipe))
        for answer in model.ask_each(pictures, lines, self.task):
            self._print_line(asked[-1], answer)
            if self.save is not None:
                file = self.save.with_stem(f"{self.save.stem}-{len(asked)}")
                if answer.doubt or not _draw(pictures[0], answer, file):
                    why = _NOTHING if self._says_none(answer) else "the answer has no box"
                    why = "the answer is not sure" if answer.doubt else why
                    note(f"{file} is not written: {why}")
        if not asked:
            raise DataError("there is no question on the standard input", remedy="give one a line")

    def _says_none(self, answer: Answer) -> bool:
        from pefomed import recipe as recipes
        from pefomed.answers.answer import says_none

        return says_none(answer, self.task, recipes.load(RunFolder(self.run).recipe_file))

    def _print(self, question: str, answer: Answer) -> None:
        if self.json:
            print_json(self._about(question, answer))
            return
        typer.echo(self._told(question, answer))
        if answer.doubt:
            return
        if answer.finish == "length":
            note(f"the answer was cut after {answer.tokens} tokens, the recipe's predict.max_new_tokens")

    def _print_line(self, question: str, answer: Answer) -> None:
        # An answer of several lines is one line all the same: the lines of questions and answers agree.
        text = " ".join(self._told(question, answer).splitlines())
        typer.echo(json.dumps(self._about(question, answer), ensure_ascii=False) if self.json else text)
        sys.stdout.flush()

    def _told(self, question: str, answer: Answer) -> str:
        """Return the answer for a person: that nothing is there stands in it as empty braces."""
        if answer.doubt:
            return str(answer)
        if self._says_none(answer):
            return f"no box: {' '.join(question.split())!r} is not in the image"
        return answer.text

    def _about(self, question: str, answer: Answer) -> dict[str, object]:
        from pefomed.answers.sureness import NOT_SURE

        # Who reads `answer` alone never takes for an answer what is none.
        doubted = {"why": answer.doubt, "likeliest": answer.text} if answer.doubt else {}
        return {
            "images": list(self.images),
            "question": question,
            "task": self.task,
            "answer": NOT_SURE if answer.doubt else answer.text,
            **doubted,
            "boxes": [box.model_dump() for box in answer.boxes if answer.sure],
            "finish": answer.finish,
            "tokens": answer.tokens,
        }


_NOTHING = "the answer is that nothing is there, so that there is no box to draw"


def _draw(picture: Image.Image, answer: Answer, file: Path) -> bool:
    """Save the picture with the answer's boxes, if it has any."""
    from PIL import Image

    from pefomed.boxes.picture import draw_boxes
    from pefomed.files.storage import write

    if not answer.boxes:
        return False
    content = io.BytesIO()
    draw_boxes(picture, answer.boxes).save(content, Image.registered_extensions()[file.suffix.lower()])
    write(file, content.getvalue())
    note(f"{len(answer.boxes)} {'box' if len(answer.boxes) == 1 else 'boxes'} drawn: {file}")
    return True


def _lines(asked: list[str], *, skip_empty: bool) -> Iterator[str]:
    """Yield the lines of the standard input as they come, adding each to `asked` first."""
    if sys.stdin.isatty():
        note("one question a line; Ctrl-D ends")
    for number, line in enumerate(sys.stdin.buffer, 1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise DataError(
                f"line {number} of the standard input is not UTF-8", remedy="save the questions as UTF-8"
            ) from None
        if skip_empty and not text.strip():
            note(f"line {number} of the standard input is empty and is left out")
            continue
        asked.append(text)
        yield text
