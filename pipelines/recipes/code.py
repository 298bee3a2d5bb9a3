"""The numbers of CODE-QWEN: one function a recipe, each number with its source (QWEN report, arXiv 2309.16609) or reason."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from corpora.code.filter import FilterConfig
from corpora.code.fim import FimConfig
from corpora.code.languages import BLEND, WEIGHTS
from corpora.code.license import PERMISSIVE
from corpora.code.malware import MalwareConfig
from corpora.code.order import OrderConfig
from corpora.code.secrets import SecretsConfig
from corpora.code.syntax import SyntaxConfig
from corpora.collect import CollectCodeConfig, CollectTextConfig
from corpora.decontaminate import DecontaminateConfig
from corpora.dedup import NearDuplicatesConfig
from corpora.instructions import InstructionsConfig, VerifyConfig
from corpora.layout import TokenizeConfig
from corpora.pack import PackConfig
from corpora.quality.config import QualityConfig
from corpora.tokenizer import TrainTokenizerConfig
from pipelines.recipes import bases
from pipelines.recipes.hardware import CLUSTER, LAPTOP, ONE_GPU, Hardware
from specialize.base import ImportBaseConfig, InitializeBaseConfig
from specialize.config import FineTuneConfig, ModelConfig, OptimizerConfig, ParallelConfig, Precision, PretrainConfig
from specialize.evaluate_code import EvaluateCodeConfig
from specialize.export import ExportConfig
from specialize.release import ReleaseCodeConfig


@dataclass(frozen=True, kw_only=True)
class CodeRecipe:
    """All that decides a CODE-QWEN; a stage reads one field."""

    collect_code: CollectCodeConfig
    collect_text: CollectTextConfig
    filter_code: FilterConfig = FilterConfig()
    near_duplicates: NearDuplicatesConfig = NearDuplicatesConfig()
    malware: MalwareConfig | None = None
    """Set where files are scanned by a clamd; off, so that no run asks for one unless told to."""
    secrets: SecretsConfig = SecretsConfig()
    quality: QualityConfig | None = None
    """Set where files are scored; off, because it asks for labels."""
    syntax: SyntaxConfig = SyntaxConfig()
    decontaminate: DecontaminateConfig = DecontaminateConfig()
    order: OrderConfig = OrderConfig()
    fim: FimConfig = FimConfig()
    tokenizer: TrainTokenizerConfig | None = None
    """Set where the base gets a tokenizer of its own."""
    base: ImportBaseConfig | InitializeBaseConfig
    model: ModelConfig
    """Shape of the base, for `plan`; what is trained has the shape of the base itself."""
    tokenize: TokenizeConfig = TokenizeConfig()
    pretrain: PretrainConfig
    instructions: InstructionsConfig = InstructionsConfig()
    verify: VerifyConfig = VerifyConfig()
    pack: PackConfig
    fine_tune: FineTuneConfig
    export_base: ExportConfig
    export_chat: ExportConfig
    evaluate: EvaluateCodeConfig
    release: ReleaseCodeConfig
    hardware: Hardware


FILL_IN_THE_MIDDLE = FimConfig(rate=0.5, part_rate=0.5, spm_rate=0.5)
"""StarCoder2's rates (arXiv 2402.19173, 5.1), where the base has the tokens; the QWEN report does not speak of it."""


def tiny() -> CodeRecipe:
    """The tests: every code path on a fixture of the repository, same bytes everywhere, nothing learned."""
    fixture: dict[str, Any] = {
        "kinds": ("fixture",),
        "budget_bytes": 2_000_000,
        "max_repository_bytes": 1_000_000,
        "heldout_fraction": 0.15,
        "num_shards": 2,
        "seed": 5,  # sets two small repositories apart, not the one whose functions have doctests
    }
    optimizer = OptimizerConfig(learning_rate=1e-3)
    return CodeRecipe(
        collect_code=CollectCodeConfig(**fixture),
        collect_text=CollectTextConfig(**fixture),
        order=OrderConfig(max_part_bytes=16_384),  # so that the larger repositories are cut
        fim=FimConfig(rate=0.5),
        tokenizer=TrainTokenizerConfig(vocab_size=4096),
        base=bases.TINY,
        model=bases.TINY_MODEL,
        pretrain=PretrainConfig(
            seq_length=128,
            global_batch_size=4,
            micro_batch_size=2,
            train_steps=12,
            optimizer=optimizer,
            precision=Precision.FP32,
            checkpoint_interval=3,
        ),
        pack=PackConfig(seq_length=512),
        fine_tune=FineTuneConfig(
            seq_length=512,
            global_batch_size=8,
            train_steps=6,
            max_epochs=4.0,
            optimizer=optimizer,
            precision=Precision.FP32,
            dropout=0.1,
            checkpoint_interval=2,
        ),
        **_exports("CODE-QWEN-tiny", bases.TINY, dtype="float32"),
        evaluate=EvaluateCodeConfig(
            humaneval_problems=4,
            mbpp_problems=4,
            mbpp_shots=1,
            max_new_tokens=24,
            code_tokens=2_000,
            text_tokens=2_000,
            seq_length=256,
            dtype="float32",
        ),
        hardware=LAPTOP,
    )


