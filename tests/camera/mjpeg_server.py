"""A camera on the network, on loopback: Motion JPEG over HTTP, with what such cameras do when they are ill."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cv2
import numpy as np

HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=cut\r\n\r\n"


def jpeg(index: int, size_wh: tuple[int, int] = (64, 48)) -> bytes:
    """A picture that differs from its neighbours."""
    pixels = np.full((size_wh[1], size_wh[0], 3), 40 + index * 7 % 200, np.uint8)
    cv2.putText(pixels, str(index), (4, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255, 255, 255), 2)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def part(body: bytes, length: int | None = None) -> bytes:
    """One picture as a part of the stream."""
    length = len(body) if length is None else length
    return f"--cut\r\nContent-Type: image/jpeg\r\nContent-Length: {length}\r\n\r\n".encode() + body + b"\r\n"


def play(
    script: Iterator[bytes | float | None], send: Callable[[bytes], object], over: threading.Event
) -> None:
    """Sends what a script says, with its pauses, until it ends, the server does, or nobody listens."""
    for item in script:
        if over.is_set():
            return
        if isinstance(item, bytes):
            try:
                send(item)
            except OSError:  # the other side has gone
                return
        else:
            over.wait(item)


class MjpegServer:
    """Serves what ``script`` says: a function of the connection's number and itself, which yields bytes to send.

    With ``by_head`` it is a function of the request's head instead.

    A number in place of bytes is a pause in seconds, ``None`` a silence until the server ends. Where the script ends
    the connection is closed.
    """

    def __init__(self, script: Callable[..., Iterator[bytes | float | None]], by_head: bool = False) -> None:
        self.script = script
        self.by_head = by_head
        self.connections = 0
        self.over = threading.Event()
        self._server: socketserver.ThreadingTCPServer | None = None
        self._port = 0
        self._threads: list[threading.Thread] = []
        self.up()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/video"

    def up(self) -> None:
        """Listens, at the same port each time."""
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                head = self.request.recv(4096)
                number, outer.connections = outer.connections, outer.connections + 1
                play(outer.script(head if outer.by_head else number), self.request.sendall, outer.over)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_address[1]
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        self._threads.append(thread)

    def down(self) -> None:
        """Listens no more; connections that stand are not touched."""
        if self._server is not None:
            self._server.shutdown()
            self._server.socket.close()
            self._server = None

    def close(self) -> None:
        """Ends everything."""
        self.over.set()
        self.down()
        for thread in self._threads:
            thread.join(30)


@contextmanager
def serving(
    script: Callable[..., Iterator[bytes | float | None]], by_head: bool = False
) -> Iterator[MjpegServer]:
    """A server for a block."""
    server = MjpegServer(script, by_head)
    try:
        yield server
    finally:
        server.close()


def pictures(start: int, count: int, pause_s: float = 0.02, size_wh: tuple[int, int] = (64, 48)):
    """Parts of a healthy stream."""
    for index in range(start, start + count):
        yield part(jpeg(index, size_wh))
        yield pause_s
