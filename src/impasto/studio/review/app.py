"""The review over HTTP: what the page asks for, and what it tells.

Everything is answered from a `Review`; nothing is decided in here. Pictures come in sheets, and what is
told about them in pages of the same places, both of a view that keeps its order.
"""

import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Any, TypeGuard

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from impasto.errors import ImpastoError, SourceError
from impasto.studio.guard import Guard
from impasto.workflows.likelihood import FEWEST
from impasto.workflows.ordering import FILTERS
from impasto.workflows.review import MOST, Review, View

BLOCK, COLUMNS = 64, 8  # pictures that the page fetches at a time, and in a row of a sheet
_SCRIPTS = ("review.js", "grid.js", "blocks.js", "server.js")
_KINDS = {
    "page.html": "text/html",
    "review.css": "text/css",
    **dict.fromkeys(_SCRIPTS, "text/javascript"),
}


class _Server(uvicorn.Server):
    """Tells its address when requests and Ctrl-C are heeded, and no sooner."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to answer."""
        await super().startup(sockets)
        self._started()


def serve(review: Review, *, port: int = 0, announce: Callable[[str], None]) -> None:
    """Shows a review on this machine only, until it is interrupted.

    Args:
        review: closed by whoever opened it.
        port: 0 for any that is free.
        announce: told the page's whole address as soon as it can be opened.

    Raises:
        SourceError: the port is taken, or not allowed.
    """
    # The protocol is named for asyncio to answer without delay: else small answers take 40 ms more.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            why = error.strerror if isinstance(error, OSError) else "there is no such port"
            raise SourceError(f"--port {port}: {why}; leave it away for any that is free") from None
        listening.listen()
        port, token = listening.getsockname()[1], secrets.token_urlsafe(32)
        config = uvicorn.Config(
            create_app(review, port=port, token=token),
            log_level="error",
            access_log=False,
            server_header=False,
            ws="none",
            http="h11",
            loop="asyncio",
            timeout_graceful_shutdown=1,
        )
        server = _Server(config, lambda: announce(f"http://127.0.0.1:{port}/?token={token}"))
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listening])


def create_app(review: Review, *, port: int, token: str) -> Starlette:
    """The page of a review and what it asks for.

    Args:
        review: shown to whoever brings the token.
        port: that it is served on, as browsers will name it.
        token: the secret of its address.
    """
    asked = _Asked(review)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        review.save_seen()

    return Starlette(
        routes=[
            Route("/", _file("page.html")),
            Route("/review.css", _file("review.css")),
            *(Route(f"/{name}", _file(name)) for name in _SCRIPTS),
            Route("/set", asked.about),
            Route("/state", asked.state),
            Route("/view", asked.view),
            Route("/page", asked.page),
            Route("/sprite", asked.sprite),
            Route("/invisible", asked.invisible),
            Route("/decide", asked.decide, methods=["POST"]),
            Route("/undo", asked.undo, methods=["POST"]),
            Route("/redo", asked.redo, methods=["POST"]),
            Route("/seen", asked.seen, methods=["POST"]),
            Route("/learn", asked.learn, methods=["POST"]),
        ],
        middleware=[Middleware(Guard, port=port, token=token)],
        exception_handlers={
            ImpastoError: _refuse,
            OSError: _refuse,
            HTTPException: _refuse,
        },
        lifespan=lifespan,
    )


