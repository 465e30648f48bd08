"""What of README and docs no test runs, and why; `test_documented` holds this list to be exact."""

from __future__ import annotations

PROGRAMS = {
    "make": "sets a machine up and runs this suite; CI runs `demo` and `test` on a fresh clone",
    "source": "changes the shell it is typed in",
    "python3": "makes a virtual environment",
    ".venv/bin/pip": "installs packages",
    ".venv/bin/pre-commit": "changes the clone's git hooks",
    ".venv/bin/python": "fuzzing and benchmarks take minutes, and have tests of their own",
    "torchrun": "four GPUs; two processes train in tests/training/test_processes.py",
    "accelerate": "four GPUs; two processes train in tests/training/test_processes.py",
}
"""Programs of others, and ours behind them."""

COMMANDS = {
    "pefomed demo": "minutes of training; tests/cli/test_demo.py runs it with fewer steps",
    "pefomed train recipes/paper/stage1.toml --data data": "5,000 steps, credentialed data",
    "pefomed run recipes/paper/vqa_rad.toml --data data": "5,000 steps from the adapter of stage 1",
    "pefomed run recipes/mini/slake_joint.toml --data data": "6,174 steps; it is run before, with three",
    "pefomed ablate my.toml --data data": "trains each arm; tests/workflow/test_ablation.py does it",
    "pefomed ablate my.toml --data data --arm small_steps --arm seed_1": "the same",
    "pefomed data get slake --data data": "downloads the data set",
    "pefomed weights fetch all-minilm-l6-v2": "downloads",
    "pefomed weights fetch dinov2-small smollm2-135m": "downloads",
    "pefomed judge runs/mini-slake --model gpt-4o --base-url https://api.openai.com/v1 --price-in 2.5"
    " --price-out 10": "pays a server of others",
}

SNIPPETS = {
    "docs/weights.md resolve": "downloads",
    "docs/weights.md import_legacy": "needs a checkpoint of PeFoMed; tests/models/test_legacy.py makes one",
}
"""Python: the page and a word of the piece."""

DATA = {
    "docs/data.md iu_xray": "a layout of its own; tests/datasets/test_iu_xray.py makes it",
    "docs/data.md mimic": "credentialed; tests/datasets/test_mimic_cxr.py makes its layout",
    "docs/data.md looking": "COCO files; tests/datasets/test_derived.py makes them",
    "docs/data.md mine": "Parquet files; tests/datasets/test_columnar.py makes them",
    "docs/data.md talks": "tests/datasets/test_conversations.py makes such files",
    "docs/own-data.md ward": "the loader of somebody's own package; the piece of Python above it is run",
}
"""[data.NAME] tables that are only parsed: the page and NAME."""
