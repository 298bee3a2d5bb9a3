"""The teacher against a real local server: order, cache, budget, retries, and what a server may do wrong."""

import json
import time

import pytest

from corpora.budget import LEDGER, Usage
from corpora.endpoint import Endpoint
from corpora.replies import Replies, parse_completion, read_reply
from corpora.teacher import REFUSED, Message, Reply, Request, Teacher, from_settings
from tests.corpora.teacher_server import KEY, Server


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


def asked(*texts, **changed):
    return [Request(model="m", messages=(Message("user", text),), max_tokens=8, **changed) for text in texts]


def kept(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.json"))


def texts(teacher, requests):
    return [reply.text for reply in teacher.complete(requests)]


def test_replies_come_in_order_and_a_second_run_asks_nothing(server, tmp_path):
    def slow_first(body, _):
        text = body["messages"][-1]["content"]
        time.sleep(0.1 if text == "0" else 0)
        return f"re: {text}"

    server.say = slow_first
    names = [str(number) for number in range(12)]
    teacher = Teacher(tmp_path, server.endpoint(concurrency=4))
    assert texts(teacher, asked(*names)) == [f"re: {name}" for name in names]
    assert (teacher.budget.requests, teacher.given, len(server.bodies)) == (12, Usage(120, 24), 12)
    assert 1 < server.most <= 4
    assert texts(Teacher(tmp_path), asked(*names)) == [f"re: {name}" for name in names]
    assert len(server.bodies) == 12


def test_what_is_sent_is_the_request_and_nothing_that_is_kept_has_the_key(server, tmp_path):
    (request,) = asked("hello", temperature=0.7, sample=3)
    assert texts(Teacher(tmp_path, server.endpoint()), [request]) == ["re: hello"]
    assert server.bodies == [
        {
            "model": "m",
            "messages": [{"role": "user", "content": "hello"}],
            "max_tokens": 8,
            "temperature": 0.7,
            "top_p": 1.0,
            "seed": 3,
            "n": 1,
        }
    ]
    assert server.keys == [f"Bearer {KEY}"]
    assert kept(tmp_path) == [f"{request.digest()[:2]}/{request.digest()}.json"]
    assert KEY not in "".join((tmp_path / name).read_text() for name in kept(tmp_path))
    assert KEY not in repr(server.endpoint())


def test_any_part_of_a_request_makes_another_request():
    (plain,) = asked("a")
    others = [*asked("b"), *asked("a", temperature=0.5), *asked("a", top_p=0.5), *asked("a", sample=1)]
    assert len({request.digest() for request in [plain, *others]}) == 5


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again(server, tmp_path, status):
    server.say = lambda body, number: (status, {"Retry-After": "0"}, b"later") if number < 3 else "well"
    teacher = Teacher(tmp_path, server.endpoint())
    assert texts(teacher, asked("a")) == ["well"]
    assert (len(server.bodies), teacher.budget.requests) == (3, 1)


def test_the_endpoint_says_how_long_to_wait(server, tmp_path):
    server.say = lambda body, number: (429, {"Retry-After": "1"}, b"") if number == 1 else "well"
    before = time.monotonic()
    assert texts(Teacher(tmp_path, server.endpoint()), asked("a")) == ["well"]
    assert time.monotonic() - before >= 1


def test_a_teacher_that_does_not_answer_is_an_error_with_its_cure(server, tmp_path):
    server.say = lambda body, number: (503, {}, b"")
    with pytest.raises(ValueError, match=r"no teacher answers at http.*2 attempts.*status 503; start it"):
        texts(Teacher(tmp_path, server.endpoint(attempts=2)), asked("a"))
    gone = Endpoint(url="http://127.0.0.1:1/v1", attempts=2, backoff_seconds=0.01)
    with pytest.raises(ValueError, match="ended in ConnectError"):
        texts(Teacher(tmp_path, gone), asked("a"))


def test_a_timeout_is_tried_again(server, tmp_path):
    server.say = lambda body, number: time.sleep(0.4) or "late" if number == 1 else "well"
    assert texts(Teacher(tmp_path, server.endpoint(timeout_seconds=0.2)), asked("a")) == ["well"]


@pytest.mark.parametrize(
    ("status", "cure"),
    [(401, "set the environment variable"), (403, "does not allow"), (404, "correct the recipe's model")],
)
def test_a_denial_ends_the_run_at_once_without_the_key_in_its_message(server, tmp_path, status, cure):
    server.say = lambda body, number: (status, {}, f"no: {KEY} \x1b[31m".encode())
    with pytest.raises(ValueError, match=cure) as caught:
        texts(Teacher(tmp_path, server.endpoint(concurrency=1)), asked("a"))
    assert KEY not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert "'m'" in str(caught.value)
    assert len(server.bodies) == 1


def test_a_spent_budget_stops_cleanly_and_the_next_run_goes_on(server, tmp_path):
    names = [str(number) for number in range(7)]
    with pytest.raises(ValueError, match=r"budget of one run is spent: 3 requests, 36 tokens.*max_requests"):
        texts(Teacher(tmp_path, server.endpoint(max_requests=3)), asked(*names))
    assert len(kept(tmp_path)) == 3
    # a request takes at most 9 + 8 tokens and in truth 12: after two of them 28 leave no room for a third
    with pytest.raises(ValueError, match=r"2 requests, 24 tokens, and one more could break max_tokens"):
        texts(Teacher(tmp_path, server.endpoint(max_tokens=40)), asked(*names))
    assert len(kept(tmp_path)) == 5
    assert len(texts(Teacher(tmp_path, server.endpoint()), asked(*names))) == 7
    assert len(server.bodies) == 7


def test_money_is_counted_over_all_runs_and_its_bound_is_never_passed(server, tmp_path):
    names = [str(number) for number in range(9)]
    # 10 prompt tokens and 2 of the reply: 10 + 2 * 5 = 20 a request; at worst 9 + 8 * 5 = 49
    prices = {"price_prompt": 1e6, "price_reply": 5e6, "concurrency": 4}
    for bound, replies in ((100.0, 3), (100.0, 3), (149.0, 6), (1000.0, 9)):
        teacher = Teacher(tmp_path, server.endpoint(max_cost=bound, **prices))
        if replies < 9:
            with pytest.raises(
                ValueError, match=r"in all runs with the replies of .*raise luigi\.cfg \[teacher\] max_cost"
            ):
                texts(teacher, asked(*names))
        else:
            assert len(texts(teacher, asked(*names))) == 9
        assert (len(kept(tmp_path)), teacher.budget.cost) == (replies, 20.0 * replies)
        assert teacher.budget.cost <= bound
    assert len(server.bodies) == 9
    (tmp_path / LEDGER).write_text("20.0\nmuch\n")
    with pytest.raises(ValueError, match=r"spent\.txt has 'much' in line 2"):
        Teacher(tmp_path, server.endpoint(max_cost=1.0, **prices))


def test_an_endpoint_that_counts_nothing_is_counted(server, tmp_path):
    server.say = lambda *_: (200, {}, json.dumps({"choices": [{"message": {"content": "x" * 100}}]}).encode())
    teacher = Teacher(tmp_path, server.endpoint())
    texts(teacher, asked("ab"))
    assert teacher.given == teacher.budget.used == Usage(9, 50)


def test_equal_requests_are_sent_once(server, tmp_path):
    server.say = lambda *_: time.sleep(0.05) or "same"
    teacher = Teacher(tmp_path, server.endpoint(concurrency=4))
    assert texts(teacher, asked("a", "a", "a", "b")) == ["same"] * 4
    assert len(server.bodies) == 2


def test_a_refusal_is_a_value_that_replays_and_is_asked_again(server, tmp_path):
    server.say = lambda body, number: (400, {}, b"too long") if body["messages"][0]["content"] == "b" else "well"
    wanted = [("well", "stop"), ("", REFUSED), ("well", "stop")]
    for teacher in (Teacher(tmp_path, server.endpoint()), Teacher(tmp_path)):
        replies = list(teacher.complete(asked("a", "b", "c")))
        assert [(reply.text, reply.finish) for reply in replies] == wanted
    assert len(kept(tmp_path)) == 2
    server.say = lambda *_: "longer"
    assert texts(Teacher(tmp_path, server.endpoint()), asked("b")) == ["longer"]
    assert texts(Teacher(tmp_path), asked("b")) == ["longer"]
    server.say = lambda body, number: (400, {}, b"temperature is not supported")
    with pytest.raises(ValueError, match=r"refused 8 requests in a row.*temperature"):
        texts(Teacher(tmp_path, server.endpoint()), asked(*map(str, range(20))))


def test_a_server_that_dies_midway_loses_nothing(server, tmp_path):
    """Its last answer is torn, then nobody is there; another server on another port goes on from there."""
    torn = (200, {"Content-Length": "500"}, b'{"choices": [{"message": {"cont')

    def dying(body, number):
        return torn if number > 5 else f"re: {body['messages'][0]['content']}"

    server.say = dying
    names = [str(number) for number in range(10)]
    with pytest.raises(ValueError, match=r"2 attempts, the last one ended in RemoteProtocolError; start it"):
        texts(Teacher(tmp_path, server.endpoint(attempts=2, concurrency=2)), asked(*names))
    assert len(kept(tmp_path)) == 5
    server.say = lambda body, number: f"re: {body['messages'][0]['content']}"
    before = len(server.bodies)
    assert texts(Teacher(tmp_path, server.endpoint()), asked(*names)) == [f"re: {name}" for name in names]
    assert len(server.bodies) - before == 5
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]


