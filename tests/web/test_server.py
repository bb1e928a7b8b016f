from __future__ import annotations

import http.client
import socket
import threading

import pytest

import edgekit.web.server as module
from edgekit.errors import EnvironmentLacks
from edgekit.web.access import access_for
from edgekit.web.address import Address
from edgekit.web.server import Response, Server, read_head

TOKEN = "correct-horse-battery"


def serve(token=None, **routes):
    pages = {
        "/": lambda _: Response("text/plain", b"home"),
        "/open": lambda _: Response("text/plain", b"style"),
    }
    address = Address("127.0.0.1", 0)
    server = Server(
        address,
        {**pages, **{f"/{name}": route for name, route in routes.items()}},
        access_for(address, token, "pi"),
        open_paths=frozenset({"/open"}),
        locked=Response("text/plain", b"locked", module.HTTPStatus.UNAUTHORIZED),
    )
    server.start()
    return server


@pytest.fixture
def server():
    made = serve()
    yield made
    made.close()


@pytest.fixture
def locked():
    made = serve(TOKEN)
    yield made
    made.close()


def ask(server, path="/", method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.address.port, timeout=60)
    connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body, response.headers


def raw(server, data):
    with socket.create_connection(("127.0.0.1", server.address.port), 60) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(4096), b""))


def test_a_page_and_its_headers(server):
    status, body, headers = ask(server)
    assert (status, body) == (200, b"home")
    assert headers["Content-Length"] == "4"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; ")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Server"] == "edgekit "


@pytest.mark.parametrize(
    "path",
    ["/x", "/../etc/passwd", "/%2e%2e/etc/passwd", "//etc/passwd", "/preview.css/..", "/open/", "*", "/\x00"],
)
def test_there_are_no_other_paths(server, path):
    answer = raw(server, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert answer.split(b" ")[1] in (b"404", b"400")
    assert b"root:" not in answer


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD", "OPTIONS", "TRACE"])
def test_only_get(server, method):
    assert ask(server, method=method)[0] == 501


def test_another_host_name_is_refused(server):
    assert ask(server, Host="evil.example")[0] == 403
    assert ask(server, "/open", Host="evil.example")[0] == 403


def test_a_page_of_another_site_cannot_load(server):
    assert ask(server, "/open", Sec_Fetch_Site="cross-site")[0] == 403
    assert ask(server, "/", Sec_Fetch_Site="cross-site")[0] == 200


def test_without_a_token_there_is_only_the_locked_page(locked):
    assert ask(locked)[:2] == (401, b"locked")
    assert ask(locked, "/no-such-page")[:2] == (401, b"locked")
    assert ask(locked, "/?token=wrong-token-wrong")[:2] == (401, b"locked")
    assert ask(locked, "/open")[:2] == (200, b"style")


def test_the_token_moves_from_the_address_into_a_cookie(locked):
    status, _, headers = ask(locked, f"/?token={TOKEN}")
    assert (status, headers["Location"]) == (303, "/")
    cookie = headers["Set-Cookie"].partition(";")[0]
    assert ask(locked, Cookie=cookie)[:2] == (200, b"home")
    assert ask(locked, Authorization=f"Bearer {TOKEN}")[:2] == (200, b"home")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\xff\xfe\x00\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /?" + b"a=b&" * 100 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 150 + b"\r\n",
    ],
)
def test_odd_requests_are_answered_or_dropped_and_the_next_is_served(server, data, capfd):
    assert b"home" not in raw(server, data)
    assert ask(server)[0] == 200
    assert "Traceback" not in capfd.readouterr().err


def test_a_head_that_is_too_long_is_dropped(server):
    with socket.create_connection(("127.0.0.1", server.address.port), 60) as connection:
        try:
            connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 3 * module.HEAD_BYTES)
            assert connection.recv(100) == b""
        except ConnectionError:
            pass  # reset: it was not read to the end
    assert ask(server)[0] == 200


class Dripping:
    """A client that sends a byte whenever somebody waits, a second each."""

    def __init__(self):
        self.now_s = 0.0
        self.waited = []

    def settimeout(self, seconds):
        self.waited.append(seconds)

    def recv(self, _):
        self.now_s += 1.0
        return b"x"


def test_a_head_that_drips_has_five_seconds_in_all():
    client = Dripping()
    with pytest.raises(OSError, match="too slow"):
        read_head(client, lambda: client.now_s)
    assert client.waited == [5.0, 4.0, 3.0, 2.0, 1.0]


def test_connections_are_bounded(server, monkeypatch):
    monkeypatch.setattr(module, "CONNECTIONS", 2)
    idle = [socket.create_connection(("127.0.0.1", server.address.port), 60) for _ in range(2)]
    third = socket.create_connection(("127.0.0.1", server.address.port), 60)
    assert third.recv(10) == b""
    for connection in (*idle, third):
        connection.close()


def test_a_stream_is_sent_in_pieces_and_finished():
    finished = threading.Event()
    server = serve(stream=lambda _: Response("text/plain", iter([b"a", b"b"]), finish=finished.set))
    assert ask(server, "/stream")[1] == b"ab"
    assert finished.wait(60)
    server.close()


def test_close_ends_connections_and_threads(monkeypatch):
    monkeypatch.setattr(module, "GRACE_S", 0.01)
    before = set(threading.enumerate())
    asked, finished = threading.Event(), threading.Event()

    def endless(_):
        def pieces():
            asked.set()
            while True:
                yield b"x" * 100_000

        return Response("text/plain", pieces(), finish=finished.set)

    server = serve(endless=endless)
    viewer = socket.create_connection(("127.0.0.1", server.address.port), 60)
    viewer.sendall(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
    idle = socket.create_connection(("127.0.0.1", server.address.port), 60)
    assert asked.wait(60)
    server.close()
    assert finished.is_set()
    assert set(threading.enumerate()) <= before
    for connection in (viewer, idle):
        connection.close()


def test_a_server_that_never_started_closes():
    address = Address("127.0.0.1", 0)
    Server(address, {}, access_for(address, None, "pi")).close()


def test_a_port_in_use(server):
    with pytest.raises(
        EnvironmentLacks, match=f"127.0.0.1:{server.address.port}: Address already in use"
    ) as raised:
        Server(server.address, {}, server.access)
    assert "another port" in raised.value.remedy


def test_an_address_of_another_machine():
    with pytest.raises(EnvironmentLacks, match="Cannot assign requested address"):
        Server(Address("192.0.2.1", 0), {}, access_for(Address("127.0.0.1", 0), None, "pi"))


def test_ipv6():
    address = Address("::1", 0)
    try:
        server = Server(
            address, {"/": lambda _: Response("text/plain", b"six")}, access_for(address, None, "pi")
        )
    except EnvironmentLacks:
        pytest.skip("no IPv6 on this machine")
    server.start()
    connection = http.client.HTTPConnection("::1", server.address.port, timeout=60)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"six"
    connection.close()
    server.close()
