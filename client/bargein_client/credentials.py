"""How a client shows that it may: by a token, given or made from an API key and its secret."""

import time
from typing import Any, TypedDict

import jwt

TOKEN_TTL_S = 300
"""A token made here is for one handshake; each reconnect makes a new one."""


class Keys(TypedDict, total=False):
    """The three arguments by which every entry to the client takes credentials."""

    key: str | None
    secret: str | None
    token: str | None


class Credentials:
    """What goes into the `Authorization` header.

    Args:
        key: an API key.
        secret: of the key; it never leaves this process.
        token: a ready token instead.

    Raises:
        ValueError: key without secret or the reverse, or both kinds at once.
    """

    def __init__(
        self, *, key: str | None = None, secret: str | None = None, token: str | None = None
    ) -> None:
        if (key is None) != (secret is None):
            raise ValueError("`key` and `secret` go together")
        if token is not None and key is not None:
            raise ValueError("give either `key` and `secret` or a `token`")
        self._key, self._secret, self._token = key, secret, token

    def headers(self) -> dict[str, str]:
        """The headers of a handshake; empty without credentials."""
        token = self._token
        if self._key is not None and self._secret is not None:
            token = _make_token(self._key, self._secret)
        return {} if token is None else {"Authorization": f"Bearer {token}"}


def _make_token(key: str, secret: str) -> str:
    scopes = {"session": True, "events": True}
    claims: dict[str, Any] = {"iss": key, "exp": int(time.time()) + TOKEN_TTL_S, "bargein": scopes}
    return jwt.encode(claims, secret, algorithm="HS256")
