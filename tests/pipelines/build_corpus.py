"""Build stages of a recipe that reads the folders of luigi.cfg only, in this process: `build_corpus.py STAGE`."""

import dataclasses
import sys

from pipelines import code_qwen
from pipelines.execute import execute
from pipelines.recipes import code
from pipelines.stage import ancestry


def folders():
    """The tiny recipe on the user's own folders."""
    tiny = code.tiny()
    return dataclasses.replace(
        tiny,
        collect_code=dataclasses.replace(tiny.collect_code, kinds=("folders",), num_shards=6, heldout_fraction=0.0),
    )


if __name__ == "__main__":
    code.CODE["folders"] = folders
    for stage in ancestry(getattr(code_qwen, sys.argv[1])(recipe="folders")):
        if not stage.complete():
            execute(stage)
