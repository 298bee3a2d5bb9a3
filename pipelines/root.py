"""A root: the name a user types. It needs its goals, writes the run's page and says where everything lies."""

import functools
import json
from pathlib import Path
from typing import Any, ClassVar

import luigi

from pipelines import fingerprint
from pipelines.stage import Stage, ancestry, machine

PAGE = "report.html"


class Root(luigi.Task):
    """Needs the stages it names as goals; its own output is the page of the run."""

    recipe: Any
    goals: ClassVar[tuple[type[Stage], ...]]
    title: ClassVar[str]

    def requires(self) -> list[Stage]:
        """Need the goals."""
        return [goal(recipe=self.recipe) for goal in self.goals]

    @functools.cached_property
    def page(self) -> Path:
        """The page of this very run: its folder is named by the recipe and what was built."""
        built = fingerprint.digest([stage.fingerprint for stage in self.requires()])
        return machine().root / type(self).__name__ / f"{self.recipe}-{built}" / PAGE

    def complete(self) -> bool:
        """Whether the goals are there and the page was written."""
        return self.page.exists() and all(stage.complete() for stage in self.requires())

    def run(self) -> None:
        """Write the page."""
        from pipelines.report import StageRecord, write_report

        stages = ancestry(*self.requires())
        records = [StageRecord(type(stage).__name__, stage.folder, stage.manifest()) for stage in stages]
        self.page.parent.mkdir(parents=True, exist_ok=True)
        write_report(self.page, title=self.title, recipe=self.recipe, stages=records)

    def show(self) -> None:
        """Print the scores before and after, where things lie, and the next command."""
        from pipelines.console import print_results

        stages = ancestry(*self.requires())
        reports = [stage.folder / "report.json" for stage in stages if type(stage).__name__.startswith("Evaluate")]
        scores = json.loads(reports[-1].read_text()) if reports else {}
        places = {type(stage).__name__: str(stage.folder) for stage in self.requires()}
        print_results(
            scores,
            title=f"{self.title} ({self.recipe})",
            locations={**places, "page": str(self.page)},
            next_commands=[f"python -m pipelines status {type(self).__name__} --recipe {self.recipe}"],
        )


@Root.event_handler(luigi.Event.SUCCESS)  # type: ignore[untyped-decorator, no-untyped-call]
@Root.event_handler(luigi.Event.DEPENDENCY_PRESENT)  # type: ignore[untyped-decorator, no-untyped-call]
def _show(task: luigi.Task) -> None:
    if isinstance(task, Root):
        task.show()
