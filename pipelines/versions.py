"""Versions of the packages that a stage runs with: recorded in its manifest, never part of the fingerprint."""

import functools
import importlib.metadata
import platform
from typing import Any

_GRAMMARS = ("bash", "c", "c-sharp", "cpp", "go", "java", "javascript", "php", "python", "ruby", "rust", "typescript")
DECIDE_BYTES = (
    "enry-python",
    "fastokens",
    "google-re2",
    "licenseclassifier",
    "numpy",
    "pyarrow",
    "tokenizers",
    "tree-sitter",
    *(f"tree-sitter-{name}" for name in _GRAMMARS),
)
"""Packages whose version may move bytes of data stages."""
_OTHERS = ("daft", "luigi", "megatron-core", "torch", "transformers")


@functools.cache
def packages() -> dict[str, str]:
    """Give the version of every recorded package that is installed."""
    found = {name: _version(name) for name in sorted((*DECIDE_BYTES, *_OTHERS))}
    return {name: version for name, version in found.items() if version}


def same(manifest: dict[str, Any]) -> bool:
    """Whether an output was made by the Python and the packages of this process, as far as they decide bytes."""
    return bool(manifest["python"] == platform.python_version()) and all(
        manifest["packages"].get(name) == packages().get(name) for name in DECIDE_BYTES
    )


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
