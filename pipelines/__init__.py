"""The recipes: what happens, in order.

Type one of

luigi --module pipelines BuildCodeQwen                      CODE-QWEN and CODE-QWEN-CHAT, on this laptop
luigi --module pipelines BuildMathQwen                      MATH-QWEN-CHAT
luigi --module pipelines BuildMathData                      only the math instructions
luigi --module pipelines BuildCodeCorpus                    only the code corpus, as tokens
luigi --module pipelines BuildCodeQwen --recipe qwen-7b     the report's size, on a cluster
python -m pipelines plan BuildCodeQwen --recipe qwen-7b     what that would run and cost, before it does
python -m pipelines status | why STAGE | clean              what exists, what changed, what can go
"""

import importlib.util
import logging
from pathlib import Path

from luigi.configuration import LuigiConfigParser

_HERE = Path(__file__).resolve().parent
_REFUSED_SETTING = "ValueError: luigi.cfg "


def _use_packaged_defaults() -> None:
    """Put our defaults under the user's `luigi.cfg`.

    Luigi reads its own defaults first: no scheduler means a minute's wait, a failed task exits 0. It has no public way
    to add a file *below* the user's (`add_config_path` appends, which would override it); hence the private list.
    """
    paths = LuigiConfigParser._config_paths
    ours = str(_HERE / "defaults.cfg")
    if ours not in paths:
        LuigiConfigParser._config_paths = [ours, *paths]
        if LuigiConfigParser._instance is not None:
            LuigiConfigParser.reload()


def _refuse_shadows() -> None:
    """Refuse to run when another installed package has the name of one of ours."""
    for name in ("corpora", "specialize", "sandbox"):
        spec = importlib.util.find_spec(name)
        found = Path(spec.origin).resolve().parent if spec and spec.origin else None
        if found != _HERE.parent / name:
            raise ImportError(
                f"the package {name!r} is {found}, wanted {_HERE.parent / name}: another package shadows ours; "
                "use a virtual environment of its own, as `make run` does"
            )


class _PlainFailures(logging.Filter):
    """A failed stage and a refused setting say all in their message: Luigi's traceback would only bury it."""

    def filter(self, record: logging.LogRecord) -> bool:
        failure = record.exc_info[1] if record.exc_info else None
        last_line = record.getMessage().rstrip().rpartition("\n")[2]
        if type(failure).__name__ == "StageFailed":
            record.msg, record.args, record.exc_info = f"{failure}", (), None
        elif last_line.startswith(_REFUSED_SETTING):  # here Luigi writes the traceback into the message
            record.msg, record.args = last_line.removeprefix("ValueError: "), ()
        return True


_use_packaged_defaults()
_refuse_shadows()
logging.getLogger("luigi-interface").addFilter(_PlainFailures())

from pipelines.code_qwen import BuildCodeCorpus, BuildCodeQwen  # noqa: E402 - after the defaults
from pipelines.math_qwen import BuildMathData, BuildMathQwen  # noqa: E402

__all__ = ["BuildCodeCorpus", "BuildCodeQwen", "BuildMathData", "BuildMathQwen"]
