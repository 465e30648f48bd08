"""The tables of a recipe and their fields, each with its default, its range and one sentence.

The longer ones have files of their own: `model.py`, `stage.py`, `own_task.py`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any, Literal, get_args

from pydantic import Field, ValidationInfo, field_validator, model_validator

from pefomed.errors import nearest
from pefomed.files.storage import LONGEST_NAME
from pefomed.recipe.model import ALL_PARTS, COMPOSED_PARTS, Model
from pefomed.recipe.own_task import OwnTask, add_all
from pefomed.recipe.section import Section
from pefomed.recipe.stage import Stage
from pefomed.recipe.threshold import Threshold
from pefomed.tasks import TASKS


class Prompt(Section):
    """How a sample becomes text; without this table and `[model]`, as in `mini/slake`."""

    template: Literal["llama2", "tokenizer"] = Field(
        "llama2",
        description="`llama2`: `[INST] ... [/INST]`; `tokenizer`: the tokenizer's own chat template.",
    )
    pools: dict[str, str | tuple[str, ...]] = Field(
        {},
        description="Per task, the name of a pool of instructions (`paper`, `varied`) or the"
        " instructions themselves; `{question}` stands for the sample's question.",
    )
    seed: int = Field(0, description="Seed of the hash that draws a sample's instruction from its pool.")
    max_text_tokens: int = Field(1024, gt=0, description="Longest text (image excluded) of one sample.")
    answer_case: Literal["kept", "lower"] = Field(
        "kept",
        description="`lower`: train on answers in lower case. Exact match ignores case, and where a data set"
        " has both `Yes` and `yes` a model cannot know which comes.",
    )
    box_bins: int = Field(
        100, ge=2, le=10_000, description="Steps of a box coordinate from one side of the image to the other."
    )
    box_rounding: Literal["round", "truncate"] = Field(
        "round", description="How a coordinate becomes a step; `truncate` for old checkpoints."
    )

    @model_validator(mode="after")
    def _tasks_known(self) -> Prompt:
        for task in self.pools:
            if task not in TASKS:
                raise ValueError(f"`pools` names the unknown task {task!r}; " + nearest(task, TASKS))
        return self


class Dataset(Section):
    """One data set; the table's name is how stages refer to it."""

    called = "data set"
    loader: str = Field(description="A loader of `pefomed data list`, or `package.module:function`.")
    root: str = Field(description="Folder or file, relative to the data folder (`--data` or PEFOMED_DATA).")
    options: dict[str, Any] = Field({}, description="Options of the loader, e.g. `language` or `columns`.")
    limit: int | None = Field(None, gt=0, description="Use only the first so many samples of each split.")
    max_unreadable: int = Field(
        0,
        ge=0,
        description="Most images of a split that may be missing or damaged in training; their samples are"
        " left out and named in the log. A sample to be predicted is never left out.",
    )
    too_long: Literal["error", "leave_out", "cut"] = Field(
        "error",
        description="What is done with a sample longer than `prompt.max_text_tokens`: `leave_out` of"
        " training, or `cut` the end of its question or answer. One to be predicted is cut or an error.",
    )


class Compute(Section):
    """Where and in what precision to compute."""

    device: str = Field("auto", description="`auto` (cuda if there is one), `cpu`, `cuda`, `cuda:1` ...")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto",
        description="Precision of the language model and of its products; trained weights stay float32.",
    )
    feature_dtype: Literal["auto", "dtype", "float32", "bfloat16", "float16"] = Field(
        "auto",
        description="Precision of the vision encoder, whose features are computed once: `auto` is float32 on"
        " CPU and where `dtype` is, else float16; `dtype` is whatever `dtype` is.",
    )
    compile: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Compile each layer of the language model; `auto` if training is long enough to pay, and"
        " without where compiling fails; `on` makes that an error.",
    )
    attention: Literal["auto", "grouped", "sdpa", "flex"] = Field(
        "auto",
        description="Kind of attention; `auto`: `grouped` on CPU, `sdpa` on CUDA, another where"
        " these are wrong.",
    )
    gradient_checkpointing: bool = Field(False, description="Trade time for memory in training.")
    sharding: Literal["none", "full"] = Field(
        "none",
        description="Of several processes, `full` splits the weights over them (FSDP); `none` gives each the"
        " whole model (DDP).",
    )
    threads: int | None = Field(None, gt=0, description="CPU threads; all by default.")
    feature_cache: Literal["off", "on", "auto"] = Field(
        "auto", description="Keep the frozen features on disk; `auto`: if images recur within the budget."
    )
    cache_gib: float = Field(20.0, gt=0, description="Budget of the feature cache in GiB.")
    trackers: tuple[str, ...] = Field(
        (), description="Further loggers of Accelerate, if installed: `tensorboard`, `wandb`, `trackio`."
    )


