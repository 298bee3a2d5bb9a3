"""Ray for the data engine: joined where luigi.cfg names a cluster, else started on this machine for this process alone.

Workers find the code under the same path as the driver, by PYTHONPATH: on a cluster the checkout, like the store, lies in a
shared folder, or the package is installed. What Ray starts here listens to nobody else, and leaves no process and no file.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent
_LONGEST_FOLDER = 30
"""Bytes: the names of Ray's sockets add some 75 to it, and Linux allows 107."""


@functools.cache
def use_ray(address: str | None, workers: int) -> None:
    """Let Daft work on Ray, once a process."""
    try:
        import ray
    except ModuleNotFoundError:
        raise ValueError("luigi.cfg [engine] runner = ray needs Ray: pip install 'qwen-specialize[ray]'") from None
    import daft

    place: dict[str, Any] = {"address": address} if address else _local(workers)
    paths = [str(_ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    environment = {"PYTHONPATH": os.pathsep.join(paths), "DAFT_PROGRESS_BAR": "0"}
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is sent to anybody
    ray.init(**place, runtime_env={"env_vars": environment}, logging_level="ERROR")
    daft.set_runner_ray(address, noop_if_initialized=True)


def _local(workers: int) -> dict[str, Any]:
    """Settings of a Ray of this process: as many slots as workers, no dashboard, a folder of its own that goes with it."""
    short = len(tempfile.gettempdir()) <= _LONGEST_FOLDER
    folder = tempfile.mkdtemp(prefix="ray-", dir=None if short else "/tmp")
    atexit.register(_stop, folder)
    return {"num_cpus": workers, "include_dashboard": False, "_temp_dir": folder}


def _stop(folder: str) -> None:
    import ray

    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)
