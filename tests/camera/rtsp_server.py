"""A network camera that speaks RTSP (RFC 2326) on loopback: Motion JPEG over RTP (RFC 2435), in the TCP stream."""

from __future__ import annotations

import re
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.camera.mjpeg_server import play

SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 26\r\na=framerate:{fps}\r\na=control:track1\r\n"
)


def segments(jpeg: bytes) -> tuple[bytes, tuple[int, int], bytes]:
    """Quantisation tables, width and height, and the scan of a baseline JPEG."""
    tables, at = b"", 2
    while jpeg[at + 1] != 0xDA:
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        body = jpeg[at + 4 : at + 2 + length]
        if marker == 0xDB:
            tables += b"".join(body[i + 1 : i + 65] for i in range(0, len(body), 65))
        elif marker == 0xC0:
            size_wh = int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big")
        at += 2 + length
    scan = jpeg[at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big") : -2]
    return tables, size_wh, scan


def packets(index: int, jpeg: bytes, fps: int = 25, fragment_bytes: int = 1200) -> Iterator[bytes]:
    """RTP packets of one picture, each with the four bytes that interleave it."""
    tables, (width, height), scan = segments(jpeg)
    for offset in range(0, len(scan), fragment_bytes):
        piece = scan[offset : offset + fragment_bytes]
        head = struct.pack(">B3sBBBB", 0, offset.to_bytes(3, "big"), 1, 255, width // 8, height // 8)
        if offset == 0:
            head += struct.pack(">BBH", 0, 0, len(tables)) + tables
        last = offset + fragment_bytes >= len(scan)
        number = (index * 64 + offset // fragment_bytes) & 0xFFFF
        rtp = struct.pack(">BBHII", 0x80, 26 | (0x80 if last else 0), number, index * 90_000 // fps, 7)
        body = rtp + head + piece
        yield b"$\x00" + struct.pack(">H", len(body)) + body


class RtspServer:
    """Plays what ``script`` yields to each connection, by its number.

    Bytes are sent, a number is a pause in seconds, ``None`` a silence until the server ends.
    """

    def __init__(self, script: Callable[[int], Iterator[bytes | float | None]], fps: int = 25) -> None:
        self.plays = 0
        self.over = threading.Event()
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                while (request := self._request()) is not None:
                    method, sequence = request
                    extra, body = "", ""
                    if method == "DESCRIBE":
                        extra, body = "Content-Type: application/sdp\r\n", SDP.format(fps=fps)
                    elif method == "SETUP":
                        extra = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
                    elif method in ("PLAY", "TEARDOWN"):
                        extra = "Session: 1\r\n"
                    head = (
                        f"RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
                    )
                    self.wfile.write((head + body).encode())
                    if method == "PLAY":
                        self._play()
                        return

            def _request(self) -> tuple[str, str] | None:
                lines = []
                while line := self.rfile.readline():
                    lines.append(line.decode())
                    if line == b"\r\n":
                        found = re.search(r"CSeq: (\d+)", "".join(lines))
                        return lines[0].split()[0], found[1] if found else "0"
                return None

            def _play(self) -> None:
                number, outer.plays = outer.plays, outer.plays + 1
                play(script(number), self.wfile.write, outer.over)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self._server.server_address[1]}/video"

    def close(self) -> None:
        """Ends everything."""
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(30)


@contextmanager
def streaming(script: Callable[[int], Iterator[bytes | float | None]], fps: int = 25) -> Iterator[RtspServer]:
    """A server for a block, of a camera that says it gives ``fps`` frames a second."""
    server = RtspServer(script, fps)
    try:
        yield server
    finally:
        server.close()
