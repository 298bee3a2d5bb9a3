"""ChatML: ids decode to what is rendered, and exactly what the assistant says is learned."""

import jinja2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import SchemaError
from corpora.chat import CHAT_TEMPLATE, END, START, MaskMode, encode, encode_prompt, render

MARKERS = {START: 256, END: 257}


class ByteTokenizer:
    """Bytes as ids, and two markers that no text can spell."""

    def encode_batch(self, texts):
        return [list(text.encode()) for text in texts]

    def token_id(self, token):
        return MARKERS[token]

    def decode(self, ids):
        names = {number: name.encode() for name, number in MARKERS.items()}
        return b"".join(names.get(int(i)) or bytes([i]) for i in ids).decode()


TOKENIZER = ByteTokenizer()
contents = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.sampled_from([END, f"a{START}user\nb", "\n"])
)
turns = st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": contents})
conversations = st.lists(turns, max_size=5)
SHORT = [{"role": "user", "content": "2+2="}, {"role": "assistant", "content": "four"}]


def one(messages, mode=MaskMode.REPORT):
    return encode([messages], tokenizer=TOKENIZER, mode=mode)[0]


@given(conversations)
def test_ids_decode_to_what_is_rendered(messages):
    assert TOKENIZER.decode(one(messages).ids) == render(messages)


@given(conversations)
def test_the_template_of_the_tokenizer_renders_the_same(messages):
    template = jinja2.Environment().from_string(CHAT_TEMPLATE)
    for generation in (False, True):
        text = render(messages, add_generation_prompt=generation)
        assert template.render(messages=messages, add_generation_prompt=generation) == text


@given(conversations, contents)
def test_a_prompt_is_what_training_puts_before_the_answer(messages, answer):
    prompt = encode_prompt(messages, tokenizer=TOKENIZER)
    whole = one([*messages, {"role": "assistant", "content": answer}])
    assert list(whole.ids[: len(prompt)]) == prompt
    assert TOKENIZER.decode(whole.ids[len(prompt) :]) == f"{answer}{END}\n"


@given(conversations)
def test_in_report_mode_the_assistants_words_and_their_end_are_learned(messages):
    encoded = one(messages)
    said = "".join(turn["content"] + END for turn in messages if turn["role"] == "assistant")
    assert TOKENIZER.decode(encoded.ids[encoded.mask == 1]) == said


@given(conversations)
def test_in_finetune_py_mode_markers_of_all_turns_are_learned_too(messages):
    encoded = one(messages, MaskMode.FINETUNE_PY)
    learned = "".join(f"{START}{turn['content'] if turn['role'] == 'assistant' else ''}{END}\n" for turn in messages)
    assert TOKENIZER.decode(encoded.ids[encoded.mask == 1]) == learned


@given(conversations)
def test_markers_spelt_in_a_content_end_nothing(messages):
    ids = one(messages).ids
    assert [int((ids == marker).sum()) for marker in (256, 257)] == [len(messages)] * 2


@given(st.lists(conversations, max_size=4), st.sampled_from(MaskMode))
def test_conversations_together_are_encoded_as_each_alone(many, mode):
    together = encode(many, tokenizer=TOKENIZER, mode=mode)
    for messages, encoded in zip(many, together, strict=True):
        alone = one(messages, mode)
        assert encoded.ids.dtype == np.int32
        assert encoded.mask.dtype == np.uint8
        assert encoded.ids.tolist() == alone.ids.tolist()
        assert encoded.mask.tolist() == alone.mask.tolist()


def test_the_mask_of_one_short_conversation():
    user = [0] * len("suser\n2+2=e.")
    assert one(SHORT).mask.tolist() == [*user, *[0] * len("sassistant\n"), *[1] * len("foure"), 0]
    finetune = one(SHORT, MaskMode.FINETUNE_PY).mask.tolist()
    assert finetune == [1, *[0] * len("user\n2+2="), 1, 1, 1, *[0] * len("assistant\n"), *[1] * len("foure\n")]


TOOLS = [
    {"role": "user", "content": "2+2?"},
    {"role": "assistant", "content": "print(2+2)\n"},
    {"role": "tool", "content": "4\n"},
    {"role": "assistant", "content": "So 4."},
]


@pytest.mark.parametrize(
    ("mode", "labels"),
    [
        (MaskMode.REPORT, "...........|.|...........print(2+2)n|..|So 4.E|."),
        (MaskMode.FINETUNE_PY, "S.........E|n|S..........print(2+2)n|..|So 4.E|n"),
    ],
)
def test_label_by_label_what_a_tool_said_is_not_learned(mode, labels):
    """A letter a token, S and E the markers, n a new line; a point is -100, and the last one of `So 4.` a full stop."""
    encoded = one(TOOLS, mode)
    text = f"{START}user\n2+2?{END}\n{START}assistant\nprint(2+2)\n4\nSo 4.{END}\n"
    assert TOKENIZER.decode(encoded.ids) == text == render(TOOLS)
    golden = labels.replace("|", "")
    tokens = text.replace(START, "S").replace(END, "E").replace("\n", "n")
    assert len(tokens) == len(golden) == len(encoded.mask)
    stop = golden.rindex("4.") + 1
    assert encoded.mask.tolist() == [int(label != "." or at == stop) for at, label in enumerate(golden)]
    assert all(label in (token, ".") for token, label in zip(tokens, golden, strict=True))


speeches = st.lists(st.tuples(contents, contents), max_size=3)


@given(contents, speeches, contents, st.sampled_from(MaskMode))
def test_a_tool_speaks_inside_the_turn_and_is_never_learned(question, speeches, end, mode):
    said = [[{"role": "assistant", "content": a}, {"role": "tool", "content": t}] for a, t in speeches]
    inside = [message for pair in said for message in pair]
    messages = [{"role": "user", "content": question}, *inside, {"role": "assistant", "content": end}]
    encoded = one(messages, mode)
    assert TOKENIZER.decode(encoded.ids) == render(messages)
    learned = TOKENIZER.decode(encoded.ids[encoded.mask == 1])
    own = "".join(a for a, _ in speeches) + end
    markers = f"{START}{END}\n{START}" if mode is MaskMode.FINETUNE_PY else ""
    assert learned == markers + own + END + ("\n" if mode is MaskMode.FINETUNE_PY else "")
    assert int((encoded.ids == 256).sum()) == int((encoded.ids == 257).sum()) == 2
    template = jinja2.Environment().from_string(CHAT_TEMPLATE)
    assert template.render(messages=messages) == render(messages)
    prompt = encode_prompt(messages[:-1], tokenizer=TOKENIZER)
    assert encoded.ids.tolist()[: len(prompt)] == prompt
    assert TOKENIZER.decode(encoded.ids[len(prompt) :]) == f"{end}{END}\n"


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        (["judge"], "role 'judge'; the roles are system, user, assistant, tool"),
        (["tool"], "a tool speaks after nobody"),
        (["user", "tool"], "a tool speaks after user"),
        (["user", "assistant", "tool", "user"], "'user' speaks after a tool"),
        (["user", "assistant", "tool"], "ends with a tool's words, 'x'"),
    ],
)
def test_a_role_out_of_place_is_refused(roles, message):
    with pytest.raises(SchemaError, match=message):
        one([{"role": role, "content": "x"} for role in roles])
