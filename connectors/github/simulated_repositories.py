"""Endpoints of a simulated GitHub around issues: the account, repositories, pull requests, hooks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connectors.github.simulated_account_shapes import Shape
from connectors.github.simulated_api import Call, Reply, Table, invalid, not_found, sort
from connectors.github.simulated_state import Person, Repository
from connectors.github.simulated_webhooks import Hook, Posted
from connectors.simulation import Refused

HOOKS_PER_EVENT = 20


def viewer(call: Call) -> Reply:
    """The account of a token; an app's installation has none."""
    if call.actor not in call.site.world.people:
        raise Refused(
            403, "Resource not accessible by integration", documentation_url="https://docs.github.com/rest"
        )
    return Reply(call.site.shapes.viewer(call.site.world.people[call.actor]))


def get_user(call: Call) -> Reply:
    return Reply(call.site.shapes.public(_person(call)))


def rate_limit(call: Call) -> Reply:
    """Free of quota."""
    limits = call.site.limits
    core = {
        "limit": call.site.switches.requests_per_hour,
        "used": limits.used,
        "remaining": limits.remaining,
        "reset": limits.reset,
    }
    search = {"limit": 30, "used": 0, "remaining": 30, "reset": limits.reset}
    return Reply({"resources": {"core": core, "search": search}, "rate": core})


def my_repositories(call: Call) -> Reply:
    visible = [repository for repository in call.site.world.repositories.values() if not repository.hidden]
    return call.page(sort(visible, lambda r: r.full_name.lower(), "asc"), lambda r: _repository(call, r))


def get_repository(call: Call) -> Reply:
    more = {"network_count": 0, "subscribers_count": 0, "custom_properties": {}}
    return Reply(_repository(call, call.repository()) | more)


def assignees(call: Call) -> Reply:
    """Who can be assigned; no email addresses here."""
    call.repository()
    assignable = [person for person in call.site.world.people.values() if not person.left]
    return call.page(assignable, call.site.shapes.account)


def check_assignee(call: Call) -> Reply:
    """Whether somebody can be assigned: 204 or 404."""
    call.repository()
    _person(call)
    return Reply(status=204)


def list_hooks(call: Call) -> Reply:
    repository = _administered(call)
    return call.page(call.site.webhooks.of(repository), call.site.webhooks.shape)


def create_hook(call: Call) -> Reply:
    """The first delivery is a ``ping``."""
    repository, body, webhooks = _administered(call), call.body(), call.site.webhooks
    config, events = body.get("config") or {}, body.get("events") or ["push"]
    url, present = _target(config), webhooks.of(repository)
    if any(hook.url == url for hook in present):
        raise _hook_refused("Hook already exists on this repository")
    _check_events(call, events)
    for event in events:
        if sum(event in hook.events for hook in present) >= HOOKS_PER_EVENT:
            raise _hook_refused(f'The "{event}" event cannot have more than {HOOKS_PER_EVENT} hooks')
    hook = webhooks.add(repository, url, list(events))
    _configure(hook, config)
    hook.active = body.get("active", True)
    webhooks.ping(hook)
    shape = webhooks.shape(hook)
    return Reply(shape, 201, {"Location": shape["url"]})


def get_hook(call: Call) -> Reply:
    return Reply(call.site.webhooks.shape(_hook(call)))


def update_hook(call: Call) -> Reply:
    """A ``config`` replaces the whole old one: without a secret in it the secret is removed."""
    hook, body = _hook(call), call.body()
    if "config" in body:
        hook.url = _target(body["config"])
        _configure(hook, body["config"])
    if "events" in body:
        _check_events(call, body["events"])
        hook.events = list(body["events"])
    added, removed = body.get("add_events", []), body.get("remove_events", [])
    hook.events = [e for e in dict.fromkeys([*hook.events, *added]) if e not in removed]
    hook.active = body.get("active", hook.active)
    hook.updated_at = call.site.world.clock.now()
    return Reply(call.site.webhooks.shape(hook))


def delete_hook(call: Call) -> Reply:
    del call.site.webhooks.hooks[_hook(call).id]
    return Reply(status=204)


def ping_hook(call: Call) -> Reply:
    call.site.webhooks.ping(_hook(call))
    return Reply(status=204)


def test_push(call: Call) -> Reply:
    """Sends the latest push again to hooks that listen to it. Nobody pushes here: nothing is sent."""
    _hook(call)
    return Reply(status=204)


