"""A small HTTP server for a few viewers: GET only, one request a connection, a thread each, everything bounded.

``http.server`` parses; what it leaves open is closed here: size and time of a request's head, time of a send, number
of connections, and the end of all threads (``docs/decisions/preview-server.md``).
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import BaseServer, ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from edgekit.errors import EnvironmentLacks
from edgekit.web.access import Access
from edgekit.web.address import Address

HEAD_BYTES = 16_384
HEAD_S = 5.0
"""Size of a request's head, and how long it may take to come."""

SEND_S = 10.0
"""How long a viewer may take for one record before it is given up."""

SEND_BUFFER_BYTES = 262_144
"""What the system may hold for a slow viewer: more would only make its pictures older."""

CONNECTIONS = 24
GRACE_S = 1.0
POLL_S = 0.1  # how long close() waits for the accepting thread at most

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered.

    Attributes:
        content_type: of the body.
        body: whole, or in pieces as they come.
        status: of the response.
        headers: beside those that every response has.
        finish: called when it was sent, or could not be.
    """

    content_type: str
    body: bytes | Iterable[bytes]
    status: HTTPStatus = HTTPStatus.OK
    headers: tuple[tuple[str, str], ...] = ()
    finish: Callable[[], None] = lambda: None


Route = Callable[[Mapping[str, str]], Response]
"""Answers a GET request, given its headers."""


class Server:
    """Listens from the moment it is made; answers from :meth:`start` to :meth:`close`.

    Args:
        address: where.
        routes: path → what answers. There are no other paths, and none leads to a file system.
        access: who may look.
        open_paths: paths that need no token, for the page that asks for one.
        locked: that page.

    Raises:
        EnvironmentLacks: the address is in use, or not one of this machine.
    """

    def __init__(
        self,
        address: Address,
        routes: dict[str, Route],
        access: Access,
        *,
        open_paths: frozenset[str] = frozenset(),
        locked: Response | None = None,
    ) -> None:
        self.access = access
        self._tcp = _listen(address, partial(_Handler, routes, access, open_paths, locked))
        self.address = Address(address.host, self._tcp.server_address[1])
        self._thread = threading.Thread(
            target=self._tcp.serve_forever, args=(POLL_S,), name="edgekit-web", daemon=True
        )

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def close(self) -> None:
        """Stops; connections that are open have a moment to end by themselves; waits for their threads."""
        if self._thread.ident is not None:
            self._tcp.shutdown()
            self._thread.join()
        self._tcp.end_connections(GRACE_S)
        self._tcp.server_close()


class _Tcp(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = False  # so that server_close() waits for them
    request_queue_size = 16

    def __init__(self, *args: Any) -> None:  # noqa: ANN401 (as socketserver has it)
        self._open: set[socket.socket] = set()
        self._guard = threading.Condition()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Answers in a thread, or hangs up where there are too many."""
        with self._guard:
            welcome = len(self._open) < CONNECTIONS
            if welcome:
                self._open.add(request)
        if welcome:
            super().process_request(request, client_address)
        else:
            super().shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401
        """Ends one connection."""
        super().shutdown_request(request)
        with self._guard:
            self._open.discard(request)
            self._guard.notify()

    def end_connections(self, grace_s: float) -> None:
        """Waits a moment, then makes every send and receive of the connections that are still open fail at once."""
        with self._guard:
            self._guard.wait_for(lambda: not self._open, grace_s)
            for request in self._open:
                _hang_up(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """A viewer who leaves is no error; anything else is told by its traceback."""
        import sys

        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Tcp6(_Tcp):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    server_version, sys_version = "edgekit", ""
    error_message_format, error_content_type = "%(code)d %(message)s\n", "text/plain; charset=utf-8"

    def __init__(
        self,
        routes: dict[str, Route],
        access: Access,
        open_paths: frozenset[str],
        locked: Response | None,
        request: Any,  # noqa: ANN401 (as socketserver has it)
        client_address: Any,  # noqa: ANN401
        server: BaseServer,
    ) -> None:
        self._routes, self._access = routes, access
        self._open_paths, self._locked = open_paths, locked
        super().__init__(request, client_address, server)

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self.rfile = io.BufferedReader(io.BytesIO(read_head(self.connection)))
        self.connection.settimeout(SEND_S)

    def do_GET(self) -> None:
        try:
            url = urlsplit(self.path)
            given = parse_qs(url.query, max_num_fields=8).get("token", [None])[0]
        except ValueError:
            self.send_error(HTTPStatus.BAD_REQUEST, "That is no address.")
            return
        route = self._routes.get(url.path)
        refusal = self._access.refusal(self.headers, given, entry=url.path == "/")  # type: ignore[arg-type]
        if refusal is not None and not (
            refusal.status == HTTPStatus.UNAUTHORIZED and url.path in self._open_paths
        ):
            self._refuse(refusal.status, refusal.reason)
        elif route is None:
            self.send_error(HTTPStatus.NOT_FOUND, "There is no such page.")
        elif given is not None and url.path == "/":  # out of the address line, into a cookie
            cookie = ("Set-Cookie", self._access.cookie) if self._access.token else ("Vary", "Cookie")
            self._send(Response("text/plain", b"", HTTPStatus.SEE_OTHER, (("Location", "/"), cookie)))
        else:
            self._send(route(self.headers))  # type: ignore[arg-type]

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        if status == HTTPStatus.UNAUTHORIZED and self._locked is not None:
            self._send(self._locked)
        else:
            self.send_error(status, reason)

    def _send(self, response: Response) -> None:
        try:
            self._send_all(response)
        finally:
            response.finish()

    def _send_all(self, response: Response) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        if isinstance(response.body, bytes):
            self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers:
            self.send_header(name, value)
        self.end_headers()
        pieces = (response.body,) if isinstance(response.body, bytes) else response.body
        for piece in pieces:
            self.wfile.write(piece)

    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: ANN401 (as http.server has it)
        """Nothing: the terminal belongs to the loop's status line."""


def read_head(connection: socket.socket, now_s: Callable[[], float] = time.monotonic) -> bytes:
    """Reads until the empty line that ends a request's head.

    Raises:
        OSError: it is too long, or takes too long.
    """
    head, until_s = b"", now_s() + HEAD_S
    while b"\r\n\r\n" not in head and b"\n\n" not in head:
        left_s = until_s - now_s()
        if left_s <= 0 or len(head) > HEAD_BYTES:
            raise OSError("request: too long or too slow")
        connection.settimeout(left_s)
        piece = connection.recv(4096)
        if not piece:
            break
        head += piece
    return head


def _listen(address: Address, handler: Callable[..., _Handler]) -> _Tcp:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        server = _Tcp6 if found[0] == socket.AF_INET6 else _Tcp
        return server(found[4][:2], handler)
    except OSError as error:
        raise EnvironmentLacks(
            f"{address}: {error.strerror or error}", "choose another port, or an address of this machine"
        ) from error


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended by itself
