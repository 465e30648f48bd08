"""METEOR against what the Java program itself makes of its sums, and a program that fails."""

from pathlib import Path

import numpy as np
import pytest
from tests.metrics.captions import java

from pefomed.metrics.captions import meteor

# Answer, reference, and what the program says of them: its sums (SCORE) and its score (EVAL).
KNOWN = [
    (
        "the heart is enlarged",
        "the heart is big",
        "4 4 2 2 1 1 2 2 0 0 0 0 0 0 0 0 0 0 0 0 1 3 3",
        0.32397191433991346,
    ),
    (
        "no acute disease",
        "no acute disease",
        "3 3 1 1 2 2 1 1 0 0 0 0 0 0 0 0 0 0 0 0 1 3 3",
        1.0,
    ),
    (
        "there is a left pleural effusion",
        "left sided effusions are present in the chest",
        "6 8 3 3 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 1 1",
        0.07017543859649121,
    ),
    (
        "the lungs are clear",
        "a tube",
        "4 2 2 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
        0.0,
    ),
    (
        "",
        "a tube",
        "0 2 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
        0.0,
    ),
    (
        "the the the",
        "the heart",
        "3 2 3 1 0 0 1 1 0 0 0 0 0 0 0 0 0 0 0 0 1 1 1",
        0.10389610389610389,
    ),
    (
        "hearts enlarged with abnormal findings",
        "heart enlarging and an abnormal finding",
        "5 6 1 2 1 1 0 0 1 1 0 0 0 0 0 0 0 0 0 0 1 2 2",
        0.1655461644553908,
    ),
    (
        "the physician found no evidence of illness in the kid",
        "the doctor found no sign of disease in the child",
        "10 10 5 5 1 1 3 3 0 0 0 0 2 2 0 0 2 2 2 2 1 10 10",
        0.78,
    ),
    (
        "no acute cardiopulmonary abnormality is seen . lungs clear",
        "lungs are clear . no acute cardiopulmonary abnormalities seen",
        "9 9 3 3 5 5 2 2 1 1 0 0 0 0 0 0 0 0 0 0 5 8 8",
        0.4062865664253766,
    ),
    (
        "there is a big car",
        "there is a large automobile",
        "5 5 3 3 0 0 3 3 0 0 0 0 2 2 0 0 0 0 0 0 1 5 5",
        0.8666666666666667,
    ),
]
CORPUS = 0.3140080720211359
"""The program's EVAL of all these sums together."""

# Answer, references, and the METEOR of pycocoevalcap 1.2: of each item, and of all of them together.
SEVERAL = [
    (
        "the heart is enlarged with a left pleural effusion",
        ["cardiomegaly and a left effusion", "the heart is large left pleural effusion"],
        0.41947808561930994,
    ),
    (
        "no acute cardiopulmonary disease",
        ["no acute disease", "there is no acute disease"],
        0.4197512445337911,
    ),
    (
        "lungs are clear",
        ["the lungs are clear", "clear lungs", "lungs clear", "no focal airspace disease of the lungs"],
        0.46222744466331606,
    ),
    (
        "there is a tube in the trachea a tube",
        ["an endotracheal tube is in the trachea"],
        0.3101086888860041,
    ),
    (
        "effusion effusion effusion",
        ["a left effusion and a right effusion", "effusion on both sides", "bilateral pleural effusion"],
        0.17021276595744683,
    ),
]
SEVERAL_CORPUS = 0.3384699663607506


def sums() -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    rows = np.array([[float(word) for word in sums.split()] for _, _, sums, _ in KNOWN])
    rows[[1, 7, 9], 20] = 0  # as `statistics` does: one chunk that holds every word of both
    return rows


def test_the_programs_scores_follow_from_its_sums() -> None:
    """Exact, stem, synonym and paraphrase matches, of content and of function words, occur among them."""
    assert (sums()[:, 4:20].reshape(-1, 4, 4).sum((0, 2)) > 0).all()
    np.testing.assert_allclose(meteor.meteor(sums()), [score for *_, score in KNOWN], atol=1e-9, rtol=0)
    assert float(meteor.meteor(sums().sum(0))) == pytest.approx(CORPUS, abs=1e-9)


@java.needs_java
def test_the_program_itself() -> None:
    program = meteor.find()
    assert isinstance(program, meteor.Program)
    answers = [answer for answer, *_ in (*KNOWN, *SEVERAL)]
    references = [*([one] for _, one, *_ in KNOWN), *(several for _, several, _ in SEVERAL)]
    found = meteor.statistics(answers, references, program)
    assert found[: len(KNOWN)].tolist() == sums().tolist()
    found = found[len(KNOWN) :]
    np.testing.assert_allclose(meteor.meteor(found), [score for *_, score in SEVERAL], atol=1e-12)
    assert float(meteor.meteor(found.sum(0))) == pytest.approx(SEVERAL_CORPUS, abs=1e-12)


def fake(folder: Path, script: str) -> meteor.Program:
    jar = folder / meteor.JAR
    jar.write_bytes(b"")
    program = folder / "java"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return meteor.Program(str(program), jar)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exec sleep 30", "did not end within 0.5 s and was killed"),
        ("kill -9 $$", "ended with -9"),
        ("echo 1 2 3; exit 0", r"ended with 0 \(1 2 3\)"),
        ("echo no memory >&2; exit 1", r"ended with 1 \(no memory\)"),
        ("cat", "ended with 0"),
    ],
)
def test_a_program_that_fails_is_named_and_not_waited_for(tmp_path: Path, script: str, message: str) -> None:
    with pytest.raises(meteor.MeteorFailed, match=message):
        meteor.statistics(["a"], [["a"]], fake(tmp_path, script), timeout=0.5)


def test_equal_pairs_are_sent_once(tmp_path: Path) -> None:
    row = " ".join(["1"] * meteor.COLUMNS)
    program = fake(tmp_path, f"tee {tmp_path}/said | sed 's/.*/{row}/'")
    sums = meteor.statistics(["a ||| b", "c", "a  b"], [["r"]] * 3, program)
    assert sums.shape == (3, meteor.COLUMNS)
    assert (tmp_path / "said").read_text() == "SCORE ||| r ||| a b\nSCORE ||| r ||| c\n"


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(meteor.VARIABLE, "off")
    assert meteor.find() == "no METEOR: switched off by PEFOMED_METEOR_JAR"
    fake(tmp_path, "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(meteor.VARIABLE, str(tmp_path / "absent.jar"))
    assert "which is no file" in str(meteor.find())
    monkeypatch.setenv(meteor.VARIABLE, str(tmp_path / meteor.JAR))
    assert meteor.find() == meteor.Program(str(tmp_path / "java"), tmp_path / meteor.JAR)
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert meteor.find() == "no METEOR: `java` is not installed"
