"""Search in a simulated workspace: for paying customers, a minute behind, one page in no sure order.

https://developers.asana.com/reference/searchtasksforworkspace
"""

from __future__ import annotations

import random

from starlette.responses import JSONResponse, Response

from connectors.asana.simulated_call import Call
from connectors.asana.simulated_limits import SEARCHES_PER_MINUTE
from connectors.asana.simulated_records import Task
from connectors.simulation import RateLimit, Refused

INDEX_LAG_S = 60.0
"""How far the index is behind."""
_PAGE = 100


class Search:
    """The endpoint, with a limit of its own for each token."""

    def __init__(self, limit: RateLimit) -> None:
        limit.limit = SEARCHES_PER_MINUTE
        self._limit = limit

    def __call__(self, call: Call) -> Response:
        if not call.workspace.premium:
            raise Refused(402, "Search is only available to premium users")
        wait = self._limit.take(call.me)
        if wait is not None:
            raise Refused(429, "You have made too many searches recently", {"Retry-After": f"{wait:.0f}"})
        seen = [task for task in call.workspace.tasks.all_seen(INDEX_LAG_S) if call.answers.sees(task)]
        found = [task for task in seen if _matches(call, task)]
        random.shuffle(found)
        rows = [call.answers.compact("task", call.answers.task(task), call.tree) for task in found[:_PAGE]]
        return JSONResponse({"data": rows})


def _matches(call: Call, task: Task) -> bool:
    text, completed, projects = (call.query(name) for name in ("text", "completed", "projects.any"))
    return (
        (text is None or text.casefold() in task.name.casefold())
        and (completed is None or task.completed is (completed == "true"))
        and (projects is None or any(project in task.places for project in projects.split(",")))
    )