def test_an_error_ends_the_waits_of_the_other_requests(server, tmp_path):
    server.say = lambda body, number: (401, {}, b"") if body["messages"][0]["content"] == "0" else (503, {}, b"")
    before = time.monotonic()
    with pytest.raises(ValueError, match="key is missing"):
        texts(Teacher(tmp_path, server.endpoint(backoff_seconds=60, concurrency=4)), asked("0", "1", "2", "3"))
    assert time.monotonic() - before < 5


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[" * 100_000,
        b"null",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": 4}}]}',
        b'{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": -1}}',
        b'{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": true}}',
        b'{"choices": [{"message": {"content": "x"}}], "usage": []}' + b"\xff",
    ],
)
def test_what_is_no_completion_is_refused(body, server, tmp_path):
    assert parse_completion(body) is None
    server.say = lambda *_: (200, {}, body)
    with pytest.raises(ValueError, match="2 attempts, the last one ended in no chat completion but status 200"):
        texts(Teacher(tmp_path, server.endpoint(attempts=2)), asked("a"))
    assert kept(tmp_path) == []
    server.say = lambda _, number: (200, {}, body) if number == 3 else "well"
    assert texts(Teacher(tmp_path, server.endpoint()), asked("a")) == ["well"]


def test_an_answer_without_end_is_cut(server, tmp_path, monkeypatch):
    monkeypatch.setattr("corpora.endpoint._MAX_ANSWER_BYTES", 1000)
    server.say = lambda *_: "x" * 2000
    with pytest.raises(ValueError, match="an answer without end"):
        texts(Teacher(tmp_path, server.endpoint(attempts=1)), asked("a"))


