"""The numbers of MATH-QWEN: one function a recipe, each number with its source (QWEN report, arXiv 2309.16609) or reason.

The base is that of the code recipe of the same name.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from corpora.math.backward import BackwardConfig
from corpora.math.compose import ComposeConfig
from corpora.math.dataset import DatasetConfig
from corpora.math.decontaminate import DecontaminateMathConfig
from corpora.math.drills import ALL_TOPICS, DrillsConfig
from corpora.math.gym import GymConfig
from corpora.math.program import ProgramConfig
from corpora.math.renumber import RenumberConfig
from corpora.math.seeds import SeedsConfig
from corpora.math.teacher.answer import AnswerConfig
from corpora.math.teacher.choose import ChooseTaughtConfig
from corpora.math.teacher.evolve import EvolveConfig
from corpora.math.teacher.rephrase import RephraseConfig
from corpora.math.teacher.sampled import SampledConfig
from corpora.math.teacher.self_verify import SelfVerifyConfig
from corpora.math.tools import ToolsConfig
from corpora.math.verify import VerifyAnswersConfig
from corpora.pack import PackConfig
from corpora.tokenizer import TrainTokenizerConfig
from pipelines.recipes import code
from pipelines.recipes.hardware import Hardware
from specialize.config import (
    BatchUnit,
    FineTuneConfig,
    ModelConfig,
    OptimizerConfig,
    ParallelConfig,
    Precision,
    Schedule,
)
from specialize.evaluate_math import EvaluateMathConfig
from specialize.export import ExportConfig
from specialize.release import ReleaseMathConfig


@dataclass(frozen=True, kw_only=True)
class TeacherConfig:
    """What a teacher is asked for; a kind whose `max_seeds` is 0 is not asked."""

    rephrase: RephraseConfig
    evolve: EvolveConfig
    answer: AnswerConfig
    self_verify: SelfVerifyConfig
    sampled: SampledConfig
    choose: ChooseTaughtConfig = ChooseTaughtConfig()


@dataclass(frozen=True, kw_only=True)
class MathRecipe:
    """All that decides a MATH-QWEN; a stage reads one field."""

    seeds: SeedsConfig = SeedsConfig()
    renumber: RenumberConfig = RenumberConfig()
    backward: BackwardConfig = BackwardConfig()
    compose: ComposeConfig = ComposeConfig()
    program: ProgramConfig = ProgramConfig()
    tools: ToolsConfig = ToolsConfig()
    drills: DrillsConfig = DrillsConfig()
    gym: GymConfig | None = None
    """reasoning-gym as a further source (pip install '.[reasoning-gym]')."""
    verify: VerifyAnswersConfig = VerifyAnswersConfig()
    teacher: TeacherConfig | None = None
    """Kinds that a teacher writes; luigi.cfg [teacher] says where it listens."""
    decontaminate: DecontaminateMathConfig = DecontaminateMathConfig()
    dataset: DatasetConfig = DatasetConfig()
    tokenizer: TrainTokenizerConfig | None
    """As in the code recipe: set where the base is made, not brought."""
    model: ModelConfig
    """Shape of the base, for `plan`."""
    pack: PackConfig = PackConfig(seq_length=1024)  # report, 5: sequence length 1024
    fine_tune: FineTuneConfig
    export: ExportConfig
    evaluate: EvaluateMathConfig
    release: ReleaseMathConfig
    hardware: Hardware


def tiny() -> MathRecipe:
    """The tests: a few seeds and drills, same bytes everywhere, nothing learned."""
    return MathRecipe(
        seeds=SeedsConfig(max_seeds=48, num_shards=2),
        renumber=RenumberConfig(variants=1, tries=40),
        backward=BackwardConfig(variants=1),
        compose=ComposeConfig(variants=1),
        tools=ToolsConfig(variants=0),
        drills=DrillsConfig(train_rows=120, heldout_rows=16),
        pack=PackConfig(seq_length=512),
        fine_tune=FineTuneConfig(
            seq_length=512,
            global_batch_size=2,
            batch_unit=BatchUnit.PACKS,
            train_steps=4,
            max_epochs=4.0,
            optimizer=OptimizerConfig(learning_rate=1e-3),
            precision=Precision.FP32,
            checkpoint_interval=2,
        ),
        evaluate=EvaluateMathConfig(
            drills=8, gsm8k_problems=4, shots=2, max_new_tokens=16, drill_new_tokens=8, dtype="float32"
        ),
        **_shared("MATH-QWEN-tiny", code.tiny(), dtype="float32"),
    )


def laptop() -> MathRecipe:
    """The newcomer's first run: mostly drills, which a 135M model can learn in minutes, and a few worked problems."""
    return MathRecipe(
        seeds=SeedsConfig(max_seeds=400),
        renumber=RenumberConfig(variants=1),
        backward=BackwardConfig(variants=1),
        compose=ComposeConfig(variants=1),
        tools=ToolsConfig(variants=0),
        drills=DrillsConfig(train_rows=3_000, heldout_rows=400),
        # worked problems are five times as long as drills; a few of each show the format without taking the time
        verify=VerifyAnswersConfig(
            max_seeds=20, max_renumbered=20, max_programs=20, max_backward=10, max_composed=10, max_tools=20
        ),
        fine_tune=FineTuneConfig(
            seq_length=1024,
            global_batch_size=1,  # a pack of some twenty drills; the report's 128 conversations would leave 20 steps
            batch_unit=BatchUnit.PACKS,
            train_steps=110,
            optimizer=OptimizerConfig(learning_rate=1e-4),  # the report's 2e-5 is for 7B and 50,000 steps
            schedule=Schedule.CONSTANT,
            warmup_fraction=0.06,
            precision=Precision.BF16_AUTOCAST,
            dropout=0.0,  # every row is seen once
            checkpoint_interval=40,
        ),
        evaluate=EvaluateMathConfig(
            drills=96, gsm8k_problems=16, max_new_tokens=128, drill_new_tokens=24, batch_size=32
        ),
        **_shared("MATH-QWEN-laptop", code.laptop(), min_drill_gain=0.3),
    )


