"""Files of a simulated Asana, quirk by quirk."""

from __future__ import annotations

from connectors.asana.simulator import AsanaSimulator
from tests.simulators.asana.client import Api


async def test_a_download_url_dies_after_two_minutes_or_is_null(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    task = asana.new(project, title="with files")
    file, elsewhere = (
        asana.attach(task, "a.txt", b"bytes"),
        asana.attach_from(task, "vimeo", "b.mp4", "https://vimeo.com/1"),
    )
    url = (await api.get(f"/attachments/{file}", opt_fields="download_url"))["download_url"]
    assert (await api.http.get(url)).content == b"bytes"
    asana.clock.advance(121)
    assert (await api.http.get(url)).status_code == 403
    assert (await api.get(f"/attachments/{elsewhere}", opt_fields="download_url"))["download_url"] is None


async def test_an_upload_makes_no_event_of_its_own(asana: AsanaSimulator, api: Api, project: str) -> None:
    task = asana.new(project, title="with files")
    first = await api.http.get("/events", params={"resource": project})
    asana.attach(task, "a.txt", b"bytes")
    told = await api.get("/events", resource=project, sync=first.json()["sync"])
    assert {event["resource"]["resource_type"] for event in told} == {"story"}
