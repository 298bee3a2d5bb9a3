"""Process set-up: process groups, threads, heap; and Megatron-core on a machine without CUDA.

Guarantees: after `init_process` Megatron's groups exist, seeds are set, and the same code runs on CUDA (NCCL) and
on CPU (gloo). Megatron-core has no CPU mode: it asks torch.cuda for devices, streams and random states all over.
The shim answers those questions on the CPU, replaces no Megatron function but one, and is installed only where CUDA
is absent. It costs 2% (a function mode on every torch call). Three private names of
megatron.core.tensor_parallel.random are used here alone, which is why the version is pinned to 0.16.1.
"""

from __future__ import annotations

import contextlib
import ctypes
import datetime
import os
import platform
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed
from torch.overrides import TorchFunctionMode

from specialize.config import ParallelConfig

_TIMEOUT = datetime.timedelta(minutes=30)
"""A collective that waits longer has lost a peer."""
_CPU = torch.device("cpu")
_M_MMAP_MAX, _M_TRIM_THRESHOLD = -4, -1
_SEED_OFFSETS = {"data-parallel-rng": 0, "model-parallel-rng": 2718, "expert-parallel-rng": 1024}
"""As Megatron's `model_parallel_cuda_manual_seed`."""

_mode: TorchFunctionMode | None = None
_sizes: dict[str, int | None] = {}
"""Of the groups that this process has."""


def init_process(parallel: ParallelConfig, *, seed: int = 0) -> torch.device:
    """Join the process group that the launcher's variables describe (else alone) and set up `parallel`."""
    quiet_imports()
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if cuda else _CPU
    if cuda:
        torch.cuda.set_device(device)
    else:
        install_shim()
        keep_heap()
    if not torch.distributed.is_initialized():
        _join("nccl" if cuda else "gloo")
    _set_up_groups(
        tensor_model_parallel_size=parallel.tensor_parallel,
        pipeline_model_parallel_size=parallel.pipeline_parallel,
        context_parallel_size=parallel.context_parallel,
        virtual_pipeline_model_parallel_size=parallel.virtual_pipeline if parallel.virtual_pipeline > 1 else None,
    )
    seed_everything(seed)
    return device


def _set_up_groups(**sizes: int | None) -> None:
    """Megatron's groups, unless they are there: gloo never gives back the 140 or so descriptors of a set of them."""
    from megatron.core import parallel_state

    global _sizes
    if sizes == _sizes and parallel_state.model_parallel_is_initialized():
        return
    parallel_state.destroy_model_parallel()
    parallel_state.initialize_model_parallel(**sizes)
    _sizes = sizes


def quiet_imports() -> None:
    """Leave out what Megatron says about Apex, Transformer Engine and its own deprecations; nothing here can heed it."""
    for module in (r"megatron\.", r"torch\.jit"):
        warnings.filterwarnings("ignore", module=module)
    warnings.filterwarnings("ignore", message="Mismatch dtype between input and weight")  # RMSNorm under autocast


def _join(backend: str) -> None:
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        torch.distributed.init_process_group(backend, timeout=_TIMEOUT)
    else:
        store = torch.distributed.HashStore()  # type: ignore[attr-defined]
        torch.distributed.init_process_group(backend, store=store, rank=0, world_size=1, timeout=_TIMEOUT)


def seed_everything(seed: int) -> None:
    """Seed torch's generator and Megatron's parallel ones; called every step, so that a resumed run draws the same."""
    from megatron.core import parallel_state
    from megatron.core.tensor_parallel import random

    if torch.cuda.is_available():
        torch.manual_seed(seed)
        random.model_parallel_cuda_manual_seed(seed, force_reset_rng=True)
        return
    tracker = _CpuGenerators()
    random._CUDA_RNG_STATE_TRACKER, random._CUDA_RNG_STATE_TRACKER_INITIALIZED = tracker, True
    torch.manual_seed(seed)
    rank = parallel_state.get_tensor_model_parallel_rank()
    for name, offset in _SEED_OFFSETS.items():
        tracker.add(name, seed + offset + (rank if offset else 0))


