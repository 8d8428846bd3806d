"""Who on one connection is who on the other: by the configured list, else by email. Pure.

A similar login or name is a guess: it is shown to a person, with the line that would make it true, and
never used. Whoever is not listed any more (deactivated, without access) stays known, so that a
configured pair comes back with the account; nobody is matched with them by email.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sync.store.tables import User

Listed = tuple[str | None, str | None]
"""What an entry of the ``people`` list calls somebody on the hub and on the other side."""


class How(StrEnum):
    """What a pair of identities rests on. Only the first two are ever used."""

    CONFIGURED = "configured"
    EMAIL = "email"
    GUESS = "guess"


@dataclass(frozen=True, slots=True)
class Match:
    """One person with an identity on each side."""

    hub: User
    external: User
    how: How


def match(hub: Sequence[User], external: Sequence[User], listed: Iterable[Listed]) -> list[Match]:
    """Who is who: configured ones first, the rest by email; nobody is taken twice by email."""
    configured = [
        Match(ours, theirs, How.CONFIGURED)
        for hub_name, external_name in listed
        if (ours := find(hub, hub_name)) is not None and (theirs := find(external, external_name)) is not None
    ]
    taken = {id(user) for pair in configured for user in (pair.hub, pair.external)}
    by_email = {user.email.casefold(): user for user in hub if user.email and user.active}
    by_email_too = [
        Match(ours, theirs, How.EMAIL)
        for theirs in external
        if theirs.email and theirs.active and (ours := by_email.get(theirs.email.casefold())) is not None
        if not taken & {id(ours), id(theirs)}
    ]
    return [*configured, *by_email_too]


def find(users: Iterable[User], name: str | None) -> User | None:
    """Whom this email, login or id means; of several the one who is active."""
    wanted = (name or "").casefold()
    found = [
        user
        for user in users
        if wanted and wanted in (user.email.casefold(), user.login.casefold(), user.user_id.casefold())
    ]
    return max(found, key=lambda user: user.active, default=None)


def guesses(hub: Iterable[User], external: Iterable[User]) -> list[Match]:
    """Pairs that read alike, where neither reads like anybody else."""
    spelled = [_by_spelling(hub), _by_spelling(external)]
    pairs = {
        (id(ours), id(theirs)): (ours, theirs)
        for spelling in spelled[0].keys() & spelled[1].keys()
        for ours in spelled[0][spelling]
        for theirs in spelled[1][spelling]
    }
    candidates = Counter(user for pair in pairs for user in pair)
    return [
        Match(ours, theirs, How.GUESS)
        for (ours, theirs) in pairs.values()
        if candidates[id(ours)] == candidates[id(theirs)] == 1
    ]


def _by_spelling(users: Iterable[User]) -> Mapping[str, list[User]]:
    found: defaultdict[str, list[User]] = defaultdict(list)
    for user in users:
        for spelling in spellings(user):
            found[spelling].append(user)
    return found


def spellings(user: User) -> frozenset[str]:
    """How a login or address of that person may read: ``adalovelace``, ``alovelace``, ``adal`` ..."""
    words = _words(user.name)
    found = {"".join(words), "".join(reversed(words))}
    if len(words) > 1:
        first, last = words[0], words[-1]
        found |= {first + last, first[0] + last, first + last[0]}
    for login in (user.login, user.email.partition("@")[0].partition("+")[0]):
        plain = "".join(_words(login))
        found |= {plain, plain.rstrip("0123456789")}
    return frozenset(spelling for spelling in found if len(spelling) > 1)


def _words(text: str) -> list[str]:
    """The words of a name in small letters, accents aside."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.findall(r"[^\W_]+", "".join(letter for letter in plain if not unicodedata.combining(letter)))
