"""Answers what a connector asks while a person waits, from the store wherever that knows; notes wishes.

A project may be seen and used in a container if a mapping joins the two: that is how an admin allows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors import discover
from connectors.errors import ConnectorError, RetryLater
from connectors.interactions import ME, Card, Form, Person, Place, Refused, What, Wish
from connectors.records import CLOSED, OPEN, SECTION, FieldKind, Fields, FieldSpec, Record, Ref
from connectors.records import User as Listed
from sync.configuration import MappingConfig
from sync.jobs.capture.cards import card_of, has_card
from sync.jobs.capture.wished import ONCE
from sync.jobs.engine import Engine
from sync.jobs.routing.container_names import name_of
from sync.jobs.routing.field_lists import fields_of, fields_told
from sync.jobs.routing.people import people_of, users_of
from sync.jobs.routing.route import mappings_on
from sync.jobs.routing.ruling import DIRECTIONS
from sync.reconcile.model import Side
from sync.store import errands, links, marks, parking, writes
from sync.store.tables import Connection, Errand, Link, Mapping, Setting, User
from sync.store.values import dump_all

_AT_MOST = 100
"""Places, people, tasks: more than that nobody looks through."""

_PATIENCE_S = 2.0

_LONGEST_TITLE = 1024
_SHOWN_TITLE = 100

_REPEATED = "That was asked for before: nothing was done again."
_UNKNOWN = "Nobody has said yet who you are there: an admin adds you to the list of people."

_ASKED = (FieldKind.CHOICE, FieldKind.SET, FieldKind.DATE, FieldKind.PERSON)
"""Kinds of fields that a form asks for, beside the title."""

_LEFT_OUT = frozenset({SECTION, "start", "milestone", "state", "followers"})


@dataclass(frozen=True, slots=True)
class Clerk:
    """For one connection; it is asked by that connection's session alone."""

    engine: Engine
    connection: Connection

    async def places(self, container: str, text: str = "") -> Sequence[Place]:
        mappings = await self._mappings(container)
        async with self.engine.database.read() as session:
            order = list(await errands.last_used(session, [mapping.id for mapping in mappings]))
        mappings.sort(key=lambda each: order.index(each.id) if each.id in order else len(order))
        names = await asyncio.gather(*(self._name(mapping) for mapping in mappings))
        wanted = text.casefold().strip()
        return [
            Place(id=str(mapping.id), name=name)
            for mapping, name in zip(mappings, names, strict=True)
            if wanted in name.casefold()
        ][:_AT_MOST]

    async def form(self, container: str, place: str) -> Form:
        mapping = await self._allowed(container, place)
        specs = await self._specs(mapping)
        sections = next((spec.options for spec in specs if spec.name == SECTION), {})
        asked = [
            spec for spec in specs if spec.writable and spec.kind in _ASKED and spec.name not in _LEFT_OUT
        ]
        shown = Place(id=place, name=await self._name(mapping))
        return Form(place=shown, sections=sections, fields=tuple(asked))

    async def people(self, container: str, place: str, text: str = "") -> Sequence[Listed]:
        mapping = await self._allowed(container, place)
        async with self.engine.database.read() as session:
            users = await users_of(session, mapping.hub_connection_id)
        wanted = text.casefold().strip()
        found = [
            Listed(id=user.user_id, name=user.name, login=user.login, email=user.email)
            for user in users
            if user.active and wanted in f"{user.name}\n{user.email}".casefold()
        ]
        return sorted(found, key=lambda user: user.name.casefold())[:_AT_MOST]

    async def tasks(
        self, container: str, text: str = "", assignee: Person | None = None, *, free: bool = False
    ) -> Sequence[Card]:
        mappings = await self._mappings(container)
        listed = await asyncio.gather(*(self._tasks_of(each, text, assignee) for each in mappings))
        had = [tasks for tasks in listed if tasks is not None]
        if mappings and not had:
            raise RetryLater("no project told its tasks in time", after=_PATIENCE_S)
        found = sorted(chain.from_iterable(had), key=lambda each: each[0].modified_at, reverse=True)
        taken = await self._taken(mappings, [card.id for _, card in found]) if free else frozenset()
        return list({card.id: card for _, card in found if card.id not in taken}.values())[:_AT_MOST]

    async def _tasks_of(
        self, mapping: Mapping, text: str, assignee: Person | None
    ) -> Sequence[tuple[Record, Card]] | None:
        """None of a project that does not answer in time: a person waits, and the provider does not."""
        hub = await self._hub(mapping)
        mine = await self._hub_user(mapping, assignee.id) if assignee is not None else None
        if assignee is not None and mine is None:
            raise Refused(_UNKNOWN)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                session = await self.engine.sessions.get(hub)
                records = await session.recent(mapping.hub_container, text, _AT_MOST)
        except (ConnectorError, TimeoutError):
            return None
        if assignee is not None:
            records = [
                each
                for each in records
                if each.fields.get("assignee") == mine and each.fields.get("state") != CLOSED
            ]
        names, project = await self._names(hub), await self._name(mapping)
        return [
            (each, card_of(each, project, names.get(str(each.fields.get("assignee")), ""), str(mapping.id)))
            for each in records
        ]

    async def task_of(self, about: Ref) -> Card | None:
        link = await self._link(about)
        if link is None or link.hub_ref is None:
            return None
        return Card(id=link.hub_id, title=link.hub_title, url=link.hub_url, project="", state=OPEN)

    async def may_post(self, container: str, place: str, key: str) -> None:
        if await self._is_noted(key):
            raise Refused(_REPEATED)
        mapping = await self._allowed(container, place)
        async with self.engine.database.read() as session:
            connection = await session.get(Connection, self.connection.id)
            everything = await session.get(Setting, "paused")
        directions = (DIRECTIONS[word] for word in mapping.paused_directions)
        if (
            (everything is not None and everything.value)
            or (connection is not None and connection.paused)
            or mapping.paused
            or mapping.state == "stopped"
            or any(Side.EXTERNAL in each for each in directions)
        ):
            raise Refused("An admin paused what is written here. Nothing was done: try again later.")

    async def take(self, wish: Wish) -> None:
        if wish.by.outsider:
            raise Refused(wish.by.outsider)
        making = wish.what in (What.CAPTURE, What.ATTACH)
        mapping, link = await (self._to_make(wish) if making else self._to_change(wish))
        fields = await self._checked(mapping, wish)
        if wish.what is What.COMMENT and not wish.text.strip():
            raise Refused("Write something first.", field="text")
        now = self.engine.now()
        errand = Errand(
            connection_id=self.connection.id,
            mapping_id=mapping.id,
            link_id=link.id if link is not None else None,
            key=wish.key,
            what=wish.what.value,
            ref=str(wish.about),
            kind=wish.about.kind,
            object_id=wish.about.id,
            address=wish.about.address,
            task=wish.task,
            fields=dump_all(fields),
            text=wish.text,
            person_id=wish.by.id,
            person_name=wish.by.name,
            whole_thread=wish.whole_thread,
            in_step=wish.in_step,
            asked_at=now,
        )
        mark = marks.NewMark(
            mapping_id=mapping.id,
            side=Side.EXTERNAL,
            ref=wish.about,
            comments=True,
            reason=f"{wish.by.name} asked for something",
        )
        async with self.engine.database.write() as session:
            if making and await errands.is_wanted_otherwise(session, errand):
                raise Refused("A task for it is being made already.", field="title")
            await self._give_up_refused(session, wish, making=making)
            if not await errands.note(session, errand):
                raise Refused(_REPEATED)
            await marks.put(session, [mark], now)
        await self.engine.wake(mapping.id, 0)

    # what may be done

    async def _mappings(self, container: str) -> list[Mapping]:
        """Those that join the container with a project and let anything go there."""
        async with self.engine.database.read() as session:
            on = await mappings_on(session, self.connection.id, container)
        return [
            mapping
            for mapping, side in on
            if side is Side.EXTERNAL
            and Side.HUB in DIRECTIONS[MappingConfig.model_validate(mapping.config).direction]
        ]

    async def _allowed(self, container: str, place: str) -> Mapping:
        for mapping in await self._mappings(container):
            if str(mapping.id) == place:
                return mapping
        raise Refused("Tasks from here may not go to that project. An admin can allow it.", field="place")

    async def _to_make(self, wish: Wish) -> tuple[Mapping, None]:
        mapping = await self._allowed(wish.container, wish.place)
        known = await self._link(wish.about)
        if known is not None and not await self._was_refused(known) and not await self._is_noted(wish.key):
            there = f"There is a task for it already: {_short(known.hub_title)}"
            raise Refused(there if known.hub_id else "A task for it is being made already.", field="title")
        if wish.what is What.ATTACH and not wish.task:
            raise Refused("Choose a task.", field="task")
        if wish.what is What.ATTACH and await self._taken([mapping], [wish.task]):
            raise Refused("That task is linked to something else here already.", field="task")
        return mapping, None

    async def _give_up_refused(self, session: AsyncSession, wish: Wish, *, making: bool) -> None:
        """What the hub refused to make is not waited for any more: somebody asks anew, with other fields."""
        known = await self._link(wish.about) if making else None
        if known is None or await self._is_noted(wish.key):
            return
        if await self._was_refused(known):
            await links.unlink(session, known, "somebody captured it anew", self.engine.now())
            await parking.unpark(session, known.mapping_id, "link", f"link:{known.id}")

    async def _to_change(self, wish: Wish) -> tuple[Mapping, Link]:
        link = await self._link(wish.about)
        if link is None:
            raise Refused("There is no task for it any more.")
        if link.state == links.DORMANT and link.reason != ONCE:
            raise Refused("Its task is no part of what is kept in step any more: change it in Asana.")
        capabilities = discover()[self.connection.connector].capabilities
        for mapping in await self._mappings(wish.container):
            config = MappingConfig.model_validate(mapping.config)
            if mapping.id == link.mapping_id and has_card(link, config, capabilities):
                return mapping, link
        raise Refused("Its task may not be changed from here.")

    async def _checked(self, mapping: Mapping, wish: Wish) -> Fields:
        """The fields as the hub takes them.

        Raises:
            Refused: one of them, by its name.
        """
        fields = dict(wish.fields)
        title = fields.get("title")
        if wish.what is What.CAPTURE and not str(title or "").strip():
            raise Refused("A task needs a title.", field="title")
        if title is not None:
            fields["title"] = " ".join(str(title).split())[:_LONGEST_TITLE]
        if fields.get("assignee") == ME:
            mine = await self._hub_user(mapping, wish.by.id)
            if mine is None:
                raise Refused(_UNKNOWN, field="assignee")
            fields["assignee"] = mine
        specs = {spec.name: spec for spec in await self._specs(mapping)} if fields else {}
        for name, value in fields.items():
            spec = specs.get(name)
            if spec is None or not spec.writable:
                raise Refused("That cannot be filled in there any more.", field=name)
            if spec.kind is FieldKind.SET and isinstance(value, list | tuple):
                fields[name] = tuple(sorted({spec.options.get(each, each) for each in value}))
            if spec.kind is FieldKind.CHOICE and value is not None and value not in spec.options:
                raise Refused("That cannot be chosen any more.", field=name)
            if spec.kind is FieldKind.PERSON and value is not None and not await self._works(mapping, value):
                raise Refused("That person cannot be chosen any more.", field=name)
        return fields

    # what is known

    async def _link(self, about: Ref) -> Link | None:
        """The living link of the object, under whatever mapping of this connection."""
        query = (
            select(Link)
            .join(Mapping, col(Link.mapping_id) == col(Mapping.id))
            .where(
                col(Link.external_ref) == str(about),
                col(Link.kind) == links.TASK,
                col(Link.state) != links.UNLINKED,
                col(Mapping.external_connection_id) == self.connection.id,
                col(Mapping.removed_at).is_(None),
            )
            .order_by(col(Link.id))
            .limit(1)
        )
        async with self.engine.database.read() as session:
            return (await session.execute(query)).scalar_one_or_none()

    async def _was_refused(self, link: Link) -> bool:
        """Whether its task was not made, and that waits for a person."""
        if link.state != links.PARKED or link.hub_id:
            return False
        async with self.engine.database.read() as session:
            return not await writes.unresolved(session, [link.id])

    async def _is_noted(self, key: str) -> bool:
        query = select(col(Errand.id)).where(
            col(Errand.connection_id) == self.connection.id, col(Errand.key) == key
        )
        async with self.engine.database.read() as session:
            return (await session.execute(query)).first() is not None

    async def _taken(self, mappings: Sequence[Mapping], tasks: Sequence[str]) -> frozenset[str]:
        """Those of these tasks that have a living link under one of the mappings."""
        query = select(col(Link.hub_id)).where(
            col(Link.mapping_id).in_([mapping.id for mapping in mappings]),
            col(Link.kind) == links.TASK,
            col(Link.state) != links.UNLINKED,
            col(Link.hub_id).in_(tasks),
        )
        async with self.engine.database.read() as session:
            return frozenset((await session.execute(query)).scalars())

    async def _works(self, mapping: Mapping, person: object) -> bool:
        async with self.engine.database.read() as session:
            users = await users_of(session, mapping.hub_connection_id)
        return any(user.active and user.user_id == person for user in users)

    async def _hub(self, mapping: Mapping) -> Connection:
        async with self.engine.database.read() as session:
            row = await session.get(Connection, mapping.hub_connection_id)
        assert row is not None
        return row

    async def _name(self, mapping: Mapping) -> str:
        """The project's, or for want of an answer in time the mapping's own."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                hub = await self._hub(mapping)
                return await name_of(self.engine, hub, mapping.hub_container, mapping.name)
        except TimeoutError:
            return mapping.name

    async def _specs(self, mapping: Mapping) -> Sequence[FieldSpec]:
        """The project's fields as they were told last; who never told them is asked."""
        hub = await self._hub(mapping)
        told = await fields_told(self.engine, hub, mapping.hub_container)
        return told if told is not None else await fields_of(self.engine, hub, mapping.hub_container)

    async def _names(self, hub: Connection) -> dict[str, str]:
        async with self.engine.database.read() as session:
            return _names_of(await users_of(session, hub.id))

    async def _hub_user(self, mapping: Mapping, person: str) -> str | None:
        async with self.engine.database.read() as session:
            hub = await session.get(Connection, mapping.hub_connection_id)
            assert hub is not None
            people = await people_of(session, hub, self.connection, "unassigned")
        return people.to_hub.get(person)


def _short(title: str) -> str:
    return title if len(title) <= _SHOWN_TITLE else f"{title[:_SHOWN_TITLE].rstrip()}…"


def _names_of(users: Iterable[User]) -> dict[str, str]:
    return {user.user_id: user.name for user in users}
