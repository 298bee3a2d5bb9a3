"""The two mask modes label by label: a conversation written out token by token, and `finetune.py`'s rule said a second time.

The table below is golden: one line a token, what it is, and whether each mode learns it. Labels are those of the token
itself (a 1 is predicted by the token before it), which is how the packs hold them.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.chat import MaskMode, encode

MESSAGES = [
    {"role": "system", "content": "Be brief"},
    {"role": "user", "content": "2+2 ?"},
    {"role": "assistant", "content": "is 4"},
    {"role": "user", "content": "sure"},
    {"role": "assistant", "content": "run it ```output\n"},
    {"role": "tool", "content": "4 ```\n"},
    {"role": "assistant", "content": "yes"},
]
GOLDEN = """
<|im_start|> 0 1
system       0 0
\\n          0 0
Be           0 0
brief        0 0
<|im_end|>   0 1
\\n          0 1
<|im_start|> 0 1
user         0 0
\\n          0 0
2+2          0 0
?            0 0
<|im_end|>   0 1
\\n          0 1
<|im_start|> 0 1
assistant    0 0
\\n          0 0
is           1 1
4            1 1
<|im_end|>   1 1
\\n          0 1
<|im_start|> 0 1
user         0 0
\\n          0 0
sure         0 0
<|im_end|>   0 1
\\n          0 1
<|im_start|> 0 1
assistant    0 0
\\n          0 0
run          1 1
it           1 1
```output    1 1
\\n          1 1
4            0 0
```          0 0
\\n          0 0
yes          1 1
<|im_end|>   1 1
\\n          0 1
"""


class Words:
    """A tokenizer whose tokens are words and line ends."""

    def __init__(self):
        self.names = []

    def token_id(self, token):
        if token not in self.names:
            self.names.append(token)
        return self.names.index(token)

    def encode_batch(self, texts):
        return [[self.token_id(word) for word in text.replace("\n", " \\n ").split()] for text in texts]


@pytest.mark.parametrize(("mode", "column"), [(MaskMode.REPORT, 1), (MaskMode.FINETUNE_PY, 2)])
def test_every_label_is_the_golden_one(mode, column):
    tokenizer = Words()
    (encoded,) = encode([MESSAGES], tokenizer=tokenizer, mode=mode)
    lines = [line.split() for line in GOLDEN.strip().splitlines()]
    found = [[tokenizer.names[token], str(label)] for token, label in zip(encoded.ids, encoded.mask, strict=True)]
    assert found == [[line[0], line[column]] for line in lines]


def finetune_labels(messages, tokenizer):
    """Say what `finetune.py` learns of one conversation, from its description: -100 for what is not.

    Each turn is start marker, role, line end, content, end marker, line end. Of a system or user turn all but the first and
    the last two are masked; of the assistant's the role and its line end.
    """
    ids, labels = [], []
    start, end = tokenizer.token_id("<|im_start|>"), tokenizer.token_id("<|im_end|>")
    newline = tokenizer.encode_batch(["\n"])[0]
    for message in messages:
        role, content = tokenizer.encode_batch([message["role"], message["content"]])
        turn = [start, *role, *newline, *content, end, *newline]
        masked = [start, *[-100] * (len(turn) - 2 - len(newline)), end, *newline]
        header = [start, *[-100] * (len(role) + len(newline))]
        ids += turn
        labels += [*header, *turn[len(header) :]] if message["role"] == "assistant" else masked
    return ids, labels


words = st.lists(st.sampled_from(["a", "b", "im_end", "\n", "assistant"]), max_size=6).map(" ".join)
turns = st.lists(st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": words}), max_size=5)


@given(words, turns)
def test_finetune_py_mode_is_its_rule(system, messages):
    tokenizer = Words()
    messages = [{"role": "system", "content": system}, *messages]
    (encoded,) = encode([messages], tokenizer=tokenizer, mode=MaskMode.FINETUNE_PY)
    ids, labels = finetune_labels(messages, tokenizer)
    assert encoded.ids.tolist() == ids
    assert [token if label else -100 for token, label in zip(ids, encoded.mask.tolist(), strict=True)] == labels


@given(turns)
def test_one_turn_learns_what_the_report_says(messages):
    """After the shift: content and one token in report mode, content and three tokens of its turn in the other."""
    tokenizer = Words()
    for message in messages:
        content = len(tokenizer.encode_batch([message["content"]])[0])
        learned = [int(encode([[message]], tokenizer=tokenizer, mode=mode)[0].mask.sum()) for mode in MaskMode]
        assert learned == ([content + 1, content + 3] if message["role"] == "assistant" else [0, 3])
