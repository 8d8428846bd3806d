<%
def statements(text):
    """Alembic's own comments say nothing a reader needs."""
    lines = [line for line in (text or "pass").splitlines() if "# ###" not in line]
    return "\n".join(lines).strip()
%>"""${message.capitalize()}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${statements(upgrades)}


def downgrade() -> None:
    ${statements(downgrades)}
