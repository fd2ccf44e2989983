"""Which web pages may talk to the server.

A browser says on whose behalf it connects (`Origin`). Where keys are configured, the token decides.
Without keys everything is allowed to everybody on this machine, but that must not mean: to every
page on the Internet that someone on this machine looks at.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from bargein_server.configuration.settings import is_loopback


def may_connect(
    origin: str | None, host: str | None, *, allowed: Collection[str], keys: bool
) -> bool:
    """Whether a request with this `Origin` (None: not from a browser) may come in.

    Args:
        origin: the header's value.
        host: that of `Host`: pages of the same host, such as the server's own, may always.
        allowed: origins that may; "*" is all of them.
        keys: whether keys are configured.
    """
    if origin is None or "*" in allowed or origin.rstrip("/") in allowed:
        return True
    name = _name(origin)
    if allowed:
        return bool(name) and name == _name(f"//{host or ''}")
    return keys or is_loopback(name)


def is_own_host(host: str | None, *, keys: bool) -> bool:
    """Whether the `Host` header names this machine; a page's DNS trick would name another."""
    return keys or host is None or is_loopback(_name(f"//{host}"))


def _name(url: str) -> str:
    """The host in a URL; empty if there is none, or what is written is no URL."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
