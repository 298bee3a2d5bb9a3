"""Samples of an exported model, many prompts at a time: temperature, top-p, stop strings and a seed of its own for each.

Prompts that wait are computed together, left-padded, up to a batch; a row that has ended leaves the batch at once, and its
reply is given while the others go on. The random numbers of a row come from its seed alone, so its neighbours do not
decide what it says; they only change the last bits of the logits, which a batch of one takes out too. A reply ends at an
end-of-sequence id, at the end of a turn, at a stop string, or at its limit.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import torch

from specialize.generate import Exported, cut

_GATHER_SECONDS = 0.01
"""How long a batch that is not full waits for more; a token of a 135M model takes some 30 ms on two cores."""
_SPARE_TOKENS = 4
"""Beyond the bytes of the longest stop string, how many tokens are searched for it: one may end inside a character."""


class Busy(Exception):
    """Too many prompts wait already."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One reply to be sampled."""

    prompt: tuple[int, ...]
    max_tokens: int
    temperature: float = 1.0
    """0 takes the likeliest token."""
    top_p: float = 1.0
    seed: str = "0"
    stops: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sampled:
    """A reply: why it ended (`stop` or `length`), and its tokens with the one that ended it."""

    text: str
    finish: str
    tokens: int


@dataclass
class _Row:
    """A reply in the making."""

    job: Job
    done: Callable[[Sampled], None]
    ids: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.job.seed)
        self._window = max((len(stop.encode()) for stop in self.job.stops), default=0) + _SPARE_TOKENS

    def pick(self, logits: torch.Tensor) -> int:
        """Choose the next token by the inverse of the cumulated probabilities."""
        if self.job.temperature == 0:
            return int(logits.argmax())
        odds = torch.softmax(logits.double() / self.job.temperature, dim=-1)
        chance = self._random.random()
        if self.job.top_p == 1:
            return _draw(odds, chance)
        sorted_odds, order = odds.sort(descending=True, stable=True)
        before = sorted_odds.cumsum(0) - sorted_odds
        return int(order[_draw(sorted_odds[before < self.job.top_p], chance)])

    def take(self, token: int, exported: Exported) -> bool:
        """Add a token; say whether the reply is complete, and give it then."""
        self.ids.append(token)
        if token in exported.stop_ids:
            self._finish(exported, "stop", self.ids[:-1])
        elif self._is_stopped(exported):
            self._finish(exported, "stop", self.ids)
        elif len(self.ids) >= self.job.max_tokens:
            self._finish(exported, "length", self.ids)
        else:
            return False
        return True

    def _is_stopped(self, exported: Exported) -> bool:
        if not self.job.stops:
            return False
        recent = exported.tokenizer.decode(self.ids[-self._window :])
        return any(stop in recent for stop in self.job.stops)

    def _finish(self, exported: Exported, finish: str, ids: Sequence[int]) -> None:
        self.done(Sampled(cut(exported.tokenizer.decode(ids), self.job.stops), finish, len(self.ids)))


def _draw(odds: torch.Tensor, chance: float) -> int:
    cumulated = odds.cumsum(0)
    place = int(torch.searchsorted(cumulated, chance * float(cumulated[-1]), right=True))
    return min(place, len(odds) - 1)


@torch.inference_mode()
def _decode(exported: Exported, rows: Sequence[_Row]) -> None:
    """Compute a batch to its end."""
    model, pad = exported.model, exported.tokenizer.pad_id
    width = max(len(row.job.prompt) for row in rows)
    padding = [width - len(row.job.prompt) for row in rows]
    ids = torch.tensor([[pad] * gap + list(row.job.prompt) for gap, row in zip(padding, rows, strict=True)])
    seen = torch.tensor([[0] * gap + [1] * (width - gap) for gap in padding])
    ids, seen = ids.to(model.device), seen.to(model.device)
    positions = (seen.cumsum(-1) - 1).clamp(min=0)
    cache: Any = None
    while True:
        output = model(
            input_ids=ids,
            attention_mask=seen,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        cache, logits = output.past_key_values, output.logits[:, -1].float().cpu()
        tokens = [row.pick(one) for row, one in zip(rows, logits, strict=True)]
        ended = [row.take(token, exported) for row, token in zip(rows, tokens, strict=True)]
        live = [place for place, is_over in enumerate(ended) if not is_over]
        if not live:
            return
        if len(live) < len(rows):
            chosen = torch.tensor(live, device=seen.device)
            cache.batch_select_indices(chosen)
            rows, seen = [rows[place] for place in live], seen[chosen]
        ids = torch.tensor([[tokens[place]] for place in live], device=seen.device)
        seen = torch.cat([seen, seen.new_ones(len(live), 1)], dim=1)
        positions = seen.sum(-1, keepdim=True) - 1


class Sampler:
    """A model with one thread that computes what waits; `sample` may be called from any thread."""

    def __init__(self, exported: Exported, *, batch_size: int, max_waiting: int) -> None:
        self._exported = exported
        self._batch_size = batch_size
        self._max_waiting = max_waiting
        self._waiting: deque[tuple[Job, Future[Sampled]]] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._thread.start()

    def sample(self, jobs: Sequence[Job]) -> list[Sampled]:
        """Sample replies, in order; `Busy` where there is no room to wait."""
        with self._changed:
            if self._is_closed or len(self._waiting) + len(jobs) > self._max_waiting:
                raise Busy
            asked: list[tuple[Job, Future[Sampled]]] = [(job, Future()) for job in jobs]
            self._waiting.extend(asked)
            self._changed.notify()
        return [future.result() for _, future in asked]

    def close(self) -> None:
        """End the thread after its batch; what waits is refused."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._gather():
            try:
                _decode(self._exported, [_Row(job, future.set_result) for job, future in batch])
            except Exception as error:  # noqa: BLE001 - those who wait must hear of it; the server goes on
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
        for _, future in self._waiting:
            future.set_exception(Busy())

    def _gather(self) -> list[tuple[Job, Future[Sampled]]]:
        """Take the next batch; empty when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            if not self._is_closed and len(self._waiting) < self._batch_size:
                deadline = time.monotonic() + _GATHER_SECONDS
                while len(self._waiting) < self._batch_size and (rest := deadline - time.monotonic()) > 0:
                    self._changed.wait(rest)
            if self._is_closed:
                return []
            count = min(self._batch_size, len(self._waiting))
            return [self._waiting.popleft() for _ in range(count)]
