"""All tables. Words as in ``sync/README.md``; sides are ``hub`` (Asana) and ``external``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Table, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from sync.store.types import Document, RowId, Utc

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def table_of(model: type[SQLModel]) -> Table:
    """The table behind a model: for statements that need rows or values, and no objects."""
    return SQLModel.metadata.tables[str(model.__tablename__)]


def _id() -> Any:
    return Field(default=None, sa_column=Column(RowId, primary_key=True, autoincrement=True))


def _parent(table: str, *, null: bool = False, index: bool = True) -> Any:
    column = Column(RowId, ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=null, index=index)
    return Field(default=None, sa_column=column) if null else Field(sa_column=column)


def _number(*, index: bool = False) -> Any:
    """A row id that no foreign key guards: what it points to may be cleaned away earlier."""
    return Field(default=None, sa_column=Column(RowId, nullable=True, index=index))


def _time(*, null: bool = True) -> Any:
    return (
        Field(default=None, sa_column=Column(Utc, nullable=null))
        if null
        else Field(sa_column=Column(Utc, nullable=False))
    )


def _document(default: Any = dict) -> Any:
    return Field(default_factory=default, sa_column=Column(Document, nullable=True))


class Setting(SQLModel, table=True):
    """One value for the whole installation: ``people``, ``paused``, ``configured_at``, ..."""

    key: str = Field(primary_key=True)
    value: Any = _document(lambda: None)


class Connection(SQLModel, table=True):
    """One configured account. ``credentials`` is ciphertext. ``site`` and ``account_id`` are pinned."""

    id: int = _id()
    name: str = Field(unique=True)
    connector: str
    site: str
    settings: dict[str, Any] = _document()
    credentials: str = Field(repr=False)
    account_id: str = ""
    account_name: str = ""
    state: str = "ok"
    reason: str = ""
    paused: bool = False
    missing: list[str] = _document(list)
    clock_offset_s: float = 0.0
    blocked_until: datetime | None = _time()
    quota: dict[str, Any] | None = _document(lambda: None)
    checked_at: datetime | None = _time()
    people_at: datetime | None = _time()
    """When its users were listed; None: not yet, or a new container has others."""
    removed_at: datetime | None = _time()


class Token(SQLModel, table=True):
    """What a provider handed out for configured credentials; ``sealed`` is ciphertext, at first empty.

    ``key`` is a digest of the credentials, ``connection`` the name of the one that used them last. ``until``
    is when the access token ends. ``turn_*``: who renews them now.
    """

    key: str = Field(primary_key=True)
    connection: str
    sealed: str = Field(repr=False)
    until: datetime | None = _time()
    changed_at: datetime = _time(null=False)
    turn_owner: str | None = None
    turn_until: datetime | None = _time()


class User(SQLModel, table=True):
    """One user a connection lists, for matching people."""

    id: int = _id()
    connection_id: int = _parent("connection")
    user_id: str
    name: str = ""
    login: str = ""
    email: str = ""
    active: bool = True

    __table_args__ = (UniqueConstraint("connection_id", "user_id"),)


class FieldList(SQLModel, table=True):
    """The fields that a container's objects have, as its provider told them at ``read_at``."""

    connection_id: int = Field(
        sa_column=Column(RowId, ForeignKey("connection.id", ondelete="CASCADE"), primary_key=True)
    )
    container: str = Field(primary_key=True)
    specs: list[dict[str, Any]] = _document(list)
    read_at: datetime = _time(null=False)


class Stream(SQLModel, table=True):
    """Which worker keeps the connection open over which a provider tells of changes, until when."""

    connection_id: int = Field(
        sa_column=Column(RowId, ForeignKey("connection.id", ondelete="CASCADE"), primary_key=True)
    )
    owner: str
    until: datetime = _time(null=False)


class Mapping(SQLModel, table=True):
    """Two containers kept in step. ``config`` is the normalised mapping of the configuration file.

    ``started`` holds, per side, the provider's time at which the mapping began.
    ``lease_*``: at most one worker runs passes; ``lease_no`` grows with every take-over.
    """

    id: int = _id()
    name: str = Field(unique=True)
    hub_connection_id: int = _parent("connection")
    external_connection_id: int = _parent("connection")
    hub_container: str
    external_container: str
    config: dict[str, Any] = _document()
    version: int = 1
    state: str = "first_sync"
    reason: str = ""
    paused: bool = False
    paused_directions: list[str] = _document(list)
    started: dict[str, str] = _document()
    first_sync: dict[str, Any] | None = _document(lambda: None)
    approval: dict[str, Any] | None = _document(lambda: None)
    full_pass_due: bool = True
    full_pass_at: datetime | None = _time()
    full_pass_counts: dict[str, int] = _document()
    lease_owner: str | None = None
    lease_no: int = 0
    lease_until: datetime | None = _time()
    removed_at: datetime | None = _time()


