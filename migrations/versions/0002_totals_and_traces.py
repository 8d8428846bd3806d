"""Totals that outlive the rows they count; deliveries remember their trace."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.store import types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tally",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("labels", sa.String(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("last_at", types.Utc(), nullable=True),
        sa.PrimaryKeyConstraint("name", "labels", name=op.f("pk_tally")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.add_column(sa.Column("trace", sa.String(), nullable=False, server_default=""))

    with op.batch_alter_table("delivery", schema=None) as batch_op:  # it was for the rows that are there
        batch_op.alter_column("trace", server_default=None)

    with op.batch_alter_table("write", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_write_state"))
        batch_op.create_index(
            "ix_write_state", ["state", "mapping_id", "side", "op", "done_at"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("write", schema=None) as batch_op:
        batch_op.drop_index("ix_write_state")
        batch_op.create_index(batch_op.f("ix_write_state"), ["state"], unique=False)

    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_column("trace")

    op.drop_table("tally")