def laptop() -> CodeRecipe:
    """The newcomer's first run: a real model, really changed, on two cores in a quarter of an hour."""
    installed: dict[str, Any] = {"kinds": ("installed", "folders"), "num_shards": 8, "heldout_fraction": 0.1}
    return CodeRecipe(
        # 24 MB are 7M tokens, far more than is trained on; the rest of the machine's code would only take time
        collect_code=CollectCodeConfig(**installed, budget_bytes=24_000_000, max_repository_bytes=3_000_000),
        collect_text=CollectTextConfig(**installed, budget_bytes=8_000_000, max_repository_bytes=500_000),
        # no fim: SmolLM2 has tokens for repositories and files, but none for fill-in-the-middle
        base=bases.SMOLLM2,
        model=bases.SMOLLM2_MODEL,
        pretrain=PretrainConfig(
            seq_length=1024,  # the report's 8192 takes a minute a sequence here
            global_batch_size=2,  # 24 steps take 4.0% off held-out code, 12 of 4 sequences 3.3% (docs/log.md)
            train_tokens=49_152,  # three and a half minutes at the 230 tokens a second of two cores
            replay_fraction=0.1,
            optimizer=OptimizerConfig(learning_rate=6e-5),  # report, 4.1: that of 14B
            precision=Precision.BF16_AUTOCAST,
            checkpoint_interval=12,
        ),
        pack=PackConfig(seq_length=1024),
        fine_tune=FineTuneConfig(
            seq_length=1024,
            global_batch_size=16,  # the report's 128 would leave three steps
            train_steps=12,
            optimizer=OptimizerConfig(learning_rate=1e-5),  # report, 4.2: that of 7B
            precision=Precision.BF16_AUTOCAST,
            dropout=0.0,  # the report's 0.1 is for millions of samples; a few hundred once are not overfitted
            checkpoint_interval=6,
        ),
        **_exports(
            "CODE-QWEN-laptop",
            bases.SMOLLM2,
            max_code_ratio=0.97,  # at least 3% fewer bits a byte on held-out code
            max_text_ratio=1.02,  # at most 2% more on held-out text
        ),
        evaluate=EvaluateCodeConfig(
            humaneval_problems=16,
            mbpp_problems=16,
            mbpp_shots=0,  # report, 2.6; one shot is 500 to 700 tokens a prompt, most of the time of the evaluation
            max_new_tokens=128,
            code_tokens=8_192,
            text_tokens=4_096,
        ),
        hardware=LAPTOP,
    )


def qwen25_05b() -> CodeRecipe:
    """One GPU, an evening: 1B tokens of this machine's and your folders' code on Qwen2.5-0.5B."""
    sources: dict[str, Any] = {"kinds": ("installed", "folders"), "num_shards": 64, "heldout_fraction": 0.02}
    return CodeRecipe(
        collect_code=CollectCodeConfig(
            **sources, languages=BLEND, budget_bytes=10_000_000_000, max_repository_bytes=200_000_000
        ),
        collect_text=CollectTextConfig(**sources, budget_bytes=1_000_000_000, max_repository_bytes=20_000_000),
        fim=FILL_IN_THE_MIDDLE,
        base=bases.QWEN25_05B,
        model=bases.QWEN25_05B_MODEL,
        pretrain=PretrainConfig(
            seq_length=8192,  # report, 4.1
            global_batch_size=64,  # 0.5M tokens; ours, the report gives none
            train_tokens=1_000_000_000,
            max_epochs=4.0,
            optimizer=OptimizerConfig(learning_rate=3e-5),
            precision=Precision.BF16,
            recompute=True,
        ),
        pack=PackConfig(seq_length=2048),  # report, 3.1.2
        fine_tune=FineTuneConfig(
            seq_length=2048,
            epochs=3.0,  # ours: the sets are small
            max_epochs=3.0,
            optimizer=OptimizerConfig(learning_rate=1e-5),
        ),
        **_exports("CODE-QWEN-0.5B", bases.QWEN25_05B, max_code_ratio=1.0, max_text_ratio=1.02),
        evaluate=_full_evaluation(),
        hardware=ONE_GPU,
    )


