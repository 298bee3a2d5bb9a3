r"""ChatML: a conversation becomes token ids and a loss mask.

A turn is five pieces, always tokenised apart: `<|im_start|>`, `role\\n`, content, `<|im_end|>`, `\\n`. The two markers are ids that
the tokenizer names; they are never parsed from text, so a content that spells `<|im_end|>` is ordinary text and ends nothing.
The mask has one entry a token: 1 means that this token is predicted and counts in the loss, not that its successor does.

No system turn is added: what the messages hold is what is rendered.
Sources: Qwen report 3.1.1 (ChatML, system and user masked); QwenLM/Qwen `finetune.py` for the second mode.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from corpora import SchemaError

if TYPE_CHECKING:
    import numpy as np

    Ids = np.ndarray[tuple[int], np.dtype[np.int32]]
    Mask = np.ndarray[tuple[int], np.dtype[np.uint8]]

START, END = "<|im_start|>", "<|im_end|>"

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
"""The Jinja form of `render`, for `tokenizer_config.json`: what is trained is what is asked."""


class MaskMode(str, Enum):
    """Which tokens are learned."""

    REPORT = "report"
    """What the assistant says and its `<|im_end|>`, nothing else (Qwen report 3.1.1 and 5)."""
    FINETUNE_PY = "finetune_py"
    """As the public `finetune.py`: markers and newlines of all turns too, only the inside of other turns masked."""


Pieces = tuple[int, int, int, int, int]
"""One flag a piece of a turn: start marker, role and newline, content, end marker, closing newline."""

_NOTHING: Pieces = (0, 0, 0, 0, 0)
_MARKERS: Pieces = (1, 0, 0, 1, 1)
_LEARNED: Mapping[MaskMode, Mapping[str, Pieces]] = {
    MaskMode.REPORT: {"system": _NOTHING, "user": _NOTHING, "assistant": (0, 0, 1, 1, 0)},
    MaskMode.FINETUNE_PY: {"system": _MARKERS, "user": _MARKERS, "assistant": (1, 0, 1, 1, 1)},
}
ROLES = tuple(_LEARNED[MaskMode.REPORT])

Messages = Sequence[Mapping[str, str]]
"""Turns in order, each with `role` and `content`."""


class ChatTokenizer(Protocol):
    """What this module asks of a tokenizer; `corpora.tokenizer.Tokenizer` has it."""

    def encode_batch(self, texts: list[str], /) -> Sequence[Sequence[int]]:
        """Encode plain text; markers spelt in it stay text."""

    def token_id(self, token: str, /) -> int:
        """Return the id of a special token."""


@dataclass(frozen=True)
class Encoded:
    """One conversation as the model sees it: `ids` (int32) and `mask` (uint8) of equal length."""

    ids: Ids
    mask: Mask


def render(messages: Messages, *, add_generation_prompt: bool = False) -> str:
    r"""Return the text of a conversation, ready to be answered when `add_generation_prompt`.

    >>> render([{"role": "user", "content": "2+2="}], add_generation_prompt=True)
    '<|im_start|>user\n2+2=<|im_end|>\n<|im_start|>assistant\n'
    """
    turns = "".join(f"{START}{message['role']}\n{message['content']}{END}\n" for message in messages)
    return f"{turns}{START}assistant\n" if add_generation_prompt else turns


def encode(conversations: Sequence[Messages], *, tokenizer: ChatTokenizer, mode: MaskMode) -> list[Encoded]:
    """Encode conversations and mark what is learned; one call of the tokenizer for all of them."""
    frame = _Frame.of(tokenizer)
    contents = iter(tokenizer.encode_batch([turn["content"] for turns in conversations for turn in turns]))
    return [_encode_one(turns, contents, frame=frame, learned=_LEARNED[mode]) for turns in conversations]


def encode_prompt(messages: Messages, *, tokenizer: ChatTokenizer) -> list[int]:
    """Encode a conversation up to where the assistant answers: the ids that training puts before what it says."""
    frame = _Frame.of(tokenizer)
    (encoded,) = encode([messages], tokenizer=tokenizer, mode=MaskMode.REPORT)
    return [*(int(token) for token in encoded.ids), frame.start, *frame.headers["assistant"]]


@dataclass(frozen=True)
class _Frame:
    """Ids of everything around a content."""

    start: int
    end: int
    newline: list[int]
    headers: Mapping[str, list[int]]

    @classmethod
    def of(cls, tokenizer: ChatTokenizer) -> _Frame:
        newline, *headers = (
            [int(i) for i in ids] for ids in tokenizer.encode_batch(["\n", *(f"{r}\n" for r in ROLES)])
        )
        return cls(tokenizer.token_id(START), tokenizer.token_id(END), newline, dict(zip(ROLES, headers, strict=True)))


def _encode_one(
    turns: Messages, contents: Iterator[Sequence[int]], *, frame: _Frame, learned: Mapping[str, Pieces]
) -> Encoded:
    import numpy as np

    pieces: list[Sequence[int]] = []
    flags: list[int] = []
    for turn in turns:
        role = turn["role"]
        if role not in frame.headers:
            raise SchemaError(f"a conversation has a turn of role {role!r}; the roles are {', '.join(ROLES)}")
        pieces += [frame.start], frame.headers[role], next(contents), [frame.end], frame.newline
        flags += learned[role]
    ids = np.concatenate([np.asarray(piece, dtype=np.int32) for piece in pieces] or [np.empty(0, np.int32)])
    mask = np.repeat(np.asarray(flags, dtype=np.uint8), [len(piece) for piece in pieces])
    return Encoded(ids, mask)
