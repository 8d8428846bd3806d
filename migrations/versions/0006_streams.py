"""Who keeps the connection open over which a provider tells of changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.store.types import RowId, Utc

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stream",
        sa.Column("connection_id", RowId, nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("until", Utc(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_stream_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_stream")),
    )


def downgrade() -> None:
    op.drop_table("stream")
