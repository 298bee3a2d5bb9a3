"""Tensors by name, one at a time: read from safetensors, written to safetensors, made when they are asked for.

A conversion that takes one tensor after the other needs the memory of the largest of them, not of the model. `Lazy` is
a mapping whose values are made at each look-up and kept by nobody; all directions of a conversion are such mappings.
Only safetensors are read: a header and bytes, no code. The format is that of huggingface/safetensors: the length of the
header, the header as JSON, the bytes of the tensors in its order.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from corpora import progress

State = Mapping[str, torch.Tensor]
Shape = tuple[int, ...]
SHARD_BYTES = 5_000_000_000
"""As transformers writes; loaders take a file at a time."""
_INDEX = "model.safetensors.index.json"
_CODES = {torch.float32: "F32", torch.bfloat16: "BF16"}
_READ = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float32}
"""What is read, and the type that holds every value of it; both are what Megatron trains from."""


class Lazy(Mapping[str, torch.Tensor]):
    """Tensors that are made when they are looked up."""

    def __init__(self, made: Mapping[str, Callable[[], torch.Tensor]]) -> None:
        self._made = made

    def __getitem__(self, name: str) -> torch.Tensor:
        return self._made[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


@dataclass(frozen=True)
class SafetensorsFolder:
    """The safetensors of a folder, single or in shards: where each tensor is, and one type for all."""

    files: Mapping[str, Path]
    dtype: torch.dtype
    """BF16 where all tensors are, else FP32."""

    @classmethod
    def open(cls, folder: Path) -> SafetensorsFolder:
        """Read the headers; a missing shard, a name in two files or weights of another kind are refused."""
        files: dict[str, Path] = {}
        kinds: set[torch.dtype] = set()
        for path in _paths(folder):
            for name, code in _header(path).items():
                if name in files:
                    raise ValueError(f"{path} has {name!r}, and so has {files[name].name}; keep one set of weights")
                if code not in _READ:
                    raise ValueError(
                        f"{path} has {name!r} in {code}; this product reads {', '.join(_READ)}: "
                        "give the checkpoint that the quantised one was made from"
                    )
                files[name] = path
                kinds.add(_READ[code])
        return cls(files, kinds.pop() if len(kinds) == 1 else torch.float32)

    def tensors(self) -> State:
        """Read each tensor at its look-up, from a file that is opened for it alone."""
        return Lazy({name: _reader(path, name) for name, path in self.files.items()})


def _reader(path: Path, name: str) -> Callable[[], torch.Tensor]:
    def read() -> torch.Tensor:
        from safetensors import safe_open

        with safe_open(str(path), framework="pt") as file:
            tensor: torch.Tensor = file.get_tensor(name)
        return tensor

    return read


def _header(path: Path) -> dict[str, str]:
    """Read the types of the tensors by name; a file that is cut off or foreign is refused."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as file:
            return {name: str(file.get_slice(name).get_dtype()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is not a whole safetensors file ({error}); get it again") from None


def _paths(folder: Path) -> list[Path]:
    index = folder / _INDEX
    if index.is_file():
        names = sorted(set(json.loads(index.read_text())["weight_map"].values()))
        paths = [folder / Path(name).name for name in names]
        if missing := [path for path in paths if not path.is_file()]:
            raise ValueError(f"{missing[0]} is not there ({len(missing)} of {len(paths)} shards missing); get it again")
        return paths
    paths = sorted(folder.glob("*.safetensors"))
    if paths:
        return paths
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in (".bin", ".pt", ".pth", ".ckpt"))
    found = f"only {pickles[0]}, a pickle, which can run code when it is read" if pickles else "no weights at all"
    raise ValueError(
        f"{folder} has no .safetensors file: {found}; where you trust it, write it again with transformers: "
        "model.save_pretrained(FOLDER, safe_serialization=True)"
    )


def write_safetensors(folder: Path, state: State, shapes: Mapping[str, Shape], dtype: torch.dtype) -> None:
    """Write tensors in the order of `shapes`, as one file or as shards with an index; holds one tensor at a time."""
    groups = _groups(shapes, dtype.itemsize)
    if len(groups) == 1:
        _write_file(folder / "model.safetensors", state, groups[0], dtype)
        return
    names = [f"model-{index:05d}-of-{len(groups):05d}.safetensors" for index in range(1, len(groups) + 1)]
    for name, group in zip(names, groups, strict=True):
        _write_file(folder / name, state, group, dtype)
    places = {tensor: name for name, group in zip(names, groups, strict=True) for tensor in group}
    total = sum(math.prod(shape) for shape in shapes.values()) * dtype.itemsize
    content = {"metadata": {"total_size": total}, "weight_map": places}
    (folder / _INDEX).write_text(json.dumps(content, indent=1) + "\n")


def _groups(shapes: Mapping[str, Shape], itemsize: int) -> list[dict[str, Shape]]:
    groups: list[dict[str, Shape]] = [{}]
    size = 0
    for name, shape in shapes.items():
        nbytes = math.prod(shape) * itemsize
        if groups[-1] and size + nbytes > SHARD_BYTES:
            groups.append({})
            size = 0
        groups[-1][name] = shape
        size += nbytes
    return groups


def _write_file(path: Path, state: State, shapes: Mapping[str, Shape], dtype: torch.dtype) -> None:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    place = 0
    for name, shape in shapes.items():
        end = place + math.prod(shape) * dtype.itemsize
        header[name] = {"dtype": _CODES[dtype], "shape": list(shape), "data_offsets": [place, end]}
        place = end
    content = json.dumps(header, separators=(",", ":")).encode()
    content += b" " * (-len(content) % 8)  # tensors begin at a multiple of eight
    with path.open("wb") as stream:
        stream.write(len(content).to_bytes(8, "little") + content)
        for done, (name, shape) in enumerate(shapes.items()):
            progress.report(done, len(shapes), f"tensors of {path.name}")
            tensor = state[name].detach().cpu().to(dtype).contiguous()
            if tuple(tensor.shape) != shape:
                raise ValueError(f"{name!r} has the shape {list(tensor.shape)}, and model.json says {list(shape)}")
            stream.write(tensor.flatten().view(torch.uint8).numpy().data)
