"""OpenAI's form of completions: a request read strictly into jobs, replies and errors written as its clients read them.

Read: model, prompt or messages, max_tokens (and max_completion_tokens), temperature, top_p, n, seed, stop, stream. What
would change a reply and is not supported (tools, logprobs, penalties, ...) is refused by name, never left out in silence;
names that only say who asks are passed over. Without a seed one is drawn, and two equal requests differ.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from corpora.chat import ROLES, encode_prompt
from corpora.tokenizer import Tokenizer
from specialize.sampler import Job, Sampled

MAX_REPLIES = 64
"""Prompts times `n` of one request."""
MAX_STOPS, MAX_STOP_CHARACTERS = 4, 128
_DEFAULT_COMPLETION_TOKENS = 16
"""OpenAI's, for /v1/completions; a chat goes on to the end of the context."""
_ROLES = {**{role: role for role in ROLES}, "developer": "system"}
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "logprobs": (None, False),
    "top_logprobs": (None, 0),
    "tools": (None, []),
    "tool_choice": (None, "none"),
    "functions": (None, []),
    "response_format": (None, {"type": "text"}),
    "logit_bias": (None, {}),
    "presence_penalty": (None, 0),
    "frequency_penalty": (None, 0),
    "repetition_penalty": (None, 1),
    "top_k": (None, 0, -1),
    "min_p": (None, 0),
    "echo": (None, False),
    "suffix": (None, ""),
    "best_of": (None, 1),
}
"""What is not supported, and the values that ask for nothing."""


class ApiError(Exception):
    """A request that is answered with an error."""

    def __init__(
        self, status: int, message: str, *, param: str | None = None, code: str | None = None, retry_seconds: int = 0
    ) -> None:
        super().__init__(message)
        self.status = status
        self.param = param
        self.code = code
        self.retry_seconds = retry_seconds

    def body(self) -> dict[str, Any]:
        """Give what is sent."""
        kinds = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
        kind = kinds.get(self.status, "invalid_request_error" if self.status < 500 else "server_error")
        return {"error": {"message": str(self), "type": kind, "param": self.param, "code": self.code}}


@dataclass(frozen=True)
class Call:
    """A request that was read: its jobs, `n` of each prompt one after the other."""

    is_chat: bool
    model: str
    jobs: tuple[Job, ...]
    n: int
    stream: bool
    with_usage: bool
    """Whether a stream ends with the counts."""


def read(body: bytes, *, is_chat: bool, model: str, tokenizer: Tokenizer, context: int) -> Call:
    """Read a request, or say what is wrong with it."""
    value = _json(body)
    for name, neutral in _NEUTRAL.items():
        if value.get(name) not in neutral:
            raise ApiError(400, f"{name} is not supported here; leave it out", param=name, code="unsupported_parameter")
    if value.get("model") != model:
        found = f"the model {str(value.get('model'))[:100]!r} does not exist; this server has {model!r}"
        raise ApiError(404, found, param="model", code="model_not_found")
    n = int(_number(value, "n", 1, 1, MAX_REPLIES, kind=int))
    prompts = [_chat_prompt(value, tokenizer)] if is_chat else _text_prompts(value, tokenizer)
    if n * len(prompts) > MAX_REPLIES:
        raise ApiError(400, f"at most {MAX_REPLIES} replies a request: prompts times n", param="n")
    seed = value.get("seed")
    if seed is not None and type(seed) is not int:
        raise ApiError(400, "seed must be an integer", param="seed")
    shared: dict[str, Any] = {
        "temperature": float(_number(value, "temperature", 1.0, 0, 2)),
        "top_p": _top_p(value),
        "stops": _stops(value),
    }
    first = secrets.randbits(62) if seed is None else seed
    jobs = tuple(
        Job(prompt=prompt, max_tokens=_limit(value, len(prompt), context, is_chat=is_chat), seed=seed_, **shared)
        for place, prompt in enumerate(prompts)
        for seed_ in (f"{first} {place} {number}" for number in range(n))
    )
    options = value.get("stream_options")
    with_usage = bool(options.get("include_usage")) if isinstance(options, dict) else False
    return Call(is_chat, model, jobs, n, value.get("stream") is True, with_usage)


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise ApiError(400, "the body is not JSON", code="invalid_json") from None
    if not isinstance(value, dict):
        raise ApiError(400, "the body must be a JSON object", code="invalid_json")
    return value


def _number(value: dict[str, Any], name: str, default: float, least: float, most: float, kind: Any = float) -> float:
    found = value.get(name)
    if found is None:
        return default
    is_number = type(found) is int or (kind is float and type(found) is float)
    if not is_number or not least <= found <= most:
        what = "an integer" if kind is int else "a number"
        raise ApiError(400, f"{name} must be {what} from {least:g} to {most:g}", param=name)
    return found  # type: ignore[no-any-return]


def _top_p(value: dict[str, Any]) -> float:
    found = float(_number(value, "top_p", 1.0, 0, 1))
    if found == 0:
        raise ApiError(400, "top_p must be above 0; temperature 0 takes the likeliest token", param="top_p")
    return found


