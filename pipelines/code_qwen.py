"""The CODE-QWEN recipe, stage by stage: read it from top to bottom (QWEN report, section 4).

Licensed code and replay text become tokens; a base is continued on them at the recipe's length; instructions whose
proof was executed teach the result to answer; every model is scored before anything is released.
"""

from typing import ClassVar

from corpora.quality.config import TeacherLabels
from pipelines.machine import GPU, TRAINING
from pipelines.recipes.code import CODE, CodeRecipe
from pipelines.root import Root
from pipelines.stage import RecipeParameter, Stage, requires


class CodeStage(Stage):
    """A stage whose config is a field of a code recipe."""

    recipes = CODE
    recipe = RecipeParameter("code", CODE)


# Corpus ----------------------------------------------------------------------------------------------


class CollectCode(CodeStage):
    """Read source files with their licence and where they come from; set repositories apart as held-out."""

    version = 5
    config = "collect_code"
    build = "corpora.collect:collect_code"
    by_shard = "corpora.reuse:Collected"
    inventory = "corpora.collect:inventory"


@requires(documents=CollectCode)
class FilterCode(CodeStage):
    """Drop what is too long, too dense or generated, by published bounds.

    Before duplicates: a vendored copy would take the original with it.
    """

    version = 4
    config = "filter_code"
    build = "corpora.code.filter:filter_code"
    by_shard = "corpora.reuse:Linked"


@requires(documents=FilterCode)
class DropExactDuplicates(CodeStage):
    """Keep one document of every text, and none that an earlier batch has."""

    version = 3
    config = "near_duplicates.compared"
    build = "corpora.dedup:drop_exact_duplicates"
    inventory = "corpora.dedup:earlier_inventory"


@requires(documents=DropExactDuplicates)
class IndexDuplicates(CodeStage):
    """Sketch every document: what near duplicates are found by, here and in every later batch."""

    version = 3
    config = "near_duplicates.compared"
    build = "corpora.dedup:index_duplicates"


@requires(documents=DropExactDuplicates, index=IndexDuplicates)
class DropNearDuplicates(CodeStage):
    """Keep one document of every cluster of near duplicates."""

    version = 3
    inventory = "corpora.dedup:earlier_inventory"
    config = "near_duplicates"
    build = "corpora.dedup:drop_near_duplicates"


@requires(documents=DropNearDuplicates)
class ScanMalware(CodeStage):
    """Drop what ClamAV knows as malware, where the recipe asks for it: a clamd must answer."""

    config = "malware"
    build = "corpora.code.malware:scan_malware"
    inventory = "corpora.code.malware:inventory"


def scanned(recipe: CodeRecipe) -> type[Stage]:
    """Choose what is redacted: all that is unlike the rest, or what of it was scanned."""
    return ScanMalware if recipe.malware else DropNearDuplicates


@requires(documents=scanned)
class RedactSecrets(CodeStage):
    """Put placeholders for keys, passwords and addresses, with the place of each; before the parse, whose spans then hold."""

    version = 3
    config = "secrets"
    build = "corpora.code.secrets:redact_secrets"
    by_shard = "corpora.reuse:Linked"


@requires(documents=RedactSecrets)
class ReadLabels(CodeStage):
    """Read what a user thinks of files, with a quality scorer that learns from it (optional)."""

    config = "quality.labels"
    build = "corpora.quality.labels:read_labels"
    inventory = "corpora.quality.labels:inventory"


@requires(documents=RedactSecrets)
class AskTeacher(CodeStage):
    """Let a teacher grade a sample, with a quality scorer that learns from it (optional); it sees no secrets."""

    config = "quality.labels"
    build = "corpora.quality.labels:ask_teacher"


def labels_of(recipe: CodeRecipe) -> type[Stage]:
    """Choose where the labels of quality come from."""
    return AskTeacher if recipe.quality and isinstance(recipe.quality.labels, TeacherLabels) else ReadLabels


