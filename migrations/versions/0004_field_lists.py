"""The fields of containers are kept: a route is made without asking for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.store.types import Document, RowId, Utc

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fieldlist",
        sa.Column("connection_id", RowId, nullable=False),
        sa.Column("container", sa.String(), nullable=False),
        sa.Column("specs", Document(), nullable=True),
        sa.Column("read_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_fieldlist_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "container", name=op.f("pk_fieldlist")),
    )


def downgrade() -> None:
    op.drop_table("fieldlist")
