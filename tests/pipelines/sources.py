"""Small licensed repositories, as a user's folders hold them."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def repository(folder: Path, name: str) -> Path:
    """Write a repository of two files, of which one uses the other and holds an address."""
    folder.mkdir(parents=True)
    (folder / "LICENSE").write_text((ROOT / "corpora" / "fixture" / "h11" / "LICENSE").read_text())
    (folder / "tools.py").write_text("".join(f"def {name}_{n}(value):\n    return value * {n}\n\n" for n in range(9)))
    (folder / "main.py").write_text(f"from tools import {name}_1\n\nprint({name}_1(2))\nMAIL = '{name}@debian.org'\n")
    return folder
