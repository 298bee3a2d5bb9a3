"""Secrets: every kind is found wherever it stands, stand-ins are left alone, and nothing else of a text changes."""

import ast
import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import records, shards
from corpora.code.headers import copyright_notices, license_spans
from corpora.code.secret_patterns import PLACEHOLDERS, RULES
from corpora.code.secret_shell import bare
from corpora.code.secrets import SecretsConfig, apply, find_all, redact, redact_secrets
from corpora.code.syntax import SyntaxConfig, examine
from corpora.engine import Engine
from tests.corpora.secret_samples import CONTEXTS, SAMPLES, made, private_key

PLAIN, TRIM = SecretsConfig(), SecretsConfig(trim_license_headers=True)
FRAMES = (
    'key = "{}"\n',
    "# see {} for it\n",
    "run --with={}\n",
    'f("a\\n{}")\n',
    "a,{},b\n",
    "[{}](x)",
    "é{}é\n".replace("é{", "é {"),
)


def kinds(text, language="Text"):
    return [finding.kind for finding in find_all(text.encode(), language, PLAIN)]


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_kind_is_found_in_every_frame(kind):
    for seed in range(12):
        secret = SAMPLES[kind](made(seed))
        for frame in FRAMES:
            text = frame.format(secret)
            clean = redact(text.encode(), "Text").decode()
            assert any(mark.decode() in clean for mark in PLACEHOLDERS), text
            assert max(re.split(r"[./]", secret), key=len) not in clean, text


@pytest.mark.parametrize("kind", CONTEXTS)
def test_what_only_its_surroundings_tell_is_found(kind):
    found = [kinds(f"{CONTEXTS[kind](made(seed))}\n") for seed in range(20)]
    assert sum(bool(one) for one in found) >= 19  # a random value may read as a word
    assert any(kind in one for one in found)


def test_at_least_twenty_five_providers_have_a_row():
    assert len({rule.kind for rule in RULES}) >= 70
    assert all(rule.placeholder in PLACEHOLDERS for rule in RULES)


def test_a_private_key_goes_and_its_frame_stays():
    key = private_key(made(1))
    assert redact(key.encode(), "Text") == b"-----BEGIN RSA PRIVATE KEY-----\n<KEY>\n-----END RSA PRIVATE KEY-----"
    quoted = "k = (" + "\n".join(f'"{line}\\n"' for line in key.splitlines()) + ")\n"
    clean = redact(quoted.encode(), "Python").decode()
    assert clean.count("<KEY>") == len(key.splitlines()) - 2
    assert len(ast.literal_eval(clean.partition(" = ")[2]).splitlines()) == len(key.splitlines())
    assert kinds("-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----") == []


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "ghp_" + "x" * 36,
        "ghp_" + "A1b2C3d4E5" * 3 + "F6g7H8",  # not its own checksum
        "sk_test_" + "4eC39HqLyjWDarjtT1zdp7dc",  # of Stripe's manual
        "jane@example.com, git@github.com:a/b.git, user@localhost.localdomain, x@host.invalid",
        "icon@2x.png lodash@4.17.21 decorator\n@app.route",
        "10.0.0.1 192.168.1.20 127.0.0.1 172.20.1.1 203.0.113.9 255.255.255.0 8.8.8.8 169.254.169.254",
        "version 91.198.174.192, v5.9.211.32, pip install x==45.62.70.81, OID 1.3.6.1.4.1.311",
        "0.0.0.0/0 104.16.0.0/13 1.2.3.4 300.1.2.3 91.198.174.192.7",
        "fe80::1 ::1 2001:db8::5 std::string fc00::7 12:30:45 2606:4700::/32",
        'password = "password123"; passwd="changeme1!"; pwd: "${DB_PASSWORD}"; password = "<your-password>"',
        'password_field = "user_password2"; api_key = os.environ["API_KEY"]; token = "text-embedding-ada-002"',
        'token_url = "https://a.b/oauth2/token9"; secret_name = "prod/db/credentials-2024-11"',
        '"publicKeyToken": "1fc8b3b9a1e18e3b", "sha256": "' + "ab12" * 16 + '"',
        "https://user:password@db.net/ https://u:{password}@db.net/ redis://:%s@db.net postgres://joe:joe@db.net/x",
        "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ is basic implementation of Bearer authentication",
        'log("User:" + user + " Password:"+rs.getString("Password"))',
        "connect(self::PASSWORD, 'us-west-2'); connect(PASSWORD,\n  'ISO-8859-7'); pair = ('password', 'cache.io:6379')",
        "BAD_PASSWORD_ERROR = '7f0a1c2e-11d2-4b6e-9f53-8c0d3e5a7b90'",
        '{"tokenizers": "tokenizers==0.20.17b", "tokenize_with": "Z9x8C7v6B5n4M3a2S1d0"}',
        "see #diff-4c1d9E0a7b3f5582c6d1e0f9a8b7c6d5e4f30218 and host-DEL0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "<20010203.112233.4455@mail.debian.org> Message-ID: <a1b2.xyz@mail.debian.org> In-Reply-To = 'q7@debian.org'",
        'node = "node7@storage.debian.org:7777"',
        "http://jane:p%40ssw0rd@db.net mongodb://jane:?shard=a1@db.net",
        "DB_PASSWORD=word_for_2_uses\npassword: string2\nPASSWORD=$(cat file12)\npassword = getpass.getpass()",
        "https://a.io/login?token=the_token_of_your_account&next=/a",
    ],
)
def test_stand_ins_and_what_only_looks_like_a_secret_stay(text):
    assert redact(text.encode(), "Text").decode() == text