Probe = Literal["swap", "mirror", "paraphrase", "absent"]
PROBES: tuple[Probe, ...] = get_args(Probe)
"""In which ways samples can be asked again, see docs/probes.md."""


class Predict(Section):
    """What to answer after training; without this table and `[model]`, each data set's test split."""

    data: dict[str, str] = Field({}, description="Data set -> split to predict.")
    max_new_tokens: int = Field(32, gt=0, description="Longest answer in tokens.")
    batch_questions: int = Field(32, gt=0, description="Most questions decoded together.")
    constrain_boxes: bool = Field(
        False, description="Let answers to refer and detection hold well-formed boxes only."
    )
    box_choice: Literal["greedy", "median"] = Field(
        "greedy",
        description="Coordinates of refer and detection: `greedy`, token by token; `median` of all numbers a"
        " coordinate may be, in well-formed boxes only.",
    )
    box_none: bool = Field(
        False,
        description="Let constrained and median answers be `{}`: the phrase is nowhere in the image.",
    )
    logprobs: bool = Field(
        True, description="Keep the natural logarithm of each answer's probability beside it."
    )
    vocabulary: str | tuple[str, ...] | None = Field(
        None,
        description="Answer questions also by the likeliest of these answers, as a system of its own: `train`"
        " for those of training, a list, or a text file with one a line, relative to the data folder.",
    )
    neighbours: int = Field(
        0,
        ge=0,
        le=20,
        description="Answer questions and phrases also with what was asked and answered about so many similar"
        " training images in the prompt, as a system of its own.",
    )
    blind: bool = Field(True, description="Also answer with the image features replaced by their mean.")
    probes: tuple[Probe, ...] = Field(
        (),
        description="Also answer with another picture (`swap`), the picture mirrored (`mirror`), in other"
        " words (`paraphrase`), and what is not there (`absent`); see [probes](probes.md).",
    )
    wordings: str = Field(
        "",
        description="JSON file, relative to the data folder, of sample ids and their questions in other"
        " words; by default `paraphrase` goes by rules for English.",
    )
    samples: int = Field(
        0,
        ge=0,
        le=100,
        description="Also draw so many answers to each question, to see whether they agree; 0 for none.",
    )
    temperature: float = Field(
        1.0, ge=0, description="Of the drawn answers: 1 draws from the model's own distribution."
    )
    seed: int = Field(0, description="Seed of the drawn answers.")
    likeness: bool = Field(
        True, description="Also measure how like each picture is to the nearest training picture."
    )

    @model_validator(mode="after")
    def _can_differ(self) -> Predict:
        if self.samples == 1:
            raise ValueError("`samples` is 1: whether drawn answers agree takes 2 or more, 0 draws none")
        if self.samples and not self.temperature:
            raise ValueError(
                f"{self.samples} answers drawn at temperature 0 are all the same; give `temperature` above 0,"
                " 1 for the model's own distribution, or `samples = 0`"
            )
        return self


