"""Reactions of a message, and what closes a thread: those to add and to take away. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from connectors.errors import Park, ParkClass
from connectors.records import CLOSED, OPEN, Author, Fields, Value
from connectors.slack.people import Payload, Us, View

REACTIONS = "custom:reactions"
_NAME = re.compile(r"[a-z0-9_+'-]{1,100}\Z")


@dataclass(frozen=True, slots=True)
class Due:
    """Names of reactions: ours to ``add``, ours to ``remove``, and all that are ``gone`` after that.

    ``in_the_way``: those of others keep the message from standing for the fields.
    """

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    gone: frozenset[str] = frozenset()
    in_the_way: Park | None = None

    def __bool__(self) -> bool:
        return bool(self.add or self.gone)


def members_reactions(message: Payload, view: View) -> frozenset[str]:
    """Those that not only outsiders gave: what they mark becomes no task, and is not done."""
    return frozenset(
        _bare(each)
        for each in message.get("reactions") or ()
        if not each.get("users") or not view.outsiders.issuperset(each["users"])
    )


def reacted_by(message: Payload, name: str) -> frozenset[str]:
    """Users who gave the reaction."""
    return frozenset(
        user
        for each in message.get("reactions") or ()
        if _bare(each) == name
        for user in each.get("users", ())
    )


def marked_by(message: Payload, view: View) -> Mapping[str, Author]:
    """Which member gave each reaction first."""
    found: dict[str, Author] = {}
    for each in message.get("reactions") or ():
        members = [user for user in each.get("users") or () if user not in view.outsiders]
        for user in members[:1]:
            found.setdefault(_bare(each), Author(id=user, name=view.names.get(user, user)))
    return found


def reaction_name(name: str) -> str:
    """A reaction's name as Slack takes it, with or without colons around it.

    Raises:
        Park: no reaction can have this name.
    """
    bare = name.strip().strip(":").lower()
    if not _NAME.match(bare):
        raise Park(f"there is no reaction {name!r}", field=REACTIONS, fix="use the name of an emoji")
    return bare


def due(message: Payload, fields: Fields, view: View) -> Due:
    """What brings the reactions of a message in line with fields.

    Raises:
        Park: no reaction has such a name.
    """
    now = members_reactions(message, view)
    add: list[str] = []
    remove: list[tuple[str, str]] = []
    if view.done and "state" in fields:
        if fields["state"] == CLOSED and view.done not in now:
            add.append(view.done)
        elif fields["state"] == OPEN and view.done in now:
            remove.append(("state", view.done))
    if REACTIONS in fields:
        wanted = _names(fields[REACTIONS])
        add += sorted(wanted - now)
        remove += [(REACTIONS, name) for name in sorted(now - wanted - {view.done})]
    in_the_way: Park | None = None
    for field, name in remove:
        others = reacted_by(message, name) - {view.us.user} - view.outsiders
        if others:
            who = ", ".join(sorted(view.names.get(each, each) for each in others))
            in_the_way = Park(
                f"the reaction :{name}: of {who} stays: everybody takes away only their own",
                park_class=ParkClass.PERMISSION,
                field=field,
                fix=f"Ask {who} to take it away.",
            )
    return Due(
        add=tuple(add),
        remove=tuple(name for _, name in remove if view.us.user in reacted_by(message, name)),
        gone=frozenset(name for _, name in remove),
        in_the_way=in_the_way,
    )


def after(message: Payload, due: Due, us: Us) -> list[Payload]:
    """The reactions of the message once that is done."""
    kept = [each for each in message.get("reactions") or () if _bare(each) not in due.gone]
    return [*kept, *({"name": name, "users": [us.user], "count": 1} for name in due.add)]


def _names(value: Value) -> frozenset[str]:
    return frozenset(map(reaction_name, value if isinstance(value, tuple) else ()))


def _bare(reaction: Payload) -> str:
    """Its name without the tone of skin."""
    return str(reaction["name"]).partition("::")[0]
