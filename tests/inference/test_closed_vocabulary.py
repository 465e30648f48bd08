"""Answers of a closed vocabulary: the search in shared trees against each answer scored alone."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch
from tests.tiny import image_files, model_recipe, questions, table_recipe

from pefomed.errors import RecipeError
from pefomed.evaluation import evaluate_run
from pefomed.features.frozen import Features
from pefomed.inference.closed_vocabulary import Vocabulary, likeliest_answers
from pefomed.inference.splits import predict_run
from pefomed.inference.vocabularies import vocabularies
from pefomed.models.build import build_model
from pefomed.packing.batch import rows, tokenise
from pefomed.recipe import Prompt, Recipe, dumps
from pefomed.runs import RunFolder
from pefomed.training import train

# With beginnings in common, one the beginning of another, and one that is nothing like the others.
ANSWERS = [
    "yes",
    "yes it is",
    "no",
    "left",
    "left lung",
    "left lobe",
    "lung, left",
    "lu",
    "Yes",
    "a b c d e f",
]


def test_the_search_finds_what_scoring_each_answer_alone_does(tmp_path: Path) -> None:
    base, processor = build_model(model_recipe(tmp_path))
    base.eval()
    drawn = random.Random(0)
    answers = ANSWERS + [
        "".join(drawn.choices("abcdlefty ", k=drawn.randint(1, 8))).strip() + "." for _ in range(40)
    ]
    tokens = [[*processor.tokenizer(text, add_special_tokens=False)["input_ids"]] for text in answers]
    end = processor.tokenizer.eos_token_id
    samples = questions(image_files(tmp_path, 2), each=3)
    sequences = tokenise(samples, Prompt(), processor, answers=False)
    made = rows(sequences, share_image=True, max_questions=8)
    features = Features(base, processor.image_processor, None)
    for few in (len(answers), 7, 1):
        vocabulary = Vocabulary(answers[:few], processor.tokenizer)
        found = likeliest_answers(base, made, features(row.images[0] for row in made), {"vqa": vocabulary})
        own = {one.sample_id: one for one in found}
        for sequence in sequences if few > 1 else sequences[:1]:
            scores = []
            for answer in tokens[:few]:
                text = [*sequence.prompt, *answer, end]
                with torch.inference_mode():
                    logits = base(
                        input_ids=torch.tensor([text]), image_features=features(sequence.sample.images)
                    ).logits[0]
                logs = logits.double().log_softmax(-1)
                places = range(len(sequence.prompt), len(text))
                scores.append(sum(float(logs[place - 1, text[place]]) for place in places))
            best = max(range(few), key=scores.__getitem__)
            answer = own[sequence.sample.id]
            assert answer.tokens == [*tokens[best], end]
            assert sum(answer.logprobs) == pytest.approx(scores[best], abs=1e-4)
            assert (answer.finish, answer.done) == ("stop", True)


def _recipe(folder: Path, **predict: object) -> Recipe:
    made = table_recipe(folder, model_recipe(folder), images=2, epochs=1)
    told = {"data": {"table": "train"}, "max_new_tokens": 12, "blind": False, **predict}
    return Recipe.model_validate({**made.model_dump(exclude_none=True), "predict": told})


def test_they_are_a_system_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    recipe = _recipe(tmp_path, vocabulary="train")
    run = tmp_path / "run"
    train(recipe, run, tmp_path)
    RunFolder(run).recipe_file.write_text(dumps(recipe))
    predict_run(run, tmp_path)
    split = ("table", "train")
    closed = [
        json.loads(x)
        for x in RunFolder(run).predictions_file(split, way="vocabulary").read_text().splitlines()
    ]
    free = [json.loads(x) for x in RunFolder(run).predictions_file(split).read_text().splitlines()]
    # `questions`: yes, no and lung.
    assert {one["text"] for one in closed} <= {"yes", "no", "lung"}
    assert {one["generation"] for one in closed} == {"the likeliest of 3 answers of a closed vocabulary"}
    assert {one["generation"] for one in free} == {"greedy, at most 12 tokens"}
    assert RunFolder(run).predictions_files() == [RunFolder(run).predictions_file(split)]
    scores = evaluate_run(run, tmp_path)
    by_system = {
        score.system: score for score in scores if (score.metric, score.group) == ("exact_match", "overall")
    }
    assert by_system["vocabulary"].n == by_system["model"].n == len(closed)
    right = {sample.id: sample.reference for sample in RunFolder(run).read_samples(split)}
    assert by_system["vocabulary"].value == pytest.approx(
        sum(right[one["sample_id"]] == one["text"] for one in closed) / len(closed)
    )


def test_where_the_answers_come_from(tmp_path: Path) -> None:
    listed = _recipe(tmp_path, vocabulary=["Yes", "no", "Yes", ""])
    assert vocabularies(listed, "table", ["vqa", "refer"], tmp_path) == {"vqa": ("Yes", "no")}
    lower = listed.model_copy(update={"prompt": Prompt(answer_case="lower")})
    assert vocabularies(lower, "table", ["vqa"], tmp_path) == {"vqa": ("yes", "no")}
    (tmp_path / "answers.txt").write_text("left\n\nright\nleft\n")
    of_file = _recipe(tmp_path, vocabulary="answers.txt")
    assert vocabularies(of_file, "table", ["vqa"], tmp_path) == {"vqa": ("left", "right")}
    assert vocabularies(_recipe(tmp_path), "table", ["vqa"], tmp_path) == {}
    of_training = _recipe(tmp_path, vocabulary="train")
    assert vocabularies(of_training, "table", ["vqa"], tmp_path) == {"vqa": ("yes", "no", "lung")}
    for wrong, told in (("nowhere.txt", "cannot be read"), ([""], "holds no answer")):
        with pytest.raises(RecipeError, match=told):
            vocabularies(_recipe(tmp_path, vocabulary=wrong), "table", ["vqa"], tmp_path)