secrets = st.builds(lambda kind, seed: SAMPLES[kind](made(seed)), st.sampled_from(sorted(SAMPLES)), st.integers(0, 999))
contexts = st.builds(
    lambda kind, seed: CONTEXTS[kind](made(seed)), st.sampled_from(sorted(CONTEXTS)), st.integers(0, 999)
)
pieces = st.one_of(
    secrets,
    contexts,
    st.text(max_size=20),
    st.sampled_from([m.decode() for m in PLACEHOLDERS] + list("@:.,\"'`\\\n/=-<> ")),
)
texts = st.lists(pieces, max_size=8).map("".join)


@given(texts, st.sampled_from(["Text", "Python", "C"]), st.sampled_from([PLAIN, TRIM]))
def test_redacting_twice_is_redacting_once_and_the_rest_stays(text, language, config):
    data = text.encode()
    found = find_all(data, language, config)
    if found is None:  # does not come to rest: rejected
        return
    clean = apply(data, found)
    assert find_all(clean, language, config) == ()
    rest = data
    for finding in reversed(found):
        assert 0 <= finding.start < finding.end <= len(data)
        rest = rest[: finding.start] + finding.placeholder + rest[finding.end :]
    assert rest == clean
    clean.decode()


@given(st.lists(st.tuples(st.sampled_from(sorted(SAMPLES)), st.integers(0, 99)), min_size=1, max_size=4), st.data())
def test_python_still_parses(chosen, data):
    lines = ["x = 1", "y = a@b.id"]
    for kind, seed in chosen:
        quote = data.draw(st.sampled_from(["'", '"', "'''", '"""', "b'", 'r"']))
        lines.append(f"v = {quote}{SAMPLES[kind](made(seed))}{quote.lstrip('br')}  # {SAMPLES[kind](made(seed + 1))}")
    text = "\n".join(lines) + "\n"
    clean = redact(text.encode(), "Python").decode()
    ast.parse(clean)
    assert clean.count("<") > 0
    assert "y = a@b.id\n" in clean


