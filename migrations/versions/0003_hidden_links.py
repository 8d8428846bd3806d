"""Links that cannot be seen are found among a hundred thousand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.create_index(
            "ix_link_hidden_since",
            ["hidden_since"],
            unique=False,
            sqlite_where=sa.text("hidden_since IS NOT NULL"),
            postgresql_where=sa.text("hidden_since IS NOT NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_link_hidden_since",
            sqlite_where=sa.text("hidden_since IS NOT NULL"),
            postgresql_where=sa.text("hidden_since IS NOT NULL"),
        )
