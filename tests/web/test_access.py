from __future__ import annotations

import pytest

from edgekit.errors import UsageError
from edgekit.web.access import access_for
from edgekit.web.address import Address

TOKEN = "correct-horse-battery"
HERE = access_for(Address("127.0.0.1", 80), None, "pi.example.org")
OPEN = access_for(Address("0.0.0.0", 80), TOKEN, "pi.example.org")


def refused(access, headers, given=None, entry=False):
    refusal = access.refusal(headers, given, entry)
    return None if refusal is None else int(refusal.status)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "LocalHost:99", "[::1]:8080", "127.0.0.2"])
def test_loopback_names_of_this_machine(host):
    assert refused(HERE, {"Host": host}) is None


@pytest.mark.parametrize(
    "host", ["", "evil.example:80", "192.168.0.9", "pi", "localhost.evil.example", "127.0.0.1.evil"]
)
def test_another_name_is_refused_on_loopback(host):
    assert refused(HERE, {"Host": host}) == 403


@pytest.mark.parametrize(
    "host", ["pi", "PI.local:8080", "pi.lan", "192.168.0.9:8080", "[fe80::1]:80", "localhost"]
)
def test_names_of_this_machine_beyond_loopback(host):
    assert refused(OPEN, {"Host": host}, TOKEN) is None


@pytest.mark.parametrize("host", ["", "evil.example", "pi.evil.example", "pi.example.org.evil"])
def test_another_name_is_refused_beyond_loopback_even_with_the_token(host):
    assert refused(OPEN, {"Host": host}, TOKEN) == 403


def test_pages_of_other_sites_may_link_but_not_load():
    for site, code in (("cross-site", 403), ("same-site", 403), ("same-origin", None), ("none", None)):
        assert refused(HERE, {"Host": "localhost", "Sec-Fetch-Site": site}) == code
    assert refused(HERE, {"Host": "localhost", "Sec-Fetch-Site": "cross-site"}, entry=True) is None


@pytest.mark.parametrize(
    ("headers", "given", "code"),
    [
        ({}, None, 401),
        ({}, TOKEN, None),
        ({}, TOKEN + "x", 401),
        ({}, "", 401),
        ({}, "ä\udcff", 401),
        ({"Authorization": f"Bearer {TOKEN}"}, None, None),
        ({"Authorization": f"bearer  {TOKEN} "}, None, None),
        ({"Authorization": TOKEN}, None, 401),
        ({"Authorization": f"Basic {TOKEN}"}, None, 401),
        ({"Cookie": OPEN.cookie.partition(";")[0]}, None, None),
        ({"Cookie": f"edgekit={TOKEN}"}, None, 401),
        ({"Cookie": "\x00;;=;" * 99}, None, 401),
    ],
)
def test_the_token(headers, given, code):
    assert refused(OPEN, {"Host": "pi", **headers}, given) == code


def test_beyond_loopback_a_token_is_made():
    one, other = (access_for(Address("0.0.0.0", 80), None, "pi").token for _ in range(2))
    assert one and other and one != other and len(one) >= 22
    assert HERE.token is None
    assert access_for(Address("127.0.0.1", 80), TOKEN, "pi").token == TOKEN


@pytest.mark.parametrize(
    "token",
    ["", "short", "fifteen-letters", "with spaces in the token", "semicolon;semicolon", "ümläutümläutümläut"],
)
def test_tokens_that_cannot_be_used(token):
    with pytest.raises(UsageError, match="token: expected at least 16"):
        access_for(Address("127.0.0.1", 80), token, "pi")


def test_cookies_of_two_cameras_on_one_host_differ():
    other = access_for(Address("0.0.0.0", 81), TOKEN[::-1], "pi")
    assert OPEN.cookie.partition("=")[0] != other.cookie.partition("=")[0]
    assert OPEN.cookie.endswith("; HttpOnly; SameSite=Strict; Path=/")
