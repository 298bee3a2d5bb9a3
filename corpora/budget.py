"""What a teacher may cost: requests and tokens of one run, and money over all runs that share a folder of replies.

Every request is reserved at its worst before it is sent (its text, and all the tokens that a reply may have) and settled at
what the endpoint counted, so nothing that is under way can carry a run past its bound. A request that does not fit waits
for those under way, whose replies mostly take less; when none is under way the budget is spent. Money is written down where
the replies are, a line a reply, so that a run that is started again a hundred times still has one purse. Leaves out what an
endpoint charges for an attempt that it never answered.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path

from corpora.endpoint import Endpoint

LEDGER = "spent.txt"
_BYTES_PER_TOKEN = 2
"""Of an endpoint that counts nothing. Few tokenizers need more than a token for two bytes, so this errs to the dear side."""
_TURN_TOKENS = 8
"""Around a message: markers, role, newlines."""


class Spent(Exception):
    """The budget does not allow another request; the message says which bound."""


@dataclass(frozen=True)
class Usage:
    """Tokens of prompts and of replies."""

    prompt_tokens: int = 0
    reply_tokens: int = 0

    @property
    def tokens(self) -> int:
        """Both together."""
        return self.prompt_tokens + self.reply_tokens


def prompt_estimate(texts: list[str]) -> int:
    """Estimate the tokens of a prompt, on the high side.

    >>> prompt_estimate(["What is 2 + 2?"])
    15
    """
    return sum(text_estimate(text) + _TURN_TOKENS for text in texts)


def text_estimate(text: str) -> int:
    """Estimate the tokens of a text, on the high side."""
    return -(-len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN)


class Budget:
    """The purse of one run; threads share it."""

    def __init__(self, endpoint: Endpoint, folder: Path) -> None:
        self._endpoint = endpoint
        self._ledger = folder / LEDGER
        self._room = threading.Condition()
        self._under_way = 0
        self._reserved = Usage()
        self._paid_before = _read_ledger(self._ledger) if endpoint.is_priced else 0.0
        self.requests = 0
        """Sent in this run; attempts at the same one count once."""
        self.used = Usage()
        """Of this run, as the endpoint counted."""

    @property
    def cost(self) -> float:
        """What all runs with this folder have cost so far."""
        return self._paid_before + self._endpoint.cost(self.used.prompt_tokens, self.used.reply_tokens)

    def take(self, worst: Usage) -> None:
        """Reserve one request, waiting while one under way may leave room for it; `Spent` when there is none."""
        with self._room:
            while (bound := self._broken(worst)) is not None:
                if not self._under_way:
                    raise Spent(bound)
                self._room.wait()
            self.requests += 1
            self._under_way += 1
            self._reserved = _add(self._reserved, worst, 1)

    def settle(self, worst: Usage, used: Usage | None) -> None:
        """Put what a request really took in the place of its reservation; None where nothing came of it."""
        with self._room:
            self._under_way -= 1
            self._reserved = _add(self._reserved, worst, -1)
            if used is not None:
                self.used = _add(self.used, used, 1)
                self._write_down(used)
            self._room.notify_all()

    def _broken(self, worst: Usage) -> str | None:
        """Name the bound that one more request could break."""
        limits, ahead = self._endpoint, _add(self._reserved, worst, 1)
        if self.requests >= limits.max_requests:
            return "max_requests"
        if self.used.tokens + ahead.tokens > limits.max_tokens:
            return "max_tokens"
        if limits.max_cost is not None:
            possible = self.cost + limits.cost(ahead.prompt_tokens, ahead.reply_tokens)
            return "max_cost" if possible > limits.max_cost else None
        return None

    def _write_down(self, used: Usage) -> None:
        if not self._endpoint.is_priced:
            return
        line = f"{self._endpoint.cost(used.prompt_tokens, used.reply_tokens):.9f}\n".encode()
        self._ledger.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, line)  # one write, so that lines of two runs do not mix
        finally:
            os.close(descriptor)


def _add(left: Usage, right: Usage, sign: int) -> Usage:
    return Usage(left.prompt_tokens + sign * right.prompt_tokens, left.reply_tokens + sign * right.reply_tokens)


def _read_ledger(path: Path) -> float:
    """Add up what was paid; a file that is no ledger is refused, since taking it for nothing would cost money."""
    if not path.exists():
        return 0.0
    total = 0.0
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        try:
            total += max(0.0, float(line))
        except ValueError:
            raise ValueError(f"{path} has {line[:40]!r} in line {number}, wanted an amount; correct the line") from None
    return total
