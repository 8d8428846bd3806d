"""What people ask for in other tools, and the cards that show them their tasks."""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op

from sync.store.types import Document, RowId, Utc

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None

_TEXTS = ("key", "what", "ref", "kind", "object_id", "address", "task")


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    op.create_table(
        "errand",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("connection_id", RowId, nullable=False),
        sa.Column("mapping_id", RowId, nullable=False),
        sa.Column("link_id", RowId, nullable=True),
        *(sa.Column(name, text(), nullable=False) for name in _TEXTS),
        sa.Column("fields", Document(), nullable=True),
        *(sa.Column(name, text(), nullable=False) for name in ("text", "person_id", "person_name")),
        sa.Column("whole_thread", sa.Boolean(), nullable=False),
        sa.Column("in_step", sa.Boolean(), nullable=False),
        *(sa.Column(name, text(), nullable=False) for name in ("state", "reason")),
        sa.Column("asked_at", Utc(), nullable=False),
        sa.Column("done_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_errand_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["mapping_id"], ["mapping.id"], name=op.f("fk_errand_mapping_id_mapping"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["link_id"], ["link.id"], name=op.f("fk_errand_link_id_link"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_errand")),
        sa.UniqueConstraint("connection_id", "key", name=op.f("uq_errand_connection_id_key")),
    )
    with op.batch_alter_table("errand", schema=None) as batch_op:
        for name in ("mapping_id", "link_id", "ref"):
            batch_op.create_index(op.f(f"ix_errand_{name}"), [name], unique=False)
    op.create_table(
        "shown",
        sa.Column("link_id", RowId, nullable=False),
        sa.Column("address", text(), nullable=False),
        sa.Column("card", Document(), nullable=True),
        sa.Column("shown_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(
            ["link_id"], ["link.id"], name=op.f("fk_shown_link_id_link"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_shown")),
    )


def downgrade() -> None:
    op.drop_table("shown")
    op.drop_table("errand")
