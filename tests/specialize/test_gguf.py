"""GGUF: tensors come back in Hugging Face's order and names, the tokenizer encodes, and what cannot be read is named."""

import numpy as np
import pytest
import torch

from specialize import convert, names
from specialize.config import Architecture, ModelConfig
from specialize.gguf import GgufFile

gguf = pytest.importorskip("gguf")
VALUES = {
    "num_layers": 2,
    "hidden_size": 32,
    "ffn_hidden_size": 64,
    "num_attention_heads": 4,
    "head_dim": 8,
    "vocab_size": 259,
    "max_position_embeddings": 64,
    "rotary_base": 50_000.0,
    "norm_epsilon": 1e-5,
}
SHAPE = ModelConfig(**VALUES, architecture=Architecture.LLAMA, num_query_groups=2, qkv_bias=False, tie_embeddings=True)
NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def permuted(weight, heads):
    """The rows as llama.cpp's convert_hf_to_gguf.py orders them: halves of a head to pairs of neighbours."""
    shape = weight.shape
    return weight.reshape(heads, 2, shape[0] // heads // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


def hugging_face_state():
    random = np.random.default_rng(3)
    sizes = {"q": (32, 32), "k": (16, 32), "v": (16, 32), "o": (32, 32)}
    state = {"model.embed_tokens.weight": (259, 32), "model.norm.weight": (32,)}
    for layer in range(2):
        for name in NAMES:
            kind = name.split(".")[-1].removesuffix("_proj")
            size = sizes.get(kind) or {"gate": (64, 32), "up": (64, 32), "down": (32, 64)}.get(kind, (32,))
            state[f"model.layers.{layer}.{name}.weight"] = size
    return {name: random.standard_normal(size).astype(np.float32) for name, size in state.items()}


def write(path, state, *, architecture="llama", pre="smollm", groups=2, ffn=64, named=False, padding=0, **values):
    from tokenizers.pre_tokenizers import ByteLevel

    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(2)
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(ffn)
    writer.add_head_count(4)
    writer.add_head_count_kv(groups)
    writer.add_rope_freq_base(50_000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    tokens = ["<|endoftext|>", *sorted(ByteLevel.alphabet()), "ab", "abc"]
    tokens += [f"[PAD{index}]" for index in range(padding)]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([3, *[1] * 258, *[5] * padding])
    writer.add_token_merges(["a b", "ab c"])
    for key, value in values.items():
        writer.add_string(key.replace("__", "."), value)
    for name, value in state.items():
        if named:
            writer.add_tensor(name, value)
            continue
        parts = name.split(".")
        ours = {"embed_tokens": "token_embd", "norm": "output_norm"}.get(parts[1])
        if parts[1] == "layers":
            ours = f"blk.{parts[2]}.{NAMES['.'.join(parts[3:-1])]}"
        heads = {"q_proj": 4, "k_proj": 2}.get(parts[-2])
        writer.add_tensor(f"{ours or parts[0]}.{parts[-1]}", permuted(value, heads) if heads else value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def in_order(file):
    """Through Megatron's names to Hugging Face's, as a base is imported."""
    shape = file.model_config()
    return convert.to_hugging_face(convert.to_megatron(file.tensors(), shape, names.Dialect.GGUF), shape)


@pytest.fixture(scope="module")
def state():
    return hugging_face_state()


@pytest.fixture(scope="module")
def file(state, tmp_path_factory):
    return GgufFile(write(tmp_path_factory.mktemp("gguf") / "tiny.gguf", state))


def test_shape_and_tensors_come_back(file, state):
    assert file.model_config() == SHAPE
    found = in_order(file)
    assert found.keys() == state.keys()
    for name, value in found.items():
        assert torch.equal(value, torch.from_numpy(state[name])), name
    assert file.tensors()["blk.0.attn_q.weight"].equal(found["model.layers.0.self_attn.q_proj.weight"])


def test_the_permutation_matters(state):
    weight = state["model.layers.0.self_attn.q_proj.weight"]
    assert not np.array_equal(permuted(weight, 4), weight)


def test_the_tokenizer_encodes(file, tmp_path):
    from corpora.tokenizer import Tokenizer

    file.write_tokenizer(tmp_path)
    tokenizer = Tokenizer.load(tmp_path)
    ids = tokenizer.encode_batch(["abc12 é<|endoftext|>"])[0]
    assert (tokenizer.vocab_size, tokenizer.eod_id) == (259, 0)
    assert ids[0] == 258
    assert 0 not in ids
    assert tokenizer.decode(ids) == "abc12 é<|endoftext|>"


FAMILIES = {
    "qwen": ModelConfig(**VALUES, architecture=Architecture.QWEN, num_query_groups=4, qkv_bias=True),
    "qwen2": ModelConfig(**VALUES, architecture=Architecture.QWEN2, num_query_groups=2, qkv_bias=True),
    "qwen3": ModelConfig(**VALUES, architecture=Architecture.QWEN3, num_query_groups=2, qkv_bias=False),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_the_qwens_come_back(name, tmp_path):
    """Names and metadata as llama.cpp's converter writes them: the original counts both halves of the FFN, stacks qkv."""
    shape = FAMILIES[name]
    random = np.random.default_rng(4)
    stored = {
        name: random.standard_normal(size).astype(np.float32)
        for name, size in names.shapes_of(shape, names.Dialect.GGUF).items()
    }
    assert ("blk.1.attn_qkv.bias" in stored) is (name == "qwen")
    assert ("blk.1.attn_q_norm.weight" in stored) is (name == "qwen3")
    path = write(
        tmp_path / "a.gguf", stored, architecture=name, pre="qwen2", groups=shape.num_query_groups,
        ffn=128 if name == "qwen" else 64, named=True,
    )  # fmt: skip
    file = GgufFile(path)
    assert file.model_config() == shape
    assert {key: tuple(value.shape) for key, value in in_order(file).items()} == names.shapes_of(shape)
    assert all(np.array_equal(file.tensors()[key].numpy(), value) for key, value in stored.items())


def test_rows_without_a_token_are_no_tokens(tmp_path):
    from corpora.tokenizer import Tokenizer

    GgufFile(write(tmp_path / "a.gguf", {}, pre="qwen2", padding=5)).write_tokenizer(tmp_path)
    tokenizer = Tokenizer.load(tmp_path)
    assert tokenizer.vocab_size == 259
    assert tokenizer.decode(tokenizer.encode_batch(["e\u0301"])[0]) == "\u00e9"


def test_what_cannot_be_read_is_named(tmp_path, state):
    with pytest.raises(
        ValueError, match=r"a\.gguf holds a 'gemma3' model; this product reads qwen, qwen2, qwen3, llama"
    ):
        GgufFile(write(tmp_path / "a.gguf", {}, architecture="gemma3"))
    with pytest.raises(ValueError, match="tokenizer 'gpt-2' that cannot be read"):
        GgufFile(write(tmp_path / "b.gguf", {}, pre="gpt-2")).write_tokenizer(tmp_path)
    extra = {"rope_freqs.weight": np.ones(4, np.float32)}
    with pytest.raises(ValueError, match=r"c\.gguf scales its rotary positions \(llama3\)"):
        GgufFile(write(tmp_path / "c.gguf", state | extra)).model_config()
    with pytest.raises(ValueError, match=r"scales its rotary positions \(linear\)"):
        GgufFile(write(tmp_path / "d.gguf", {}, llama__rope__scaling__type="linear")).model_config()
    (tmp_path / "e.gguf").write_bytes(b"GGUF?")
    with pytest.raises(ValueError, match=r"e\.gguf is not a whole GGUF file"):
        GgufFile(tmp_path / "e.gguf")
    with pytest.raises(ValueError, match=r"has 'output_norm\.bias', which this architecture does not"):
        convert.to_megatron({"output_norm.bias": torch.ones(1), **in_gguf(state)}, SHAPE, names.Dialect.GGUF)


def in_gguf(state):
    tensors = {name: torch.from_numpy(value) for name, value in state.items()}
    return convert.to_hugging_face(convert.to_megatron(tensors, SHAPE), SHAPE, names.Dialect.GGUF)