class _Asked:
    """What the page can ask for. Reading is done in threads, several at a time."""

    def __init__(self, review: Review) -> None:
        self._review = review

    def about(self, _: Request) -> Response:
        prepared = self._review.prepared
        return JSONResponse(
            {
                "name": prepared.path.resolve().name,
                "source": prepared.source,
                "credit": prepared.credit,
                "side": prepared.side,
                "filters": FILTERS,
                "sorts": self._review.sorts,
                "invisible": self._review.invisible,
                "block": BLOCK,
                "columns": COLUMNS,
                "fewest": FEWEST,
            }
        )

    def state(self, _: Request) -> Response:
        return JSONResponse(self._state())

    def view(self, request: Request) -> Response:
        words = {name: request.query_params.get(name, "") for name in ("filter", "sort")}
        view = self._review.view(**words)
        return JSONResponse({"view": view.number, "count": len(view.slots), **words})

    def page(self, request: Request) -> Response:
        view, start, count = self._part(request)
        pictures = self._review.page(view, start, count)
        return JSONResponse([vars(picture) for picture in pictures])

    def sprite(self, request: Request) -> Response:
        view, start, count = self._part(request)
        side = _number(request, "side", least=1)
        if start >= len(view.slots):
            raise HTTPException(404, f"start {start}: the view has {len(view.slots)} pictures")
        sheet = self._review.sprite(view, start, count, columns=COLUMNS, side=side)
        return Response(sheet, media_type="image/jpeg")

    def invisible(self, request: Request) -> Response:
        start, count = _number(request, "start"), _number(request, "count", least=1)
        return JSONResponse(self._review.list_invisible(start, count))

    async def decide(self, request: Request) -> Response:
        """Keeps pictures or leaves them out; `plainly` says so of each, whatever the rules say."""
        said = await _json(request)
        slots, keep = self._slots(said), said.get("keep")
        if not isinstance(keep, bool):
            raise HTTPException(400, f"keep: true or false, not {keep!r}")
        act = self._review.decide if said.get("plainly") else self._review.turn
        return await run_in_threadpool(lambda: self._changed(act(slots, keep=keep)))

    def undo(self, _: Request) -> Response:
        return self._changed(self._review.undo())

    def redo(self, _: Request) -> Response:
        return self._changed(self._review.redo())

    async def seen(self, request: Request) -> Response:
        said = await _json(request)
        view, start, end = self._range(said)
        await run_in_threadpool(self._review.see, view, start, end)
        return JSONResponse(self._state())

    def learn(self, _: Request) -> Response:
        self._review.learn()
        return JSONResponse(self._state())

    def _changed(self, slots: list[int]) -> Response:
        said = zip(slots, self._review.said_of(slots), strict=True)
        return JSONResponse({"changed": list(said), **self._state()})

    def _slots(self, said: dict[str, Any]) -> list[int]:
        """The slots of a decision: named one by one, or as a stretch of a view."""
        if "view" in said:
            view, start, end = self._range(said)
            stretch: list[int] = view.slots[start:end].tolist()
            return stretch
        slots = said.get("slots")
        if not isinstance(slots, list) or not all(map(_is_place, slots)):
            raise HTTPException(400, "slots: a list of whole numbers")
        return slots

    def _range(self, said: dict[str, Any]) -> tuple[View, int, int]:
        start, end = said.get("start"), said.get("end")
        if not _is_place(start) or not _is_place(end):
            raise HTTPException(400, "a stretch is {view, start, end}, all whole numbers")
        return self._known(said.get("view")), start, end

    def _state(self) -> dict[str, Any]:
        return {"counts": vars(self._review.counts()), "learning": vars(self._review.learning)}

    def _part(self, request: Request) -> tuple[View, int, int]:
        view = self._known(_number(request, "view"))
        count = min(_number(request, "count", least=1), MOST)
        return view, _number(request, "start"), count

    def _known(self, number: object) -> View:
        view = self._review.find_view(number) if isinstance(number, int) else None
        if view is None:
            raise HTTPException(410, "this view is no longer there; ask for it anew")
        return view


def _file(name: str) -> Callable[[Request], Response]:
    content = files(__package__).joinpath(name).read_bytes()

    def answer(_: Request) -> Response:
        return Response(content, media_type=_KINDS[name])

    return answer


def _number(request: Request, name: str, *, least: int = 0) -> int:
    given = request.query_params.get(name, "")
    if not (given.isascii() and given.isdigit() and len(given) < 16 and int(given) >= least):
        raise HTTPException(400, f"{name}: a whole number, at least {least}, not {given!r}")
    return int(given)


async def _json(request: Request) -> dict[str, Any]:
    try:
        said = await request.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise HTTPException(400, "the body is one JSON object")
    return said


def _is_place(given: object) -> TypeGuard[int]:
    return isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 2**62


def _refuse(_: Request, error: Exception) -> Response:
    match error:
        case HTTPException():
            return JSONResponse({"error": error.detail}, status_code=error.status_code)
        case OSError():
            return JSONResponse({"error": f"cannot be written: {error.strerror}"}, status_code=507)
        case _:
            return JSONResponse({"error": str(error)}, status_code=409)
