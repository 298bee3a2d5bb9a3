"""Streaming: the checkpoint is Megatron's own to the metadata, nothing is held, errors name their cause; safetensors."""

import json
import weakref
from dataclasses import replace

import pytest
import torch

from specialize import convert, names
from specialize.checkpoint import load_weights, save_weights
from specialize.config import Architecture
from specialize.model import build_model, build_skeleton
from specialize.streaming import read_checkpoint, write_checkpoint
from specialize.tensors import Lazy, SafetensorsFolder, write_safetensors
from tests.specialize.conftest import MODEL

UNTIED = replace(MODEL, tie_embeddings=False)
SHAPES = {
    "tied": MODEL,
    "untied": UNTIED,
    "qwen3": replace(MODEL, architecture=Architecture.QWEN3, qkv_bias=False, head_dim=16),
}


def metadata(folder):
    from torch.distributed.checkpoint import FileSystemReader

    return FileSystemReader(folder / "checkpoint").read_metadata().state_dict_metadata


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_checkpoint_is_what_megatron_writes(process, tmp_path, shape):
    """Same names, cuts, types and objects; each reads what the other wrote, bit for bit."""
    model = build_model(shape)
    state = convert.model_state(model)
    save_weights(tmp_path / "theirs", model)
    write_checkpoint(tmp_path / "ours", shape, state, torch.float32)
    assert metadata(tmp_path / "ours") == metadata(tmp_path / "theirs")
    read = build_model(shape)
    load_weights(tmp_path / "ours", read)
    assert all(one.equal(other) for one, other in zip(read.parameters(), model.parameters(), strict=True))
    for folder in ("ours", "theirs"):
        found = read_checkpoint(tmp_path / folder, shape)
        assert found.keys() == state.keys()
        assert all(found[name].equal(state[name]) for name in state)


def test_bf16_weights_stay_bf16_on_disk_and_load_into_fp32(process, tmp_path):
    state = {name: value.bfloat16() for name, value in convert.model_state(build_model(UNTIED)).items()}
    write_checkpoint(tmp_path, UNTIED, state, torch.bfloat16)
    model = build_model(UNTIED)
    load_weights(tmp_path, model)
    assert all(value.dtype is torch.float32 for value in model.parameters())
    assert all(value.equal(state[name].float()) for name, value in convert.model_state(model).items())
    assert read_checkpoint(tmp_path, UNTIED)["output_layer.weight"].equal(state["output_layer.weight"])


def test_one_row_is_in_memory_at_a_time(process, tmp_path):
    """Of all tensors that were made, at most those of one row are alive while the next is made."""
    alive: list[weakref.ref] = []
    most = 0

    def make(shape):
        def made():
            nonlocal most
            most = max(most, sum(reference() is not None for reference in alive))
            tensor = torch.ones(shape)
            alive.append(weakref.ref(tensor))
            return tensor

        return made

    source = Lazy({name: make(shape) for name, shape in names.shapes_of(UNTIED).items()})
    there = convert.to_megatron(source, UNTIED)
    write_checkpoint(tmp_path, UNTIED, there, torch.float32)
    write_safetensors(
        tmp_path, convert.to_hugging_face(there, UNTIED), names.shapes_of(UNTIED), torch.bfloat16
    )  # fmt: skip
    assert len(alive) > 2 * len(source) - 1
    assert most <= 3


def test_a_skeleton_has_no_memory(process):
    huge = replace(MODEL, num_layers=3, hidden_size=8192, ffn_hidden_size=65536, head_dim=2048, vocab_size=150_000)
    assert {value.device.type for value in build_skeleton(huge).parameters() if value.dim() > 1} == {"meta"}


def test_what_is_wrong_is_named(process, tmp_path):
    state = convert.model_state(build_model(UNTIED))
    with pytest.raises(ValueError, match=r"'output_layer\.weight' is in the model or in the weights alone"):
        write_checkpoint(tmp_path, UNTIED, {k: v for k, v in state.items() if "output" not in k}, torch.float32)
    with pytest.raises(ValueError, match=r"checkpoint/ is missing; name a base"):
        read_checkpoint(tmp_path / "nothing", UNTIED)
    source = dict(convert.to_hugging_face(state, UNTIED)) | {"model.layers.1.mlp.down_proj.weight": torch.ones(2, 2)}
    with pytest.raises(ValueError, match=r"down_proj\.weight' has the shape \[2, 2\], its config says \[32, 64\]"):
        write_checkpoint(tmp_path, UNTIED, convert.to_megatron(source, UNTIED), torch.float32)
    assert not (tmp_path / "checkpoint").exists()
    write_checkpoint(tmp_path, UNTIED, state, torch.float32)
    larger = replace(UNTIED, ffn_hidden_size=80)
    with pytest.raises(
        ValueError, match=r"linear_fc1\.weight' of the shape \[2, 128, 32\], model\.json says \[2, 160, 32\]"
    ):
        dict(read_checkpoint(tmp_path, larger))


def test_safetensors_are_what_the_library_reads(tmp_path, monkeypatch):
    from safetensors.torch import load_file

    state = {"b.weight": torch.randn(3, 5), "a": torch.randn(7), "c": torch.randn(2, 2)}
    shapes = {name: tuple(value.shape) for name, value in state.items()}
    for dtype in (torch.float32, torch.bfloat16):
        write_safetensors(tmp_path, state, shapes, dtype)
        found = load_file(str(tmp_path / "model.safetensors"))
        assert list(found) == list(state) or found.keys() == state.keys()
        assert all(found[name].equal(state[name].to(dtype)) for name in state)
        assert SafetensorsFolder.open(tmp_path).dtype is dtype
    (tmp_path / "shards").mkdir()
    monkeypatch.setattr("specialize.tensors.SHARD_BYTES", 70)
    write_safetensors(tmp_path / "shards", state, shapes, torch.float32)
    index = json.loads((tmp_path / "shards" / "model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == sum(value.nbytes for value in state.values())
    assert sorted(index["weight_map"].values()) == [f"model-0000{n}-of-00002.safetensors" for n in (1, 2, 2)]
    again = SafetensorsFolder.open(tmp_path / "shards").tensors()
    assert all(again[name].equal(state[name]) for name in state)


def test_weights_of_several_kinds(tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.ones(2), "b": torch.ones(2).bfloat16()}, str(tmp_path / "1.safetensors"))
    assert SafetensorsFolder.open(tmp_path).dtype is torch.float32
    save_file({"c": torch.ones(2).half()}, str(tmp_path / "2.safetensors"))
    assert SafetensorsFolder.open(tmp_path).tensors().keys() == {"a", "b", "c"}
    save_file({"a": torch.ones(2)}, str(tmp_path / "3.safetensors"))
    with pytest.raises(ValueError, match=r"3\.safetensors has 'a', and so has 1\.safetensors; keep one set"):
        SafetensorsFolder.open(tmp_path)
    save_file({"q": torch.ones(2, dtype=torch.int8)}, str(tmp_path / "3.safetensors"))
    with pytest.raises(ValueError, match=r"has 'q' in I8; this product reads F32, BF16, F16: give the checkpoint that"):
        SafetensorsFolder.open(tmp_path)
