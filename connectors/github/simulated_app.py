"""The GitHub App of a simulated GitHub: who it is, its JSON Web Tokens, its installation and its tokens.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.github.simulated_account_shapes import Shape, stamp
from connectors.github.simulated_api import Call, Reply, Table, not_found, sort
from connectors.github.simulated_switches import Switches
from connectors.simulation import Clock, Refused

APP_ID, INSTALLATION_ID, SLUG = 31_415, 27_182, "acme-sync"
BOT_OF_APP = f"{SLUG}[bot]"

AS_APP = "the app itself"
"""Who asks with a JSON Web Token; such a one sees the endpoints of apps alone."""

_TOKEN_LIVES = timedelta(hours=1)
_JWT_LIVES = timedelta(minutes=10)


@cache
def private_key() -> str:
    """The app's key as PEM; made once, for it takes a while."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return pem.decode()


@cache
def _public_key() -> rsa.RSAPublicKey:
    key = serialization.load_pem_private_key(private_key().encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key.public_key()


_SUSPENDED = "This installation has been suspended"


@dataclass(kw_only=True)
class _Token:
    """``refused``: so many further requests with it get 401: it is not known everywhere yet."""

    expires_at: datetime
    refused: int = 0


@dataclass(kw_only=True)
class App:
    """Registered from the start; installed at the owner of all repositories."""

    clock: Clock
    switches: Switches
    installed: bool = True
    suspended_at: datetime | None = None
    permissions: dict[str, str] = field(
        default_factory=lambda: {
            "issues": "write",
            "metadata": "read",
            "pull_requests": "write",
            "repository_hooks": "write",
        }
    )
    _tokens: dict[str, _Token] = field(default_factory=dict)

    def actor(self, token: str) -> str | None:
        """Who a token speaks for: the app itself or its bot; None where it is refused.

        Raises:
            Refused: 401 with what is wrong with a JSON Web Token; 403 while the installation is suspended.
        """
        if token.count(".") == 2:
            self._check(token)
            return AS_APP
        known = self._tokens.get(token)
        if known is None or known.expires_at <= self.clock.now() or not self.installed:
            return None
        if self.suspended_at is not None:
            raise Refused(403, _SUSPENDED, documentation_url="https://docs.github.com")
        if known.refused:
            known.refused -= 1
            return None
        return BOT_OF_APP

    def new_token(self) -> tuple[str, datetime]:
        token = f"ghs_{secrets.token_hex(18)}"
        expires_at = self.clock.now() + _TOKEN_LIVES
        self._tokens[token] = _Token(expires_at=expires_at, refused=self.switches.fresh_tokens_refused)
        return token, expires_at

    def forget_tokens(self) -> None:
        """None of the tokens given out is known any more."""
        self._tokens.clear()

    def _check(self, token: str) -> None:
        try:
            claims = jwt.decode(
                token,
                _public_key(),
                algorithms=["RS256"],
                options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except jwt.PyJWTError:
            raise Refused(401, "A JSON web token could not be decoded") from None
        now = self.clock.now()
        if str(claims.get("iss")) != str(APP_ID):
            raise Refused(401, "Integration not found")
        if _time(claims, "iat") > now:
            raise Refused(
                401,
                "'Issued at' claim ('iat') must be an Integer representing the time that the assertion"
                " was issued",
            )
        if _time(claims, "exp") > now + _JWT_LIVES:
            raise Refused(401, "'Expiration time' claim ('exp') is too far in the future")
        if _time(claims, "exp") <= now:
            raise Refused(
                401,
                "'Expiration time' claim ('exp') must be a numeric value representing the future time"
                " at which the assertion expires",
            )


def _time(claims: Mapping[str, float], name: str) -> datetime:
    return datetime.fromtimestamp(float(claims.get(name, 0)), UTC)


def get_app(call: Call) -> Reply:
    _as_app(call)
    return Reply(call.site.shapes.integration(call.site.app.permissions))


def get_installation(call: Call) -> Reply:
    app = _installation(call)
    owner = next(iter(call.site.world.repositories.values())).owner
    url = f"{call.site.api()}/app/installations/{INSTALLATION_ID}"
    since = stamp(datetime(2024, 1, 1, tzinfo=UTC))
    shape: Shape = {
        "id": INSTALLATION_ID,
        "account": call.site.shapes.account(owner),
        "repository_selection": "all",
        "access_tokens_url": f"{url}/access_tokens",
        "repositories_url": f"{call.site.api()}/installation/repositories",
        "html_url": f"{call.site.shapes.html}/settings/installations/{INSTALLATION_ID}",
        "app_id": APP_ID,
        "app_slug": SLUG,
        "target_id": owner.id,
        "target_type": "Organization" if owner.organization else "User",
        "permissions": app.permissions,
        "events": ["issues"],
        "created_at": since,
        "updated_at": since,
        "single_file_name": None,
        "suspended_by": call.site.shapes.account(owner) if app.suspended_at else None,
        "suspended_at": stamp(app.suspended_at) if app.suspended_at else None,
    }
    return Reply(shape)


def create_token(call: Call) -> Reply:
    """It lives for an hour. A suspended installation gets none."""
    app = _installation(call)
    if app.suspended_at:
        raise Refused(403, _SUSPENDED, documentation_url="https://docs.github.com")
    token, expires_at = app.new_token()
    shape = {
        "token": token,
        "expires_at": stamp(expires_at),
        "permissions": app.permissions,
        "repository_selection": "all",
    }
    return Reply(shape, 201)


def my_repositories(call: Call) -> Reply:
    """Those that the installation reaches, under a key."""
    if call.actor != BOT_OF_APP:
        raise Refused(
            403, "You must authenticate with an installation access token in order to list repositories."
        )
    visible = [repository for repository in call.site.world.repositories.values() if not repository.hidden]
    page = call.page(sort(visible, lambda r: r.full_name.lower(), "asc"), call.site.shapes.repository)
    return Reply({"total_count": len(visible), "repositories": page.data}, headers=page.headers)


TABLE: Table = (
    ("GET", "/app", get_app),
    ("GET", "/app/installations/{installation}", get_installation),
    ("POST", "/app/installations/{installation}/access_tokens", create_token),
    ("GET", "/installation/repositories", my_repositories),
)


def _as_app(call: Call) -> App:
    if call.actor != AS_APP:
        raise Refused(401, "A JSON web token could not be decoded")
    return call.site.app


def _installation(call: Call) -> App:
    app = _as_app(call)
    if call.number("installation") != INSTALLATION_ID or not app.installed:
        raise not_found()
    return app
