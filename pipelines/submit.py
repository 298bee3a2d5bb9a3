"""`python -m pipelines.submit STAGE RECIPE FINGERPRINT`: the body of one stage as a job of the cluster, waited for here.

What runs there is `pipelines.execute` with the same words, in this folder and environment; its log is the stage's log. Killed
and started again, this finds the job that is under way.
"""

import sys

import luigi.task_register

import pipelines  # noqa: F401 - registers the stages
from pipelines.execute import end_with_parent
from pipelines.stage import LOG, machine
from specialize import TrainingFailed


def main(arguments: list[str]) -> int:
    """Submit the stage and wait for it; what went wrong is already in the stage's log, and who says so is added."""
    name, recipe, _ = arguments
    end_with_parent()
    stage = luigi.task_register.Register.get_task_cls(name)(recipe=recipe)
    try:
        machine().make_launcher(stage.place).run("pipelines.execute", arguments, ranks=1, log=stage.partial / LOG)
    except TrainingFailed as failure:
        print(str(failure).splitlines()[0], flush=True)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
