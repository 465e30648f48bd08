"""The page's server: who is let in, what a browser gets to know, and what becomes of what it sends."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from pefomed.files import jsonl
from pefomed.raters import Session, SessionRequest, open_session
from pefomed.raters.app import make_app
from pefomed.raters.guards import LOOPBACK
from pefomed.raters.pictures import EncodedImages
from pefomed.schema import Verdict

BASE = "http://127.0.0.1:8765"


class Page:
    """What a rater's browser would send."""

    def __init__(self, session: Session, number: int = 0, finished: Any = None):
        self.rater = session.raters()[number]
        self.client = TestClient(
            make_app(session, set(LOOPBACK), finished), base_url=BASE, raise_server_exceptions=False
        )
        self.path = f"/r/{self.rater.token}"
        html = self.client.get(self.path).text
        self.key = re.findall(r'name="key" content="(\w+)"', html)[0]
        self.mark = re.findall(r'name="session" content="(\w+)"', html)[0]
        self.headers = {"X-Rating-Key": self.key, "Origin": BASE, "Sec-Fetch-Site": "same-origin"}

    def say(self, number: int, label: int | None = 1, headers: Any = None, **more: Any) -> Any:
        body = {
            "change": f"change-{number}-{label}", "revision": 0, "label": label, "cannot": False,
            "comment": "", **more,
        }  # fmt: skip
        sent = self.headers if headers is None else headers
        return self.client.post(f"{self.path}/items/{number}", json=body, headers=sent)

    def states(self) -> Any:
        return self.client.get(f"{self.path}/states").json()["states"]


@pytest.fixture
def session(vqa_run: Path) -> Session:
    return open_session(vqa_run, SessionRequest(raters=2, sample=10, seed=7))


@pytest.fixture
def page(session: Session) -> Page:
    return Page(session)


def test_a_rating_is_saved_and_seen_by_the_next_visit(page: Page, session: Session) -> None:
    answer = page.say(3, 0, comment="no such organ")
    assert answer.json() == {
        "session": page.mark,
        "change": "change-3-0",
        "number": 3,
        "state": {"label": 0, "cannot": False, "comment": "no such organ", "revision": 1},
    }
    assert Page(session).states()[2]["label"] == 0
    assert [state["label"] for state in Page(session, 1).states()] == [None] * 10


def test_undo_names_the_item_it_reached(page: Page) -> None:
    page.say(4, 1)
    answer = page.client.post(f"{page.path}/undo", json={"change": "undo-0001"}, headers=page.headers)
    assert answer.json()["number"] == 4
    assert answer.json()["state"]["label"] is None
    again = page.client.post(f"{page.path}/undo", json={"change": "undo-0002"}, headers=page.headers)
    assert again.json() == {"session": page.mark, "change": "undo-0002", "number": None, "state": None}


def test_a_change_on_an_old_revision_is_told_the_new_one(page: Page) -> None:
    page.say(1, 1)
    answer = page.say(1, 0)
    assert answer.status_code == 409
    assert answer.json()["state"] == {"label": 1, "cannot": False, "comment": "", "revision": 1}


@pytest.mark.parametrize(
    "body",
    [
        {"label": 2}, {"label": -1}, {"label": 1.0}, {"label": "1"}, {"label": True},
        {"label": 1, "cannot": True}, {"comment": "x" * 2001}, {"change": "short"}, {"revision": -1},
        {"sample_id": "x"},
    ],
)  # fmt: skip
def test_what_the_page_never_sends_is_refused(page: Page, body: dict[str, Any]) -> None:
    assert page.say(1, **body).status_code == 422
    assert page.states()[0]["label"] is None


def test_a_refusal_names_session_and_change(page: Page) -> None:
    for number, label, status in ((11, 1, 404), (1, 2, 422), (1, "1", 422)):
        answer = page.say(number, label)  # type: ignore[arg-type]
        assert answer.status_code == status
        assert answer.json()["session"] == page.mark
        assert answer.json()["change"] == f"change-{number}-{label}"
        assert answer.json()["refused"]