@requires(labels=labels_of)
class TrainQuality(CodeStage):
    """Learn a scorer from the labels, with a report of how good it is (optional)."""

    config = "quality.fit"
    build = "corpora.quality.train:train_quality"


@requires(documents=RedactSecrets, model=TrainQuality)
class ScoreQuality(CodeStage):
    """Score every file and drop the worst (optional); before the parse, which is what costs."""

    config = "quality.score"
    build = "corpora.quality.score:score_quality"


def scored(recipe: CodeRecipe) -> type[Stage]:
    """Choose what is parsed: all that is redacted, or what of it is good enough."""
    return ScoreQuality if recipe.quality else RedactSecrets


@requires(documents=scored)
class GateSyntax(CodeStage):
    """Parse every file once: drop what is mostly not its language, note imports and functions."""

    version = 3
    config = "syntax"
    build = "corpora.code.syntax:gate_syntax"
    by_shard = "corpora.reuse:Linked"


@requires(documents=GateSyntax)
class DecontaminateCorpus(CodeStage):
    """Drop documents that hold a run of a benchmark, with a ledger of every hit."""

    version = 2
    config = "decontaminate"
    build = "corpora.decontaminate:decontaminate_corpus"


class CollectText(CodeStage):
    """Read English replay text, so that the model keeps what it knows."""

    version = 5
    config = "collect_text"
    build = "corpora.collect:collect_text"
    by_shard = "corpora.reuse:Collected"
    inventory = "corpora.collect:inventory"


@requires(documents=CollectText)
class RedactText(CodeStage):
    """Put placeholders for addresses and secrets in the replay text too."""

    version = 3
    config = "secrets"
    build = "corpora.code.secrets:redact_secrets"
    by_shard = "corpora.reuse:Linked"


@requires(documents=RedactText)
class DecontaminateText(CodeStage):
    """Drop replay text that holds a run of a benchmark."""

    version = 2
    config = "decontaminate"
    build = "corpora.decontaminate:decontaminate_corpus"


@requires(documents=DecontaminateCorpus, text=DecontaminateText)
class WriteAttribution(CodeStage):
    """Index every repository that is trained on with licence, commit and count, so that notices can be given."""

    build = "corpora.code.attribution:write_attribution"


# Base ------------------------------------------------------------------------------------------------


class ImportBase(CodeStage):
    """Bring a pretrained base into our layout: HF folder, Megatron weights, tokenizer."""

    version = 2
    config = "base"
    build = "specialize.base:import_base"
    inventory = "specialize.base:base_inventory"


@requires(documents=DecontaminateCorpus)
class TrainTokenizer(CodeStage):
    """Train a byte-level BPE with Qwen's split rule and special tokens (`tiny` only)."""

    version = 2
    config = "tokenizer"
    build = "corpora.tokenizer:train_tokenizer"


@requires(tokenizer=TrainTokenizer)
class InitializeBase(CodeStage):
    """Make a random base of the Qwen2 architecture (`tiny` only)."""

    version = 2
    config = "base"
    build = "specialize.base:initialize_base"


def base_of(recipe: CodeRecipe) -> type[Stage]:
    """Choose how the recipe comes by its base."""
    return InitializeBase if recipe.tokenizer else ImportBase


# Continued pretraining -------------------------------------------------------------------------------


@requires(documents=DecontaminateCorpus)
class OrderRepositories(CodeStage):
    """Put the files of a repository after those that they import, and say which make one document."""

    version = 3
    config = "order"
    build = "corpora.code.order:order_repositories"
    by_shard = "corpora.reuse:Linked"


@requires(documents=OrderRepositories)
class ApplyFim(CodeStage):
    """Draw the files whose middle is learned after what surrounds it (fill-in-the-middle)."""

    config = "fim"
    build = "corpora.code.fim:apply_fim"
    by_shard = "corpora.reuse:Linked"


