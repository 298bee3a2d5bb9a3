"""Conversion: every dialect -> Megatron -> back gives every bit, logits are the reference's, what does not fit is named."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from specialize import convert, names
from specialize.config import Architecture, ModelConfig, model_parameters
from specialize.families import hugging_face_config, model_config
from specialize.names import Dialect
from tests.specialize import original_qwen


@st.composite
def shapes(draw):
    groups, queries, head_dim = draw(st.sampled_from([(1, 1, 2), (1, 4, 4), (2, 2, 4), (3, 1, 2), (2, 3, 6)]))
    kind = draw(st.sampled_from(Architecture))
    if kind is Architecture.QWEN:
        queries, groups = 1, groups * queries
    return ModelConfig(
        architecture=kind,
        num_layers=draw(st.integers(1, 3)),
        hidden_size=groups * queries * head_dim * draw(st.integers(1, 2)),
        ffn_hidden_size=draw(st.integers(1, 9)),
        num_attention_heads=groups * queries,
        num_query_groups=groups,
        head_dim=head_dim,
        vocab_size=draw(st.integers(2, 20)),
        max_position_embeddings=32,
        rotary_base=draw(st.sampled_from([10_000.0, 1_000_000.0])),
        norm_epsilon=draw(st.sampled_from([1e-5, 1e-6])),
        qkv_bias=kind in (Architecture.QWEN, Architecture.QWEN2),
        tie_embeddings=kind is not Architecture.QWEN and draw(st.booleans()),
    )


def hugging_face_model(shape):
    transformers = pytest.importorskip("transformers")
    config = hugging_face_config(shape, dtype="float32", eos=1, pad=0)
    kind = getattr(transformers, config["architectures"][0].removesuffix("ForCausalLM") + "Config")
    model = transformers.AutoModelForCausalLM.from_config(kind(**config))
    torch.manual_seed(0)
    for value in model.parameters():  # biases and norms start at 0 and 1, where a swap would not show
        torch.nn.init.normal_(value)
    return model


@settings(max_examples=25)
@given(shapes())
def test_round_trip_is_bitwise(shape):
    model = hugging_face_model(shape)
    state = dict(model.state_dict())
    there = convert.to_megatron(state, shape)
    back = convert.to_hugging_face(there, shape)
    wanted = state.keys() - ({"lm_head.weight"} if shape.tie_embeddings else set())
    assert back.keys() == wanted
    assert all(torch.equal(back[name], state[name]) for name in back)
    assert convert.to_megatron(back, shape).keys() == there.keys()
    assert {name: tuple(value.shape) for name, value in back.items()} == names.shapes_of(shape)
    assert names.count(shape) == sum(value.numel() for value in back.values()) == model_parameters(shape)


@given(shapes(), st.sampled_from(Dialect))
def test_every_dialect_goes_both_ways(shape, dialect):
    sizes = names.shapes_of(shape, dialect)
    state = {name: torch.randn(size) for name, size in sizes.items()}
    back = convert.to_hugging_face(convert.to_megatron(state, shape, dialect), shape, dialect)
    assert list(back) == list(state)
    assert all(torch.equal(back[name], state[name]) for name in reversed(list(state)))


@given(shapes())
def test_the_shape_survives_config_json(shape):
    config = hugging_face_config(shape, dtype="float32", eos=1, pad=0)
    if shape.architecture is Architecture.QWEN:  # is written as Qwen2
        shape = replace(shape, architecture=Architecture.QWEN2)
    assert model_config(config, "config.json") == shape
    for absent in ("rope_theta", "rope_parameters"):  # of transformers 5, and of 4
        assert model_config({k: v for k, v in config.items() if k != absent}, "config.json") == shape


SHAPE = ModelConfig(
    num_layers=1,
    hidden_size=8,
    ffn_hidden_size=6,
    num_attention_heads=4,
    num_query_groups=2,
    head_dim=2,
    vocab_size=11,
    max_position_embeddings=16,
    tie_embeddings=True,
)


def test_queries_keys_and_values_are_grouped():
    q, k, v = (torch.arange(rows)[:, None] + start for rows, start in ((8, 0), (4, 100), (4, 200)))
    joined = names._interleave([q, k, v], SHAPE)
    assert joined.flatten().tolist() == [0, 1, 2, 3, 100, 101, 200, 201, 4, 5, 6, 7, 102, 103, 202, 203]


LOGITS = {
    "qwen2": SHAPE,
    "qwen2.5, untied": replace(SHAPE, tie_embeddings=False, rotary_base=1e6),
    "qwen3": replace(SHAPE, architecture=Architecture.QWEN3, qkv_bias=False, head_dim=4, num_layers=2),
    "llama": replace(SHAPE, architecture=Architecture.LLAMA, qkv_bias=False, norm_epsilon=1e-5, rotary_base=5e5),
}


@pytest.mark.parametrize("shape", LOGITS.values(), ids=LOGITS)
def test_megatron_computes_the_logits_of_transformers(process, shape):
    from specialize.model import build_model

    theirs = hugging_face_model(shape).eval()
    ours = build_model(shape).eval()
    convert.load_state(ours, convert.to_megatron(theirs.state_dict(), shape))
    tokens = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6]])
    with torch.no_grad():
        found = ours(tokens, torch.arange(8)[None], None)
        torch.testing.assert_close(found, theirs(tokens).logits, atol=1e-5, rtol=1e-5)
    for name, value in convert.to_hugging_face(convert.model_state(ours), shape).items():
        assert torch.equal(value, theirs.state_dict()[name])


def test_megatron_and_the_exported_qwen2_compute_the_logits_of_the_original_qwen(process):
    from transformers import Qwen2Config, Qwen2ForCausalLM

    from specialize.model import build_model

    published = original_qwen.config()
    state = original_qwen.weights(published)
    shape = model_config(published, "config.json")
    assert (shape.ffn_hidden_size, shape.max_position_embeddings, shape.tie_embeddings) == (24, 48, False)
    there = convert.to_megatron(state, shape, Dialect.QWEN)
    ours = build_model(shape).eval()
    convert.load_state(ours, there)
    theirs = Qwen2ForCausalLM(Qwen2Config(**hugging_face_config(shape, dtype="float32", eos=1, pad=0))).eval()
    theirs.load_state_dict(dict(convert.to_hugging_face(there, shape)))
    tokens = torch.randint(0, 300, (1, 48), generator=torch.Generator().manual_seed(0))
    wanted = original_qwen.logits(published, state, tokens[0])[None]
    assert wanted.std() > 0.5
    with torch.no_grad():
        torch.testing.assert_close(ours(tokens, torch.arange(48)[None], None), wanted, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(theirs(tokens).logits, wanted, atol=1e-4, rtol=1e-4)
        swapped = state | {"transformer.h.0.mlp.w1.weight": state["transformer.h.0.mlp.w2.weight"]}
        swapped["transformer.h.0.mlp.w2.weight"] = state["transformer.h.0.mlp.w1.weight"]
        assert (original_qwen.logits(published, swapped, tokens[0]) - wanted).abs().max() > 0.1


def test_what_the_original_qwen_does_beyond_its_length_is_what_the_card_says_is_dropped():
    published = original_qwen.config(seq_length=16)
    plain = published | {"use_logn_attn": False, "use_dynamic_ntk": False}
    state = original_qwen.weights(published)
    tokens = torch.randint(0, 300, (40,), generator=torch.Generator().manual_seed(0))
    for length, same in ((16, True), (40, False)):
        with_both, without = (original_qwen.logits(kind, state, tokens[:length]) for kind in (published, plain))
        assert torch.allclose(with_both, without) is same


def test_norms_inside_fused_layers_are_found():
    """Transformer Engine's layers: a state that leaves the norms where they were would train from ones."""

    class Fused(torch.nn.Module):
        names = (
            "decoder.layers.0.self_attention.linear_qkv.layer_norm_weight",
            "decoder.layers.0.mlp.linear_fc1.layer_norm_weight",
            "decoder.layers.0.self_attention.linear_qkv._extra_state",
        )

        def state_dict(self):
            return dict.fromkeys(self.names, torch.zeros(2))

        def load_state_dict(self, state, strict):
            self.loaded = state

    model = Fused()
    assert sorted(convert.model_state(model)) == [
        "decoder.layers.0.input_layernorm.weight",
        "decoder.layers.0.pre_mlp_layernorm.weight",
    ]
    convert.load_state(model, convert.model_state(model))
    assert sorted(model.loaded) == sorted(Fused.names[:2])
    with pytest.raises(ValueError, match=r"'decoder\.layers\.0\.input_layernorm\.weight' is in the model alone"):
        convert.load_state(model, {})


