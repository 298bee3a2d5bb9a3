"""A teacher: any endpoint that speaks OpenAI's chat completions, asked once for each request and never again.

Every reply is kept in a file named by the digest of what was asked (model, messages, sampling), so a run that was killed,
or whose budget is spent, goes on where it stopped, and the same requests give the same replies without a network. Address
and key belong to the machine (luigi.cfg [teacher]); they are in no digest and no file. Replies come in the order of the
requests, whatever the order in which they arrive. A reply is text by a stranger: data to parse strictly, no instruction.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import progress
from corpora.endpoint import Endpoint, ask, connect, excerpt

if TYPE_CHECKING:
    import httpx

REFUSED = "refused"
_MAX_REFUSALS = 8
"""In a row: then it is not the requests that are at fault."""
_WINDOW = 4
"""Requests under way or waiting to be given back, as a multiple of the concurrency."""


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: str
    content: str


@dataclass(frozen=True, kw_only=True)
class Request:
    """All that decides a reply; equal requests are one request."""

    model: str
    messages: tuple[Message, ...]
    max_tokens: int
    """Of the reply."""
    temperature: float = 0.0
    top_p: float = 1.0
    sample: int = 0
    """Which of several replies to the same messages; sent as the seed."""

    def body(self) -> dict[str, Any]:
        """Give what is sent."""
        value = asdict(self)
        seed = value.pop("sample")
        return {**value, "messages": list(value["messages"]), "seed": seed, "n": 1}

    def digest(self) -> str:
        """Name the reply.

        >>> Request(model="m", messages=(Message("user", "Hi"),), max_tokens=8).digest()[:12]
        '0127559a51d9'
        """
        text = json.dumps(self.body(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the teacher said."""

    text: str
    finish: str
    """`stop`, `length` (cut off), what else the endpoint says, or `refused`: it will not answer this request."""
    prompt_tokens: int = 0
    reply_tokens: int = 0


class _Spent(Exception):
    """The budget of this run does not allow another request."""


class Teacher:
    """Asks an endpoint through a folder of kept replies; without an endpoint only the folder answers."""

    def __init__(self, cache: Path, endpoint: Endpoint | None = None) -> None:
        self.cache = cache
        self.endpoint = endpoint
        self.requests = 0
        """Sent in this run; attempts at the same one count once."""
        self.tokens = 0
        """Of prompts and replies of this run."""
        self._refusals = 0
        self._lock = threading.Lock()

    def complete(self, requests: Iterable[Request]) -> Iterator[Reply]:
        """Give the reply to each request, in order; requests are drawn as they are needed.

        A spent budget, a refused key and a teacher that does not answer are errors, raised once what was under way is
        kept: the same call then goes on from there.
        """
        concurrency = self.endpoint.concurrency if self.endpoint else 1
        source, pending, given = iter(requests), deque[Future[Reply]](), 0
        with self._client() as client, ThreadPoolExecutor(concurrency) as pool:
            try:
                while True:
                    while len(pending) < _WINDOW * concurrency and (request := next(source, None)) is not None:
                        pending.append(pool.submit(self._answer, client, request))
                    if not pending:
                        return
                    yield pending.popleft().result()
                    given += 1
                    progress.report(given, None, "replies", tokens=self.tokens)
            except _Spent:
                raise ValueError(self._spent()) from None
            finally:
                for future in pending:
                    future.cancel()

    def _client(self) -> Any:
        return connect(self.endpoint) if self.endpoint else nullcontext()

    def _answer(self, client: httpx.Client, request: Request) -> Reply:
        path = self.cache / f"{request.digest()}.json"
        kept = read_reply(path)
        if kept is not None:
            return kept
        endpoint = self._take()
        answer = ask(client, endpoint, request.body())
        if answer.unanswerable:
            self._count_refusal(excerpt(endpoint, answer))
            return Reply(text="", finish=REFUSED)  # not kept: another endpoint may answer
        reply = parse_completion(answer.body)
        if reply is None:
            raise ValueError(f"the teacher at {endpoint.place} sent no chat completion: {excerpt(endpoint, answer)}")
        with self._lock:
            self.tokens += reply.prompt_tokens + reply.reply_tokens
            self._refusals = 0
        _keep(path, reply)
        return reply

    def _take(self) -> Endpoint:
        """Count one more request, unless the budget is spent or nobody is there to ask."""
        if self.endpoint is None:
            raise ValueError(
                f"a reply is not among those kept in {self.cache} and no teacher is named; set luigi.cfg [teacher] url "
                "to an OpenAI-compatible endpoint, https://host/v1"
            )
        with self._lock:
            if self.requests >= self.endpoint.max_requests or self.tokens >= self.endpoint.max_tokens:
                raise _Spent
            self.requests += 1
        return self.endpoint

    def _count_refusal(self, last: str) -> None:
        with self._lock:
            self._refusals += 1
            if self._refusals >= _MAX_REFUSALS:
                raise ValueError(f"the teacher refused {_MAX_REFUSALS} requests in a row, the last one with {last}")

    def _spent(self) -> str:
        return (
            f"the teacher's budget of one run is spent: {self.requests:,} requests, {self.tokens:,} tokens; every reply "
            "is kept: run the same command to go on, or raise luigi.cfg [teacher] max_requests or max_tokens"
        )


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
    """Read a kept reply; a torn or foreign file is none, and is asked for again."""
    try:
        reply = Reply(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return reply if _is_sound(reply) else None


def _is_sound(reply: Reply) -> bool:
    counts = (reply.prompt_tokens, reply.reply_tokens)
    texts = (reply.text, reply.finish)
    return all(isinstance(text, str) for text in texts) and all(type(count) is int and count >= 0 for count in counts)


def _keep(path: Path, reply: Reply) -> None:
    """Write a reply under another name first: what has the name is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        temporary.write_text(json.dumps(asdict(reply), sort_keys=True) + "\n", encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _clean(text: str) -> str:
    """Take out what is no character: lone surrogates, which JSON can spell and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


_NUMBERS = {"max_requests": int, "max_tokens": int, "concurrency": int, "attempts": int, "timeout_seconds": float}
_SETTINGS = ("url", "key", "key_variable", "cache", *_NUMBERS)


def from_settings(settings: Mapping[str, str], *, default_cache: Path) -> Teacher:
    """Make a teacher from luigi.cfg [teacher]; the key is read from the environment variable that it names."""
    unknown = sorted(settings.keys() - set(_SETTINGS))
    if unknown:
        raise ValueError(f"luigi.cfg [teacher] {unknown[0]} is not a setting; it has {', '.join(_SETTINGS)}")
    cache = Path(settings["cache"]).expanduser() if "cache" in settings else default_cache
    if not settings.get("url"):
        return Teacher(cache)
    variable = settings.get("key_variable", "")
    key = settings.get("key", "") or (os.environ.get(variable, "") if variable else "")
    if variable and not key:
        raise ValueError(
            f"luigi.cfg [teacher] key_variable names {variable!r}, which is not set; set it or take it out"
        )
    return Teacher(cache, Endpoint(url=settings["url"], key=key, **_numbers(settings)))


def _numbers(settings: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in _NUMBERS.keys() & settings.keys():
        try:
            found[name] = _NUMBERS[name](settings[name])
        except ValueError:
            raise ValueError(f"luigi.cfg [teacher] {name} must be a number, got {settings[name]!r}") from None
    return found
