"""GGUF: tensors come back in Hugging Face's order and names, the tokenizer encodes, and what cannot be read is named."""

import numpy as np
import pytest
import torch

from specialize.config import Architecture, ModelConfig
from specialize.gguf import GgufFile

gguf = pytest.importorskip("gguf")
SHAPE = ModelConfig(
    architecture=Architecture.LLAMA,
    num_layers=2,
    hidden_size=32,
    ffn_hidden_size=64,
    num_attention_heads=4,
    num_query_groups=2,
    head_dim=8,
    vocab_size=259,
    max_position_embeddings=64,
    rotary_base=50_000.0,
    norm_epsilon=1e-5,
    qkv_bias=False,
    tie_embeddings=True,
)
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


def write(path, state, *, architecture="llama", pre="smollm", **values):
    from tokenizers.pre_tokenizers import ByteLevel

    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(2)
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(64)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_rope_freq_base(50_000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    tokens = ["<|endoftext|>", *sorted(ByteLevel.alphabet()), "ab", "abc"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([3, *[1] * 258])
    writer.add_token_merges(["a b", "ab c"])
    for key, value in values.items():
        writer.add_string(key.replace("__", "."), value)
    for name, value in state.items():
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


@pytest.fixture(scope="module")
def state():
    return hugging_face_state()


@pytest.fixture(scope="module")
def file(state, tmp_path_factory):
    return GgufFile(write(tmp_path_factory.mktemp("gguf") / "tiny.gguf", state))


def test_shape_and_tensors_come_back(file, state):
    assert file.model_config() == SHAPE
    found = file.tensors()
    assert found.keys() == state.keys()
    for name, value in found.items():
        assert torch.equal(value, torch.from_numpy(state[name])), name


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


def test_what_cannot_be_read_is_named(tmp_path, state):
    with pytest.raises(ValueError, match=r"a\.gguf holds a 'qwen2' model; only llama"):
        GgufFile(write(tmp_path / "a.gguf", {}, architecture="qwen2"))
    with pytest.raises(ValueError, match="tokenizer 'gpt-2' that cannot be read"):
        GgufFile(write(tmp_path / "b.gguf", {}, pre="gpt-2")).write_tokenizer(tmp_path)
    extra = {"rope_freqs.weight": np.ones(4, np.float32)}
    with pytest.raises(ValueError, match=r"c\.gguf has a tensor 'rope_freqs\.weight'"):
        GgufFile(write(tmp_path / "c.gguf", state | extra)).tensors()
    with pytest.raises(ValueError, match=r"scales its rotary positions \(linear\)"):
        GgufFile(write(tmp_path / "d.gguf", {}, llama__rope__scaling__type="linear")).model_config()