def _stops(value: dict[str, Any]) -> tuple[str, ...]:
    found = value.get("stop")
    given = [] if found is None else [found] if isinstance(found, str) else found
    is_fit = isinstance(given, list) and len(given) <= MAX_STOPS
    if not is_fit or not all(isinstance(one, str) and 0 < len(one) <= MAX_STOP_CHARACTERS for one in given):
        wanted = f"at most {MAX_STOPS} strings of 1 to {MAX_STOP_CHARACTERS} characters"
        raise ApiError(400, f"stop must be a string or {wanted}", param="stop")
    return tuple(_clean(one) for one in given)


def _limit(value: dict[str, Any], prompt: int, context: int, *, is_chat: bool) -> int:
    """Give how long a reply may be; a prompt without room for it is refused, never cut."""
    name = "max_completion_tokens" if value.get("max_completion_tokens") is not None else "max_tokens"
    room = context - prompt
    default = max(room, 1) if is_chat else _DEFAULT_COMPLETION_TOKENS
    asked = int(_number(value, name, default, 1, 1 << 31, kind=int))
    if asked > room:
        found = f"the context is {context} tokens; the prompt has {prompt} and the reply may have {asked}"
        raise ApiError(400, f"{found}: shorten one of them", param=name, code="context_length_exceeded")
    return asked


def _chat_prompt(value: dict[str, Any], tokenizer: Tokenizer) -> tuple[int, ...]:
    messages = value.get("messages")
    if not isinstance(messages, list) or not messages:
        raise ApiError(400, "messages must be a list of at least one message", param="messages")
    turns = [_turn(message, f"messages[{place}]") for place, message in enumerate(messages)]
    return tuple(encode_prompt(turns, tokenizer=tokenizer))


def _turn(message: Any, where: str) -> dict[str, str]:
    role = message.get("role") if isinstance(message, dict) else None
    if not isinstance(role, str) or role not in _ROLES:
        raise ApiError(400, f"{where}.role must be one of {', '.join(_ROLES)}", param=where)
    content = message.get("content")
    if isinstance(content, list):
        parts = [part["text"] for part in content if _is_text(part)]
        content = "".join(parts) if len(parts) == len(content) else None
    if not isinstance(content, str):
        raise ApiError(400, f"{where}.content must be text; there are no images or tools here", param=where)
    return {"role": _ROLES[role], "content": _clean(content)}


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)


def _text_prompts(value: dict[str, Any], tokenizer: Tokenizer) -> list[tuple[int, ...]]:
    """Read the prompts of a completion: a text, texts, ids, or lists of ids."""
    given = value.get("prompt")
    if isinstance(given, str) or _are_ids(given, tokenizer):
        given = [given]
    if not isinstance(given, list) or not given or len(given) > MAX_REPLIES:
        raise ApiError(400, f"prompt must be a string, or at most {MAX_REPLIES} strings", param="prompt")
    prompts: list[tuple[int, ...]] = []
    for one in given:
        if isinstance(one, str):
            prompts.append(tuple(tokenizer.encode_batch([_clean(one)])[0]))
        elif _are_ids(one, tokenizer):
            prompts.append(tuple(one))
        else:
            raise ApiError(400, "prompt must hold strings, or token ids of this model", param="prompt")
    if not all(prompts):
        raise ApiError(400, "prompt must not be empty", param="prompt")
    return prompts


def _are_ids(value: Any, tokenizer: Tokenizer) -> bool:
    is_list = isinstance(value, list) and bool(value)
    return is_list and all(type(one) is int and 0 <= one < tokenizer.vocab_size for one in value)


def _clean(text: str) -> str:
    """Take out lone surrogates, which JSON can spell and no tokenizer reads."""
    return text.encode("utf-8", "replace").decode()


def _head(call: Call, kind: str) -> dict[str, Any]:
    prefix = "chatcmpl" if call.is_chat else "cmpl"
    return {"id": f"{prefix}-{secrets.token_hex(12)}", "object": kind, "created": int(time.time()), "model": call.model}


def _usage(call: Call, replies: Sequence[Sampled]) -> dict[str, int]:
    """Count the tokens: a prompt once, however many replies it has."""
    prompt = sum(len(job.prompt) for job in call.jobs[:: call.n])
    reply = sum(one.tokens for one in replies)
    return {"prompt_tokens": prompt, "completion_tokens": reply, "total_tokens": prompt + reply}


def completion(call: Call, replies: Sequence[Sampled]) -> dict[str, Any]:
    """Write the answer of a request."""
    choices = []
    for index, one in enumerate(replies):
        said: dict[str, Any] = (
            {"message": {"role": "assistant", "content": one.text}} if call.is_chat else {"text": one.text}
        )
        choices.append({"index": index, **said, "logprobs": None, "finish_reason": one.finish})
    kind = "chat.completion" if call.is_chat else "text_completion"
    return {**_head(call, kind), "choices": choices, "usage": _usage(call, replies)}


def events(call: Call, replies: Sequence[Sampled]) -> Iterator[dict[str, Any]]:
    """Write the answer as the events of a stream: every reply in one piece, then why it ended."""
    head = _head(call, "chat.completion.chunk" if call.is_chat else "text_completion")
    for index, one in enumerate(replies):
        for text, finish in ((one.text, None), ("", one.finish)):
            delta = {"role": "assistant", "content": text} if finish is None else {}
            said: dict[str, Any] = {"delta": delta} if call.is_chat else {"text": text}
            yield {**head, "choices": [{"index": index, **said, "logprobs": None, "finish_reason": finish}]}
    if call.with_usage:
        yield {**head, "choices": [], "usage": _usage(call, replies)}