def list_deliveries(call: Call) -> Reply:
    """Newest first, of the last three days; paged by ``cursor``, never by number."""
    webhooks, cursor = call.site.webhooks, call.query.get("cursor")
    kept = webhooks.kept(_hook(call))
    if cursor is not None:
        kept = [posted for posted in kept if str(posted.id) <= cursor]
    size = call.page_size
    page, rest = kept[:size], kept[size:]
    url = f"{call.site.api()}{call.path}?per_page={size}&cursor={rest[0].id if rest else 0}"
    headers = {"Link": f'<{url}>; rel="next"'} if rest else {}
    return Reply([webhooks.delivery(posted, whole=False) for posted in page], headers=headers)


def get_delivery(call: Call) -> Reply:
    return Reply(call.site.webhooks.delivery(_posted(call), whole=True))


def redeliver(call: Call) -> Reply:
    """Sent again under the same GUID."""
    call.site.webhooks.redeliver(_posted(call))
    return Reply({}, 202)


TABLE: Table = (
    ("GET", "/user", viewer),
    ("GET", "/user/repos", my_repositories),
    ("GET", "/users/{login}", get_user),
    ("GET", "/rate_limit", rate_limit),
    ("GET", "{repository}", get_repository),
    ("GET", "{repository}/assignees", assignees),
    ("GET", "{repository}/assignees/{login}", check_assignee),
    ("GET", "{repository}/hooks", list_hooks),
    ("POST", "{repository}/hooks", create_hook),
    ("GET", "{repository}/hooks/{hook}", get_hook),
    ("PATCH", "{repository}/hooks/{hook}", update_hook),
    ("DELETE", "{repository}/hooks/{hook}", delete_hook),
    ("POST", "{repository}/hooks/{hook}/pings", ping_hook),
    ("POST", "{repository}/hooks/{hook}/tests", test_push),
    ("GET", "{repository}/hooks/{hook}/deliveries", list_deliveries),
    ("GET", "{repository}/hooks/{hook}/deliveries/{delivery}", get_delivery),
    ("POST", "{repository}/hooks/{hook}/deliveries/{delivery}/attempts", redeliver),
)


def _person(call: Call) -> Person:
    """The person of the path; logins know no case."""
    login = call.request.path_params["login"].lower()
    for person in (*call.site.world.people.values(), *call.site.world.bots.values()):
        if person.login.lower() == login:
            return person
    raise not_found()


def _repository(call: Call, repository: Repository) -> Shape:
    push, admin = call.site.switches.push_access, call.site.switches.admin_access
    permissions = {"admin": admin, "maintain": admin, "push": push, "triage": push, "pull": True}
    return call.site.shapes.repository(repository) | {"permissions": permissions}


def _administered(call: Call) -> Repository:
    """Hooks are shown to administrators only; to others they do not exist."""
    repository = call.repository()
    if not call.site.switches.admin_access:
        raise not_found()
    return repository


def _hook(call: Call) -> Hook:
    repository, hook = _administered(call), call.site.webhooks.hooks.get(call.number("hook"))
    if hook is None or hook.repository is not repository:
        raise not_found()
    return hook


def _posted(call: Call) -> Posted:
    hook, id = _hook(call), call.number("delivery")
    for posted in call.site.webhooks.kept(hook):
        if posted.id == id:
            return posted
    raise not_found()


def _target(config: dict[str, Any]) -> str:
    url = str(config.get("url", ""))
    if not url.startswith(("http://", "https://")):
        raise invalid("url", resource="Hook", code="missing_field" if not url else "invalid")
    return url


def _configure(hook: Hook, config: dict[str, Any]) -> None:
    hook.content_type = config.get("content_type", "form")
    hook.secret = config.get("secret") or None
    hook.insecure_ssl = str(config.get("insecure_ssl", "0"))


def _check_events(call: Call, events: Iterable[str]) -> None:
    world = call.site.world
    for event, known in (("sub_issues", world.sub_issues), ("issue_dependencies", world.dependencies)):
        if event in events and not known:
            raise _hook_refused(f"events: {event} is not a known event")


def _hook_refused(message: str) -> Refused:
    errors = [{"resource": "Hook", "code": "custom", "message": message}]
    return Refused(422, "Validation Failed", errors=errors, documentation_url="https://docs.github.com/rest")
