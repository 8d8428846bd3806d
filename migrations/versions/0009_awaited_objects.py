"""Links that wait until what they are a part of is linked, too."""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("awaits", sqlmodel.sql.sqltypes.AutoString(), server_default="", nullable=False)
        )
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.alter_column("awaits", server_default=None)
        batch_op.create_index("ix_link_awaits", ["awaits"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.drop_index("ix_link_awaits")
        batch_op.drop_column("awaits")
