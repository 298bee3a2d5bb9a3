"""The job as sbatch sees it: its options, and the script that starts one task a rank."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from specialize import SAVED_AND_STOPPED
from specialize.slurm.options import SlurmOptions


def sbatch_options(options: SlurmOptions, ranks: int) -> list[str]:
    """List the options of sbatch for so many ranks."""
    nodes, ranks_per_node = options.nodes(ranks)
    named: Mapping[str, object] = {
        "account": options.account,
        "partition": options.partition,
        "qos": options.qos,
        "time": options.time,
        "mem": options.memory,
        "cpus-per-task": options.cpus_per_task,
        "gres": f"{options.gpu}:{ranks_per_node}" if options.gpu else "",
    }
    return [
        f"--nodes={nodes}",
        f"--ntasks-per-node={ranks_per_node}",
        "--requeue",
        "--open-mode=append",
        f"--signal=USR1@{options.warning_seconds}",
        *(f"--{name}={value}" for name, value in named.items() if value),
        *(line.strip() for line in options.options.splitlines() if line.strip()),
    ]


def job_script(options: SlurmOptions, command: Sequence[str], *, ranks: int, log: Path, folder: Path) -> str:
    """Write the job: its exit code goes to a file, since Slurm may forget it."""
    container = [f"--container-image={options.container}"] if options.container else []
    if options.container and options.container_mounts:
        container.append(f"--container-mounts={options.container_mounts}")
    words = f"{options.prefix} {shlex.join([options.python, '-m', *command])}".strip()
    srun = shlex.join(["srun", "--kill-on-bad-exit=1", f"--ntasks={ranks}", *container, "bash", "-c"])
    return f"""#!/bin/bash
{options.setup}
cd {shlex.quote(str(Path.cwd()))}
folder={shlex.quote(str(folder))}
rm -f "$folder"/failed.* "$folder"/exit "$folder"/stopped
echo "job $SLURM_JOB_ID, start $((${{SLURM_RESTART_COUNT:-0}} + 1)), on $SLURM_JOB_NODELIST, $(date -u +%FT%TZ)"
export WORLD_SIZE={ranks} MASTER_PORT=$((20000 + (SLURM_JOB_ID * 7 + ${{SLURM_RESTART_COUNT:-0}}) % 20000)) PYTHONUNBUFFERED=1
{srun} {shlex.quote(_rank(words, log, folder))}
code=$?
if [ $code = 0 ] && [ -e "$folder/stopped" ]; then
  scontrol requeue "$SLURM_JOB_ID" && exit 0
  code={SAVED_AND_STOPPED}
fi
echo $code > "$folder/exit.tmp" && mv "$folder/exit.tmp" "$folder/exit"
exit $code
"""


def _rank(words: str, log: Path, folder: Path) -> str:
    """Write what each task runs: a failed rank leaves its node and code; the shell outlives signals meant for the rank.

    A rank that saved and stopped ends with 0 for srun, which would otherwise kill those that are still saving.
    """
    return f"""trap : USR1 TERM
export RANK=$SLURM_PROCID LOCAL_RANK=$SLURM_LOCALID LOCAL_WORLD_SIZE=${{SLURM_NTASKS_PER_NODE:-1}}
export MASTER_ADDR=$SLURM_LAUNCH_NODE_IPADDR OMP_NUM_THREADS=${{OMP_NUM_THREADS:-${{SLURM_CPUS_PER_TASK:-1}}}}
log={shlex.quote(str(log))}
[ $RANK = 0 ] || log={shlex.quote(str(log.with_suffix("")))}.$RANK{log.suffix}
{words} >> "$log" 2>&1
code=$?
if [ $code = {SAVED_AND_STOPPED} ]; then touch {shlex.quote(str(folder))}/stopped; exit 0; fi
[ $code = 0 ] || echo "$SLURMD_NODENAME $code" > {shlex.quote(str(folder))}/failed.$RANK
exit $code"""
