"""A stream's address as it may be shown and stored: without what lets a stranger in."""

from __future__ import annotations

import re

_USER = re.compile(r":[^@]*@")
_SECRET = re.compile(r"(?i)((?:pass|pwd|token|secret|auth|key|sig)[a-z_-]*=)[^&;/#\s]*")


def without_password(url: str) -> str:
    """The address without user name and password, and with ``***`` for passwords, tokens and keys in its query."""
    scheme, slashes, rest = url.partition("://")
    if not slashes:  # mistyped: whatever looks like a password goes
        return _USER.sub(":", url)
    host, slash, path = rest.partition("/")
    port = host.partition(":")[2]
    if "@" in path and "@" not in host and port and not port.isdecimal():  # the password has a slash in it
        host, slash, path = rest.rpartition("@")[2].partition("/")
    shown = _SECRET.sub(r"\1***", path)
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{shown}"