def test_missing_and_surplus_tensors_are_named():
    state = dict(hugging_face_model(SHAPE).state_dict())
    removed = state.pop("model.norm.weight")
    with pytest.raises(ValueError, match=r"lacks 'model\.norm\.weight' \(1 tensors missing, 0 too many\)"):
        convert.to_megatron(state, SHAPE)
    state |= {"model.norm.weight": removed, "model.layers.0.self_attn.o_proj.bias": torch.zeros(8)}
    with pytest.raises(ValueError, match=r"has 'model\.layers\.0\.self_attn\.o_proj\.bias', which this architecture"):
        convert.to_megatron(state, SHAPE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "gpt2"}, "is a 'gpt2' model; this product reads qwen2"),
        ({"model_type": "qwen3_moe"}, "is a 'qwen3_moe' model"),
        ({"model_type": "llama", "attention_bias": True}, "attention_bias = True"),
        ({"model_type": "qwen", "no_bias": False}, "no_bias = False"),
        ({"model_type": "qwen", "tie_word_embeddings": False, "intermediate_size": 7}, "must be even"),
        ({"rope_parameters": None, "rope_scaling": {"rope_type": "llama3", "factor": 8}}, r"positions \('llama3'"),
        ({"rope_parameters": {"rope_type": "yarn", "factor": 4}}, "scales its rotary positions"),
        ({"rope_parameters": None, "rope_scaling": {"type": "linear", "factor": 2}}, "scales its rotary positions"),
        ({"use_sliding_window": True}, "use_sliding_window = True"),
        ({"hidden_act": "gelu"}, "hidden_act = 'gelu'"),
        ({"hidden_size": None}, "lacks hidden_size"),
    ],
)
def test_what_is_not_built_here_is_refused(change, message):
    config = hugging_face_config(SHAPE, dtype="float32", eos=1, pad=0) | change
    with pytest.raises(ValueError, match=message):
        model_config(config, "here/config.json")


def test_a_tensor_of_another_shape_is_named():
    state = dict(hugging_face_model(SHAPE).state_dict())
    state["model.layers.0.mlp.up_proj.weight"] = torch.zeros(5, 8)
    with pytest.raises(ValueError, match=r"up_proj\.weight' has the shape \[5, 8\], its config says \[6, 8\]"):
        dict(convert.to_megatron(state, SHAPE))


def test_the_original_qwen_does_not_group():
    with pytest.raises(ValueError, match="num_query_groups must be num_attention_heads 4 in the original"):
        replace(SHAPE, architecture=Architecture.QWEN)


def test_biases_belong_to_an_architecture():
    shape = ModelConfig.from_json(SHAPE.to_json().replace('"qkv_bias": true', '"qkv_bias": false'))
    with pytest.raises(ValueError, match="qkv_bias = False; choose the other"):
        hugging_face_config(shape, dtype="float32", eos=1, pad=0)
