"""Who may look: pure rules over the head of a request.

A page that shows a camera must not be shown to the network by accident, nor to any web page that its viewer has
open beside it. Three walls, each of which holds alone: the name in ``Host`` must be one of this machine (DNS
rebinding gives a stranger's page our address, not our name), requests that another site's page makes are refused,
and beyond loopback a token is asked for.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie

from edgekit.errors import UsageError
from edgekit.web.address import LOCAL_NAMES, Address

SHORTEST_TOKEN = 16


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered."""

    status: HTTPStatus
    reason: str


@dataclass(frozen=True, slots=True)
class Access:
    """Who may look.

    Attributes:
        loopback: whether only this machine can reach the server.
        token: demanded from everybody, if there is one.
        machine: the machine's own name, without a domain.
    """

    loopback: bool
    token: str | None
    machine: str

    def refusal(self, headers: Mapping[str, str], given: str | None, entry: bool) -> Refusal | None:
        """Why this request is refused, or ``None``.

        Args:
            headers: of the request; names compare as the mapping compares them.
            given: token in the query, if any.
            entry: whether it asks for the page itself, which other pages may link to.
        """
        if not self._is_ours(headers.get("Host", "")):
            return Refusal(HTTPStatus.FORBIDDEN, "This server does not answer under that name.")
        if not entry and headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            return Refusal(HTTPStatus.FORBIDDEN, "Not for pages of other sites.")
        if self.token is not None and not self._is_known(headers, given):
            return Refusal(HTTPStatus.UNAUTHORIZED, "A token is needed.")
        return None

    @property
    def cookie(self) -> str:
        """What a viewer's browser keeps after it gave the token once: never shown to scripts or other sites."""
        return f"{self._cookie_name}={self.token}; HttpOnly; SameSite=Strict; Path=/"

    @property
    def _cookie_name(self) -> str:
        """Of its own for every token: cookies are shared by all ports of a host, and so by two cameras of one."""
        return "edgekit-" + hashlib.sha256((self.token or "").encode()).hexdigest()[:8]

    def _is_known(self, headers: Mapping[str, str], given: str | None) -> bool:
        scheme, _, bearer = headers.get("Authorization", "").partition(" ")
        offered = [given, self._cookie_token(headers.get("Cookie", ""))]
        offered.append(bearer.strip() if scheme.lower() == "bearer" else None)
        return any(self._matches(one) for one in offered if one)

    def _cookie_token(self, header: str) -> str | None:
        try:
            morsel = SimpleCookie(header).get(self._cookie_name)
        except CookieError:
            return None
        return morsel.value if morsel else None

    def _matches(self, offered: str) -> bool:
        return self.token is not None and hmac.compare_digest(
            offered.encode("utf-8", "surrogatepass"), self.token.encode()
        )

    def _is_ours(self, host: str) -> bool:
        name = _without_port(host).lower()
        try:
            ip = ipaddress.ip_address(name)
        except ValueError:
            first, _, domain = name.partition(".")
            ours = (
                not self.loopback
                and first == self.machine.lower()
                and domain in ("", "local", "lan", "home.arpa")
            )
            return name in LOCAL_NAMES or ours
        return ip.is_loopback or not self.loopback


def access_for(address: Address, token: str | None, machine: str) -> Access:
    """The rules for a server at an address: beyond loopback a token is made where none is given.

    Raises:
        UsageError: the token is too short, or holds what a cookie cannot.
    """
    if token is not None and (len(token) < SHORTEST_TOKEN or not _is_plain(token)):
        raise UsageError(
            f"token: expected at least {SHORTEST_TOKEN} letters, digits, - or _, got {len(token)} characters",
            'make one: python3 -c "import secrets; print(secrets.token_urlsafe(16))"',
        )
    if token is None and not address.loopback:
        token = secrets.token_urlsafe(16)
    return Access(address.loopback, token, machine.partition(".")[0])


def _is_plain(token: str) -> bool:
    return token.isascii() and token.replace("-", "").replace("_", "").isalnum()


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
