from __future__ import annotations

import pytest

from edgekit.errors import UsageError
from edgekit.web.address import Address, parse_address


@pytest.mark.parametrize(
    ("text", "host", "port", "loopback"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080, True),
        ("127.8.9.1:0", "127.8.9.1", 0, True),
        ("localhost:1", "localhost", 1, True),
        ("[::1]:65535", "::1", 65535, True),
        ("[::]:80", "::", 80, False),
        ("0.0.0.0:8080", "0.0.0.0", 8080, False),
        ("192.168.1.7:8080", "192.168.1.7", 8080, False),
        ("pi.local:8080", "pi.local", 8080, False),
    ],
)
def test_addresses(text, host, port, loopback):
    address = parse_address(text)
    assert (address.host, address.port, address.loopback) == (host, port, loopback)
    assert str(address) == text


@pytest.mark.parametrize(
    "text", ["", "8080", ":8080", "host", "host:", "host:65536", "::1:80", "a b:1", "h:-1", "h:٣"]
)
def test_what_is_no_address(text):
    with pytest.raises(UsageError, match="address: got"):
        parse_address(text)


def test_an_ipv6_address_is_written_in_brackets():
    assert str(Address("::1", 80)) == "[::1]:80"