def keep_heap() -> None:
    """Tell glibc to keep big temporaries in the heap: page faults of fresh memory cost up to 17% of a CPU step."""
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def end_with_launcher() -> None:
    """Ask Linux to end this process when its launcher dies, so that no orphan goes on writing checkpoints."""
    from specialize.launch import LAUNCHER_VARIABLE

    launcher = os.environ.get(LAUNCHER_VARIABLE)
    if launcher is None or sys.platform != "linux":
        return
    parent_death_signal, sigkill = 1, 9
    ctypes.CDLL(None).prctl(parent_death_signal, sigkill, 0, 0, 0)
    if os.getppid() != int(launcher):
        raise SystemExit(f"the launcher, process {launcher}, is gone")


def install_shim() -> None:
    """Answer Megatron's questions to torch.cuda on the CPU; once a process, before any of its objects is made."""
    global _mode
    if _mode is not None:
        return
    for name, value in _cuda_answers().items():
        setattr(torch.cuda, name, value)
    torch.cuda.nvtx.range_push = lambda *_, **__: None
    torch.cuda.nvtx.range_pop = lambda *_, **__: None
    torch.cuda.random.get_rng_state = torch.cuda.get_rng_state  # activation recomputation asks here
    from megatron.core.tensor_parallel import random

    random._set_cuda_rng_state = _set_rng_state  # Megatron's own queues a call that CUDA never runs
    _mode = _CudaOnCpu()
    _mode.__enter__()  # type: ignore[no-untyped-call]


def _set_rng_state(state: torch.Tensor, *_: Any, **__: Any) -> None:
    torch.set_rng_state(state)


def _cuda_answers() -> dict[str, Any]:
    stream = _Stream()
    return {
        "current_device": lambda: _CPU,
        "synchronize": lambda *_, **__: None,
        "empty_cache": lambda: None,
        "current_stream": lambda *_, **__: stream,
        "stream": lambda *_, **__: contextlib.nullcontext(),
        "Stream": _Stream,
        "Event": _Stream,
        "get_rng_state": lambda *_, **__: torch.get_rng_state(),
        "set_rng_state": _set_rng_state,
    }


class _Stream:
    """A stream or event of a device that does everything at once."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *_, **__: self


class _CudaOnCpu(TorchFunctionMode):
    """Maps device "cuda" to the CPU in every torch call, as `torch.set_default_device` does for its own."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.Tensor.cuda:
            return args[0]
        if func is torch.Tensor.type and len(args) == 1 and not kwargs:
            return func(*args).replace("torch.", "torch.cuda.", 1)  # Megatron compares with "torch.cuda.FloatTensor"
        if _is_cuda(kwargs.get("device")):
            kwargs = {**kwargs, "device": _CPU}
        if kwargs.get("pin_memory"):
            kwargs = {**kwargs, "pin_memory": False}
        if func is torch.Tensor.to and len(args) > 1 and _is_cuda(args[1]):
            args = (args[0], _CPU, *args[2:])
        return func(*args, **kwargs)


def _is_cuda(device: Any) -> bool:
    if isinstance(device, torch.device):
        return device.type == "cuda"
    return isinstance(device, str) and device.startswith("cuda")


class _CpuGenerators:
    """Megatron's table of named random states, on the CPU generator."""

    def __init__(self) -> None:
        self._states: dict[str, torch.Tensor] = {}

    def is_initialized(self) -> bool:
        return bool(self._states)

    def reset(self) -> None:
        self._states = {}

    def get_states(self) -> dict[str, torch.Tensor]:
        return dict(self._states)

    def set_states(self, states: dict[str, torch.Tensor]) -> None:
        self._states = states

    def add(self, name: str, seed: int) -> None:
        self._states[name] = torch.Generator().manual_seed(seed).get_state()

    @contextlib.contextmanager
    def fork(self, name: str = "model-parallel-rng") -> Iterator[None]:
        outside = torch.get_rng_state()
        torch.set_rng_state(self._states[name])
        try:
            yield
        finally:
            self._states[name] = torch.get_rng_state()
            torch.set_rng_state(outside)
