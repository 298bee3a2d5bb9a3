"""Commands as Slurm jobs: submitted once, found again, waited for through preemption and requeue, ended together.

Guarantees: a job's name is made from the folder it works for, so a driver that was killed finds its job and attaches; two drivers
of one folder share one job. The call returns only when the job ended well by its own record, which needs no accounting; else
TrainingFailed names rank, node and log with its last lines. Ctrl-C and SIGTERM cancel the job; a driver that loses its own
parent leaves it running, to be attached to. Ranks are tasks of one `srun`, one a rank, and find each other through the
variables that torchrun sets. Before the time limit ranks get SIGUSR1; what then exits with `SAVED_AND_STOPPED` is queued again.
Leaves out heterogeneous jobs. Not yet run on a cluster with GPUs; tested against a real Slurm of two nodes on one machine.
"""

from specialize.slurm.job import Slurm, control_folder, job_name
from specialize.slurm.options import SlurmOptions, read_options

__all__ = ["Slurm", "SlurmOptions", "control_folder", "job_name", "read_options"]
