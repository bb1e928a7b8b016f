"""Opens an address of HTTP within a time, with user name and password where the server asks for them."""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.error
import urllib.request
from contextlib import suppress
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from edgekit.camera.address import without_password
from edgekit.errors import EnvironmentLacks


def open_http(url: str, timeout_s: float) -> http.client.HTTPResponse:
    """Connects, answers a demand for Basic or Digest authentication, and follows redirections.

    Args:
        url: ``http`` or ``https``, with or without ``user:password@``. Certificates are checked.
        timeout_s: until the head of the answer is there, all steps together; then for each silence of the body.

    Raises:
        EnvironmentLacks: nobody answers in time, or says no. The message has no password.
    """
    shown = without_password(url)
    deadline = _Deadline(timeout_s)
    try:
        with deadline:
            response = _opener(url, deadline).open(_without_user(url), timeout=timeout_s)
        if deadline.passed:  # in the middle of the head, which then looks like a whole one
            response.close()
            raise TimeoutError
    except urllib.error.HTTPError as error:
        error.close()
        raise EnvironmentLacks(
            f"{shown}: answers {error.code} {error.reason}", "check the address, user name and password"
        ) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        late = deadline.passed or isinstance(getattr(error, "reason", error), TimeoutError)
        why = f"waited {timeout_s:g} s" if late else words_of(error)
        raise EnvironmentLacks(
            f"{shown}: no stream answers ({why})", "check the address and that the camera is on"
        ) from None
    return cast(http.client.HTTPResponse, response)


def words_of(error: BaseException) -> str:
    """What went wrong with a connection, without the address: it may have a password in it."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return type(reason).__name__


class _Deadline:
    """Ends connections that are not done in time: a server may send its head a byte a second, for ever."""

    def __init__(self, timeout_s: float) -> None:
        self.passed = False
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(timeout_s, self._pass)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()

    def watch(self, connection: socket.socket) -> None:
        """Makes it one of those that are ended."""
        self._sockets.append(connection)
        if self.passed:
            self._pass()

    def _pass(self) -> None:
        self.passed = True
        for connection in self._sockets:
            with suppress(OSError):  # it has ended by itself
                connection.shutdown(socket.SHUT_RDWR)


def _opener(url: str, deadline: _Deadline) -> urllib.request.OpenerDirector:
    class Plain(http.client.HTTPConnection):
        def connect(self) -> None:
            super().connect()
            deadline.watch(self.sock)

    class Secure(http.client.HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            deadline.watch(self.sock)

    class PlainHandler(urllib.request.HTTPHandler):
        def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(Plain, req)

    class SecureHandler(urllib.request.HTTPSHandler):
        def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(Secure, req)

    handlers: list[Any] = [PlainHandler, SecureHandler]
    parts = urlsplit(url)
    if parts.username is not None:
        passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        user, password = unquote(parts.username), unquote(parts.password or "")
        passwords.add_password(None, _without_user(url), user, password)
        handlers.append(urllib.request.HTTPDigestAuthHandler(passwords))
        handlers.append(urllib.request.HTTPBasicAuthHandler(passwords))
    return urllib.request.build_opener(*handlers)


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
