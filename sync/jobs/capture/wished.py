"""What a person chose for a captured task, over what the object says. Pure."""

from __future__ import annotations

from connectors.records import Fields, Value
from connectors.richtext.prose import literal
from sync.store.tables import Errand, Link
from sync.store.values import parse_all

_TEXTS = ("title", "notes")

ONCE = "captured without keeping both in step"
"""Why a link sleeps whose object was copied once."""


def with_wishes(errand: Errand, drafted: Fields, *, told: bool = False) -> dict[str, Value]:
    """The fields of the new task; labels join those of the object, and the notes end with who captured it.

    Args:
        told: whether the object itself says that.
    """
    chosen = parse_all(errand.fields)
    fields = {**drafted, **chosen}
    if "labels" in chosen:
        fields["labels"] = tuple(sorted({*_words(drafted.get("labels")), *_words(chosen["labels"])}))
    if not told:
        notes = str(fields.get("notes") or "").rstrip()
        by = f"*Captured by {literal(' '.join(errand.person_name.split()))}*"
        fields["notes"] = f"{notes}\n\n{by}" if notes else by
    return fields


def drafted_instead(errand: Errand, drafted: Fields) -> dict[str, Value]:
    """What the object itself says of fields that the person chose: it is what is settled of them.

    So the choice stands as an edit of the new task, and reaches the object where a rule lets it. Title
    and text are left out: an object's words are not rewritten because somebody captured it.
    """
    return {name: drafted[name] for name in errand.fields if name in drafted and name not in _TEXTS}


def rests(errand: Errand | None, link: Link) -> str:
    """Why a captured link sleeps from now on, empty while it does not."""
    return ONCE if errand is not None and not errand.in_step and link.comments_at is not None else ""


def _words(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()