def test_each_rater_of_each_session_has_a_mark_of_its_own(
    page: Page, session: Session, report_run: Path
) -> None:
    assert page.client.get(f"{page.path}/session").json() == {"session": page.mark}
    other = Page(open_session(report_run, SessionRequest(raters=1, sample=4)))
    assert len({page.mark, Page(session, 1).mark, other.mark}) == 3
    assert Page(session).mark == page.mark  # after a restart, too


def test_nothing_tells_model_metric_or_file(page: Page, session: Session) -> None:
    told = page.client.get(page.path).text + page.client.get(f"{page.path}/items").text
    told += page.say(1).text + page.client.get(f"{page.path}/states").text
    for name in ("rate.js", "queue.js", "viewer.js", "rate.css", "icon.svg"):
        told += page.client.get(f"/static/{name}").text
    secrets = (session.id, session.secret)
    for word in ("covert", "secret-model", "rad-test", "exact", "stratum", "rater-0", "grey.png", *secrets):
        assert word not in told, word
    # Right and wrong answers are told in the same way.
    items = page.client.get(f"{page.path}/items").json()["items"]
    assert {tuple(item) for item in items} == {("question", "texts", "images")}


def test_the_sides_of_a_report_change(report_run: Path) -> None:
    session = open_session(report_run, SessionRequest(raters=1, sample=12))
    items = Page(session).client.get(f"/r/{session.raters()[0].token}/items").json()["items"]
    left = [item["texts"][0].split()[0] for item in items]
    assert sorted(left) == ["Generated"] * 6 + ["Reference"] * 6


def test_images_come_by_number_without_what_else_the_file_held(page: Page, session: Session) -> None:
    for item in session.items(page.rater)[:4]:
        answer = page.client.get(f"{page.path}/items/{item.number}/images/0")
        grey = item.images[0].endswith("grey.png")
        assert answer.headers["content-type"] == ("image/png" if grey else "image/jpeg")
        assert Image.open(io.BytesIO(answer.content)).size == ((300, 200) if grey else (120, 160))
        assert b"Exif" not in answer.content


def test_a_large_image_is_made_smaller(tmp_path: Path) -> None:
    Image.new("L", (5000, 2500), 80).save(tmp_path / "large.png")
    content, kind = EncodedImages().encoded(str(tmp_path / "large.png"))
    assert Image.open(io.BytesIO(content)).size == (2048, 1024)
    assert kind == "image/png"


def test_a_picture_that_is_not_what_was_answered_about_is_not_shown(page: Page, session: Session) -> None:
    path = Path(session.items(page.rater)[0].images[0])
    before = path.read_bytes()
    Image.new("L", (64, 64), 80).save(path)
    answer = page.client.get(f"{page.path}/items/1/images/0")
    assert (answer.status_code, answer.text) == (410, "This image cannot be read.")
    path.write_bytes(before)
    assert page.client.get(f"{page.path}/items/1/images/0").status_code == 200


def test_an_image_that_vanished_is_said_without_its_path(page: Page, session: Session) -> None:
    Path(session.items(page.rater)[0].images[0]).unlink()
    answer = page.client.get(f"{page.path}/items/1/images/0")
    assert answer.status_code == 410
    assert answer.text == "This image cannot be read."


@pytest.mark.parametrize(
    "path",
    [
        "/", "/r", "/r/", "/r/wrong", "/docs", "/openapi.json", "/static/", "/static/app.py",
        "/static/..%2fapp.py", "/static/../app.py", "/static/page.html.j2", "/rating.sqlite",
        "{page}/items/0", "{page}/items/11/images/0", "{page}/items/1/images/1", "{page}/items/1/images/-1",
        "{page}/items/1/images/..%2f..%2fgrey.png", "{page}/items/..%2f1/images/0", "{page}x", "{page}/../",
    ],
)  # fmt: skip
def test_nothing_is_at_any_other_address(page: Page, path: str) -> None:
    answer = page.client.get(path.format(page=page.path))
    assert answer.status_code in (404, 405, 422)
    assert len(answer.text) < 80
    assert "covert" not in answer.text


