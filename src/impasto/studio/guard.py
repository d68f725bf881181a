"""Who may ask a local page: this machine's user, who was told a secret, and no other page they visit.

A local port is open to everything that runs on the machine and, through the browser, to every page in
the world. So the address holds a secret that is exchanged for a cookie no script can read; the Host
header must be this machine's own name (else a name on the internet could be pointed here); a change
must come from the page itself; and the page may load nothing from anywhere else.
"""

import hmac
import secrets
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
_REFUSED = "This page is private; open the whole address that impasto printed.\n"


class Guard:
    """Lets through what comes from the person's own page on this machine, and refuses all else."""

    def __init__(self, app: ASGIApp, *, port: int, token: str) -> None:
        self._app, self._token = app, token
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._cookie = f"impasto-{port}"  # cookies do not tell ports apart
        self._secret = secrets.token_urlsafe(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, as ASGI has it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        request = Request(scope)
        welcome = self._is_told(request)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = {**HEADERS, **({"set-cookie": self._set_cookie()} if welcome else {})}
                pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
                own = [pair for pair in message["headers"] if pair[0].decode() not in HEADERS]
                message = {**message, "headers": [*own, *pairs]}
            await send(message)

        if self._is_own(request) and (welcome or self._is_known(request)):
            await self._app(scope, receive, send_guarded)
        else:
            welcome = False
            refusal = PlainTextResponse(_REFUSED, status_code=403)
            await refusal(scope, receive, send_guarded)

    def _is_own(self, request: Request) -> bool:
        """Whether the request is to this machine by name and, where it changes things, from this page."""
        if request.headers.get("host") not in self._hosts:
            return False
        if request.method in {"GET", "HEAD"}:
            return True
        return request.headers.get("origin") in {f"http://{host}" for host in self._hosts}

    def _is_told(self, request: Request) -> bool:
        """Whether the address of the page itself holds the secret that was printed."""
        given = parse_qs(request.url.query).get("token", [""])[0]
        return request.url.path == "/" and _same(given, self._token)

    def _is_known(self, request: Request) -> bool:
        return _same(request.cookies.get(self._cookie, ""), self._secret)

    def _set_cookie(self) -> str:
        return f"{self._cookie}={self._secret}; Path=/; HttpOnly; SameSite=Strict"


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