def qwen_1_8b() -> CodeRecipe:
    """Ours, not the report's: its numbers for 7B on its smallest base."""
    return replace(
        qwen_7b(),
        base=bases.QWEN_1_8B,
        model=bases.QWEN_1_8B_MODEL,
        **_exports("CODE-QWEN-1.8B", bases.QWEN_1_8B, max_code_ratio=1.0, max_text_ratio=1.02),
    )


def qwen_7b() -> CodeRecipe:
    """CODE-QWEN-7B."""
    return _report_size(
        "CODE-QWEN-7B",
        bases.QWEN_7B,
        bases.QWEN_7B_MODEL,
        pretraining_rate=3e-5,  # report, 4.1
        fine_tuning_rate=1e-5,  # report, 4.2
        parallel=ParallelConfig(
            tensor_parallel=4, data_parallel=16, sequence_parallel=True, distributed_optimizer=True
        ),
    )


def qwen_14b() -> CodeRecipe:
    """CODE-QWEN-14B."""
    return _report_size(
        "CODE-QWEN-14B",
        bases.QWEN_14B,
        bases.QWEN_14B_MODEL,
        pretraining_rate=6e-5,  # report, 4.1: larger than that of 7B
        fine_tuning_rate=2e-6,  # report, 4.2
        parallel=ParallelConfig(tensor_parallel=8, data_parallel=8, sequence_parallel=True, distributed_optimizer=True),
    )


def _report_size(
    name: str,
    base: ImportBaseConfig,
    model: ModelConfig,
    *,
    pretraining_rate: float,
    fine_tuning_rate: float,
    parallel: ParallelConfig,
) -> CodeRecipe:
    sources: dict[str, Any] = {"kinds": ("folders",), "num_shards": 4096, "heldout_fraction": 0.001}
    return CodeRecipe(
        # 90B tokens are 290 GB of kept text; filters and duplicates leave about 30% of what is read
        collect_code=CollectCodeConfig(
            **sources,
            # with texts and licences in its rows; v2 and Stack-Edu need contents by the hundred million from an archive
            datasets=("the-stack-v1-dedup",),
            languages=BLEND,
            budget_bytes=1_000_000_000_000,
            max_repository_bytes=1_000_000_000,
        ),
        collect_text=CollectTextConfig(
            **sources,
            datasets=("fineweb-edu",),  # 10B tokens of it: the recipe replays less
            licenses=(*PERMISSIVE, "ODC-By-1.0"),  # of the collection; the pages are their authors'
            budget_bytes=60_000_000_000,
            max_repository_bytes=1_000_000_000,
        ),
        fim=FILL_IN_THE_MIDDLE,
        base=base,
        model=model,
        pretrain=PretrainConfig(
            seq_length=8192,  # report, 4.1
            global_batch_size=512,  # 4M tokens a step, as in pretraining (Table 1); the report gives none here
            train_tokens=90_000_000_000,  # report, 4.1: around 90 billion
            weights=WEIGHTS,
            optimizer=OptimizerConfig(learning_rate=pretraining_rate),
            precision=Precision.BF16,
            recompute=True,
            parallel=parallel,
        ),
        pack=PackConfig(seq_length=2048),  # report, 3.1.2
        fine_tune=FineTuneConfig(
            seq_length=2048,
            epochs=3.0,  # ours: the report gives no size
            max_epochs=3.0,
            optimizer=OptimizerConfig(learning_rate=fine_tuning_rate),
            parallel=parallel,
        ),
        **_exports(name, base, max_code_ratio=1.0, max_text_ratio=1.02),
        evaluate=_full_evaluation(),
        hardware=CLUSTER,
    )


def _full_evaluation() -> EvaluateCodeConfig:
    return EvaluateCodeConfig(humaneval_problems=164, mbpp_problems=500)


def _exports(
    name: str,
    base: ImportBaseConfig | InitializeBaseConfig,
    *,
    dtype: str = "bfloat16",
    max_code_ratio: float | None = None,
    max_text_ratio: float | None = None,
) -> dict[str, Any]:
    shared: dict[str, Any] = {"base": base.label, "license": base.license, "dtype": dtype}
    return {
        "export_base": ExportConfig(name=name, chat=False, **shared),
        "export_chat": ExportConfig(name=f"{name}-CHAT", chat=True, **shared),
        "release": ReleaseCodeConfig(
            name=name, license=base.license, max_code_ratio=max_code_ratio, max_text_ratio=max_text_ratio
        ),
    }


CODE: dict[str, Callable[[], CodeRecipe]] = {
    "tiny": tiny,
    "laptop": laptop,
    "qwen2.5-0.5b": qwen25_05b,
    "qwen-1.8b": qwen_1_8b,
    "qwen-7b": qwen_7b,
    "qwen-14b": qwen_14b,
}
