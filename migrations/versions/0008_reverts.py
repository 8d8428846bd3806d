"""Fields that somebody asked to put back to what stood there before our writes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.store.types import Document, RowId, Utc

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "revert",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("mapping_id", RowId, nullable=False),
        sa.Column("link_id", RowId, nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("holds", Document(), nullable=True),
        sa.Column("back", Document(), nullable=True),
        sa.Column("write_id", RowId, nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("asked_at", Utc(), nullable=False),
        sa.Column("done_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(
            ["mapping_id"], ["mapping.id"], name=op.f("fk_revert_mapping_id_mapping"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["link_id"], ["link.id"], name=op.f("fk_revert_link_id_link"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revert")),
    )
    with op.batch_alter_table("revert", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_revert_link_id"), ["link_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_revert_mapping_id"), ["mapping_id"], unique=False)


def downgrade() -> None:
    op.drop_table("revert")
