r"""ChatML: a conversation becomes token ids and a loss mask.

A turn is five pieces, always tokenised apart: `<|im_start|>`, `role\\n`, content, `<|im_end|>`, `\\n`. The two markers are ids that
the tokenizer names; they are never parsed from text, so a content that spells `<|im_end|>` is ordinary text and ends nothing.
The mask has one entry a token: 1 means that this token is predicted and counts in the loss, not that its successor does.

A tool's words stand inside the assistant's turn, as they came when the assistant stopped for them: messages of roles assistant,
tool, assistant are one turn, its contents one after the other, each tokenised apart. What a tool said is never learned.

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
_CLOSE = f"{END}\n"

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% set tool_before = loop.index0 > 0 and messages[loop.index0 - 1]['role'] == 'tool' %}"
    "{% set tool_after = not loop.last and messages[loop.index0 + 1]['role'] == 'tool' %}"
    "{% if message['role'] != 'tool' and not tool_before %}{{ '<|im_start|>' + message['role'] + '\\n' }}{% endif %}"
    "{{ message['content'] }}"
    "{% if message['role'] != 'tool' and not tool_after %}{{ '<|im_end|>' + '\\n' }}{% endif %}"
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
ASSISTANT, TOOL = "assistant", "tool"
"""Who speaks in one turn: the assistant, and in between what a tool gave it."""

Messages = Sequence[Mapping[str, str]]
"""Messages in order, each with `role` and `content`."""


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
    text = "".join(
        f"{START}{turn.role}\n{''.join(turn.contents)}{_CLOSE if turn.is_ended else ''}"
        for turn in split_turns(messages)
    )
    return f"{text}{START}{ASSISTANT}\n" if add_generation_prompt else text


@dataclass(frozen=True)
class Turn:
    """What stands between two markers: contents in order, each said by the role or by its tool."""

    role: str
    contents: tuple[str, ...]
    speakers: tuple[str, ...]
    is_ended: bool = True
    """False where a tool spoke last: the assistant goes on."""


def split_turns(messages: Messages) -> list[Turn]:
    """Put messages into turns: a tool's stands inside the assistant's, and so does what the assistant says then."""
    groups: list[list[Mapping[str, str]]] = []
    for message in messages:
        role, before = message["role"], groups[-1][-1]["role"] if groups else None
        if role not in ROLES and role != TOOL:
            raise SchemaError(f"a conversation has a turn of role {role!r}; the roles are {', '.join((*ROLES, TOOL))}")
        if role == TOOL and before not in (ASSISTANT, TOOL):
            raise SchemaError(f"a tool speaks after {before or 'nobody'}; it may only speak after the assistant")
        if before == TOOL and role not in (ASSISTANT, TOOL):
            raise SchemaError(f"{role!r} speaks after a tool; only the assistant may, whose turn it is")
        if TOOL in (role, before):
            groups[-1].append(message)
        else:
            groups.append([message])
    return [
        Turn(
            group[0]["role"],
            tuple(message["content"] for message in group),
            tuple(message["role"] for message in group),
            group[-1]["role"] != TOOL,
        )
        for group in groups
    ]


def encode(conversations: Sequence[Messages], *, tokenizer: ChatTokenizer, mode: MaskMode) -> list[Encoded]:
    """Encode conversations and mark what is learned; one call of the tokenizer for all of them."""
    frame = _Frame.of(tokenizer)
    split = [split_turns(messages) for messages in conversations]
    if not_ended := next((turn for turns in split for turn in turns if not turn.is_ended), None):
        raise SchemaError(
            f"a conversation ends with a tool's words, {not_ended.contents[-1][:40]!r}; the answer is missing"
        )
    return _encode(split, tokenizer=tokenizer, frame=frame, learned=_LEARNED[mode])


def encode_prompt(messages: Messages, *, tokenizer: ChatTokenizer) -> list[int]:
    """Encode a conversation up to where the assistant says something: the ids that training puts before that.

    After a tool's words that is in the middle of its turn.
    """
    frame = _Frame.of(tokenizer)
    turns = split_turns(messages)
    (encoded,) = _encode([turns], tokenizer=tokenizer, frame=frame, learned=_LEARNED[MaskMode.REPORT])
    ids = [int(token) for token in encoded.ids]
    return ids if turns and not turns[-1].is_ended else [*ids, frame.start, *frame.headers[ASSISTANT]]


def _encode(
    conversations: Sequence[Sequence[Turn]],
    *,
    tokenizer: ChatTokenizer,
    frame: _Frame,
    learned: Mapping[str, Pieces],
) -> list[Encoded]:
    texts = [content for turns in conversations for turn in turns for content in turn.contents]
    contents = iter(tokenizer.encode_batch(texts))
    return [_encode_one(turns, contents, frame=frame, learned=learned) for turns in conversations]


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
    turns: Sequence[Turn], contents: Iterator[Sequence[int]], *, frame: _Frame, learned: Mapping[str, Pieces]
) -> Encoded:
    import numpy as np

    pieces: list[Sequence[int]] = []
    flags: list[int] = []
    for turn in turns:
        start, header, content, end, newline = learned[turn.role]
        pieces += [frame.start], frame.headers[turn.role]
        flags += start, header
        for speaker in turn.speakers:
            pieces.append(next(contents))
            flags.append(content if speaker == turn.role else 0)
        if turn.is_ended:
            pieces += [frame.end], frame.newline
            flags += end, newline
    ids = np.concatenate([np.asarray(piece, dtype=np.int32) for piece in pieces] or [np.empty(0, np.int32)])
    mask = np.repeat(np.asarray(flags, dtype=np.uint8), [len(piece) for piece in pieces])
    return Encoded(ids, mask)
