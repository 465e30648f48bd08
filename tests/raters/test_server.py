"""Where a session is served: here alone, unless it is allowed otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from pefomed import recipe
from pefomed.errors import PefomedError, RunError
from pefomed.raters import Session, SessionRequest, open_session
from pefomed.raters.server import ListeningSession, ServerAddress, warning


@pytest.fixture
def session(vqa_run: Path) -> Session:
    return open_session(vqa_run, SessionRequest(raters=2, sample=5))


def test_links_are_private_to_each_rater(session: Session) -> None:
    listening = ListeningSession(session, ServerAddress(port=0))
    links = listening.links()
    assert set(links) == {"rater-01", "rater-02"}
    for rater in session.raters():
        assert links[rater.name] == f"http://127.0.0.1:{listening.port}/r/{rater.token}"
    listening._socket.close()


@pytest.mark.parametrize(
    "address",
    [
        ServerAddress("0.0.0.0"),
        ServerAddress("192.168.7.7"),
        ServerAddress(link="https://rating.example.org"),
    ],
)
def test_other_machines_need_leave_and_the_data_is_named(session: Session, address: ServerAddress) -> None:
    with pytest.raises(RunError, match="images and texts of patients") as refused:
        ListeningSession(session, address)
    assert "rad-test (not known whether it is restricted)" in str(refused.value)
    assert "--allow-remote" in str(refused.value)


def test_loopback_needs_no_warning(session: Session) -> None:
    assert warning(session, ServerAddress()) is None
    assert warning(session, ServerAddress("::1", link="http://localhost:9000")) is None


def test_the_warning_says_what_the_licence_is_and_whether_it_is_encrypted(session: Session) -> None:
    settings = {
        "name": "x", "model": {"vision_encoder": "eye", "language_model": "mouth"},
        "data": {"rad": {"loader": "vqa_rad", "root": "rad"}}, "predict": {"data": {"rad": "test"}},
        "stages": [{"name": "task", "data": {"rad": 1}, "steps": 4, "lr": 6e-4, "lr_end": 6e-5}],
    }  # fmt: skip
    (session.run / "recipe.toml").write_text(recipe.dumps(recipe.parse(settings)), encoding="utf-8")
    plain = warning(session, ServerAddress("0.0.0.0", remote=True))
    assert plain is not None
    assert "rad-test (CC0" in plain
    assert "not encrypted" in plain
    safe = warning(session, ServerAddress(link="https://rating.example.org", remote=True))
    assert safe is not None
    assert "not encrypted" not in safe


def test_a_taken_port_is_one_error(session: Session) -> None:
    first = ListeningSession(session, ServerAddress(port=0))
    with pytest.raises(PefomedError, match="--port"):
        ListeningSession(session, ServerAddress(port=first.port))
    first._socket.close()


@pytest.mark.parametrize("link", ["rating.example.org", "ftp://x", "https://x/path", "https://x/?a=b"])
def test_a_link_that_is_none_is_refused(session: Session, link: str) -> None:
    with pytest.raises(RunError, match="is not what a link begins with"):
        ListeningSession(session, ServerAddress(link=link, remote=True))