@requires(documents=ApplyFim, base=base_of)
class TokenizeCode(CodeStage):
    """Write the code as tokens of the base, with the marks of repositories and files, an end-of-document after each part."""

    version = 2
    config = "tokenize"
    build = "corpora.tokenize:tokenize"
    by_shard = "corpora.reuse_tokens:Sliced"


@requires(documents=DecontaminateText, base=base_of)
class TokenizeText(CodeStage):
    """Write the replay text as tokens of the base."""

    version = 2
    config = "tokenize"
    build = "corpora.tokenize:tokenize"
    by_shard = "corpora.reuse_tokens:Sliced"


@requires(code=TokenizeCode, text=TokenizeText, base=base_of)
class ContinuePretraining(CodeStage):
    """Continue the base on code and replay text: CODE-QWEN."""

    version = 2
    config = "pretrain"
    place = TRAINING
    build = "specialize.train:continue_pretraining"


# Supervised fine-tuning ------------------------------------------------------------------------------


@requires(symbols=GateSyntax, documents=DecontaminateCorpus)
class CollectInstructions(CodeStage):
    """Make instructions with a proof each: problems with tests, and functions with doctests from the corpus."""

    config = "instructions"
    build = "corpora.instructions:collect_instructions"


@requires(conversations=CollectInstructions)
class VerifyPrograms(CodeStage):
    """Run every answer against its proof in the sandbox; keep what passes."""

    version = 2
    config = "verify"
    build = "corpora.instructions:verify_programs"


@requires(conversations=VerifyPrograms)
class DecontaminateInstructions(CodeStage):
    """Drop instructions that hold a run of a benchmark."""

    version = 2
    config = "decontaminate"
    build = "corpora.decontaminate:decontaminate_conversations"


@requires(conversations=DecontaminateInstructions, base=base_of)
class Pack(CodeStage):
    """Write conversations as packs of one length, with a mask of what is learned."""

    version = 2
    config = "pack"
    build = "corpora.pack:pack"


@requires(model=ContinuePretraining, packs=Pack)
class FineTune(CodeStage):
    """Teach CODE-QWEN to answer: CODE-QWEN-CHAT."""

    version = 2
    config = "fine_tune"
    place = TRAINING
    build = "specialize.train:fine_tune"


# Release ---------------------------------------------------------------------------------------------


@requires(model=ContinuePretraining)
class ExportBase(CodeStage):
    """Write CODE-QWEN as a folder that transformers loads."""

    version = 2
    config = "export_base"
    build = "specialize.export:export"


@requires(model=FineTune)
class ExportChat(CodeStage):
    """Write CODE-QWEN-CHAT as a folder that transformers loads."""

    version = 2
    config = "export_chat"
    build = "specialize.export:export"


@requires(base=base_of, pretrained=ExportBase, chat=ExportChat, code=DecontaminateCorpus, text=DecontaminateText)
class EvaluateCode(CodeStage):
    """Score the base, CODE-QWEN and CODE-QWEN-CHAT: bits per byte, HumanEval, MBPP."""

    version = 2
    config = "evaluate"
    place = GPU
    build = "specialize.evaluate_code:evaluate_code"


@requires(chat=ExportChat, pretrained=ExportBase, evaluation=EvaluateCode, attribution=WriteAttribution)
class ReleaseCode(CodeStage):
    """Put checkpoints, card, scores, notices and lineage together, unless a floor of the recipe is missed."""

    config = "release"
    build = "specialize.release:release_code"


# What to type ----------------------------------------------------------------------------------------


class BuildCodeCorpus(Root):
    """Build only the tokens of the code corpus and of the replay text."""

    recipe = RecipeParameter("code", CODE)
    goals: ClassVar = (TokenizeCode, TokenizeText, WriteAttribution)
    title = "CODE-QWEN corpus"


class BuildCodeQwen(Root):
    """Build CODE-QWEN and CODE-QWEN-CHAT with their scores."""

    recipe = RecipeParameter("code", CODE)
    goals: ClassVar = (ReleaseCode,)
    title = "CODE-QWEN"
