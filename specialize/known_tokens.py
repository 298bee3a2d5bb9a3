"""Whether a base knows the tokens it will be trained on: ChatML, fill-in-the-middle, the marks of a file.

A token that pretraining never saw has a row that says nothing. Three signs, measured on the input embedding: *gone*, a
norm under a quarter of the median row's (weight decay without a gradient); *equal*, a cosine of 0.999 or more to the row
of another token (tokens that only decayed together stay together: SmolLM2's `<file_sep>` and ten others are one point);
*random*, no cosine to any row above what chance gives in so many dimensions. A trained row has neighbours and is none of
them. Such a base is refused unless the recipe says that training will teach the tokens.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corpora import SchemaError
from corpora.chat import END, START
from corpora.markers import FIM, PLACE, spelling

if TYPE_CHECKING:
    import torch

    from corpora.tokenizer import Tokenizer

_GONE = 0.25
"""Norm over the median norm. SmolLM2's rows reach down to 0.57."""
_EQUAL = 0.999
"""Cosine to the nearest row. SmolLM2: untrained tokens 1.000, `<|im_start|>` 0.993, `<repo_name>` 0.978."""
_CHANCE = 1.25
"""Times the expected largest cosine of a random row to `rows` others, sqrt(2 ln rows / dimensions)."""
_CHUNK = 8192
"""Rows compared at once."""


class Kind(str, enum.Enum):
    """Tokens that a recipe trains on."""

    CHATML = "chatml"
    """`<|im_start|>` and `<|im_end|>`: every conversation."""
    FIM = "fim"
    """Where FimConfig.rate is above 0."""
    PLACE = "place"
    """Where TokenizeConfig.markers is `tokens`."""


class Untrained(str, enum.Enum):
    """What to do with a base that has a token and never learned it."""

    REFUSE = "refuse"
    TRAIN = "train"
    """Training moves every weight, so it teaches them; a row that is gone starts at the mean of all rows, since
    RMSNorm would multiply its gradient by up to a thousand."""


_MARKS = {Kind.FIM: FIM, Kind.PLACE: PLACE}
_CURES = {
    Kind.CHATML: "take another base: every fine-tuning is in ChatML",
    Kind.FIM: "take `fim` out of ImportBaseConfig.tokens and set FimConfig.rate to 0, or take another base",
    Kind.PLACE: "take `place` out of ImportBaseConfig.tokens and set TokenizeConfig.markers to text, or take another base",
}


@dataclass(frozen=True)
class Row:
    """What was measured on one token."""

    token: str
    index: int
    norm: float
    """Over the median norm of all rows."""
    cosine: float
    """Largest, to any other row."""
    sign: str
    """Why it counts as untrained; empty where it does not."""


def ids(tokenizer: Tokenizer, kinds: tuple[Kind, ...], rows: int) -> dict[str, int]:
    """Look up the tokens of all kinds; one that is missing or beyond the embedding is refused."""
    found: dict[str, int] = {}
    for kind in kinds:
        names = _names(tokenizer, kind)
        if names is None:
            raise ValueError(f"{tokenizer.folder / 'tokenizer.json'} has no tokens for {kind.value}: {_CURES[kind]}")
        found |= {name: tokenizer.token_id(name) for name in names}
    if outside := [name for name, index in found.items() if index >= rows]:
        raise ValueError(f"{tokenizer.folder} has {outside[0]!r} beyond the {rows} rows of the embedding; fix the base")
    return found


def _names(tokenizer: Tokenizer, kind: Kind) -> tuple[str, ...] | None:
    if kind is not Kind.CHATML:
        spelt = spelling(tokenizer, _MARKS[kind])
        return None if spelt is None else tuple(spelt.values())
    try:
        for name in (START, END):
            tokenizer.token_id(name)
    except SchemaError:
        return None
    return START, END


def measure(embedding_VH: torch.Tensor, tokens: dict[str, int]) -> list[Row]:
    """Measure the rows of tokens against all rows, a few thousand at a time."""
    import torch

    indices = torch.tensor(list(tokens.values()))
    mine = torch.nn.functional.normalize(embedding_VH[indices].float(), dim=1)
    norms, cosines = [], torch.full((len(tokens),), -1.0)
    for start in range(0, len(embedding_VH), _CHUNK):
        part = embedding_VH[start : start + _CHUNK].float()
        norms.append(part.norm(dim=1))
        similar = mine @ torch.nn.functional.normalize(part, dim=1).T
        inside = (indices >= start) & (indices < start + len(part))
        similar[inside, indices[inside] - start] = -1.0  # a row is not its own neighbour
        cosines = torch.maximum(cosines, similar.max(dim=1).values)
    lengths = torch.cat(norms)
    relative = (lengths[indices] / lengths.median().clamp_min(1e-30)).tolist()
    chance = _CHANCE * math.sqrt(2 * math.log(len(embedding_VH)) / embedding_VH.shape[1])
    return [
        Row(token, index, round(norm, 4), round(cosine, 4), _sign(norm, cosine, chance))
        for (token, index), norm, cosine in zip(tokens.items(), relative, cosines.tolist(), strict=True)
    ]


def _sign(norm: float, cosine: float, chance: float) -> str:
    if norm < _GONE:
        return "gone"
    if cosine >= _EQUAL:
        return "equal to another token's"
    return "random" if cosine < chance else ""


def check(name: str, rows: list[Row], choice: Untrained) -> list[Row]:
    """Give the untrained ones; refuse them unless the recipe chose to train them."""
    untrained = [row for row in rows if row.sign]
    if untrained and choice is Untrained.REFUSE:
        listed = ", ".join(
            f"{row.token} (id {row.index}, {row.sign}, norm {row.norm}, cosine {row.cosine})" for row in untrained
        )
        raise ValueError(
            f"the base {name} never learned {listed}: set ImportBaseConfig.untrained to train, so that training teaches "
            "them, take their kind out of ImportBaseConfig.tokens together with what uses it, or take another base"
        )
    return untrained


def revived(embedding_VH: torch.Tensor, untrained: list[Row]) -> torch.Tensor:
    """Set rows that are gone to the mean of all rows; others stay bit for bit."""
    gone = [row.index for row in untrained if row.sign == "gone"]
    if not gone:
        return embedding_VH
    mean_H = 0.0 * embedding_VH[0].float()
    for part in embedding_VH.split(_CHUNK):
        mean_H += part.float().sum(0) / len(embedding_VH)
    fixed = embedding_VH.clone()
    fixed[gone] = mean_H.to(embedding_VH.dtype)
    return fixed