def test_a_redirect_is_not_followed(server, tmp_path):
    server.say = lambda *_: (302, {"Location": "http://127.0.0.1:1/"}, b"")
    with pytest.raises(ValueError, match="status 302"):
        texts(Teacher(tmp_path, server.endpoint()), asked("a"))


def test_a_torn_file_of_the_cache_is_asked_for_again(server, tmp_path):
    (request,) = asked("a")
    path = Replies(tmp_path).path(request.digest())
    path.parent.mkdir()
    for torn in ("", '{"text": "re', '{"text": 4, "finish": "stop"}', '{"other": 1}', "[]"):
        path.write_text(torn)
        assert read_reply(path) is None
    assert texts(Teacher(tmp_path, server.endpoint()), [request]) == ["re: a"]
    assert read_reply(path) == Reply(text="re: a", finish="stop", prompt_tokens=10, reply_tokens=2)


def test_a_reply_may_hold_any_text(server, tmp_path):
    for said in ("\ud800 half", "\x00\x1b[2J", '"}]}', "ä" * 3):
        choice = json.dumps({"choices": [{"message": {"content": said}}]}).encode()
        server.say = lambda body, number, choice=choice: (200, {}, choice)
        (request,) = asked(repr(said))
        first = texts(Teacher(tmp_path, server.endpoint()), [request])
        assert texts(Teacher(tmp_path), [request]) == first
        first[0].encode()
    choice = json.dumps({"choices": [{"message": {"content": None}, "finish_reason": "content_filter"}]}).encode()
    assert parse_completion(choice) == Reply(text="", finish="content_filter")