class Evaluate(Section):
    """How to score."""

    bootstrap: int = Field(
        2000,
        ge=0,
        description="Sign flips drawn for p where they cannot be counted, and images left out for a 95 %"
        " interval at most; 0 for neither.",
    )
    seed: int = Field(0, ge=0, description="Seed of sign flips, and of groups where there are more images.")
    floors: bool = Field(True, description="Compute what can be reached without the image.")
    groups: tuple[str, ...] = Field(
        (), description="Meta keys to group by; by default all with 2 to 40 values."
    )
    metrics: tuple[str, ...] = Field(
        (), description="Your own metrics, in addition to the built-in ones, each `package.module:function`."
    )
    protocols: bool = Field(
        False, description="Score answers in words as other papers and harnesses would, too."
    )


class Recipe(Section):
    """Everything that determines a run."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_.-]*$",
        max_length=LONGEST_NAME,
        description="Name of the run's folder.",
        json_schema_extra={"default": "the file's name"},
    )
    description: str = Field("", description="One sentence for the report.")
    seed: int = Field(0, description="Seed of initialisation, order and dropout.")
    # Before all that names tasks: fields are validated in their order.
    tasks: dict[str, OwnTask] = Field({}, description="Tasks of one's own, by name.")
    model: Model = Field(description="The parts of the model.")
    prompt: Prompt = Field(Prompt(), description="How a sample becomes text.")
    data: dict[str, Dataset] = Field({}, description="The data sets, by name.")
    stages: tuple[Stage, ...] = Field((), description="The training stages, in order.")
    compute: Compute = Field(Compute(), description="Where and in what precision to compute.")
    predict: Predict = Field(Predict(), description="What to answer after training.")
    threshold: Threshold = Field(Threshold(), description="When to say that one is not sure.")
    evaluate: Evaluate = Field(Evaluate(), description="How to score.")

    @field_validator("tasks")
    @classmethod
    def _tasks_added(cls, tasks: dict[str, OwnTask]) -> dict[str, OwnTask]:
        add_all(tasks)
        return tasks

    @field_validator("stages")
    @classmethod
    def _parts_said(cls, stages: tuple[Stage, ...], info: ValidationInfo) -> tuple[Stage, ...]:
        model = info.data.get("model")  # absent if it is wrong itself
        if model is None or model.family is None:
            return stages
        return tuple(one if one.says_parts else one.of_parts((ALL_PARTS,)) for one in stages)

    @model_validator(mode="after")
    def _names_known(self) -> Recipe:
        _check_names(self.data)
        for stage in self.stages:
            if self.model.family is None:  # of a family it is known when it is built
                stage.check_parts(COMPOSED_PARTS)
        users: list[tuple[str, Iterable[str]]] = [
            *((f"stage {stage.name!r}", stage.data) for stage in self.stages),
            ("[predict]", self.predict.data),
            ("[threshold]", self.threshold.data),
        ]
        for user, used in users:
            for name in used:
                if name not in self.data:
                    raise ValueError(
                        f"{user} uses the unknown data set {name!r}; " + nearest(name, self.data)
                    )
        if self.threshold.data and self.threshold.by != "probability" and not self.predict.samples:
            raise ValueError(
                f"`threshold.by` is {self.threshold.by!r}, and no answers are drawn; give `predict.samples`"
            )
        if self.model.location_tokens not in (0, self.prompt.box_bins):
            raise ValueError(
                f"`model.location_tokens` is {self.model.location_tokens} and `prompt.box_bins`"
                f" {self.prompt.box_bins}; give both the same number, or 0 location tokens for digits"
            )
        names = [stage.name for stage in self.stages]
        if len(set(names)) != len(names):
            raise ValueError("two stages have the same name")
        return self


def _check_names(names: Iterable[str]) -> None:
    """Raise ValueError unless each name can be part of a file's, and of no other's on any file system."""
    alike: dict[str, str] = {}
    for name in names:
        odd = not name.isprintable() or any(character in "/\\" for character in name)
        if not name.strip() or name.startswith(".") or odd or len(name.encode()) > _LONGEST_NAME:
            raise ValueError(
                f"{name[:60]!r} cannot be the name of a data set: it becomes part of a file's name;"
                " use letters, digits, `_`, `-` and `.`"
            )
        other = alike.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if other != name:
            raise ValueError(f"the data sets {other!r} and {name!r} differ by case only; rename one of them")


_LONGEST_NAME = 100  # bytes
