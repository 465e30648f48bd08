"""Recipes: one TOML file per experiment, loaded strictly, written resolved into its run."""

from __future__ import annotations

from pefomed.recipe.arms import load_arms
from pefomed.recipe.changes import Changes
from pefomed.recipe.model import WEIGHTS, Lora, Model
from pefomed.recipe.section import Section
from pefomed.recipe.sections import PROBES, Compute, Dataset, Evaluate, Predict, Prompt, Recipe
from pefomed.recipe.shipped import find_recipe, is_recipe, names, shipped
from pefomed.recipe.stage import LossMean, Stage
from pefomed.recipe.threshold import Threshold
from pefomed.recipe.toml import dumps, load, load_data, parse

__all__ = [
    "PROBES",
    "WEIGHTS",
    "Changes",
    "Compute",
    "Dataset",
    "Evaluate",
    "Lora",
    "LossMean",
    "Model",
    "Predict",
    "Prompt",
    "Recipe",
    "Section",
    "Stage",
    "Threshold",
    "dumps",
    "find_recipe",
    "is_recipe",
    "load",
    "load_arms",
    "load_data",
    "names",
    "parse",
    "shipped",
]
