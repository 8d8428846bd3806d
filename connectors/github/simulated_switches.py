"""What can be set on a simulated GitHub to bring out its quirks."""

from __future__ import annotations

from typing import Literal, TypeAlias

Hints: TypeAlias = Literal["always", "never", "alternate"]


class Switches:
    """Set them on the simulator, at any time. Limits are generous until :meth:`as_documented`."""

    visible_after_s: float

    # what the account may do

    push_access = True
    """Without it labels, assignees and milestones vanish with 2xx."""
    admin_access = True
    """Without it hooks answer 404."""
    scopes: tuple[str, ...] | None = ("repo", "admin:repo_hook")
    """``X-OAuth-Scopes`` of a classic token; None: a fine-grained token, which has no such header."""
    revoked = False
    """No token works any more: 401."""
    refuse_next = 0
    """So many further requests get 401, as with a token that is not known everywhere yet."""

    fresh_tokens_refused = 0
    """So many requests with each new installation token get 401."""

    # how records behave

    labels_bump_updated = False
    """Whether labelling moves an issue's ``updated_at``; reports differ, so the default is pessimistic."""
    deleted_status = 410
    """What a deleted issue reads: 410 or 404."""
    payload_limit_bytes = 25 * 1024 * 1024
    """A larger webhook payload is never sent."""

    # limits

    requests_per_hour = 1_000_000
    """The primary limit."""
    creations_per_minute = 1_000_000
    creations_per_hour = 1_000_000
    points_per_minute = 10_000_000
    """Reads cost one point, writes five."""
    concurrent = 100
    """Requests in flight; one more is refused."""
    penalty_s = 60.0
    """How long a secondary limit blocks; every call meanwhile starts that time again."""
    hints: Hints = "alternate"
    """Whether a secondary refusal says ``Retry-After``; the real one does so sometimes."""
    limited_status = 403
    """Of refusals by a limit: 403 or 429."""
    timeout_cost = 5
    """Further requests of the primary limit that an unanswered one costs."""

    def as_documented(self) -> None:
        """GitHub's own numbers for the token of a user.

        https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
        """
        self.requests_per_hour = 5000
        self.creations_per_minute = 80
        self.creations_per_hour = 500
        self.points_per_minute = 900
