"""Being asked to stop: SIGTERM (preemption, Ctrl-C in the launcher) and SIGUSR1 (the end of a job's time is near).

Guarantees: a signal to any rank stops all of them after the same step, so that the checkpoint they then write is whole; the
handlers of before are put back. Costs one all-reduce of a number a step.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

import torch
import torch.distributed

_SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


class StopRequest:
    """Notices signals while it is entered; where it cannot (not in the main thread) it notices none."""

    def __init__(self) -> None:
        self._requested = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._request) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _request(self, _number: int, _frame: FrameType | None) -> None:
        self._requested = True

    def agreed(self, device: torch.device) -> bool:
        """Whether any rank was asked; every rank calls it after every step and gets the same answer."""
        requested = torch.tensor(self._requested, dtype=torch.int32, device=device)
        torch.distributed.all_reduce(requested, op=torch.distributed.ReduceOp.MAX)
        return bool(requested.item())
