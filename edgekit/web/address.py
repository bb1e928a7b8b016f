"""Where a server listens: ``HOST:PORT``."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from edgekit.errors import UsageError

LOCAL_NAMES = frozenset({"localhost", "ip6-localhost"})


@dataclass(frozen=True, slots=True)
class Address:
    """A host (name or IP address, without brackets) and a port; 0 lets the system choose one."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host.lower() in LOCAL_NAMES:
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """An address as ``127.0.0.1:8080``, ``[::1]:8080`` or ``name:8080``.

    Raises:
        UsageError: anything else.
    """
    match = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})", text)
    if not match or int(match[3]) > 65535:
        raise UsageError(
            f"address: got {text!r}",
            "write 127.0.0.1:8080, [::1]:8080, or 0.0.0.0:8080 for the whole network",
        )
    return Address(match[1] or match[2], int(match[3]))
