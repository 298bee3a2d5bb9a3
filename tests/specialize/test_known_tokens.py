"""Tokens that a base never learned: three signs, each found where it is and nowhere else."""

import pytest
import torch

from specialize.known_tokens import Untrained, check, measure, revived


@pytest.fixture
def rows():
    """5,000 rows as training leaves them: most of a row is shared with its neighbours; plus three that are not."""
    generator = torch.Generator().manual_seed(0)
    topics = torch.randn(50, 256, generator=generator)
    found = topics[torch.arange(5000) % 50] + 0.7 * torch.randn(5000, 256, generator=generator)
    found[10] = 0.01 * found[10]
    found[11] = torch.randn(256, generator=generator)
    found[12] = found[13] = topics[0]
    return found * 0.02


NAMES = {"learned": 4000, "gone": 10, "random": 11, "equal": 12, "first": 0}


def test_signs(rows):
    signs = {row.token: row.sign for row in measure(rows, NAMES)}
    assert signs == {
        "learned": "",
        "gone": "gone",
        "random": "random",
        "equal": "equal to another token's",
        "first": "",
    }
    assert {row.token: row.sign for row in measure(rows.bfloat16(), NAMES)} == signs


def test_an_embedding_of_nothing_is_all_untrained():
    zeros = measure(torch.zeros(100, 16), {"a": 3})
    assert zeros[0].sign == "gone"
    fresh = torch.randn(5000, 256, generator=torch.Generator().manual_seed(1)) * 0.02
    found = measure(fresh, {str(index): index for index in range(0, 5000, 100)})
    assert [row.sign for row in found].count("random") >= 45


def test_the_choice(rows):
    found = measure(rows, NAMES)
    with pytest.raises(
        ValueError, match=r"the base b never learned gone \(id 10, gone, norm 0\.0\d+, .*untrained to train"
    ):
        check("b", found, Untrained.REFUSE)
    assert check("b", found[:1], Untrained.REFUSE) == []
    untrained = check("b", found, Untrained.TRAIN)
    assert [row.token for row in untrained] == ["gone", "random", "equal"]
    fixed = revived(rows, untrained)
    torch.testing.assert_close(fixed[10], rows.mean(0))
    kept = [index for index in range(5000) if index != 10]
    assert fixed[kept].equal(rows[kept])
    assert revived(rows, untrained[1:]) is rows


@pytest.mark.slow
def test_the_laptop_base_knows_chatml_and_not_how_a_file_ends():
    import importlib.util
    from pathlib import Path

    from pipelines.recipes.bases import SMOLLM2
    from specialize.gguf import GgufFile

    spec = importlib.util.find_spec(SMOLLM2.package)
    if spec is None:
        pytest.skip("the package of the base is not installed")
    embedding = GgufFile(Path(spec.origin).parent / SMOLLM2.file).tensors()["token_embd.weight"]
    ids = {"<|endoftext|>": 0, "<|im_start|>": 1, "<|im_end|>": 2, "<repo_name>": 3, "<file_sep>": 5}
    assert [row.token for row in measure(embedding, ids) if row.sign] == ["<file_sep>"]
