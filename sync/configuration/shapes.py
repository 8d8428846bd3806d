"""The shapes of the configuration file. What it all means is told in ``sync/README.md``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SecretStr,
    Tag,
)

from connectors.base import Connector


def _name(value: Any) -> Any:
    if isinstance(value, str) and not _NAME.fullmatch(value):
        raise ValueError(
            "must start with a letter or digit and hold at most 63 letters, digits, '.', '_' and '-'"
        )
    return value


def _number_as_text(value: Any) -> Any:
    """Ids and option names look like numbers and lose their quotes."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _time_zone(value: Any) -> Any:
    try:
        ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones
        raise ValueError("must be the name of a time zone, such as Europe/Berlin or UTC") from None
    return value


def _since(value: Any) -> str | date | datetime:
    """``now``, ``all``, or a time; one without zone is UTC."""
    if value in ("now", "all"):
        return str(value)
    try:
        if isinstance(value, str):
            value = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
    except ValueError:
        value = None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if not isinstance(value, date):
        raise ValueError("must be now, all, or a date such as 2026-01-31")
    return value


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")

Name = Annotated[str, BeforeValidator(_name)]
Identifier = Annotated[str, BeforeValidator(_number_as_text)]
Since = Annotated[Literal["now", "all"] | date | datetime, BeforeValidator(_since)]
TimeZone = Annotated[str, BeforeValidator(_time_zone)]
Direction = Literal["both", "to_asana", "from_asana"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ConnectionConfig(_Strict):
    """One account of a connector."""

    name: Name
    connector: str
    settings: dict[str, Any] = {}
    credentials: dict[str, Any] = Field(default={}, repr=False)


class ExternalFilter(_Strict):
    """Which external objects come in; an empty list lets everything through.

    ``keywords``: whole words, or several in a row, in title or notes.
    """

    labels: tuple[Identifier, ...] = ()
    kinds: tuple[str, ...] = ()
    authors: tuple[Identifier, ...] = ()
    keywords: tuple[Identifier, ...] = ()
    milestone: Identifier | None = None
    fields: dict[str, tuple[Identifier, ...]] = {}


class HubFilter(_Strict):
    """Which tasks go out; an empty list lets everything through."""

    sections: tuple[Identifier, ...] = ()
    tags: tuple[Identifier, ...] = ()
    fields: dict[str, tuple[Identifier, ...]] = {}


class HubEnd(_Strict):
    connection: str
    project: Identifier
    section: Identifier | None = None
    filter: HubFilter = HubFilter()


class BothWays(_Strict):
    to_asana: bool = True
    from_asana: bool = True


class Comments(BothWays):
    history: bool = False


class Match(_Strict):
    mode: Literal["create", "match_then_create", "match_only"] = "create"
    key: Literal["title"] = "title"


class FieldConfig(_Strict):
    """One pair of fields that is kept in step.

    ``values``: Asana's word -> what stands for it on the other side, several in order of preference.
    """

    asana: str = Field(min_length=1)
    external: str = Field(min_length=1)
    direction: Direction = "both"
    values: dict[Identifier, Identifier | tuple[Identifier, ...]] = {}
    mode: Literal["overwrite", "if_empty", "on_create", "append"] = "overwrite"
    conflict: Literal["last_modified", "asana", "external", "ask"] | None = None
    template: str = ""

    @property
    def meanings(self) -> dict[str, tuple[str, ...]]:
        """``values`` with lists alone."""
        return {
            word: (others,) if isinstance(others, str) else others for word, others in self.values.items()
        }


FieldRules = Annotated[
    Annotated[Literal["default"], Tag("word")] | Annotated[tuple[FieldConfig, ...], Tag("rules")],
    Discriminator(lambda value: "rules" if isinstance(value, list | tuple) else "word"),
]


class DeletePolicy(_Strict):
    to_asana: Literal["ignore", "unlink", "complete", "close", "delete"] = "complete"
    from_asana: Literal["ignore", "unlink", "complete", "close", "delete"] = "close"


class PeoplePolicy(_Strict):
    fallback: Identifier = "unassigned"


class Limits(_Strict):
    deletes: int = Field(10, ge=0)
    deletes_percent: float = Field(5, ge=0, le=100)
    creates_per_hour: int = Field(200, ge=0)


class MappingConfig(_Strict):
    """Two containers kept in step."""

    name: Name
    connection: str
    container: Identifier
    filter: ExternalFilter = ExternalFilter()
    asana: HubEnd
    direction: Direction = "both"
    create: BothWays = BothWays()
    since: Since = "now"
    match: Match = Match()
    fields: FieldRules = "default"
    comments: Comments = Comments()
    attachments: BothWays = BothWays()
    backlinks: bool = True
    conflict: Literal["last_modified", "asana", "external", "ask"] = "last_modified"
    delete: DeletePolicy = DeletePolicy()
    people: PeoplePolicy = PeoplePolicy()
    limits: Limits = Limits()
    time_zone: TimeZone = "UTC"


def rule_names(rules: Sequence[FieldConfig]) -> list[str]:
    """How each rule is called: by its Asana field; a further rule on that field adds its external one."""
    names: list[str] = []
    for rule in rules:
        names.append(rule.asana if rule.asana not in names else f"{rule.asana} {rule.external}")
    return names


def plain_credentials(connector: Connector, credentials: Mapping[str, Any]) -> dict[str, Any]:
    """Credentials as the vault seals them: validated, secrets as plain text, unset ones left out."""
    model = connector.credentials.model_validate(dict(credentials))
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name in connector.credentials.model_fields
        if (value := getattr(model, name)) is not None
    }
