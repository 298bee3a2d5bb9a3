"""How a base spells what is not text: fill-in-the-middle, where a repository starts, where a file starts.

One table for all bases: the first row of a kind that the tokenizer has whole is the one that its base knows. A base
without a row gets no new embedding rows behind its back: what needs one is refused, by name. Only tokens that the
tokenizer calls special count, since any other would also be read from a text that spells it.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING

from corpora.code.fim import MIDDLE, PREFIX, SUFFIX

if TYPE_CHECKING:
    from corpora.tokenizer import Tokenizer

REPOSITORY, FILE = "repository", "file"
FIM, PLACE = (PREFIX, MIDDLE, SUFFIX), (REPOSITORY, FILE)
SPELLINGS: dict[tuple[str, ...], tuple[tuple[str, ...], ...]] = {
    FIM: (
        ("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"),  # Qwen2.5 and Qwen3 (arXiv 2409.12186, table 2)
        ("<fim_prefix>", "<fim_middle>", "<fim_suffix>"),  # StarCoder, StarCoder2
        ("<｜fim▁begin｜>", "<｜fim▁end｜>", "<｜fim▁hole｜>"),  # DeepSeek-Coder
        (
            "<|extra_0|>",
            "<|extra_1|>",
            "<|extra_2|>",
        ),  # Qwen, which keeps 205 free slots; ours, in the order of Qwen2.5
    ),
    PLACE: (
        ("<|repo_name|>", "<|file_sep|>"),  # Qwen2.5
        ("<repo_name>", "<file_sep>"),  # StarCoder2, SmolLM2
        ("<|extra_4|>", "<|extra_5|>"),  # Qwen; `<|extra_3|>` is left for padding, as Qwen2.5 has it
    ),
}


class Markers(Enum):
    """How a file of a repository says where it is from."""

    TOKENS = "tokens"
    """By the base's own tokens; refused where it has none."""
    TEXT = "text"
    """By a line `#path` before each file, as DeepSeek-Coder does; for a base without tokens."""
    NONE = "none"


def spelling(tokenizer: Tokenizer, kind: tuple[str, ...]) -> dict[str, str] | None:
    """Give the tokens of a kind as this tokenizer spells them, or None when it lacks them."""
    for row in SPELLINGS[kind]:
        if all(tokenizer.is_special(token) for token in row):
            return dict(zip(kind, row, strict=True))
    return None


def required(tokenizer: Tokenizer, kinds: Iterable[tuple[str, ...]]) -> dict[str, str]:
    """Give the tokens of all kinds; what is missing is refused, with what to do about it."""
    found: dict[str, str] = {}
    for kind in kinds:
        tokens = spelling(tokenizer, kind)
        if tokens is None:
            known = "; ".join(" ".join(row) for row in SPELLINGS[kind])
            raise ValueError(
                f"{tokenizer.folder / 'tokenizer.json'} has no special tokens for {_CURES[kind]} (known: {known})"
            )
        found |= tokens
    return found


_CURES = {
    FIM: "fill-in-the-middle: set FimConfig.rate to 0, or take another base",
    PLACE: "repositories and files: set TokenizeConfig.markers to text or none",
}
