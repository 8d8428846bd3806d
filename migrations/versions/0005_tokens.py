"""Tokens that providers hand out and renew."""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op

from sync.store.types import Utc

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "token",
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("connection", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("sealed", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("until", Utc(), nullable=True),
        sa.Column("changed_at", Utc(), nullable=False),
        sa.Column("turn_owner", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("turn_until", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_token")),
    )


def downgrade() -> None:
    op.drop_table("token")
