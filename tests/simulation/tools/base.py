"""What a town must know of a tool beyond its simulator: how people, trouble and promises are told there."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeAlias, TypeVar

from connectors.simulation import Exchange, Sent, Simulator
from tests.simulation.memory import File
from tests.simulation.schedule import Kind

if TYPE_CHECKING:
    from tests.simulation.promises import Pair

S = TypeVar("S", bound=Simulator)

View: TypeAlias = dict[str, Any]
"""As :meth:`Simulator.view` shows an object."""

Otherwise: TypeAlias = Callable[[str, View, str], str | None]
"""What somebody does with an object: its id, how it looks, and their name; what that was, in words."""

EVERY_FIELD = ("title", "notes", "state", "assignee", "labels")


@dataclass(frozen=True, slots=True)
class Rewriting:
    """Texts of an object that one request writes. ``address``: as :meth:`Tool.address` gives it."""

    address: str
    fields: frozenset[str]
    text: str


def another_token(known: Mapping[str, str], tokens: MutableMapping[str, Any]) -> dict[str, str]:
    """Credentials with another token of the same account; ``tokens``: those that the provider takes."""
    fresh = known["token"].rpartition("/")[0] + f"/{secrets.token_hex(8)}"
    tokens[fresh] = tokens.pop(known["token"])
    return {**known, "token": fresh}


class Tool(ABC, Generic[S]):
    """One tool of one town, and the simulator that stands for it."""

    connection: ClassVar[str]
    """What the configuration calls it."""
    methods: ClassVar[tuple[str | None, ...]]
    """Six, of the requests that a fault may hit; None: of any."""
    fields: ClassVar[Sequence[str]] = EVERY_FIELD
    """What it has in common with the hub."""
    mapping: ClassVar[Mapping[str, Any]] = {}
    """What its mapping says beside the places."""
    settings: ClassVar[Mapping[str, Any]] = {}
    title_in_text: ClassVar[bool] = False
    """Whether the title is the first line of the text, and who changes one changes both."""
    unlisted: ClassVar[frozenset[Kind]] = frozenset({Kind.WITHDRAW})
    """Edits of comments that no listing shows."""

    waits: ClassVar[frozenset[tuple[str, str, str]]] = frozenset()
    """What, which field and of which class, waits for a person though there is no trouble."""

    def __init__(self, simulator: S) -> None:
        self.simulator = simulator

    # people

    def new(self, container: str, title: str, notes: str, by: str, way: int) -> str:
        """Somebody makes an object; its id."""
        return self.simulator.new(container, title=title, notes=notes, by=by)

    def otherwise(self, kind: Kind) -> Otherwise | None:
        """How people do that here, where it is not as elsewhere."""
        return None

    def people_word(self, view: View) -> bool:
        """Whether people can change title and text of the object."""
        return True

    # the app

    def install(self, public_url: str) -> None:
        """An admin enters addresses, where one serves all containers."""

    @abstractmethod
    def person(self, name: str) -> str:
        """What the list of people calls somebody."""

    # trouble

    @abstractmethod
    def revoke(self, known: Mapping[str, str]) -> dict[str, str]:
        """The credentials work no more; others that do."""

    @abstractmethod
    def hide(self, container: str, pick: int) -> str:
        """Something cannot be seen for a while: that is no deletion. What it is, in words."""

    @abstractmethod
    def show(self, container: str) -> None:
        """All of it can be seen again."""

    # what is promised

    def we_word(self, view: View) -> bool:
        """Whether we can change title and text of the object."""
        return True

    def is_wanted(self, view: View) -> bool:
        """Whether the object is to have a counterpart."""
        return True

    def address(self, object_id: str) -> str:
        """How requests call it that change it."""
        return object_id

    @abstractmethod
    def rewritten(self, exchange: Exchange) -> Iterator[Rewriting]:
        """Titles and texts of objects that a request changes."""

    def is_content(self, exchange: Exchange) -> bool:
        """Whether it is about what people see."""
        return True

    @abstractmethod
    def copies(self, view: View, file: File) -> int:
        """How often an object shows a file."""

    def broken(self, pairs: Sequence[Pair], links: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        """Promises that make sense here alone, and do not hold."""
        return iter(())

    def receipts(self, sent: Sent) -> frozenset[str]:
        """What a webhook call may be called in the list of deliveries; nothing where it has no id."""
        return frozenset()
