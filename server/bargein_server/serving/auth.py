"""Who may do what: JSON web tokens signed with an API key's secret, checked at the handshake.

    claim                              allows
    ─────────────────────────────────  ─────────────────────────────────────────────
    bargein.session = true             sessions (open, resume, attach), any id
    bargein.session = "ID"             only the session of this id
    bargein.events  = true | "ID"      following events, of all sessions or of this one
    bargein.tokens  = true             making tokens for others (`POST /v1/tokens`)
    inference.perform = true           sessions (a LiveKit agent's token)

`iss` names the key, `exp` is required, the algorithm is HS256.
"""

import base64
import secrets
import time
from typing import Any, cast

import jwt
import msgspec

Scope = bool | str
"""True: all; a text: only the session of this id; False: none."""

MAX_TTL_S = 3600


class AuthError(Exception):
    """Not let in; the text is safe to send and to log: it names the issuer, never a secret."""


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What the holder of a token may do."""

    issuer: str
    """The API key behind it; empty where no keys are configured."""
    session: Scope = False
    events: Scope = False
    tokens: bool = False

    def may_use(self, session_id: str) -> bool:
        """Whether sessions of this id are allowed."""
        return self.session is True or self.session == session_id

    def may_see(self, session_id: str) -> bool:
        """Whether events of this session are allowed."""
        return self.events is True or self.events == session_id


EVERYTHING = Grant(issuer="", session=True, events=True, tokens=True)
"""What everybody may where no keys are configured (loopback only)."""


class Authority:
    """Checks and makes tokens.

    Args:
        keys: secret by API key; empty: everything is allowed.
        leeway_s: clock difference that tokens may have.
    """

    def __init__(self, keys: dict[str, str], *, leeway_s: float = 30.0) -> None:
        self._keys = keys
        self._leeway_s = leeway_s
        self._own_secret = secrets.token_urlsafe(32)

    @property
    def open(self) -> bool:
        """Whether everything is allowed to everybody."""
        return not self._keys

    def grant(self, authorization: str | None, access_token: str | None) -> Grant:
        """What a request may do, by its `Authorization` header or its `access_token`.

        Raises:
            AuthError: there is no token, or not a valid one.
        """
        if self.open:
            return EVERYTHING
        scheme, _, credentials = (authorization or "").partition(" ")
        if scheme.lower() == "bearer":
            return self._grant_by_token(credentials.strip())
        if scheme.lower() == "basic":
            return self._grant_by_secret(credentials.strip())
        if access_token:
            return self._grant_by_token(access_token)
        raise AuthError("no token: send `Authorization: Bearer …` or `?access_token=…`")

    def issue(self, grant: Grant, ttl_s: int) -> str:
        """A token for `grant` that is valid for `ttl_s` seconds."""
        now = int(time.time())
        scopes = {"session": grant.session, "events": grant.events}
        claims = {"iss": grant.issuer, "nbf": now, "exp": now + ttl_s, "bargein": scopes}
        secret = self._keys.get(grant.issuer, self._own_secret)
        return jwt.encode(claims, secret, algorithm="HS256")

    def _grant_by_token(self, token: str) -> Grant:
        issuer = _issuer(token)
        secret = self._keys.get(issuer)
        if secret is None:
            raise AuthError(f"no key named {issuer[:64]!r} (the token's iss) is configured here")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                secret,
                algorithms=["HS256"],
                leeway=self._leeway_s,
                options={"require": ["exp", "iss"], "verify_aud": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError as error:
            raise AuthError(f"the token of iss {issuer[:64]!r} is not valid: {error}") from None
        return _grant_of(issuer, claims)

    def _grant_by_secret(self, credentials: str) -> Grant:
        try:
            key, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
        except ValueError:
            raise AuthError("`Authorization: Basic` holds no KEY:SECRET") from None
        known = self._keys.get(key)
        if known is None or not secrets.compare_digest(known.encode(), secret.encode()):
            raise AuthError(f"the secret of key {key[:64]!r} is not right")
        return Grant(issuer=key, session=True, events=True, tokens=True)


def _issuer(token: str) -> str:
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, UnicodeEncodeError):
        raise AuthError("the token is no JSON web token") from None
    return str(claims.get("iss", ""))


def _grant_of(issuer: str, claims: dict[str, Any]) -> Grant:
    scopes = _table(claims.get("bargein"))
    livekit = _table(claims.get("inference")).get("perform") is True
    return Grant(
        issuer=issuer,
        session=True if livekit else _scope(scopes.get("session")),
        events=_scope(scopes.get("events")),
        tokens=scopes.get("tokens") is True,
    )


def _table(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _scope(value: object) -> Scope:
    return value if value is True or (isinstance(value, str) and value != "") else False