def test_requests_are_drawn_as_they_are_needed(server, tmp_path):
    drawn = []

    def endless():
        number = 0
        while True:
            drawn.append(number)
            yield from asked(str(number))
            number += 1

    replies = Teacher(tmp_path, server.endpoint(concurrency=2)).complete(endless())
    assert [next(replies).text for _ in range(3)] == ["re: 0", "re: 1", "re: 2"]
    replies.close()
    assert len(drawn) < 20


def test_without_an_endpoint_a_new_request_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no teacher is named; set luigi\.cfg \[teacher\] url"):
        texts(Teacher(tmp_path), asked("a"))


@pytest.mark.parametrize(
    "url", ["", "host/v1", "ftp://host", "http://", "https://user:word@host/v1", "https://host/v1?key=word"]
)
def test_an_address_that_cannot_be_is_refused(url):
    with pytest.raises(ValueError, match=r"Endpoint\.url") as caught:
        Endpoint(url=url)
    assert "word" not in str(caught.value)


def test_settings_are_checked_and_a_bad_key_is_not_shown():
    for name in ("max_requests", "max_tokens", "concurrency", "attempts", "timeout_seconds", "backoff_seconds"):
        with pytest.raises(ValueError, match=rf"Endpoint\.{name}"):
            Endpoint(url="http://h/v1", **{name: 0})
    for changed, message in (
        ({"price_reply": -1.0}, r"Endpoint\.price_reply must be at least 0"),
        ({"max_cost": 5.0}, r"max_cost needs prices"),
        ({"max_cost": float("nan"), "price_reply": 1.0}, r"Endpoint\.max_cost must be above 0"),
    ):
        with pytest.raises(ValueError, match=message):
            Endpoint(url="http://h/v1", **changed)
    with pytest.raises(ValueError, match=r"Endpoint\.key") as caught:
        Endpoint(url="http://h/v1", key="geheim\n")
    assert "geheim" not in str(caught.value)


def test_the_settings_of_a_machine_make_a_teacher(tmp_path, monkeypatch):
    monkeypatch.setenv("A_KEY", KEY)
    settings = {"url": "http://h/v1", "key_variable": "A_KEY", "max_requests": "5", "timeout_seconds": "2.5"}
    made = from_settings(settings, default_cache=tmp_path)
    assert (made.cache, made.endpoint) == (
        tmp_path,
        Endpoint(url="http://h/v1", key=KEY, max_requests=5, timeout_seconds=2.5),
    )
    assert from_settings({}, default_cache=tmp_path).endpoint is None
    assert from_settings({"cache": "/x"}, default_cache=tmp_path).cache.as_posix() == "/x"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "http://h/v1", "key_variable": "NO_SUCH_KEY"}, r"key_variable names 'NO_SUCH_KEY', which is not set"),
        ({"url": "http://h/v1", "max_tokens": "many"}, r"\[teacher\] max_tokens must be a number, got 'many'"),
        ({"adress": "http://h/v1"}, r"\[teacher\] adress is not a setting; it has url"),
        ({"url": "http://h/v1", "key": "sk-1"}, r"\[teacher\] key is not read.*key_variable"),
        ({"url": "h"}, r"correct luigi\.cfg \[teacher\] url"),
    ],
)
def test_wrong_settings_are_refused_with_section_and_key(settings, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        from_settings(settings, default_cache=tmp_path)


def test_a_machine_does_not_show_its_key():
    from pipelines.machine import Machine

    settings = (("url", "http://h/v1"), ("key", KEY))  # which is refused, but not shown
    machine = Machine(None, 1, "native", None, "local", (), None, (), teacher=settings)
    assert KEY not in repr(machine)
