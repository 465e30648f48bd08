"""One optimiser step on small float64 weights, by the training loop and by a plain loop: loss and gradient.

Run as a script by several processes, each with the whole step, the main one writes what they found together.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from peft import PeftModel
from safetensors.torch import save_file
from torch import Tensor

from pefomed.datasets.changed_copies import cropped_copies
from pefomed.models.adapter import add_adapter, base_of, trainable
from pefomed.models.attention import set_attention
from pefomed.models.build import build_model
from pefomed.packing.batch import PackedRow, Tokens, rows, tokenise
from pefomed.recipe import LossMean, Model, Prompt, Stage
from pefomed.schema import Box, Sample
from pefomed.training import sharding
from pefomed.training.log import Log
from pefomed.training.loop import Loop

PARTS = ("projector", "lora")
Found = dict[str, Tensor]
"""`loss`, and the gradient of every trained tensor by its name."""


def samples() -> list[Sample]:
    """Return questions, reports and phrases about three images, with answers of 2 to 60 tokens, and crops."""
    made = []
    for number in range(3):
        about: Any = {"images": (f"image-{number}.png",), "size": (50, 60)}
        box = Box(x0=0.2, y0=0.1 * number + 0.1, x1=0.6, y1=0.8)
        made += [
            Sample(id=f"a{number}", task="vqa", question="is it left?", reference="y", **about),
            Sample(
                id=f"b{number}", task="vqa", question="is it left", reference="lung " * number + "x", **about
            ),
            Sample(id=f"c{number}", task="report", reference="the heart is large. " * (3 - number), **about),
            Sample(id=f"d{number}", task="refer", question="heart", boxes=(box,), **about),
        ]
    return [*made, *cropped_copies(made, 1, 0.1, 0)]


def opened(recipe: Model) -> tuple[PeftModel, list[Tokens]]:
    """Return a model whose LoRA is not zero, the same at every call, and the samples as tokens."""
    torch.manual_seed(0)
    base, processor = build_model(recipe)
    model = add_adapter(base, recipe.lora).double()
    for parameter in trainable(model, PARTS)["lora"]:
        torch.nn.init.normal_(parameter, std=0.1)
    set_attention(base, "sdpa")
    return model, tokenise(samples(), Prompt(), processor)


def features(images: Sequence[str]) -> Tensor:
    """Return features (I, 16, 16) that the image's name decides."""
    seeds = (torch.Generator().manual_seed(zlib.crc32(image.encode())) for image in images)
    return torch.stack([torch.randn(16, 16, generator=seed, dtype=torch.float64) for seed in seeds])


def plain(model: PeftModel, asked: Sequence[Tokens], mean_of: LossMean) -> Found:
    """Return what one forward pass a sample gives, by transformers' own loss: the mean over its labels."""
    model.zero_grad()
    total = 0.0
    tokens = sum(len(one.answer) for one in asked)
    for one in asked:
        ids = torch.tensor([[*one.prompt, *one.answer]])
        labels = ids.clone()
        labels[0, : len(one.prompt)] = -100
        mean = model(input_ids=ids, labels=labels, image_features=features(one.sample.images)).loss
        part = mean / len(asked) if mean_of == "sample" else mean * len(one.answer) / tokens
        part.backward()
        total += float(part.detach())
    return _found(model, total)


def by_loop(
    model: PeftModel,
    step: Sequence[Sequence[PackedRow]],
    mean_of: LossMean,
    folder: Path,
    *,
    sharded: bool = False,
) -> Found:
    """Return what the training loop's own step gives, before any weight changes."""
    stage = Stage(
        name="task", data={"d": 1}, steps=1, lr=1, lr_end=1, loss=mean_of, max_grad_norm=float("inf")
    )
    accelerator = Accelerator(cpu=True)
    parameters = [parameter for group in trainable(model, PARTS).values() for parameter in group]
    optimiser: Any = torch.optim.SGD(parameters)
    prepared, _ = sharding.prepare(model, optimiser, accelerator, sharded)
    if sharded:
        parameters = [parameter for group in trainable(model, PARTS).values() for parameter in group]
    loop = Loop(
        stage, model, features, [step], 1, [], None, accelerator, Log(folder / "log.jsonl"), folder,  # type: ignore[arg-type]
        sharded=sharded,
    )  # fmt: skip
    model.zero_grad()
    values = loop._step(prepared, _Still(), parameters, step)
    return _found(model, values["loss"])


def uneven(asked: Sequence[Tokens]) -> list[list[PackedRow]]:
    """Return the rows in three batches, which two processes cannot share evenly."""
    made = rows(asked, share_image=True, max_questions=3)
    return [made[:1], made[1:4], made[4:]]


class _Still:
    """An optimiser that leaves the gradients where they are."""

    def step(self) -> None: ...
    def zero_grad(self, set_to_none: bool) -> None: ...


def _found(model: PeftModel, loss: float) -> Found:
    gradients = {
        name: sharding.full_tensor(parameter.grad.detach()).clone()
        for name, parameter in base_of(model).named_parameters()
        if parameter.grad is not None
    }
    return {"loss": torch.tensor(loss, dtype=torch.float64)} | gradients


if __name__ == "__main__":
    root = Path(sys.argv[1])
    recipe = Model.model_validate_json((root / "model.json").read_text())
    for mean_of in ("sample", "token"):
        for sharded in (False, True):
            model, asked = opened(recipe)
            found = by_loop(model, uneven(asked), mean_of, root, sharded=sharded)  # type: ignore[arg-type]
            if Accelerator(cpu=True).is_main_process:
                save_file(found, root / f"{mean_of}-{sharded}.safetensors")
    # As training itself ends: threads of a group that is still there abort the process now and then.
    Accelerator(cpu=True).state.destroy_process_group()
