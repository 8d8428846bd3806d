"""Initial."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.store import types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("at", types.Utc(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("detail", types.Document(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_table(
        "claim",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("mapping_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lease_no", sa.Integer(), nullable=False),
        sa.Column("until", types.Utc(), nullable=False),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_claim")),
    )
    op.create_table(
        "connection",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("connector", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("settings", types.Document(), nullable=True),
        sa.Column("credentials", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("account_name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("missing", types.Document(), nullable=True),
        sa.Column("clock_offset_s", sa.Float(), nullable=False),
        sa.Column("blocked_until", types.Utc(), nullable=True),
        sa.Column("quota", types.Document(), nullable=True),
        sa.Column("checked_at", types.Utc(), nullable=True),
        sa.Column("people_at", types.Utc(), nullable=True),
        sa.Column("removed_at", types.Utc(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection")),
        sa.UniqueConstraint("name", name=op.f("uq_connection_name")),
    )
    op.create_table(
        "setting",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", types.Document(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_setting")),
    )
    op.create_table(
        "worker",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", types.Utc(), nullable=False),
        sa.Column("heartbeat_at", types.Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
    )
    op.create_table(
        "cursor",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("container", sa.String(), nullable=False),
        sa.Column("value", types.Document(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("read_at", types.Utc(), nullable=True),
        sa.Column("next_at", types.Utc(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_cursor_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cursor")),
        sa.UniqueConstraint("connection_id", "container", name=op.f("uq_cursor_connection_id_container")),
    )
    op.create_table(
        "delivery",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subscription_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("dedupe", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("headers", types.Document(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", types.Utc(), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_delivery_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("connection_id", "dedupe", name=op.f("uq_delivery_connection_id_dedupe")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delivery_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_delivery_subscription_id"), ["subscription_id"], unique=False)

    op.create_table(
        "mapping",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("hub_connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "external_connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("hub_container", sa.String(), nullable=False),
        sa.Column("external_container", sa.String(), nullable=False),
        sa.Column("config", types.Document(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("paused_directions", types.Document(), nullable=True),
        sa.Column("started", types.Document(), nullable=True),
        sa.Column("first_sync", types.Document(), nullable=True),
        sa.Column("approval", types.Document(), nullable=True),
        sa.Column("full_pass_due", sa.Boolean(), nullable=False),
        sa.Column("full_pass_at", types.Utc(), nullable=True),
        sa.Column("full_pass_counts", types.Document(), nullable=True),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_no", sa.Integer(), nullable=False),
        sa.Column("lease_until", types.Utc(), nullable=True),
        sa.Column("removed_at", types.Utc(), nullable=True),
        sa.ForeignKeyConstraint(
            ["external_connection_id"],
            ["connection.id"],
            name=op.f("fk_mapping_external_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["hub_connection_id"],
            ["connection.id"],
            name=op.f("fk_mapping_hub_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mapping")),
        sa.UniqueConstraint("name", name=op.f("uq_mapping_name")),
    )
    with op.batch_alter_table("mapping", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_mapping_external_connection_id"), ["external_connection_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_mapping_hub_connection_id"), ["hub_connection_id"], unique=False)

    op.create_table(
        "subscription",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("container", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("remote_id", sa.String(), nullable=False),
        sa.Column("created_at", types.Utc(), nullable=False),
        sa.Column("checked_at", types.Utc(), nullable=True),
        sa.Column("next_at", types.Utc(), nullable=True),
        sa.Column("last_delivery_at", types.Utc(), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_subscription_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("key", name=op.f("uq_subscription_key")),
    )
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_subscription_connection_id"), ["connection_id"], unique=False)

    op.create_table(
        "user",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_user_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("connection_id", "user_id", name=op.f("uq_user_connection_id_user_id")),
    )
    with op.batch_alter_table("user", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_user_connection_id"), ["connection_id"], unique=False)

    op.create_table(
        "link",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("mapping_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mapping_version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("hub_ref", sa.String(), nullable=True),
        sa.Column("hub_kind", sa.String(), nullable=False),
        sa.Column("hub_id", sa.String(), nullable=False),
        sa.Column("hub_address", sa.String(), nullable=False),
        sa.Column("hub_url", sa.String(), nullable=False),
        sa.Column("hub_title", sa.String(), nullable=False),
        sa.Column("hub_version", sa.String(), nullable=False),
        sa.Column("hub_at", types.Utc(), nullable=True),
        sa.Column("external_ref", sa.String(), nullable=True),
        sa.Column("external_kind", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("external_address", sa.String(), nullable=False),
        sa.Column("external_url", sa.String(), nullable=False),
        sa.Column("external_title", sa.String(), nullable=False),
        sa.Column("external_version", sa.String(), nullable=False),
        sa.Column("external_at", types.Utc(), nullable=True),
        sa.Column("external_key", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("key_token", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("gone", types.Document(), nullable=True),
        sa.Column("hidden_since", types.Utc(), nullable=True),
        sa.Column("created_at", types.Utc(), nullable=False),
        sa.Column("synced_at", types.Utc(), nullable=True),
        sa.Column("looked_at", types.Utc(), nullable=True),
        sa.Column("comments_at", types.Utc(), nullable=True),
        sa.Column("hub_comments_version", sa.String(), nullable=False),
        sa.Column("external_comments_version", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mapping_id"], ["mapping.id"], name=op.f("fk_link_mapping_id_mapping"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["link.id"], name=op.f("fk_link_parent_id_link"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link")),
    )
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_link_external_ref"), ["external_ref"], unique=False)
        batch_op.create_index("ix_link_external_url", ["external_url"], unique=False)
        batch_op.create_index(batch_op.f("ix_link_hub_ref"), ["hub_ref"], unique=False)
        batch_op.create_index("ix_link_hub_url", ["hub_url"], unique=False)
        batch_op.create_index(batch_op.f("ix_link_key_token"), ["key_token"], unique=False)
        batch_op.create_index(batch_op.f("ix_link_mapping_id"), ["mapping_id"], unique=False)
        batch_op.create_index("ix_link_mapping_kind_state", ["mapping_id", "kind", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_link_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(
            "uq_link_external",
            ["mapping_id", "external_ref"],
            unique=True,
            sqlite_where=sa.text("external_ref IS NOT NULL AND state != 'unlinked'"),
            postgresql_where=sa.text("external_ref IS NOT NULL AND state != 'unlinked'"),
        )
        batch_op.create_index(
            "uq_link_hub",
            ["mapping_id", "hub_ref"],
            unique=True,
            sqlite_where=sa.text("hub_ref IS NOT NULL AND state != 'unlinked'"),
            postgresql_where=sa.text("hub_ref IS NOT NULL AND state != 'unlinked'"),
        )

    op.create_table(
        "mark",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("mapping_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("counter", sa.Integer(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("comments", sa.Boolean(), nullable=False),
        sa.Column("gone", sa.String(), nullable=False),
        sa.Column("seen_at", types.Utc(), nullable=True),
        sa.Column("delivery_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("rechecks", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("first_at", types.Utc(), nullable=False),
        sa.Column("due_at", types.Utc(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mapping_id"], ["mapping.id"], name=op.f("fk_mark_mapping_id_mapping"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mark")),
        sa.UniqueConstraint("mapping_id", "ref", name=op.f("uq_mark_mapping_id_ref")),
    )
    with op.batch_alter_table("mark", schema=None) as batch_op:
        batch_op.create_index("ix_mark_due", ["mapping_id", "lane", "due_at"], unique=False)

    op.create_table(
        "conflict",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("mapping_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mapping_version", sa.Integer(), nullable=False),
        sa.Column("link_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("winner", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detected_at", types.Utc(), nullable=False),
        sa.Column("hub", types.Document(), nullable=True),
        sa.Column("external", types.Document(), nullable=True),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("restoring", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["link_id"], ["link.id"], name=op.f("fk_conflict_link_id_link"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["mapping_id"], ["mapping.id"], name=op.f("fk_conflict_mapping_id_mapping"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflict")),
        sa.UniqueConstraint(
            "link_id", "field", "fingerprint", name=op.f("uq_conflict_link_id_field_fingerprint")
        ),
    )
    with op.batch_alter_table("conflict", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_conflict_link_id"), ["link_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_conflict_mapping_id"), ["mapping_id"], unique=False)

    op.create_table(
        "event",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("at", types.Utc(), nullable=False),
        sa.Column("mapping_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mapping_version", sa.Integer(), nullable=False),
        sa.Column("link_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=True),
        sa.Column("before", types.Document(), nullable=True),
        sa.Column("after", types.Document(), nullable=True),
        sa.Column("write_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("delivery_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["link_id"], ["link.id"], name=op.f("fk_event_link_id_link"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["mapping_id"], ["mapping.id"], name=op.f("fk_event_mapping_id_mapping"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_event_link_id"), ["link_id"], unique=False)

    op.create_table(
        "parked",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("mapping_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("link_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("park_class", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("provider_message", sa.String(), nullable=False),
        sa.Column("fix", sa.String(), nullable=False),
        sa.Column("values", types.Document(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_at", types.Utc(), nullable=False),
        sa.Column("last_at", types.Utc(), nullable=False),
        sa.ForeignKeyConstraint(
            ["link_id"], ["link.id"], name=op.f("fk_parked_link_id_link"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["mapping_id"], ["mapping.id"], name=op.f("fk_parked_mapping_id_mapping"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parked")),
        sa.UniqueConstraint(
            "mapping_id", "what", "ref", "field", name=op.f("uq_parked_mapping_id_what_ref_field")
        ),
    )
    with op.batch_alter_table("parked", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_parked_link_id"), ["link_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_parked_mapping_id"), ["mapping_id"], unique=False)

    op.create_table(
        "seen",
        sa.Column("link_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("hub", types.Document(), nullable=True),
        sa.Column("external", types.Document(), nullable=True),
        sa.Column("hub_before", types.Document(), nullable=True),
        sa.Column("external_before", types.Document(), nullable=True),
        sa.Column("moved_at", types.Utc(), nullable=True),
        sa.Column("hub_read", types.Document(), nullable=True),
        sa.Column("external_read", types.Document(), nullable=True),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["link_id"], ["link.id"], name=op.f("fk_seen_link_id_link"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("link_id", "field", name=op.f("pk_seen")),
    )
    op.create_table(
        "write",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("mapping_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mapping_version", sa.Integer(), nullable=False),
        sa.Column("link_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("op", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("fields", types.Document(), nullable=True),
        sa.Column("before", types.Document(), nullable=True),
        sa.Column("origin", types.Document(), nullable=True),
        sa.Column("plan", types.Document(), nullable=True),
        sa.Column("answer", types.Document(), nullable=True),
        sa.Column("answer_version", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("intent_at", types.Utc(), nullable=False),
        sa.Column("deadline_at", types.Utc(), nullable=False),
        sa.Column("done_at", types.Utc(), nullable=True),
        sa.ForeignKeyConstraint(
            ["link_id"], ["link.id"], name=op.f("fk_write_link_id_link"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["mapping_id"], ["mapping.id"], name=op.f("fk_write_mapping_id_mapping"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_write")),
    )
    with op.batch_alter_table("write", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_write_link_id"), ["link_id"], unique=False)
        batch_op.create_index("ix_write_mapping_at", ["mapping_id", "intent_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_write_ref"), ["ref"], unique=False)
        batch_op.create_index("ix_write_state", ["state"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("write", schema=None) as batch_op:
        batch_op.drop_index("ix_write_state")
        batch_op.drop_index(batch_op.f("ix_write_ref"))
        batch_op.drop_index("ix_write_mapping_at")
        batch_op.drop_index(batch_op.f("ix_write_link_id"))

    op.drop_table("write")
    op.drop_table("seen")
    with op.batch_alter_table("parked", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_parked_mapping_id"))
        batch_op.drop_index(batch_op.f("ix_parked_link_id"))

    op.drop_table("parked")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_event_link_id"))

    op.drop_table("event")
    with op.batch_alter_table("conflict", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_conflict_mapping_id"))
        batch_op.drop_index(batch_op.f("ix_conflict_link_id"))

    op.drop_table("conflict")
    with op.batch_alter_table("mark", schema=None) as batch_op:
        batch_op.drop_index("ix_mark_due")

    op.drop_table("mark")
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_link_hub",
            sqlite_where=sa.text("hub_ref IS NOT NULL AND state != 'unlinked'"),
            postgresql_where=sa.text("hub_ref IS NOT NULL AND state != 'unlinked'"),
        )
        batch_op.drop_index(
            "uq_link_external",
            sqlite_where=sa.text("external_ref IS NOT NULL AND state != 'unlinked'"),
            postgresql_where=sa.text("external_ref IS NOT NULL AND state != 'unlinked'"),
        )
        batch_op.drop_index(batch_op.f("ix_link_parent_id"))
        batch_op.drop_index("ix_link_mapping_kind_state")
        batch_op.drop_index(batch_op.f("ix_link_mapping_id"))
        batch_op.drop_index(batch_op.f("ix_link_key_token"))
        batch_op.drop_index("ix_link_hub_url")
        batch_op.drop_index(batch_op.f("ix_link_hub_ref"))
        batch_op.drop_index("ix_link_external_url")
        batch_op.drop_index(batch_op.f("ix_link_external_ref"))

    op.drop_table("link")
    with op.batch_alter_table("user", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_connection_id"))

    op.drop_table("user")
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_subscription_connection_id"))

    op.drop_table("subscription")
    with op.batch_alter_table("mapping", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mapping_hub_connection_id"))
        batch_op.drop_index(batch_op.f("ix_mapping_external_connection_id"))

    op.drop_table("mapping")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delivery_subscription_id"))
        batch_op.drop_index(batch_op.f("ix_delivery_state"))

    op.drop_table("delivery")
    op.drop_table("cursor")
    op.drop_table("worker")
    op.drop_table("setting")
    op.drop_table("connection")
    op.drop_table("claim")
    op.drop_table("audit")
