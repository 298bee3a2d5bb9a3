"""What a person reads in the terminal when a run ends: scores before and after, where things lie, what to type next."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipelines.scores import Cell, ScoreTable, score_table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text


def print_results(
    evaluation_report: Mapping[str, Any],
    *,
    title: str,
    locations: Mapping[str, str],
    next_commands: Sequence[str],
    console: "Console | None" = None,
) -> None:
    """Print the end of a run; without scores (a run that builds data only) the table is left out."""
    from rich.console import Console
    from rich.text import Text

    console = console or Console()
    scores = score_table(evaluation_report)
    console.print()
    console.print(_table(scores, title) if scores.rows else Text(title, style="bold"))
    width = max(map(len, locations), default=0)
    for name, place in locations.items():
        console.print(Text(f"{name:<{width}}  {place}"), soft_wrap=True)
    for command in next_commands:
        console.print(Text.assemble(("Next: ", "bold"), command), soft_wrap=True)


def _table(scores: ScoreTable, title: str) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for model in scores.models:
        table.add_column(Text(model), justify="right")
    for row in scores.rows:
        label = Text(row.label)
        if row.hint:
            label.append(f"\n{row.hint}", style="dim")
        table.add_row(label, *(_cell(cell) for cell in row.cells))
    return table


def _cell(cell: Cell | None) -> "Text":
    from rich.text import Text

    if cell is None:
        return Text("\N{EN DASH}", style="dim")
    text = Text(cell.text, style="bold")
    if cell.change:
        style = "not bold dim" if cell.is_better is None else "green" if cell.is_better else "red"
        text.append(f"\n{cell.change}", style=style)
    text.append("".join(f"\n{detail}" for detail in cell.details), style="not bold dim")
    return text