def qwen25_05b() -> MathRecipe:
    """One GPU, an evening."""
    return MathRecipe(
        renumber=RenumberConfig(variants=8),
        drills=DrillsConfig(train_rows=50_000, heldout_rows=1_000, topics=ALL_TOPICS),
        fine_tune=FineTuneConfig(
            seq_length=1024,
            epochs=3.0,  # ours; the report's 50,000 steps of 128 are 6.4M samples
            max_epochs=3.0,
            optimizer=OptimizerConfig(learning_rate=2e-5),
            schedule=Schedule.COSINE,
        ),
        evaluate=_full_evaluation(),
        **_shared("MATH-QWEN-0.5B", code.qwen25_05b(), min_drill_gain=0.0),
    )


def qwen_1_8b() -> MathRecipe:
    """Ours, not the report's: its numbers for 7B on its smallest base."""
    return replace(qwen_7b(), **_shared("MATH-QWEN-1.8B", code.qwen_1_8b(), min_drill_gain=0.0))


def qwen_7b() -> MathRecipe:
    """MATH-QWEN-7B-CHAT."""
    return _report_size("MATH-QWEN-7B", code.qwen_7b())


def qwen_14b() -> MathRecipe:
    """MATH-QWEN-14B-CHAT."""
    return _report_size("MATH-QWEN-14B", code.qwen_14b())


def _report_size(name: str, base: code.CodeRecipe) -> MathRecipe:
    return MathRecipe(
        renumber=RenumberConfig(variants=8),  # GSM8K gives 7.0 distinct variants a usable seed in eight draws
        drills=DrillsConfig(train_rows=100_000, heldout_rows=1_000, topics=ALL_TOPICS),
        fine_tune=FineTuneConfig(
            seq_length=1024,  # report, 5
            train_steps=50_000,  # report, 5
            # the report's 6.4M samples are many passes over what the seeds without a teacher give; `plan` shows it
            max_epochs=100.0,
            optimizer=OptimizerConfig(learning_rate=2e-5),  # report, 5: both sizes
            schedule=Schedule.COSINE,
            warmup_fraction=1430 / 4000,  # report, 3.1.2: as its chat SFT, which section 5 refers to
            parallel=ParallelConfig(tensor_parallel=4, data_parallel=16, sequence_parallel=True),
        ),
        evaluate=_full_evaluation(),
        **_shared(name, base, min_drill_gain=0.0),
    )


def _full_evaluation() -> EvaluateMathConfig:
    return EvaluateMathConfig(drills=1_000, gsm8k_problems=1_319, shots=8)


def _shared(
    name: str, base: code.CodeRecipe, *, dtype: str = "bfloat16", min_drill_gain: float | None = None
) -> dict[str, Any]:
    license_ = base.base.license
    return {
        "tokenizer": base.tokenizer,
        "model": base.model,
        "hardware": base.hardware,
        "export": ExportConfig(name=f"{name}-CHAT", chat=True, base=base.base.label, license=license_, dtype=dtype),
        "release": ReleaseMathConfig(name=name, license=license_, min_drill_gain=min_drill_gain),
    }


MATH: dict[str, Callable[[], MathRecipe]] = {
    "tiny": tiny,
    "laptop": laptop,
    "qwen2.5-0.5b": qwen25_05b,
    "qwen-1.8b": qwen_1_8b,
    "qwen-7b": qwen_7b,
    "qwen-14b": qwen_14b,
}
