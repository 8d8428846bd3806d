"""``conversations.*``, ``chat.*`` and ``reactions.*`` of the simulated Web API."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from connectors.slack.simulated_blocks import check_message
from connectors.slack.simulated_calls import FIRST_PAGE, Args, Method, page
from connectors.slack.simulated_workspace import (
    BOT,
    PEOPLE,
    TEAM,
    Failed,
    Payload,
    Person,
    Workspace,
    message_id,
    shown,
)

_LONGEST_TEXT = 40_000
_AUTHORSHIP = ("username", "icon_url", "icon_emoji")
_EMOJI = re.compile(r"[a-z0-9_+'-]{1,100}(::skin-tone-[2-6])?")


class ChatApi:
    """As the app sees and writes messages.

    ``distributed``: limits of apps sold outside the Marketplace. ``empty_first``: the first page of a
    history is empty, and has a next one.
    """

    def __init__(
        self, workspace: Workspace, lag_s: Callable[[], float], customizes: Callable[[], bool]
    ) -> None:
        self.distributed = False
        self.empty_first = False
        self._workspace = workspace
        self._lag_s = lag_s
        self._customizes = customizes
        self._us: Person = PEOPLE["asana-sync"]

    def methods(self) -> Mapping[str, Method]:
        return {
            "conversations.list": self._list,
            "conversations.info": lambda args: {"channel": self._channel(args)},
            "conversations.members": self._members,
            "conversations.join": self._join,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "chat.postMessage": self._post,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "chat.getPermalink": self._permalink,
            "reactions.add": self._add_reaction,
            "reactions.remove": self._remove_reaction,
            "reactions.get": self._get_reactions,
        }

    def _channel(self, args: Args) -> Payload:
        channel = self._workspace.channels.get(args.needed("channel"))
        if channel is None:
            raise Failed("channel_not_found")
        return channel

    def _joined(self, args: Args) -> Payload:
        channel = self._channel(args)
        if not channel["is_member"]:
            raise Failed("not_in_channel")
        return channel

    def _writable(self, args: Args) -> Payload:
        channel = self._joined(args)
        if channel["is_archived"]:
            raise Failed("is_archived")
        return channel

    def _list(self, args: Args) -> Payload:
        channels = [
            each
            for each in self._workspace.channels.values()
            if not (args.flag("exclude_archived") and each["is_archived"])
        ]
        found, cursor = page(channels, args)
        return {"channels": found, "response_metadata": {"next_cursor": cursor}}

    def _members(self, args: Args) -> Payload:
        self._channel(args)
        ids = [{"id": person.id} for person in PEOPLE.values() if not person.deleted]
        found, cursor = page(ids, args)
        return {"members": [each["id"] for each in found], "response_metadata": {"next_cursor": cursor}}

    def _join(self, args: Args) -> Payload:
        channel = self._channel(args)
        if channel["is_private"]:
            raise Failed("method_not_supported_for_channel_type")
        channel["is_member"] = True
        return {"channel": channel}

    def _history(self, args: Args) -> Payload:
        channel = self._joined(args)
        seen = self._workspace.in_channel(channel["id"], self._lag_s())
        roots = [
            each
            for each in seen
            if each.get("thread_ts", each["ts"]) == each["ts"] or each.get("subtype") == "thread_broadcast"
        ]
        if self.empty_first and not args.text("cursor"):
            return {"messages": [], "has_more": True, "response_metadata": {"next_cursor": FIRST_PAGE}}
        return self._messages(list(reversed(self._between(roots, args))), args)

    def _replies(self, args: Args) -> Payload:
        """The first message of the thread stands before each page; of a reply's ``ts`` it is that reply."""
        channel, ts = self._joined(args), args.needed("ts")
        seen = self._workspace.in_channel(channel["id"], self._lag_s())
        root = next((each for each in seen if each["ts"] == ts), None)
        if root is None:
            raise Failed("thread_not_found")
        replies = [each for each in seen if each.get("thread_ts") == ts and each["ts"] != ts]
        answer = self._messages(self._between(replies, args), args)
        return {
            **answer,
            "messages": [shown(root, metadata=args.flag("include_all_metadata")), *answer["messages"]],
        }

    def _between(self, messages: list[Payload], args: Args) -> list[Payload]:
        """Compared as text: the numbers have as many digits."""
        oldest, latest = args.text("oldest", "0"), args.text("latest")
        inclusive = args.flag("inclusive")

        def fits(ts: str) -> bool:
            after = float(ts) > float(oldest) or (inclusive and ts == oldest)
            before = not latest or float(ts) < float(latest) or (inclusive and ts == latest)
            return after and before

        return [each for each in messages if fits(str(each["ts"]))]

    def _messages(self, messages: list[Payload], args: Args) -> Payload:
        most = 15 if self.distributed else 999
        found, cursor = page(messages, args, most=most, default=min(100, most))
        metadata = args.flag("include_all_metadata")
        return {
            "messages": [shown(each, metadata=metadata) for each in found],
            "has_more": bool(cursor),
            "response_metadata": {"next_cursor": cursor},
        }

    def _post(self, args: Args) -> Payload:
        channel = self._writable(args)
        message = self._content(args)
        if thread := args.text("thread_ts"):
            root = self._workspace.messages.get(message_id(channel["id"], thread))
            if root is None:
                raise Failed("thread_not_found")
            message["thread_ts"] = root.get("thread_ts", thread)
        if authorship := {name: args.text(name) for name in _AUTHORSHIP if args.text(name)}:
            if not self._customizes():
                raise Failed("missing_scope", needed="chat:write.customize", provided="chat:write")
            message |= {"subtype": "bot_message", **authorship}
        posted = self._workspace.post(
            channel["id"], self._us, message, broadcast=bool(thread) and args.flag("reply_broadcast")
        )
        return {"channel": channel["id"], "ts": posted["ts"], "message": shown(posted, metadata=True)}

    def _post_ephemeral(self, args: Args) -> Payload:
        channel = self._writable(args)
        return {
            "message_ts": self._workspace.whisper(channel["id"], args.needed("user"), self._content(args))
        }

    def _content(self, args: Args) -> Payload:
        """Text over 40,000 characters is cut without a word."""
        text, blocks, metadata = args.text("text"), args.data("blocks"), args.data("metadata")
        if not text and not blocks:
            raise Failed("no_text")
        check_message(blocks or [])
        message: Payload = {"text": text[:_LONGEST_TEXT]}
        if blocks:
            message["blocks"] = [{"block_id": self._workspace.next_id("b"), **block} for block in blocks]
        if metadata is not None:
            if set(metadata) != {"event_type", "event_payload"}:
                raise Failed("invalid_metadata_format")
            message["metadata"] = metadata
        return message

    def _update(self, args: Args) -> Payload:
        channel = self._writable(args)
        message = self._workspace.message(channel["id"], args.needed("ts"))
        if message.get("bot_id") != BOT:
            raise Failed("cant_update_message")
        content = self._content(args)
        changed = self._workspace.change(message, self._us, {"blocks": [], **content})
        return {
            "channel": channel["id"],
            "ts": message["ts"],
            "text": changed["text"],
            "message": shown(changed, metadata=True),
        }

    def _delete(self, args: Args) -> Payload:
        channel = self._writable(args)
        message = self._workspace.message(channel["id"], args.needed("ts"))
        if message.get("subtype") == "tombstone":
            raise Failed("message_not_found")
        if message.get("bot_id") != BOT:
            raise Failed("cant_delete_message")
        self._workspace.delete(message)
        return {"channel": channel["id"], "ts": message["ts"]}

    def _permalink(self, args: Args) -> Payload:
        channel, ts = self._channel(args)["id"], args.needed("message_ts")
        self._workspace.message(channel, ts)
        return {
            "channel": channel,
            "permalink": f"{self._workspace.base_url}/archives/{channel}/p{ts.replace('.', '')}",
        }

    def _reacted(self, args: Args) -> Payload:
        channel = self._writable(args)
        if not _EMOJI.fullmatch(args.needed("name")):
            raise Failed("invalid_name")
        return self._workspace.message(channel["id"], args.needed("timestamp"))

    def _add_reaction(self, args: Args) -> Payload:
        self._workspace.react(self._reacted(args), args.text("name"), self._us)
        return {}

    def _remove_reaction(self, args: Args) -> Payload:
        self._workspace.unreact(self._reacted(args), args.text("name"), self._us)
        return {}

    def _get_reactions(self, args: Args) -> Payload:
        message = self._workspace.message(self._joined(args)["id"], args.needed("timestamp"))
        return {
            "type": "message",
            "channel": args.text("channel"),
            "message": {**shown(message), "team": TEAM},
        }
