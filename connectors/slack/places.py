"""Which message is meant: channel and time together are its identity. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from connectors.errors import Park
from connectors.records import Ref
from connectors.slack.config import NAME
from connectors.slack.people import Us

THREAD = "thread"
REPLY = "reply"
ANY = "any message"
"""The address of a message that may be a thread or a reply in one: nobody told which."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def thread_ref(site: str, channel: str, ts: str) -> Ref:
    return Ref(NAME, site, THREAD, f"{channel}/{ts}")


def reply_ref(site: str, channel: str, ts: str, thread: str) -> Ref:
    """A reply; its address is the thread that it stands in."""
    return Ref(NAME, site, REPLY, f"{channel}/{ts}", address=f"{channel}/{thread}")


def message_ref(site: str, channel: str, ts: str) -> Ref:
    """A thread, or a reply where a reading shows that it is one."""
    return Ref(NAME, site, THREAD, f"{channel}/{ts}", address=ANY)


def place(ref: Ref) -> tuple[str, str]:
    """Channel and time of a message: together its identity.

    Raises:
        Park: no message has such an id.
    """
    channel, slash, ts = ref.id.partition("/")
    if not slash or not re.fullmatch(r"\d+\.\d+", ts):
        raise Park(f"{ref.id} is no message: CHANNEL/TIME is expected, such as C024BE91L/1512085950.000216")
    return channel, ts


def moment(ts: str) -> datetime:
    """The time that a message's id tells, to the microsecond: never by way of a float."""
    seconds, _, fraction = ts.partition(".")
    return _EPOCH + timedelta(seconds=int(seconds), microseconds=int(fraction.ljust(6, "0")[:6] or 0))


def ts_of(at: datetime) -> str:
    microseconds = (at - _EPOCH) // timedelta(microseconds=1)
    return f"{microseconds // 1_000_000}.{microseconds % 1_000_000:06d}"


def permalink(us: Us, channel: str, ts: str, thread: str = "") -> str:
    """As ``chat.getPermalink`` gives it."""
    link = f"{us.url}archives/{channel}/p{ts.replace('.', '')}"
    return f"{link}?thread_ts={thread}&cid={channel}" if thread and thread != ts else link