class Link(SQLModel, table=True):
    """One external object <-> one hub object under one mapping; comments hang below by ``parent_id``.

    ``root``: Ref of the comment a person wrote, ``author``: that person's name. ``source``: the side
    it stands on, or its copy from a third tool.
    ``gone``: {"side", "proof", "at"} while a delete waits for its delay.
    ``hidden_since``: an end cannot be seen since then. ``synced_at``: last settled; ``looked_at``:
    last pass over it; ``*_at``: the provider's
    time of the newest version that was settled; ``comments_at``: last complete look at its
    comments; ``*_comments_version``: newest version whose comments are known. ``awaits``: the objects
    without a link that it names, each as `` side:id ``.
    """

    id: int = _id()
    mapping_id: int = _parent("mapping")
    mapping_version: int = 1
    kind: str = "task"
    parent_id: int | None = _parent("link", null=True)
    state: str = "active"
    reason: str = ""
    hub_ref: str | None = Field(default=None, index=True)
    hub_kind: str = ""
    hub_id: str = ""
    hub_address: str = ""
    hub_url: str = ""
    hub_title: str = ""
    hub_version: str = ""
    hub_at: datetime | None = _time()
    external_ref: str | None = Field(default=None, index=True)
    external_kind: str = ""
    external_id: str = ""
    external_address: str = ""
    external_url: str = ""
    external_title: str = ""
    external_version: str = ""
    external_at: datetime | None = _time()
    external_key: str = ""
    source: str = ""
    root: str = ""
    author: str = ""
    key_token: str = Field(default="", index=True)
    made_by: str = "create"
    gone: dict[str, Any] | None = _document(lambda: None)
    hidden_since: datetime | None = _time()
    created_at: datetime = _time(null=False)
    synced_at: datetime | None = _time()
    looked_at: datetime | None = _time()
    comments_at: datetime | None = _time()
    hub_comments_version: str = ""
    external_comments_version: str = ""
    awaits: str = Field(default="", index=True)

    __table_args__ = (
        Index(
            "uq_link_hub",
            "mapping_id",
            "hub_ref",
            unique=True,
            sqlite_where=text("hub_ref IS NOT NULL AND state != 'unlinked'"),
            postgresql_where=text("hub_ref IS NOT NULL AND state != 'unlinked'"),
        ),
        Index(
            "uq_link_external",
            "mapping_id",
            "external_ref",
            unique=True,
            sqlite_where=text("external_ref IS NOT NULL AND state != 'unlinked'"),
            postgresql_where=text("external_ref IS NOT NULL AND state != 'unlinked'"),
        ),
        Index("ix_link_mapping_kind_state", "mapping_id", "kind", "state"),
        Index("ix_link_hub_url", "hub_url"),
        Index("ix_link_external_url", "external_url"),
        Index(
            "ix_link_hidden_since",
            "hidden_since",
            sqlite_where=text("hidden_since IS NOT NULL"),
            postgresql_where=text("hidden_since IS NOT NULL"),
        ),
    )


class Seen(SQLModel, table=True):
    """Per link and field the pair of forms that stood for one value when it was settled.

    ``*_before``, ``moved_at``: what the pair was until it moved then.
    ``*_read``: a value that differs from its half and was read, but not settled yet, with the
    record's time at the first such read: {"value", "at", "by"}.
    """

    link_id: int = Field(sa_column=Column(RowId, ForeignKey("link.id", ondelete="CASCADE"), primary_key=True))
    field: str = Field(primary_key=True)
    hub: Any = _document(lambda: None)
    external: Any = _document(lambda: None)
    hub_before: Any = _document(lambda: None)
    external_before: Any = _document(lambda: None)
    moved_at: datetime | None = _time()
    hub_read: dict[str, Any] | None = _document(lambda: None)
    external_read: dict[str, Any] | None = _document(lambda: None)
    settled: bool = True


