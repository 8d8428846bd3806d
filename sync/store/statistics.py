"""What SQLite's planner is told of the tables: an installation of a hundred thousand links.

Without statistics it takes any two equal columns for better than a list of Refs, and reads all links of a
mapping for each page of a listing (https://sqlite.org/optoverview.html, "The ANALYZE command"). Measured
ones would be those of the empty tables of the first day; these make it plan alike on every day, and a
wrong guess costs nothing where tables are small. PostgreSQL counts by itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text

INDEXES: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "link": {
        "uq_link_hub": (100_000, 20_000, 1),
        "uq_link_external": (100_000, 20_000, 1),
        "ix_link_mapping_id": (100_000, 20_000),
        "ix_link_mapping_kind_state": (100_000, 20_000, 10_000, 10_000),
        "ix_link_parent_id": (100_000, 10),
        "ix_link_hub_ref": (100_000, 2),
        "ix_link_hub_url": (100_000, 2),
        "ix_link_external_ref": (100_000, 2),
        "ix_link_external_url": (100_000, 2),
        "ix_link_hidden_since": (100, 1),
        "ix_link_key_token": (100_000, 2),
        "ix_link_awaits": (100_000, 2),
    },
    "seen": {"sqlite_autoindex_seen_1": (600_000, 6, 1)},
    "mark": {
        "sqlite_autoindex_mark_1": (10_000, 2_000, 1),
        "ix_mark_due": (10_000, 2_000, 1_000, 2),
    },
    "write": {
        "ix_write_link_id": (300_000, 3),
        "ix_write_mapping_at": (300_000, 60_000, 1),
        "ix_write_ref": (300_000, 3),
        "ix_write_state": (300_000, 100_000, 20_000, 10_000, 5_000, 1),
    },
}
"""Table -> index -> its rows, and how many of them share the first column, the first two, ..."""


def tell(connection: Connection) -> None:
    """Put them where SQLite looks; connections that are opened later plan by them."""
    if connection.dialect.name != "sqlite":
        return
    connection.execute(text("ANALYZE"))  # makes the table
    connection.execute(text("DELETE FROM sqlite_stat1"))
    rows = [
        {"table": table, "index": index, "counts": " ".join(map(str, counts))}
        for table, indexes in INDEXES.items()
        for index, counts in indexes.items()
    ]
    connection.execute(
        text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:table, :index, :counts)"), rows
    )
    connection.execute(text("ANALYZE sqlite_schema"))  # read again, by this connection, too
