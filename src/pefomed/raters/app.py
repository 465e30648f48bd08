"""The rating page's server: one private link per rater, and nothing at any other address.

    GET  /r/{token}                            the page
    GET  /r/{token}/session                    which session this is
    GET  /r/{token}/items                      their items and what they have said of them
    GET  /r/{token}/items/{number}/images/{k}  one image
    POST /r/{token}/items/{number}             what they say of one item
    POST /r/{token}/undo                       take back their last label

A browser gets to know an item's number in the rater's order, its texts and its images; never an id, a
path, the model, the run, or what a metric said. Every JSON answer names the session (by a mark that tells
nothing of it), and an answer to a change names that change, refusals too: the page keeps a rating until it
has such an answer, whatever else may answer at this address.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import resources
from typing import Any

from fastapi import BackgroundTasks, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict, Field

from pefomed.errors import ImageError, PefomedError, StorageError
from pefomed.raters.export import export, progress
from pefomed.raters.guards import CSRF_HEADER, Guards, csrf_key, same, session_mark
from pefomed.raters.pictures import EncodedImages
from pefomed.raters.session import Rater, RatingItem, Session
from pefomed.raters.verdicts import Conflict, Rating, save, states, undo

LONGEST_COMMENT = 2000

_FILES = {
    "icon.svg": "image/svg+xml",
    "rate.css": "text/css",
    "rate.js": "text/javascript",
    "queue.js": "text/javascript",
    "viewer.js": "text/javascript",
}


class RatingInput(BaseModel):
    """What a rater says of one item."""

    model_config = ConfigDict(extra="forbid", strict=True)

    change: str = Field(min_length=8, max_length=64)
    revision: int = Field(ge=0)
    label: int | None
    cannot: bool
    comment: str = Field(max_length=LONGEST_COMMENT)


class Undo(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    change: str = Field(min_length=8, max_length=64)


class Desk:
    """A rater and their items by number."""

    def __init__(self, session: Session, rater: Rater):
        self.rater = rater
        self.key = csrf_key(session.secret, rater.token)
        self.mark = session_mark(session.secret, rater.token)
        self.items: dict[int, RatingItem] = {item.number: item for item in session.items(rater)}
        self.numbers: dict[int, int] = {item.id: item.number for item in self.items.values()}


def make_app(
    session: Session,
    hosts: set[str],
    finished: Callable[[str], None] | None = None,
    link: str | None = None,
) -> FastAPI:
    """Return the server of a session.

    Args:
        hosts: names and addresses that it answers to.
        finished: called with a rater's name each time they have rated all their items.
        link: what the raters' links begin with, where they lead to a proxy.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guards, hosts=hosts, link=link)
    desks = [Desk(session, rater) for rater in session.raters()]
    pictures = EncodedImages()
    page = Environment(
        loader=PackageLoader("pefomed.raters"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("page.html.j2")

    def desk_of(token: str, request: Request | None = None) -> Desk:
        # All are compared, so that the time says nothing of which one it nearly was.
        fitting = [desk for desk in desks if same(desk.rater.token, token)]
        if not fitting:
            raise HTTPException(404, "There is nothing here. Use the link that you were given.")
        if request is not None and not same(fitting[0].key, request.headers.get(CSRF_HEADER, "")):
            raise HTTPException(403, "Load the page again: its key is not valid.")
        return fitting[0]

    def item_of(desk: Desk, number: int) -> RatingItem:
        if number not in desk.items:
            raise HTTPException(404, "There is no such item.")
        return desk.items[number]

    @app.get("/r/{token}")
    def show_page(token: str) -> HTMLResponse:
        desk = desk_of(token)
        return HTMLResponse(
            page.render(scale=session.scale, key=desk.key, mark=desk.mark, longest=LONGEST_COMMENT)
        )

    @app.get("/r/{token}/session")
    def show_session(token: str) -> JSONResponse:
        return JSONResponse({"session": desk_of(token).mark})

    @app.get("/r/{token}/items")
    def show_items(token: str) -> JSONResponse:
        desk = desk_of(token)
        said = states(session, desk.rater)
        items = [_content(item, session.scale.sides) for item in desk.items.values()]
        told = [_told(said.get(item.id, Rating())) for item in desk.items.values()]
        return JSONResponse({"session": desk.mark, "items": items, "states": told})

    @app.get("/r/{token}/states")
    def show_states(token: str) -> JSONResponse:
        desk = desk_of(token)
        said = states(session, desk.rater)
        told = [_told(said.get(item.id, Rating())) for item in desk.items.values()]
        return JSONResponse({"session": desk.mark, "states": told})

    @app.get("/r/{token}/items/{number}/images/{place}")
    def show_image(token: str, number: int, place: int) -> Response:
        item = item_of(desk_of(token), number)
        if not 0 <= place < len(item.images):
            raise HTTPException(404, "There is no such image.")
        content, kind = pictures.encoded(session.picture(item, place))
        return Response(content, media_type=kind)

    @app.post("/r/{token}/items/{number}")
    def say(
        token: str, number: int, said: RatingInput, request: Request, later: BackgroundTasks
    ) -> JSONResponse:
        desk = desk_of(token, request)
        if number not in desk.items:
            return _refused(desk, said.change, "There is no such item.", 404)
        item = desk.items[number]
        wanted = Rating(said.label, said.cannot, said.comment, said.revision)
        try:
            state = save(session, desk.rater, item.id, wanted, change=said.change)
        except Conflict as conflict:
            return _answer(desk, said.change, number, conflict.state, 409)
        except ValueError:
            return _refused(desk, said.change, "That label is not on the scale.", 422)
        if state.rated:
            later.add_task(_finish, session, desk.rater, finished)
        return _answer(desk, said.change, number, state)

    @app.post("/r/{token}/undo")
    def take_back(token: str, body: Undo, request: Request) -> JSONResponse:
        desk = desk_of(token, request)
        undone = undo(session, desk.rater, change=body.change)
        if undone is None:
            return _answer(desk, body.change, None, None)
        item, state = undone
        return _answer(desk, body.change, desk.numbers[item], state)

    @app.get("/static/{name}")
    def show_file(name: str) -> Response:
        if name not in _FILES:
            raise HTTPException(404, "There is nothing here.")
        return Response(_source(name), media_type=_FILES[name])

    @app.exception_handler(RequestValidationError)
    def odd(request: Request, error: RequestValidationError) -> Response:
        reason = "The request is not one of the rating page's."
        change = error.body.get("change") if isinstance(error.body, dict) else None
        if request.method != "POST" or not isinstance(change, str):
            return PlainTextResponse(reason, 422)
        return _refused(desk_of(request.path_params.get("token", ""), request), change, reason, 422)

    _explain_errors(app)
    return app


def _answer(
    desk: Desk, change: str, number: int | None, state: Rating | None, status: int = 200
) -> JSONResponse:
    told = None if state is None else _told(state)
    return JSONResponse({"session": desk.mark, "change": change, "number": number, "state": told}, status)


def _refused(desk: Desk, change: str, reason: str, status: int) -> JSONResponse:
    """Refuse one change for good: the page may drop it."""
    return JSONResponse({"session": desk.mark, "change": change, "refused": reason}, status)


def _explain_errors(app: FastAPI) -> None:
    @app.exception_handler(StorageError)
    def full(_: Request, error: StorageError) -> PlainTextResponse:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return PlainTextResponse("The server cannot save: its disk is full or busy.", 507)

    @app.exception_handler(ImageError)
    def unseen(_: Request, error: ImageError) -> PlainTextResponse:
        # The message names the file: for the person at the server, not for the rater.
        print(f"error: {error}", file=sys.stderr, flush=True)
        return PlainTextResponse("This image cannot be read.", 410)

    @app.exception_handler(HTTPException)
    def refused(_: Request, error: HTTPException) -> PlainTextResponse:
        return PlainTextResponse(str(error.detail), error.status_code)

    @app.exception_handler(404)
    def absent(_: Request, error: Exception) -> PlainTextResponse:
        detail = getattr(error, "detail", "")
        known = detail if detail and detail != "Not Found" else "There is nothing here."
        return PlainTextResponse(known, 404)


def _content(item: RatingItem, sides: bool) -> dict[str, Any]:
    texts = [item.reference, item.text]
    if sides and item.swapped:
        texts.reverse()
    return {"question": item.question, "texts": texts, "images": len(item.images)}


def _told(state: Rating) -> dict[str, Any]:
    return {
        "label": state.label, "cannot": state.cannot, "comment": state.comment, "revision": state.revision,
    }  # fmt: skip


def _finish(session: Session, rater: Rater, finished: Callable[[str], None] | None) -> None:
    """Write the rater's verdicts out once they have rated everything; the next export would do it, too."""
    mine = next(each for each in progress(session) if each.rater.id == rater.id)
    if mine.rated < mine.items:
        return
    try:
        export(session, [rater.name])
    except PefomedError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
    else:
        if finished is not None:
            finished(rater.name)


def _source(name: str) -> str:
    return (resources.files("pefomed.raters") / "templates" / name).read_text(encoding="utf-8")