class Mark(SQLModel, table=True):
    """ "Look again" at a Ref, for one mapping. Deleted when looked at, unless ``counter`` moved meanwhile.

    ``lane``: live | backfill. ``comments``: look at its comments, too. ``seen_at``: newest provider
    time of the changes behind it. ``gone``: proof of a verified deleted event.
    """

    id: int = _id()
    mapping_id: int = _parent("mapping", index=False)
    side: str
    ref: str
    kind: str
    object_id: str
    address: str = ""
    counter: int = 1
    lane: str = "live"
    comments: bool = False
    gone: str = ""
    seen_at: datetime | None = _time()
    delivery_id: int | None = _number()
    attempts: int = 0
    rechecks: int = 0
    reason: str = ""
    first_at: datetime = _time(null=False)
    due_at: datetime = _time(null=False)

    __table_args__ = (
        UniqueConstraint("mapping_id", "ref"),
        Index("ix_mark_due", "mapping_id", "lane", "due_at"),
    )


class Claim(SQLModel, table=True):
    """One object that a pass works on right now, whatever the mapping."""

    ref: str = Field(primary_key=True)
    owner: str
    mapping_id: int = Field(sa_column=Column(RowId, nullable=False))
    lease_no: int
    until: datetime = _time(null=False)


class Cursor(SQLModel, table=True):
    """Where polling of a container goes on. ``version`` is for compare-and-set."""

    id: int = _id()
    connection_id: int = _parent("connection", index=False)
    container: str
    value: Any = _document(lambda: None)
    version: int = 0
    read_at: datetime | None = _time()
    next_at: datetime = _time(null=False)
    attempts: int = 0
    reason: str = ""

    __table_args__ = (UniqueConstraint("connection_id", "container"),)


class Subscription(SQLModel, table=True):
    """One webhook at a provider. ``key`` is the unguessable part of its path; ``secret`` is ciphertext."""

    id: int = _id()
    connection_id: int = _parent("connection")
    container: str
    key: str = Field(unique=True)
    secret: str = Field(default="", repr=False)
    state: str = "creating"
    reason: str = ""
    target: str = ""
    remote_id: str = ""
    created_at: datetime = _time(null=False)
    checked_at: datetime | None = _time()
    next_at: datetime | None = _time()
    last_delivery_at: datetime | None = _time()


class Delivery(SQLModel, table=True):
    """One webhook call, stored once. ``state``: queued | processed | ignored | parked.

    ``trace``: the W3C ``traceparent`` of its span, which the pass goes on from; empty where none was made.
    """

    id: int = _id()
    connection_id: int = _parent("connection", index=False)
    subscription_id: int | None = _number(index=True)
    dedupe: str
    event: str = ""
    headers: dict[str, Any] = _document()
    body: bytes = b""
    received_at: datetime = _time(null=False)
    repeats: int = 0
    state: str = Field(default="queued", index=True)
    reason: str = ""
    trace: str = ""

    __table_args__ = (UniqueConstraint("connection_id", "dedupe"),)


class Write(SQLModel, table=True):
    """Logged intent and result of one remote write.

    ``state``: intent (may or may not have been sent) | done | not_done | refused | unknown.
    ``fields``: what was sent; ``before``: what stood there; ``answer``: what came back.
    ``origin``: per field {"at", "by"}: the human edit it carries. ``plan``: what settling needs.
    """

    id: int = _id()
    mapping_id: int = _parent("mapping", index=False)
    mapping_version: int
    link_id: int = _parent("link")
    side: str
    op: str
    ref: str = Field(default="", index=True)
    fields: dict[str, Any] = _document()
    before: dict[str, Any] = _document()
    origin: dict[str, Any] = _document()
    plan: dict[str, Any] = _document()
    answer: dict[str, Any] | None = _document(lambda: None)
    answer_version: str = ""
    state: str = "intent"
    reason: str = ""
    intent_at: datetime = _time(null=False)
    deadline_at: datetime = _time(null=False)
    done_at: datetime | None = _time()

    __table_args__ = (
        Index("ix_write_mapping_at", "mapping_id", "intent_at"),
        Index("ix_write_state", "state", "mapping_id", "side", "op", "done_at"),  # all that totals count by
    )


