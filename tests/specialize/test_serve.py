"""The server over a random tiny model: OpenAI's form, seeds, batches, limits, what a page may not do; and as a teacher."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from corpora.endpoint import Endpoint
from corpora.teacher import Message, Request, Teacher
from specialize.listener import MAX_BODY_BYTES, Server
from specialize.sampler import Busy, Job, Sampler
from specialize.serve import Service, find_folder

TEXT = "Tom has 12 apples and eats 5 of them. 12 - 5 = 7\n#### 7\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A random model of two layers, in the layout that transformers writes."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    from corpora import records, shards
    from corpora.tokenizer import Tokenizer, TrainTokenizerConfig, train_tokenizer

    root = tmp_path_factory.mktemp("served")
    rows = [{"id": "a", "text": TEXT, "split": "train"}]
    shards.write(root / "kept" / shards.shard_name(0, 1), rows, records.DOCUMENT)
    train_tokenizer(root, documents=root, config=TrainTokenizerConfig(vocab_size=300))
    ids = Tokenizer.load(root / "tokenizer")
    config = Qwen2Config(
        vocab_size=300,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        eos_token_id=ids.eod_id,
        pad_token_id=ids.eod_id,
        bos_token_id=None,
        initializer_range=0.2,
    )
    torch.set_num_threads(1)  # for so small a model threads only cost
    torch.manual_seed(7)
    Qwen2ForCausalLM(config).save_pretrained(root / "tiny" / "hf")
    for path in (root / "tokenizer").iterdir():
        (root / "tiny" / "hf" / path.name).write_bytes(path.read_bytes())
    return root / "tiny"


@pytest.fixture(scope="module")
def service(folder):
    service = Service.load(folder, context=1000, batch_size=4, dtype="float32")
    yield service
    service.sampler.close()


def listening(service):
    server = Server(("127.0.0.1", 0), service)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    return server, thread


@pytest.fixture(scope="module")
def server(service):
    server, thread = listening(service)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def call(server, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=30)
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    connection.request("GET" if body is None else "POST", path, data, given)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, json.loads(text) if text.startswith("{") else text


def chat(content="What is 3 + 4?", **changed):
    return {"model": "tiny", "messages": [{"role": "user", "content": content}], "max_tokens": 12, **changed}


def say(server, **changed):
    status, value = call(server, "/v1/chat/completions", chat(**changed))
    assert status == 200, value
    return [choice["message"]["content"] for choice in value["choices"]]


def test_a_chat_and_a_completion_have_the_form_that_clients_read(server, service):
    status, value = call(server, "/v1/chat/completions", chat(seed=1, n=2))
    assert (status, value["object"], value["model"]) == (200, "chat.completion", "tiny")
    assert [choice["index"] for choice in value["choices"]] == [0, 1]
    assert {choice["finish_reason"] for choice in value["choices"]} <= {"stop", "length"}
    assert value["choices"][0]["message"]["role"] == "assistant"
    usage = value["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] <= 24 + usage["prompt_tokens"]
    _, value = call(server, "/v1/completions", {"model": "tiny", "prompt": ["12 - 5", "3 + 4"], "temperature": 0})
    assert (value["object"], len(value["choices"]), value["usage"]["completion_tokens"]) == ("text_completion", 2, 32)
    encoded = service.exported.tokenizer.encode_batch(["12 - 5"])[0]
    _, by_ids = call(server, "/v1/completions", {"model": "tiny", "prompt": encoded, "temperature": 0})
    assert by_ids["choices"][0]["text"] == value["choices"][0]["text"]


def test_a_chat_is_rendered_as_the_model_was_trained_and_markers_in_it_are_text(service):
    from corpora.chat import encode_prompt
    from specialize.openai_form import read

    parts = [{"type": "text", "text": "a<|im_end|>"}, {"type": "text", "text": "b"}]
    messages = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": parts}]
    body = json.dumps({"model": "tiny", "messages": messages, "max_tokens": 1}).encode()
    tokenizer = service.exported.tokenizer
    found = read(body, is_chat=True, model="tiny", tokenizer=tokenizer, context=200)
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "a<|im_end|>b"}]
    assert found.jobs[0].prompt == tuple(encode_prompt(turns, tokenizer=tokenizer))
    assert found.jobs[0].prompt.count(tokenizer.token_id("<|im_end|>")) == 2


def test_a_seed_decides_a_reply_and_another_seed_or_sample_is_another(server):
    first = say(server, seed=5, n=3)
    assert first == say(server, seed=5, n=3)
    assert len(set(first)) == 3
    assert first[0] == say(server, seed=5)[0]
    assert say(server, seed=6)[0] != first[0]
    assert say(server)[0] != say(server)[0]
    assert say(server, temperature=0, seed=1) == say(server, temperature=0, seed=2) == say(server, top_p=1e-9, seed=3)


def test_many_at_once_say_what_each_says_alone_and_share_batches(server, service, monkeypatch):
    from specialize import sampler

    sizes, decode = [], sampler._decode
    monkeypatch.setattr(sampler, "_decode", lambda exported, rows: sizes.append(len(rows)) or decode(exported, rows))
    asked = [chat("word " * number, seed=number, max_tokens=4 + number) for number in range(10)]
    alone = [say(server, **one) for one in asked]
    assert set(sizes) == {1}
    with ThreadPoolExecutor(10) as pool:
        together = list(pool.map(lambda one: say(server, **one), asked))
    assert together == alone
    assert max(sizes) > 1


def test_greedy_replies_are_those_of_the_evaluation(server, service):
    from specialize.generate import complete

    prompts = ["12 - 5", "Tom has 12 apples", "7"]
    ids = service.exported.tokenizer.encode_batch(prompts)
    wanted = complete(service.exported, ids, max_new_tokens=16, batch_size=1)
    _, value = call(server, "/v1/completions", {"model": "tiny", "prompt": prompts, "temperature": 0})
    assert [choice["text"] for choice in value["choices"]] == wanted


def test_a_stop_string_is_not_said(server):
    whole = say(server, temperature=0, max_tokens=40)[0]
    stop = whole[5:8]
    status, value = call(server, "/v1/chat/completions", chat(temperature=0, max_tokens=40, stop=[stop, "never"]))
    choice = value["choices"][0]
    assert (status, choice["message"]["content"], choice["finish_reason"]) == (200, whole.partition(stop)[0], "stop")
    assert value["usage"]["completion_tokens"] < 40


def test_the_share_of_a_token_is_its_probability(service):
    """5,000 draws of one token: within four standard deviations of the softmax at that temperature."""
    import torch

    from specialize.sampler import _Row

    logits = torch.tensor([2.0, 1.0, 0.0, -1.0])
    for temperature, top_p in ((1.0, 1.0), (0.5, 1.0), (1.0, 0.8)):
        job = Job(prompt=(1,), max_tokens=1, temperature=temperature, top_p=top_p, seed="s")
        row = _Row(job, print)
        drawn = torch.bincount(torch.tensor([row.pick(logits) for _ in range(5000)]), minlength=4) / 5000
        wanted = torch.softmax(logits / temperature, 0)
        if top_p < 1:
            wanted = torch.where(wanted.cumsum(0) - wanted < top_p, wanted, 0)
            wanted = wanted / wanted.sum()
        assert torch.all((drawn - wanted).abs() <= 4 * (wanted * (1 - wanted) / 5000).sqrt() + 1e-9)


def test_a_stream_ends_as_clients_wait_for(server):
    status, text = call(
        server, "/v1/chat/completions", chat(seed=1, stream=True, stream_options={"include_usage": True})
    )
    assert status == 200
    lines = [line.removeprefix("data: ") for line in text.strip().split("\n\n")]
    assert lines[-1] == "[DONE]"
    events = [json.loads(line) for line in lines[:-1]]
    said = "".join(event["choices"][0]["delta"].get("content", "") for event in events if event["choices"])
    assert said == say(server, seed=1)[0]
    assert events[-2]["choices"][0]["finish_reason"] in ("stop", "length")
    assert events[-1]["usage"]["completion_tokens"] > 0


def test_health_and_models(server):
    assert call(server, "/health") == (200, {"status": "ok"})
    assert call(server, "/v1/models")[1]["data"][0]["id"] == "tiny"
    assert call(server, "/v1/models/tiny")[0] == 200


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        (b"{", 400, None),
        (b"[" * 100_000, 400, None),
        (b"[]", 400, None),
        ({"model": "other"}, 404, "model"),
        (chat(n=0), 400, "n"),
        (chat(n=10_000), 400, "n"),
        (chat(n=True), 400, "n"),
        (chat(temperature=-1), 400, "temperature"),
        (chat(temperature=float("nan")), 400, "temperature"),
        (chat(top_p=0), 400, "top_p"),
        (chat(seed="1"), 400, "seed"),
        (chat(stop=[""]), 400, "stop"),
        (chat(stop="x" * 1000), 400, "stop"),
        (chat(max_tokens=0), 400, "max_tokens"),
        (chat(max_tokens=5000), 400, "max_tokens"),
        (chat("long " * 500), 400, "max_tokens"),
        (chat(tools=[{"type": "function"}]), 400, "tools"),
        (chat(logprobs=True), 400, "logprobs"),
        (chat(messages=[]), 400, "messages"),
        (chat(messages=[{"role": "tool", "content": "x"}]), 400, "messages[0]"),
        (chat(messages=[{"role": "user", "content": [{"type": "image_url"}]}]), 400, "messages[0]"),
    ],
)
def test_what_cannot_be_answered_is_an_error_in_the_form_of_openai(server, body, status, param):
    found, value = call(server, "/v1/chat/completions", body)
    assert (found, value["error"]["param"]) == (status, param), value
    assert value["error"]["message"]
    assert value["error"]["type"] in ("invalid_request_error", "not_found_error")


@pytest.mark.parametrize("prompt", [None, "", [], [""], [1.5], [300], [[]], {"a": 1}, ["a"] * 65])
def test_a_prompt_that_is_none_is_refused(server, prompt):
    status, value = call(server, "/v1/completions", {"model": "tiny", "prompt": prompt})
    assert (status, value["error"]["param"]) == (400, "prompt")


def test_what_a_web_page_could_send_is_refused(server):
    assert call(server, "/v1/chat/completions", chat(), Content_Type="text/plain")[0] == 415
    assert call(server, "/v1/chat/completions", chat(), Host="evil.example")[0] == 403
    assert call(server, "/v1/models", Host="localhost:1")[0] == 200


def test_bounds_of_a_request(server):
    assert call(server, "/v1/chat/completions", b"x", Content_Length=str(MAX_BODY_BYTES + 1))[0] == 413
    assert call(server, "/v1/chat/completions", b"x", Content_Length="-1")[0] == 411
    assert call(server, "/v1/embeddings", chat())[0] == 404
    assert call(server, "/etc/passwd")[0] == 404


def test_a_key_is_asked_for_where_there_is_one(service):
    from dataclasses import replace

    server, thread = listening(replace(service, key="sk-1"))
    try:
        assert call(server, "/v1/models")[0] == call(server, "/v1/models", Authorization="Bearer sk-2")[0] == 401
        assert call(server, "/v1/models", Authorization="Bearer sk-1")[0] == 200
        assert call(server, "/health")[0] == 200
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_full_queue_and_a_fault_are_answers(server, service, monkeypatch, capsys):
    from specialize import sampler

    def busy(*_):
        raise Busy

    with monkeypatch.context() as patched:
        patched.setattr(Sampler, "sample", busy)
        status, value = call(server, "/v1/chat/completions", chat())
        assert (status, value["error"]["type"]) == (429, "rate_limit_error")
    with monkeypatch.context() as patched:
        patched.setattr(sampler, "_decode", lambda *_: 1 / 0)
        status, value = call(server, "/v1/chat/completions", chat())
        assert (status, value["error"]["type"]) == (500, "server_error")
    assert say(server, seed=1)
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_waiting_prompt_too_many_is_refused_at_once(service):
    idle = Sampler(service.exported, batch_size=1, max_waiting=2)
    job = Job(prompt=(1, 2), max_tokens=1)
    with pytest.raises(Busy):
        idle.sample([job] * 3)
    assert len(idle.sample([job] * 2)) == 2
    idle.close()
    with pytest.raises(Busy):
        idle.sample([job])


def test_a_teacher_over_it_replays_without_it(server, tmp_path):
    requests = [
        Request(model="tiny", messages=(Message("user", f"{n} + 1?"),), max_tokens=6, temperature=1.0, sample=n % 2)
        for n in range(8)
    ]
    teacher = Teacher(tmp_path, Endpoint(url=server.url, concurrency=4))
    replies = list(teacher.complete(requests))
    assert len({reply.text for reply in replies}) > 4
    assert teacher.given.reply_tokens == sum(reply.reply_tokens for reply in replies) > 0
    assert list(Teacher(tmp_path).complete(requests)) == replies


def test_a_stage_over_it_labels_what_it_says_and_replays_to_the_byte(server, tmp_path):
    from corpora import records, shards
    from corpora.math import rows
    from corpora.math.teacher.asking import Sampling
    from corpora.math.teacher.rephrase import RephraseConfig, augment_rephrase

    seeds = [rows.problem(rows.SEED, f"What is {n} + 4?", "", str(n + 4), source="s", license="MIT") for n in range(3)]
    shards.write(tmp_path / "seeds" / "kept" / shards.shard_name(0, 1), seeds, records.PROBLEM)
    config = RephraseConfig(model="tiny", rewrites=Sampling(samples=2, max_reply_tokens=8))
    longer = RephraseConfig(model="tiny", rewrites=Sampling(samples=3, max_reply_tokens=4096))
    teacher = Teacher(tmp_path / "t", Endpoint(url=server.url))
    with pytest.raises(ValueError, match=r"refused 8 requests in a row.*the context is 1000 tokens"):
        augment_rephrase(tmp_path / "x", problems=tmp_path / "seeds", config=longer, teacher=teacher)
    found = []
    for name, endpoint in (("live", Endpoint(url=server.url)), ("replayed", None)):
        teacher = Teacher(tmp_path / "t", endpoint)
        counts = augment_rephrase(tmp_path / name, problems=tmp_path / "seeds", config=config, teacher=teacher)
        found.append((counts, (tmp_path / name / "kept" / shards.shard_name(0, 1)).read_bytes()))
    assert found[0] == found[1]
    assert sum(found[0][0]["verdicts"].values()) == found[0][0]["kept"] > 3
    assert set(found[0][0]["verdicts"]) <= {"cut off", "unread"}


def test_folders_that_cannot_be_served_are_refused(folder, tmp_path):
    assert find_folder(folder) == find_folder(folder / "hf") == folder / "hf"
    with pytest.raises(ValueError, match=r"has no config\.json, nor has"):
        find_folder(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(ValueError, match="reads no pickled weights"):
        find_folder(tmp_path)


@pytest.mark.slow
def test_the_command_serves_until_a_signal(folder):
    command = [sys.executable, "-m", "specialize.serve", "--model", str(folder), "--port", "0", "--name", "m"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        line = process.stdout.readline()
        assert line.startswith("m at http://127.0.0.1:")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    done = subprocess.run([*command, "--host", "0.0.0.0"], capture_output=True, text=True, check=False)
    assert (done.returncode, "set a key in the environment" in done.stderr) == (1, True)
