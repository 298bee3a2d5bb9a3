"""Weights under one set of names to weights under another, a tensor at a time.

The table is `names`. What is returned is made at look-up (`tensors.Lazy`), so a conversion needs the memory of one row; what
is missing, left over or of another shape is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from specialize.config import ModelConfig
from specialize.names import HEAD, Dialect, Entry, table
from specialize.tensors import Lazy, State

_EXTRA = "_extra_state"
"""Ending of entries of a Megatron state that hold no weights."""
_FUSED = (
    (".self_attention.linear_qkv.layer_norm_", ".input_layernorm."),
    (".mlp.linear_fc1.layer_norm_", ".pre_mlp_layernorm."),
)
"""Transformer Engine keeps a norm inside the layer that follows it: its name there, and the name in the table."""
_BUFFERS = ("rotary_emb.inv_freq", "attn.masked_bias", "attn.bias")
"""Endings of what old checkpoints keep beside their weights."""


def model_state(model: torch.nn.Module) -> State:
    """Take the weights of a model under the names of the table, whichever layers it is built of."""
    return {plain_name(name): value for name, value in model.state_dict().items() if not name.endswith(_EXTRA)}


def load_state(model: torch.nn.Module, state: State) -> None:
    """Put all weights into a model; one that is missing or left over is refused by name."""
    names = {plain_name(name): name for name in model.state_dict() if not name.endswith(_EXTRA)}
    if different := sorted(names.keys() ^ state.keys()):
        where = "the model" if different[0] in names else "the weights"
        raise ValueError(f"{different[0]!r} is in {where} alone ({len(different)} such names); check model.json")
    model.load_state_dict({names[name]: value for name, value in state.items()}, strict=False)


def plain_name(name: str) -> str:
    """Give the table's name of an entry of a model's state."""
    for fused, plain in _FUSED:
        name = name.replace(fused, plain)
    return name


def to_megatron(state: State, model: ModelConfig, dialect: Dialect = Dialect.HUGGING_FACE) -> State:
    """Rename and join at look-up; a missing or a surplus tensor is refused by name, at once."""
    entries = list(table(model, dialect))
    known = {name for entry in entries for name in entry.names}
    derived = {HEAD.names(dialect)[0]} if model.tie_embeddings else set()
    surplus = sorted(name for name in state.keys() - known - derived if not name.endswith(_BUFFERS))
    missing = sorted(known - state.keys())
    if missing or surplus:
        what = f"lacks {missing[0]!r}" if missing else f"has {surplus[0]!r}, which this architecture does not"
        raise ValueError(f"the checkpoint {what} ({len(missing)} tensors missing, {len(surplus)} too many)")
    return Lazy({entry.ours: _joined(entry, state, model) for entry in entries})


def _joined(entry: Entry, state: State, model: ModelConfig) -> Callable[[], torch.Tensor]:
    return lambda: entry.join(state, model)


def to_hugging_face(state: State, model: ModelConfig, dialect: Dialect = Dialect.HUGGING_FACE) -> State:
    """Split and rename at look-up, into another dialect if asked."""
    rows = _Rows(state, model)
    return Lazy({name: rows.part(entry, name) for entry in table(model, dialect) for name in entry.names})


class _Rows:
    """Splits rows; keeps the parts of the last one, since they are asked for one after the other."""

    def __init__(self, state: State, model: ModelConfig) -> None:
        self._state, self._model = state, model
        self._last: tuple[str, dict[str, torch.Tensor]] = ("", {})

    def part(self, entry: Entry, name: str) -> Callable[[], torch.Tensor]:
        def find() -> torch.Tensor:
            ours, parts = self._last
            if ours != entry.ours:
                self._last = ("", {})  # its memory goes before the next row is made
                del parts
                parts = entry.split(self._state[entry.ours], self._model)
                self._last = (entry.ours, parts) if len(parts) > 1 else ("", {})
            return parts[name]

        return find