class Errand(SQLModel, table=True):
    """What a person asked for in another tool, stored before it is confirmed; a pass carries it out.

    ``key``: the provider's id of the request. ``ref`` and what follows it: the object that it is about.
    ``task``: id of the hub's object to attach it to. ``fields``: of the task. ``state``: open | done |
    refused. The errand that made a link stays as long as the link: it tells what is copied of the past.
    """

    id: int = _id()
    connection_id: int = _parent("connection", index=False)
    mapping_id: int = _parent("mapping")
    link_id: int | None = _parent("link", null=True)
    key: str
    what: str
    ref: str = Field(index=True)
    kind: str
    object_id: str
    address: str = ""
    task: str = ""
    fields: dict[str, Any] = _document()
    text: str = ""
    person_id: str = ""
    person_name: str = ""
    whole_thread: bool = True
    in_step: bool = True
    state: str = "open"
    reason: str = ""
    asked_at: datetime = _time(null=False)
    done_at: datetime | None = _time()

    __table_args__ = (UniqueConstraint("connection_id", "key"),)


class Shown(SQLModel, table=True):
    """The card of a link's task that stands below its external object. ``address``: where; ``card``: what."""

    link_id: int = Field(sa_column=Column(RowId, ForeignKey("link.id", ondelete="CASCADE"), primary_key=True))
    address: str
    card: dict[str, Any] = _document()
    shown_at: datetime = _time(null=False)


class Conflict(SQLModel, table=True):
    """An edit that did not win. ``hub``/``external``: {value, modified_at, time_from, author}.

    ``restoring``: the side whose value somebody asked to put back on both sides.
    ``fingerprint`` makes the same clash of the same values one entry, however often it is planned.
    """

    id: int = _id()
    mapping_id: int = _parent("mapping")
    mapping_version: int
    link_id: int = _parent("link")
    field: str
    kind: str
    state: str = "open"
    policy: str
    winner: str | None = None
    reason: str = ""
    detected_at: datetime = _time(null=False)
    hub: dict[str, Any] = _document()
    external: dict[str, Any] = _document()
    fingerprint: str
    restoring: str = ""

    __table_args__ = (UniqueConstraint("link_id", "field", "fingerprint"),)


class Revert(SQLModel, table=True):
    """A field that somebody asked to put back to what stood there before our writes.

    ``holds``: what came back of our newest write of it: only while that still stands there it is put
    back. ``back``: what shall stand there again. ``rule``: that of the write. ``state``: open | done |
    skipped, with the reason.
    """

    id: int = _id()
    mapping_id: int = _parent("mapping")
    link_id: int = _parent("link")
    side: str
    rule: str
    field: str
    holds: Any = _document(lambda: None)
    back: Any = _document(lambda: None)
    write_id: int | None = _number()
    state: str = "open"
    reason: str = ""
    asked_at: datetime = _time(null=False)
    done_at: datetime | None = _time()


class Parked(SQLModel, table=True):
    """Something that waits for a person. ``values`` is what was tried: other values are tried anew."""

    id: int = _id()
    mapping_id: int = _parent("mapping")
    link_id: int | None = _parent("link", null=True)
    what: str
    ref: str = ""
    field: str = ""
    park_class: str
    state: str = "open"
    reason: str = ""
    provider_message: str = ""
    fix: str = ""
    values: Any = _document(lambda: None)
    attempts: int = 1
    first_at: datetime = _time(null=False)
    last_at: datetime = _time(null=False)

    __table_args__ = (UniqueConstraint("mapping_id", "what", "ref", "field"),)


class Event(SQLModel, table=True):
    """One line of a link's history."""

    id: int = _id()
    at: datetime = _time(null=False)
    mapping_id: int = _parent("mapping", index=False)
    mapping_version: int
    link_id: int = _parent("link")
    event: str
    text: str
    field: str | None = None
    before: Any = _document(lambda: None)
    after: Any = _document(lambda: None)
    write_id: int | None = _number()
    delivery_id: int | None = _number()
    outcome: str | None = None


class Worker(SQLModel, table=True):
    """One running worker process."""

    id: str = Field(primary_key=True)
    pid: int
    started_at: datetime = _time(null=False)
    heartbeat_at: datetime = _time(null=False)


class Audit(SQLModel, table=True):
    """What an admin did, by whatever way."""

    id: int = _id()
    at: datetime = _time(null=False)
    action: str
    target: str = ""
    detail: dict[str, Any] = _document()


class Tally(SQLModel, table=True):
    """A number that only grows: what was counted of rows that are gone, and what the processes counted.

    ``labels``: what it is counted by, as JSON text; ``last_at``: when the newest that was counted happened.
    """

    name: str = Field(primary_key=True)
    labels: str = Field(primary_key=True)
    value: float = 0.0
    last_at: datetime | None = _time()
