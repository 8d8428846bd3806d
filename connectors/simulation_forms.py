"""The bodies of uploads: ``multipart/form-data``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from connectors.simulation_network import Refused


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a form, under the name that it had at the client."""

    name: str
    content: bytes = field(repr=False)


def is_form(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").startswith("multipart/form-data")


def read_form(headers: Mapping[str, str], raw: bytes) -> dict[str, str | Upload]:
    """The fields of a form by name; those with a file name are files, to the byte.

    Raises:
        Refused: no boundary.
    """
    boundary = re.search(r'boundary="?([^";]+)"?', headers["content-type"])
    if boundary is None:
        raise Refused(400, "Could not parse request data, invalid multipart form")
    fields: dict[str, str | Upload] = {}
    for part in (b"\r\n" + raw).split(f"\r\n--{boundary[1]}".encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        disposition = head.decode(errors="replace")
        name = re.search(r'\bname="([^"]*)"', disposition)
        file = re.search(r'\bfilename="([^"]*)"', disposition)
        if name is not None:
            fields[name[1]] = Upload(unquote(file[1]), content) if file else content.decode(errors="replace")
    return fields
