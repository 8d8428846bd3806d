"""The one list of what may depart from the published documents, each entry with its reason.

An entry allows exactly the findings that have all that it names. Where the client or a simulator can
be mended, it is mended: nothing is entered here for convenience.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.specification.findings import Finding, Part
from tests.specification.prose import BODY_OPTIONS, BY_ID, FIELD_GROUPS, LEFT_OUT


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """One exception. ``what`` and ``where``: any of these; None: any at all."""

    provider: str
    part: Part
    reason: str
    what: Sequence[str] | None = None
    where: Sequence[str] | None = None
    status: int = 0
    message: str = ""
    """Stands in the finding's message."""

    def covers(self, finding: Finding) -> bool:
        return (
            (self.provider, self.part, self.status) == (finding.provider, finding.part, finding.status)
            and (self.what is None or finding.what in self.what)
            and (self.where is None or finding.where in self.where)
            and self.message in finding.message
        )

    def __str__(self) -> str:
        names = [self.provider, self.part, str(self.status or ""), *(self.what or ()), *(self.where or ())]
        return f"{' '.join(filter(None, names))}: {self.reason}"


R = "/repos/{owner}/{repo}"

ALLOWED = (
    # What only the written documentation has: turned into what the document has, and validated as that.
    Allowed(
        provider="asana",
        part="prose",
        where=[BODY_OPTIONS],
        reason="developers.asana.com/docs/inputoutput-options; validated as opt_fields",
    ),
    Allowed(
        provider="asana",
        part="prose",
        where=[FIELD_GROUPS],
        reason="developers.asana.com/docs/inputoutput-options; each of the fields is validated",
    ),
    Allowed(
        provider="github",
        part="prose",
        where=[BY_ID],
        reason="GitHub's own Link and Location headers lead there; validated as /repos/{owner}/{repo}",
    ),
    Allowed(
        provider="github",
        part="prose",
        what=["GET /user/repos"],
        where=[LEFT_OUT],
        reason="in GitHub's whole document; validated against tests/specification/supplement.py",
    ),
    # Statuses that the documents omit. The body is validated as the provider's usual error.
    Allowed(
        provider="asana",
        part="status",
        status=429,
        reason="developers.asana.com/docs/rate-limits: any request; the document has no 429 at all",
    ),
    Allowed(
        provider="github",
        part="status",
        status=429,
        message="rate limit",
        reason="docs.github.com/rest: rate limits, of any request; the document has no 429 at all",
    ),
    Allowed(
        provider="github",
        part="status",
        status=403,
        message="rate limit",
        reason="docs.github.com/rest: rate limits, of any request",
    ),
    Allowed(
        provider="github",
        part="status",
        status=401,
        message="Bad credentials",
        reason="docs.github.com/rest: authentication, of any request",
    ),
    Allowed(
        provider="github",
        part="status",
        status=301,
        message="Moved Permanently",
        reason="docs.github.com/rest: best practices, any request may be redirected",
    ),
    Allowed(
        provider="github",
        part="status",
        status=307,
        message="Temporary Redirect",
        reason="docs.github.com/rest: best practices, any request may be redirected",
    ),
    Allowed(
        provider="github",
        part="status",
        what=[
            f"GET {R}/issues",
            f"GET {R}/issues/comments",
            f"GET {R}/issues/events",
            f"GET {R}/milestones",
        ],
        status=304,
        reason="docs.github.com/rest: best practices, conditional requests",
    ),
    Allowed(
        provider="github",
        part="status",
        what=[f"PATCH {R}/issues/comments/{{comment_id}}", f"DELETE {R}/issues/comments/{{comment_id}}"],
        status=404,
        message="Not Found",
        reason="the comment is gone: reading it answers so, the document forgets it for the writes",
    ),
    # Where a document contradicts what it says itself in words.
    Allowed(
        provider="asana",
        part="answer",
        what=["GET /events"],
        where=["/data/*/user", "/data/*/parent"],
        status=200,
        message="null is not of type",
        reason="EventResponse describes both as null: events of the system, events that are no add or remove",
    ),
    Allowed(
        provider="asana",
        part="answer",
        what=["GET /events"],
        where=["/data/*/resource/resource_subtype", "/data/*/parent/resource_subtype"],
        status=200,
        message="is not documented",
        reason="developers.asana.com/docs/webhooks-guide; WebhookFilter selects events by the subtype",
    ),
    Allowed(
        provider="asana",
        part="delivery",
        where=["/user", "/parent"],
        message="null is not of type",
        reason="EventResponse describes both as null: events of the system, events that are no add or remove",
    ),
    Allowed(
        provider="asana",
        part="delivery",
        where=["/resource/resource_subtype", "/parent/resource_subtype"],
        message="is not documented",
        reason="developers.asana.com/docs/webhooks-guide; WebhookFilter selects events by the subtype",
    ),
    Allowed(
        provider="asana",
        part="body",
        what=["POST /tasks", "PUT /tasks/{task_gid}"],
        where=["/data/custom_fields/*"],
        message='is not of type "string"',
        reason="TaskRequestBase describes the values as an enum GID, string, number, object, or array",
    ),
    Allowed(
        provider="asana",
        part="answer",
        where=["/data/custom_fields/*/date_value", "/data/*/custom_fields/*/date_value"],
        status=200,
        message='"date_time":null} is not valid',
        reason="CustomFieldCompact describes it: without a time the value of date_time is null",
    ),
    Allowed(
        provider="asana",
        part="answer",
        where=["/data/custom_fields/*/date_value"],
        status=201,
        message='"date_time":null} is not valid',
        reason="CustomFieldCompact describes it: without a time the value of date_time is null",
    ),
    Allowed(
        provider="github",
        part="delivery",
        what=["pull_request demilestoned"],
        where=["/pull_request/milestone"],
        message="null is not of type",
        reason="the schema wants the milestone that has just been taken away",
    ),
    Allowed(
        provider="github",
        part="delivery",
        what=[
            f"{event}_{action}"
            for event in (
                "sub_issues parent_issue",
                "sub_issues sub_issue",
                "issue_dependencies blocked_by",
                "issue_dependencies blocking",
            )
            for action in ("added", "removed")
        ],
        message="is not documented",
        reason="docs.github.com/webhooks: sub_issues, issue_dependencies; the schemas at hand are older",
    ),
    Allowed(
        provider="github",
        part="delivery",
        what=["ping"],
        where=["/hook/events"],
        message='"sub_issues"',
        reason="docs.github.com/webhooks: sub_issues, issue_dependencies; the schemas at hand are older",
    ),
)


def allowance(finding: Finding) -> Allowed | None:
    """The exception that allows it, if any."""
    return next((one for one in ALLOWED if one.covers(finding)), None)