def test_a_raters_key_opens_nobody_elses_items(page: Page, session: Session) -> None:
    other = Page(session, 1)
    other.path = page.path
    assert other.say(1).status_code == 403
    assert page.states()[0]["label"] is None


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"X-Rating-Key": ""}, 403),
        ({"X-Rating-Key": "0" * 64}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:9999"}, 403),
        ({"Origin": None}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Host": "evil.example:8765"}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Host": ""}, 421),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_another_sites_page_cannot_rate(page: Page, changed: dict[str, str | None], status: int) -> None:
    headers = {**page.headers, **changed}
    answer = page.say(1, headers={name: value for name, value in headers.items() if value is not None})
    assert answer.status_code == status
    assert page.states()[0]["label"] is None


def test_a_large_request_is_not_read(page: Page) -> None:
    answer = page.client.post(f"{page.path}/items/1", content=b"x" * 70_000, headers={
        **page.headers, "Content-Type": "application/json",
    })  # fmt: skip
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "told", [{"Content-Length": "10"}, {"Content-Length": "10", "Transfer-Encoding": "chunked"}]
)
def test_no_length_that_is_told_lets_a_large_request_in(page: Page, told: dict[str, str]) -> None:
    headers = {**page.headers, "Content-Type": "application/json", **told}
    answer = page.client.post(f"{page.path}/items/1", content=b" " * 70_000, headers=headers)
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("https://rating.example.org", "127.0.0.1:8765", 200),
        ("https://rating.example.org", "rating.example.org", 200),
        ("https://rating.example.org:443", "localhost", 200),
        ("http://rating.example.org", "127.0.0.1:8765", 403),
        ("https://rating.example.org:8443", "127.0.0.1:8765", 403),
        ("https://evil.example", "127.0.0.1:8765", 403),
        ("https://rating.example.org.evil.example", "127.0.0.1:8765", 403),
        ("https://rating.example.org", "evil.example", 421),
    ],
)
def test_a_proxy_need_not_hand_on_the_host(session: Session, origin: str, host: str, status: int) -> None:
    page = Page(session)
    hosts = {*LOOPBACK, "rating.example.org"}
    page.client = TestClient(make_app(session, hosts, link="https://rating.example.org/"), base_url=BASE)
    assert page.say(1, headers={**page.headers, "Origin": origin, "Host": host}).status_code == status


def test_another_sites_page_cannot_show_images(page: Page) -> None:
    path = f"{page.path}/items/1/images/0"
    assert page.client.get(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert page.client.get(path, headers={"Host": "evil.example"}).status_code == 421
    assert page.client.get(path).headers["cross-origin-resource-policy"] == "same-origin"
    # A link in a mail is followed from elsewhere.
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert page.client.get(page.path, headers=followed).status_code == 200


@pytest.mark.parametrize("host", ["localhost:8765", "127.0.0.1:9000", "[::1]:8765", "LOCALHOST"])
def test_this_machine_is_known_by_several_names(page: Page, host: str) -> None:
    assert page.client.get(page.path, headers={"Host": host}).status_code == 200


def test_every_answer_carries_the_guards(page: Page) -> None:
    for path in (page.path, "/nothing", "/static/rate.js", f"{page.path}/items"):
        headers = page.client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"


def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing_inline(page: Page) -> None:
    html = page.client.get(page.path).text
    assert re.findall(r"<script[^>]*>(?!</script>)", html) == []
    assert re.findall(r'\son\w+="', html) == []
    assert re.findall(r'(?:src|href)="([^"]*)"', html) == [
        "/static/icon.svg", "/static/rate.css", "/static/rate.js",
    ]  # fmt: skip


def test_a_finished_rater_is_written_out_at_once(session: Session) -> None:
    told: list[str] = []
    page = Page(session, finished=told.append)
    for number in range(1, 11):
        assert told == []
        page.say(number, number % 2)
    assert told == ["rater-01"]
    verdicts = list(jsonl.read(session.run / "verdicts" / "rater-01.jsonl", Verdict))
    assert sum(verdict.label or 0 for verdict in verdicts) == 5
