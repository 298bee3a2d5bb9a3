"""What a teacher said: read strictly from a chat completion, and kept in a folder, a file a request.

A file is named by the digest of what was asked, in one of 256 subfolders, and written under another name first, so what has
the name is whole. A refusal is kept beside the replies: a run with an endpoint asks again, since another may answer, and
one without replays it, so that its output is the same to the byte.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

REFUSED = "refused"
_REFUSAL = ".refused"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the teacher said."""

    text: str
    finish: str
    """`stop`, `length` (cut off), what else the endpoint says, or `refused`: it will not answer this request."""
    prompt_tokens: int = 0
    """As the endpoint counted them; 0 where it does not count."""
    reply_tokens: int = 0


@dataclass(frozen=True)
class Replies:
    """A folder of kept replies; processes may share it."""

    folder: Path

    def path(self, digest: str) -> Path:
        """Name the file of a request."""
        return self.folder / digest[:2] / f"{digest}.json"

    def find(self, digest: str) -> Reply | None:
        """Give the reply that is kept; None also for a torn file, which is then asked for again."""
        return read_reply(self.path(digest))

    def keep(self, digest: str, reply: Reply) -> None:
        """Keep a reply; an earlier refusal goes."""
        _write(self.path(digest), json.dumps(asdict(reply), sort_keys=True) + "\n")
        self._refusal(digest).unlink(missing_ok=True)

    def refuse(self, digest: str) -> None:
        """Keep that this request was refused."""
        _write(self._refusal(digest), "{}\n")

    def was_refused(self, digest: str) -> bool:
        """Whether the last that was heard of this request is a refusal."""
        return self._refusal(digest).exists()

    def _refusal(self, digest: str) -> Path:
        return self.path(digest).with_suffix(_REFUSAL)


def parse_completion(body: bytes) -> Reply | None:
    """Read a chat completion strictly; anything else is None.

    >>> parse_completion(b'{"choices": [{"message": {"content": "4"}, "finish_reason": "stop"}]}')
    Reply(text='4', finish='stop', prompt_tokens=0, reply_tokens=0)
    """
    try:
        value = json.loads(body)
        choice = value["choices"][0]
        text, finish = choice["message"]["content"] or "", choice.get("finish_reason") or "stop"
        usage = value.get("usage") or {}
        counts = [usage.get(name, 0) for name in ("prompt_tokens", "completion_tokens")]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    if not isinstance(text, str) or not isinstance(finish, str):
        return None
    reply = Reply(text=_clean(text), finish=_clean(finish)[:32], prompt_tokens=counts[0], reply_tokens=counts[1])
    return reply if _is_sound(reply) else None


def read_reply(path: Path) -> Reply | None:
    """Read a kept reply; a torn or foreign file is none."""
    try:
        reply = Reply(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return reply if _is_sound(reply) else None


def _is_sound(reply: Reply) -> bool:
    counts = (reply.prompt_tokens, reply.reply_tokens)
    texts = (reply.text, reply.finish)
    return all(isinstance(text, str) for text in texts) and all(type(count) is int and count >= 0 for count in counts)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _clean(text: str) -> str:
    """Take out what is no character: lone surrogates, which JSON can spell and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()
