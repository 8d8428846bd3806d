"""The endpoints of stories: comments, and the history that Asana writes itself.

https://developers.asana.com/reference/stories
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from connectors.asana import simulated_richtext as richtext
from connectors.asana.simulated_call import Call
from connectors.asana.simulated_records import Link, Story
from connectors.asana.simulated_sight import checked_gid
from connectors.asana.simulated_task_values import typed
from connectors.simulation import Refused


def list_stories(call: Call) -> Response:
    task = call.answers.task_seen(call.path("task"))

    def find(gid: str) -> dict[str, Any] | None:
        story = call.workspace.stories.seen(gid, call.lag_s)
        return call.answers.story(story) if story else None

    stories = call.workspace.stories_of[task.gid]
    return call.listing("story", lambda: [gid for gid in stories if find(gid)], find)


def get_story(call: Call) -> Response:
    return call.object("story", call.answers.story(_story(call)))


def create_story(call: Call) -> Response:
    task = call.answers.task_seen(call.path("task"))
    html = _comment_text(call)
    story = call.workspace.add_comment(task.gid, call.me, html, source="api")
    return call.written(Link("story", story.gid), 201)


def update_story(call: Call) -> Response:
    story = _own_comment(call)
    call.workspace.edit_comment(story.gid, _comment_text(call), call.me)
    return call.written(Link("story", story.gid))


def delete_story(call: Call) -> Response:
    call.workspace.delete_comment(_own_comment(call).gid, call.me)
    return call.empty()


def _story(call: Call) -> Story:
    gid = checked_gid("story", call.path("story"))
    story = call.workspace.stories.seen(gid, call.answers.lag_s)
    if story is None:
        raise Refused(404, f"story: Unknown object: {gid}")
    call.answers.task_seen(story.task)
    return story


def _own_comment(call: Call) -> Story:
    story = _story(call)
    if not story.is_comment or story.created_by != call.me:
        raise Refused(403, "You do not have permission to change this story")
    return story


def _comment_text(call: Call) -> str:
    given = [name for name in ("text", "html_text") if call.data.get(name) is not None]
    if len(given) != 1:
        raise Refused(400, "Exactly one of text and html_text must be specified")
    if given == ["text"]:
        return richtext.from_text(typed("text", call.data["text"], str))
    html = typed("html_text", call.data["html_text"], str)
    return richtext.read_back(html, comment=True, named=call.answers.named, autolink=call.autolink)
