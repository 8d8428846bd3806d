"""Addresses of tasks, as people copy them out of Asana."""

from __future__ import annotations

import pytest

from connectors.asana.addresses import task_in


@pytest.mark.parametrize(
    ("text", "gid"),
    [
        ("https://app.asana.com/0/111/222", "222"),
        ("https://app.asana.com/0/111/222/f", "222"),
        (" https://app.asana.com/0/0/222/f?focus=true ", "222"),
        ("https://app.asana.com/1/9/task/222", "222"),
        ("https://app.asana.com/1/9/project/111/task/222?focus=true", "222"),
        ("https://app.asana.com/1/9/project/111/task/222/comment/333?focus=true", "222"),
        ("https://app.asana.com/0/111/list", None),
        ("https://app.asana.com/1/9/project/111/list/444", None),
        ("https://app.asana.com/1/9/task", None),
        ("https://[app.asana.com/0/1/2", None),
        ("222", None),
        ("buy a task / 0 / 1 / 2", None),
        ("", None),
    ],
)
def test_the_task_that_an_address_names(text: str, gid: str | None) -> None:
    assert task_in(text) == gid
