"""A hub on 127.0.0.1: as much of its HTTP interface as fetching needs. It ends with the block that it is used in."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REQUESTS = 400
"""It answers no more than so many."""


class Mirror:
    """Models and what happens to those who ask for them.

    Attributes:
        files: name of a model → path → content.
        refused: name of a model → status and the hub's error code.
        cuts: path → how many answers more end early.
        kept: share of these that is sent.
        asked: method, path and Range of every request.
    """

    def __init__(self):
        self.kept = 0.5
        self.files, self.refused, self.cuts, self.asked = {}, {}, {}, []
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                mirror._answer(self, body=True)

            def do_HEAD(self):
                mirror._answer(self, body=False)

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *args):
        self.stop()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _answer(self, request, body):
        path = unquote(urlsplit(request.path).path)
        self.asked.append((request.command, path, request.headers.get("Range")))
        if len(self.asked) > REQUESTS:
            return self._send(request, 503, b"", body)
        parts = path.strip("/").split("/")
        name = "/".join(parts[2:4] if parts[:2] == ["api", "models"] else parts[:2])
        if name in self.refused:
            status, code = self.refused[name]
            return self._send(request, status, b"{}", body, {"X-Error-Code": code})
        if name not in self.files:
            return self._send(request, 401, b"{}", body, {"X-Error-Code": "RepoNotFound"})
        rest = parts[4:] if parts[0] == "api" else parts[2:]
        if len(rest) > 1 and rest[1] not in ("main", "v1", COMMIT):
            return self._send(request, 404, b"{}", body, {"X-Error-Code": "RevisionNotFound"})
        if parts[0] == "api":
            return self._send_json(request, self._listing(name, rest), body)
        return self._send_file(request, "/".join(rest[2:]), self.files[name], body)

    def _listing(self, name, rest):
        files = self.files[name]
        if rest[:1] == ["tree"]:
            digests = {path: hashlib.sha1(data).hexdigest() for path, data in files.items()}
            return [
                {"type": "file", "path": path, "size": len(data), "oid": digests[path]}
                for path, data in files.items()
            ]
        return {"id": name, "sha": COMMIT, "siblings": [{"rfilename": path} for path in files]}

    def _send_file(self, request, path, files, body):
        if path not in files:
            return self._send(request, 404, b"", body, {"X-Error-Code": "EntryNotFound"})
        data, first = files[path], 0
        span = request.headers.get("Range")
        if span:
            first = int(span.removeprefix("bytes=").split("-")[0])
        headers = {
            "ETag": f'"{hashlib.sha1(data).hexdigest()}"',
            "X-Repo-Commit": COMMIT,
            "Accept-Ranges": "bytes",
        }
        if span:
            headers["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        rest = data[first:]
        cut = body and self.cuts.get(path, 0) > 0
        if cut:
            self.cuts[path] -= 1
        return self._send(
            request, 206 if span else 200, rest, body, headers, int(len(rest) * self.kept) if cut else None
        )

    def _send_json(self, request, value, body):
        return self._send(
            request, 200, json.dumps(value).encode(), body, {"Content-Type": "application/json"}
        )

    def _send(self, request, status, data, body, headers=None, end=None):
        request.send_response(status)
        for key, value in (headers or {}).items():
            request.send_header(key, value)
        request.send_header("Content-Length", str(len(data)))
        request.send_header("Connection", "close")
        request.end_headers()
        if body:
            request.wfile.write(data[:end])
        request.close_connection = True
