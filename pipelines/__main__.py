"""`python -m pipelines status | plan | why STAGE | clean`: what exists, what would run, why, and what can go."""

import argparse
import sys

import luigi.task_register

import pipelines
from pipelines.root import Root
from pipelines.stage import Stage

ROOTS: dict[str, type[Root]] = {name: getattr(pipelines, name) for name in pipelines.__all__}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code is 0 when it could be answered. A setting that is refused ends it with the reason alone."""
    try:
        _run(_parser().parse_args(arguments))
    except ValueError as error:
        if not str(error).startswith("luigi.cfg "):
            raise
        raise SystemExit(str(error)) from None
    return 0


def _run(options: argparse.Namespace) -> None:
    from pipelines import plan, status

    if options.command == "clean":
        status.clean([make(recipe=name) for make in ROOTS.values() for name in make.recipe.names], delete=options.yes)
        return
    root = ROOTS[options.root](recipe=options.recipe)
    if options.command == "status":
        status.show_status(root)
    elif options.command == "plan":
        plan.show_plan(root)
    else:
        status.show_why(_stage(options.stage, root))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m pipelines", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("status", "what exists of a run, stage by stage"),
        ("plan", "what would run: rows, tokens, steps, GPU-hours, cost"),
        ("why", "which field or source makes a stage new"),
        ("clean", "list partial and unreachable outputs; --yes deletes them"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        if name == "why":
            command.add_argument("stage", help="name of a stage, such as DropNearDuplicates")
        elif name == "clean":
            command.add_argument("--yes", action="store_true", help="delete what is listed")
        if name in ("status", "plan"):
            command.add_argument("root", nargs="?", default="BuildCodeQwen", choices=ROOTS, help="what to build")
        elif name == "why":
            command.add_argument("--root", default="BuildCodeQwen", choices=ROOTS, help="the run it belongs to")
        if name != "clean":
            command.add_argument("--recipe", default="laptop", help="name of the recipe (default: laptop)")
    return parser


def _stage(name: str, root: Root) -> Stage:
    try:
        kind = luigi.task_register.Register.get_task_cls(name)
    except luigi.task_register.TaskClassNotFoundException:
        kind = None
    if not isinstance(kind, type) or not issubclass(kind, Stage) or not hasattr(kind, "build"):
        known = sorted(task for task in luigi.task_register.Register.task_names() if _is_stage(task))
        raise SystemExit(f"no stage is called {name!r}; choose {', '.join(known)}")
    return kind(recipe=root.recipe)


def _is_stage(name: str) -> bool:
    kind = luigi.task_register.Register.get_task_cls(name)
    return isinstance(kind, type) and issubclass(kind, Stage) and hasattr(kind, "build")


if __name__ == "__main__":
    sys.exit(main())
