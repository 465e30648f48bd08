"""Two threads ask one model at once, and get what they get one after the other."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import torch
from tests.tiny import image_files, model_recipe, questions, table_recipe

from pefomed.answers.answer import Answer
from pefomed.inference.predictor import Predictor
from pefomed.models.adapter import add_adapter, save_adapter
from pefomed.models.build import build_model
from pefomed.schema import Sample


def test_two_threads_at_once_answer_as_one_after_the_other(tmp_path: Path) -> None:
    recipe = table_recipe(tmp_path, model_recipe(tmp_path))
    how = recipe.predict.model_copy(update={"constrain_boxes": True, "max_new_tokens": 24})
    base, _ = build_model(recipe.model)
    save_adapter(add_adapter(base, recipe.model.lora), tmp_path / "adapter")
    model = Predictor(recipe.model_copy(update={"predict": how}), tmp_path / "adapter")
    asked = questions(image_files(tmp_path, 2), each=4)
    boxes = [
        one.model_copy(update={"task": "refer", "question": "lung", "id": f"{one.id}r"}) for one in asked
    ]
    # Rows of different lengths and numbers, answers of different lengths: a shared state would show.
    parts: list[list[Sample]] = [asked, boxes, asked[:1], [*boxes[2:], *asked[5:]]]
    alone = [model.answer(part) for part in parts]
    found: dict[tuple[int, int], list[Answer]] = {}
    start = threading.Barrier(len(parts))

    def ask(number: int, part: Sequence[Sample]) -> None:
        start.wait()
        for turn in range(2):
            found[number, turn] = model.answer(part)

    threads = [threading.Thread(target=ask, args=each) for each in enumerate(parts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {(number, turn): alone[number] for number in range(len(parts)) for turn in range(2)}


def test_a_forward_pass_leaves_no_trace_in_the_model(tmp_path: Path) -> None:
    base, processor = build_model(model_recipe(tmp_path))
    before = {name: dict(module.__dict__) for name, module in base.named_modules()}
    ids = torch.tensor([processor.encode("is it left?")])
    index = (torch.tensor([0]), torch.tensor([3]))
    with torch.no_grad():
        some = base(input_ids=ids, answer_index=index, use_cache=False).logits
        every = base(input_ids=ids, use_cache=False).logits
    assert torch.allclose(some[0, 0], every[0, 3], atol=1e-5)
    for name, module in base.named_modules():
        assert module.__dict__.keys() == before[name].keys()
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
        assert all(module.__dict__[key] is value for key, value in before[name].items() if key[0] != "_")
