"""A Megatron checkpoint written and read a tensor at a time, so that 14B parameters convert in the memory of a few rows.

`checkpoint.save_weights` needs the whole model, its copy and the writer's copy. Here the model is a skeleton without
memory: it says under which names and cuts Megatron stores each weight, torch's checkpoint writer asks for one after the
other, and each is made when it is asked for. What is written is what `checkpoint.load_weights` reads in any layout.
One process, all weights; optimizer state is training's. Measured: `docs/models.md`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from megatron.core.dist_checkpointing.core import CheckpointingConfig, save_config
from megatron.core.dist_checkpointing.mapping import ShardedObject, ShardedTensor, ShardedTensorFactory
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.default_planner import create_default_global_save_plan
from torch.distributed.checkpoint.filesystem import FileSystemReader, FileSystemWriter
from torch.distributed.checkpoint.metadata import ChunkStorageMetadata, Metadata, MetadataIndex, TensorProperties
from torch.distributed.checkpoint.planner import (
    BytesIOWriteData,
    LoadPlan,
    LoadPlanner,
    ReadItem,
    SavePlan,
    SavePlanner,
    TensorWriteData,
    WriteItem,
    WriteItemType,
)
from torch.distributed.checkpoint.planner_helpers import create_read_items_for_chunk_list
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save

from corpora import progress
from specialize.checkpoint import CHECKPOINT
from specialize.config import ModelConfig
from specialize.convert import plain_name
from specialize.model import build_skeleton
from specialize.tensors import Lazy, State

_METADATA = {
    "distrib_optim_sharding_type": "fully_reshardable",
    "singleton_local_shards": False,
    "chained_optim_avoid_prefix": True,
}
"""As `checkpoint` writes."""


def write_checkpoint(folder: Path, model: ModelConfig, state: State, dtype: torch.dtype) -> None:
    """Write `folder/checkpoint` from tensors under Megatron's names; needs a process group, as Megatron does."""
    target = folder / CHECKPOINT
    partial = target.with_name(f"{CHECKPOINT}.partial")
    for old in (partial, target):
        shutil.rmtree(old, ignore_errors=True)
    partial.mkdir(parents=True)
    writer, planner = FileSystemWriter(partial, thread_count=1), _Planner(model, state, dtype)
    with _first_cause():
        save({}, storage_writer=writer, planner=planner, no_dist=True)
    torch.save({"content_metadata": dict(_METADATA)}, partial / "common.pt")
    save_config(CheckpointingConfig("torch_dist", 1), str(partial))
    partial.rename(target)


def read_checkpoint(folder: Path, model: ModelConfig) -> State:
    """Give the tensors of `folder/checkpoint` under Megatron's names, each read at its look-up in its own type."""
    path = folder / CHECKPOINT
    if not path.is_dir():
        raise ValueError(f"{folder} holds no weights: {CHECKPOINT}/ is missing; name a base or a training output")
    reader = FileSystemReader(path)
    stored = reader.read_metadata().state_dict_metadata
    return Lazy({name: _reading(reader, entry, stored) for name, entry in _rows(model)[0].items()})