def test_time_is_linear_in_a_hostile_text():
    for piece in (
        b"-----BEGIN PRIVATE KEY-----",
        b"a@",
        b"eyJ",
        b"x://a:",
        b"password='",
        b"1.1.",
        b"'''",
        b"ghp_A",
        b"key=",
    ):
        find_all(piece * (400_000 // len(piece)), "Python", TRIM)


def test_the_stage_redacts_locates_and_counts(stages, document, same_bytes):
    key, mail = SAMPLES["github_token"](made(3)), "jane.doe@debian.org"
    rows = [
        document(f'é = "{key}"  # {mail}\n', path="a.py"),
        document("x = 1\n", path="b.py"),
        document(f"{mail}\n", path="c.md", language="Markdown"),
    ]
    outs = [stages.out(), stages.out()]
    for out in outs:
        metrics = redact_secrets(out, documents=stages.documents(rows), config=PLAIN, engine=Engine())
    same_bytes(*outs)
    assert {row["path"]: row["text"] for row in stages.kept(outs[0])} == {
        "a.py": 'é = "<KEY>"  # <EMAIL>\n',
        "b.py": "x = 1\n",
        "c.md": "<EMAIL>\n",
    }
    assert metrics["redactions"] == {"email": 2, "github_token": 1}
    assert (metrics["changed"], metrics["kept"], metrics["rejected"]) == (2, 3, 0)
    found = [
        row
        for path in shards.shard_paths(outs[0] / "redactions")
        for row in shards.read(path, records.REDACTION).to_pylist()
    ]
    by_id = {row["id"]: row["text"].encode() for row in rows}
    places = [by_id[row["id"]][row["start"] :][: row["length"]].decode() for row in found]
    assert sorted(places) == sorted([key, mail, mail])
    assert len({row["digest"] for row in found}) == 2
    everything = b"".join(path.read_bytes() for path in outs[0].rglob("*") if path.is_file())
    assert key.encode() not in everything
    assert mail.encode() not in everything


def test_a_text_that_does_not_come_to_rest_is_rejected(stages, document, monkeypatch):
    from corpora.code import secrets as module

    monkeypatch.setattr(module, "_ROUNDS", 0)
    out = stages.out()
    redact_secrets(out, documents=stages.documents([document("x")]), config=PLAIN, engine=Engine())
    assert [row["reason"] for row in stages.rejected(out)] == ["redaction_unstable"]


MIT_HEADER = """\
#!/usr/bin/env python
# Frobnicate the widgets.
#
# Copyright (c) 2020 Jane Doe <jane@debian.org>
# SPDX-License-Identifier: MIT
#
# Permission is hereby granted, free of charge, to any person obtaining a copy
# of this software, to deal in the Software without restriction.
#
# THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND

import os
"""


def test_licence_text_is_trimmed_and_attribution_stays():
    clean = redact(MIT_HEADER.encode(), "Python", TRIM).decode()
    assert "Permission" not in clean
    assert "WARRANTY" not in clean
    for line in (
        "#!/usr/bin/env python\n",
        "# Frobnicate the widgets.\n",
        "# SPDX-License-Identifier: MIT\n",
        "import os\n",
    ):
        assert line in clean
    assert "# Copyright (c) 2020 Jane Doe <<EMAIL>>\n" in clean
    assert copyright_notices(clean.encode()) == ["Copyright (c) 2020 Jane Doe <<EMAIL>>"]
    assert redact(MIT_HEADER.encode(), "Python").decode() == MIT_HEADER.replace("jane@debian.org", "<EMAIL>")


def test_only_lines_of_comments_are_trimmed():
    c = "/* Copyright 2020 A\n * Licensed under the MIT licence.\n * All rights reserved. */\n#include <x>\n// as is\n"
    assert redact(c.encode(), "C", TRIM).decode() == c.replace(" * Licensed under the MIT licence.\n", "")
    for text in ('x = "Licensed under MIT"\n', "import os\n# Licensed under MIT\n", "#include <licensed under>\n"):
        assert license_spans(text.encode()) == []


def test_a_program_that_only_names_the_frame_of_a_key_is_left_alone():
    text = b'if pem.startswith(b"-----BEGIN PRIVATE KEY-----"):\n    kind = "CERTIFICATE"\n'
    text += b"\n".join(b"# overwrite the existing certificate containing request %d" % n for n in range(40))
    assert redact(text, "Ruby") == text


SCRIPT = """\
# ask jane.doe@debian.org, don't wait
export ADMIN=jane.doe@debian.org COPY='to=jane.doe@debian.org' # by jane.doe@debian.org
mail -s "it's \\" from=jane.doe@debian.org" jane.doe@debian.org jane.doe@debian.org:/x <<<jane.doe@debian.org
[[ $x == jane.doe@debian.org ]] && y=${x:-jane.doe@debian.org} z=$((1 << n))
cat <<EOF >> jane.doe@debian.org | sort <<-'END'
That's jane.doe@debian.org
EOF
\tjane.doe@debian.org
\tEND
git config user.email jane.doe@debian.org
echo "over
lines, a=jane.doe@debian.org"
"""


def test_a_placeholder_is_no_redirection_of_a_shell():
    clean = redact(SCRIPT.encode(), "Shell").decode()
    assert clean.count("<EMAIL>") == SCRIPT.count("@debian.org")
    bare = [line.count('"<EMAIL>"') for line in clean.splitlines()]
    assert bare == [0, 1, 3, 2, 1, 0, 0, 0, 0, 1, 0, 0]
    assert examine("Shell", clean.encode(), SyntaxConfig()).get("reason") is None
    assert accepted(clean)


def accepted(script):
    """Whether bash can read it."""
    shell = shutil.which("bash")
    if not shell:
        pytest.skip("needs bash")
    return subprocess.run([shell, "-n"], input=script, text=True, capture_output=True, check=False).stderr == ""


WORDS = ["jane.doe@debian.org"] * 4 + [
    *"'\"\\#\n $-ab=;|<>",
    " ",
    "\n",
    "<<a",
    " <<-'b'\n",
    "\na\n",
    " $'",
    "\tb\n",
    " <<< ",
]


@given(st.lists(st.sampled_from(WORDS), max_size=30).map("".join))
def test_what_a_shell_reads_it_still_reads_when_it_is_redacted(script):
    clean = redact(script.encode(), "Shell").decode()
    if "<EMAIL>" in clean and accepted(script):
        assert accepted(clean)


def test_the_lexer_of_a_shell_is_linear():
    for piece in (b"<<a1 ", b"'", b'"', b"\\", b"<<a\na\n", b'"\\', b" #", b"<<'"):
        bare(piece * (400_000 // len(piece)), [399_990])
