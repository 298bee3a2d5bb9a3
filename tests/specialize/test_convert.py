"""Conversion: Hugging Face -> Megatron -> Hugging Face gives every bit back, and what does not fit is named."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from specialize import convert
from specialize.config import Architecture, ModelConfig


@st.composite
def shapes(draw):
    groups, queries, head_dim = draw(st.sampled_from([(1, 1, 2), (1, 4, 4), (2, 2, 4), (3, 1, 2), (2, 3, 6)]))
    kind = draw(st.sampled_from(Architecture))
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
        qkv_bias=kind is Architecture.QWEN2,
        tie_embeddings=draw(st.booleans()),
    )


def hugging_face_model(shape):
    transformers = pytest.importorskip("transformers")
    config = convert.hugging_face_config(shape, dtype="float32", eos=1, pad=0)
    kind = getattr(transformers, config["architectures"][0].removesuffix("ForCausalLM") + "Config")
    model = transformers.AutoModelForCausalLM.from_config(kind(**config))
    torch.manual_seed(0)
    for value in model.parameters():  # biases and norms start at 0 and 1, where a swap would not show
        torch.nn.init.normal_(value)
    return model


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


@given(shapes())
def test_the_shape_survives_config_json(shape):
    config = convert.hugging_face_config(shape, dtype="float32", eos=1, pad=0)
    assert convert.model_config(config, "config.json") == shape
    for absent in ("rope_theta", "rope_parameters"):  # of transformers 5, and of 4
        assert convert.model_config({k: v for k, v in config.items() if k != absent}, "config.json") == shape


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
    joined = convert._interleave([q, k, v], SHAPE)
    assert joined.flatten().tolist() == [0, 1, 2, 3, 100, 101, 200, 201, 4, 5, 6, 7, 102, 103, 202, 203]


def test_megatron_computes_the_logits_of_transformers(process):
    from specialize.model import build_model

    theirs = hugging_face_model(SHAPE).eval()
    ours = build_model(SHAPE).eval()
    convert.load_state(ours, convert.to_megatron(theirs.state_dict(), SHAPE))
    tokens = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6]])
    with torch.no_grad():
        found = ours(tokens, torch.arange(8)[None], None)
        torch.testing.assert_close(found, theirs(tokens).logits, atol=1e-5, rtol=1e-5)
    for name, value in convert.to_hugging_face(convert.model_state(ours), SHAPE).items():
        assert torch.equal(value, theirs.state_dict()[name])


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
        ({"model_type": "gpt2"}, "is a 'gpt2' model"),
        ({"rope_parameters": {"rope_type": "yarn", "factor": 4}}, "scales its rotary positions"),
        ({"rope_parameters": None, "rope_scaling": {"type": "linear", "factor": 2}}, "scales its rotary positions"),
        ({"use_sliding_window": True}, "use_sliding_window = True"),
        ({"hidden_act": "gelu"}, "hidden_act = 'gelu'"),
        ({"hidden_size": None}, "lacks hidden_size"),
    ],
)
def test_what_is_not_built_here_is_refused(change, message):
    config = convert.hugging_face_config(SHAPE, dtype="float32", eos=1, pad=0) | change
    with pytest.raises(ValueError, match=message):
        convert.model_config(config, "here/config.json")


def test_biases_belong_to_an_architecture():
    shape = ModelConfig.from_json(SHAPE.to_json().replace('"qkv_bias": true', '"qkv_bias": false'))
    with pytest.raises(ValueError, match="qkv_bias = False; choose the other"):
        convert.hugging_face_config(shape, dtype="float32", eos=1, pad=0)