@contextlib.contextmanager
def _first_cause() -> Iterator[None]:
    """Let out what went wrong, not torch's list of ranks and tracebacks; nor its notice that one process is enough."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="torch.distributed is disabled")
            yield
    except CheckpointException as error:
        cause, _ = next(iter(error.failures.values()))
        raise cause from None


def _rows(model: ModelConfig) -> tuple[dict[str, Any], list[ShardedObject]]:
    """How Megatron stores each weight of the model, under the names of the table; and what it stores beside them."""
    entries = build_skeleton(model).sharded_state_dict(metadata=dict(_METADATA))
    kinds = (ShardedTensor, ShardedTensorFactory)
    weights = {plain_name(name): entry for name, entry in entries.items() if isinstance(entry, kinds)}
    return weights, [entry for entry in entries.values() if isinstance(entry, ShardedObject)]


def _reading(reader: Any, entry: Any, stored: dict[str, Any]) -> Callable[[], torch.Tensor]:
    def read() -> torch.Tensor:
        if entry.key not in stored:
            raise ValueError(f"{reader.path} has no {entry.key!r}; is model.json that of this checkpoint?")
        tensor = torch.empty(entry.data.shape, dtype=stored[entry.key].properties.dtype)
        _check_shape(reader.path, next(_chunks(entry, entry.data)), stored[entry.key].size)
        filler = _Filler(list(_chunks(entry, tensor)))
        with _first_cause():
            load({}, storage_reader=reader, planner=filler, no_dist=True)
        return tensor

    return read


def _check_shape(path: Path, chunk: Any, stored: torch.Size) -> None:
    if tuple(stored) != tuple(chunk.global_shape):
        raise ValueError(
            f"{path} has {chunk.key!r} of the shape {list(stored)}, model.json says {list(chunk.global_shape)}"
        )


def _chunks(entry: Any, data: torch.Tensor) -> Iterator[Any]:
    """Cut a weight as Megatron stores it: whole, or gate and up apart."""
    if isinstance(entry, ShardedTensorFactory):
        yield from dataclasses.replace(entry, data=data).build()
    else:
        yield dataclasses.replace(entry, data=data, dtype=data.dtype)


class _Filler(LoadPlanner):
    """Fills chunks, which are views of one tensor, from whatever cuts the checkpoint has."""

    def __init__(self, chunks: list[Any]) -> None:
        self._chunks = {MetadataIndex(chunk.key, torch.Size(chunk.global_offset)): chunk for chunk in chunks}

    def set_up_planner(self, state_dict: Any, metadata: Metadata | None = None, is_coordinator: bool = False) -> None:  # noqa: FBT001, FBT002, ARG002
        """Take what the checkpoint has."""
        assert metadata is not None
        self._stored: dict[str, Any] = metadata.state_dict_metadata

    def create_local_plan(self) -> LoadPlan:
        """Ask for the parts of every chunk."""
        items: list[ReadItem] = []
        for index, chunk in self._chunks.items():
            wanted = _item(chunk).tensor_data
            assert wanted is not None
            items += create_read_items_for_chunk_list(index.fqn, self._stored[index.fqn], [wanted.chunk])
        return LoadPlan(items)

    def create_global_plan(self, global_plan: list[LoadPlan]) -> list[LoadPlan]:
        """Read as planned."""
        return global_plan

    def finish_plan(self, central_plan: LoadPlan) -> LoadPlan:
        """Read as planned."""
        return central_plan

    def load_bytes(self, read_item: ReadItem, value: io.BytesIO) -> None:
        """Take no objects: none was asked for."""

    def resolve_tensor(self, read_item: ReadItem) -> torch.Tensor:
        """Give the place of one part."""
        chunk = self._chunks[dataclasses.replace(read_item.dest_index, index=None)]
        part = _shaped(chunk)
        for axis, (start, length) in enumerate(zip(read_item.dest_offsets, read_item.lengths, strict=True)):
            part = part.narrow(axis, start, length)
        return part

    def commit_tensor(self, read_item: ReadItem, tensor: torch.Tensor) -> None:
        """Have it: it was read into its place."""


class _Planner(SavePlanner):
    """Plans from the skeleton, resolves from the state: torch's writer asks for one item after the other."""

    def __init__(self, model: ModelConfig, state: State, dtype: torch.dtype) -> None:
        rows, objects = _rows(model)
        if different := sorted(rows.keys() ^ state.keys()):
            raise ValueError(f"{different[0]!r} is in the model or in the weights alone; check model.json")
        self._rows, self._state, self._dtype = rows, state, dtype
        self._places: dict[MetadataIndex, tuple[str, int]] = {}
        self._written = 0
        self._objects = {MetadataIndex(entry.unique_key): _pickled(entry) for entry in objects}

    def set_up_planner(self, state_dict: Any, storage_meta: Any = None, is_coordinator: bool = False) -> None:  # noqa: FBT001, FBT002
        """Take nothing: what is written was given."""

    def create_local_plan(self) -> SavePlan:
        """List all chunks of all weights, and Megatron's empty extra states, without which it does not load."""
        sizes = {index: len(content) for index, content in self._objects.items()}
        items = [WriteItem(index, WriteItemType.BYTE_IO, BytesIOWriteData(size)) for index, size in sizes.items()]
        for name, entry in self._rows.items():
            for place, chunk in enumerate(_chunks(entry, entry.data.to(self._dtype))):
                item = _item(chunk)
                self._places[item.index] = (name, place)
                items.append(item)
        return SavePlan(items)

    def create_global_plan(self, all_plans: list[SavePlan]) -> tuple[list[SavePlan], Metadata]:
        """Add what a reader needs to find them."""
        return create_default_global_save_plan(all_plans)

    def finish_plan(self, new_plan: SavePlan) -> SavePlan:
        """Write as planned."""
        return new_plan

    def resolve_data(self, write_item: WriteItem) -> torch.Tensor | io.BytesIO:
        """Make the tensor of one chunk."""
        index = dataclasses.replace(write_item.index, index=None)
        if index in self._objects:
            return io.BytesIO(self._objects[index])
        self._written += 1
        progress.report(self._written, len(self._places), "weights of the checkpoint")
        name, place = self._places[index]
        tensor = self._state[name].detach().cpu().to(self._dtype)
        chunk = list(_chunks(self._rows[name], tensor))[place]
        return _shaped(chunk)


def _pickled(entry: ShardedObject) -> bytes:
    stream = io.BytesIO()
    torch.save([entry.data], stream)
    return stream.getvalue()


def _shaped(chunk: Any) -> torch.Tensor:
    tensor: torch.Tensor = chunk.data
    return tensor.view((1,) * chunk.prepend_axis_num + tuple(chunk.local_shape))


def _item(chunk: Any) -> WriteItem:
    offset, shape = (
        torch.Size(chunk.global_offset),
        torch.Size((1,) * chunk.prepend_axis_num + tuple(chunk.local_shape)),
    )
    return WriteItem(
        index=MetadataIndex(chunk.key, offset),
        type=WriteItemType.SHARD,
        tensor_data=TensorWriteData(
            chunk=ChunkStorageMetadata(offsets=offset, sizes=shape),
            properties=TensorProperties(dtype=chunk.data.dtype),
            size=torch.Size(chunk.global_shape),
        ),
    )
