"""What several tests share: a run of the product as its user starts it, in a folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("ci", max_examples=50, deadline=None)
settings.register_profile("long", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


class Workplace:
    """A folder with a luigi.cfg and a store, and the command line in it."""

    def __init__(self, folder: Path, *, workers: int = 1, extra: str = "") -> None:
        self.folder = folder
        self.store = folder / "runs"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "luigi.cfg").write_text(f"[store]\nroot = runs\n[engine]\nworkers = {workers}\n{extra}")

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "luigi", "--module", "pipelines", *arguments]

    def luigi(self, *arguments: str, check: bool = True, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        return self.run(*self.command(*arguments), check=check, timeout=timeout)

    def pipelines(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "pipelines", *arguments, check=check)

    def run(self, *command: str, check: bool = True, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=timeout, check=False)
        if check and result.returncode:
            pytest.fail(f"{' '.join(command)} exited with {result.returncode}:\n{result.stdout}\n{result.stderr}")
        return result


@pytest.fixture
def workplace(tmp_path):
    return Workplace(tmp_path / "a workplace")
