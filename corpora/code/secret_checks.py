"""Is a candidate a secret: what it must look like, and what documentation and tests write in its place.

Pure functions of a candidate and its surroundings; each says True when the candidate stands. They are linear in its
length. Sources: GitHub's token format (the last six characters are the CRC32 of the thirty before them, in base 62);
RFC 2606, 5737, 3849 and IANA's registries of special addresses; RFC 7519 (JWT). Lists of what is no secret are ours.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import unquote_to_bytes

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CONTEXT_BYTES = 48
_PASSWORD_BITS = 2.5
_SETTINGS_DIGITS, _SETTINGS_BITS = 2, 3.2
"""Of a password without quotes, which could as well be a word of code."""
_LONGEST_BYTES = 4096
"""Of an assigned value; what is longer is data."""
_DUMMY = re.compile(
    rb"example|sample|dummy|fake|changeme|change[_-]?me|your[_-]?[a-z]{3}|insert|placeholder|redacted|replace|xxxx|\*\*\*|\.\.\."
    rb"|00000|123456|abcdefg|qwerty|foobar|lorem|test_?key|deadbeef|cafebabe",
    re.IGNORECASE,
)
"""What stands in documentation and tests instead of a secret."""
_WEAK_PASSWORD = re.compile(
    rb"p[a@4][s5$][s5$]|pwd|secret|s3cr3t|admin|root|user|guest|test|demo|hello|hunter|letmein|welcome|token|1234|abc|foo|bar|login",
    re.IGNORECASE,
)
"""Passwords that protect nothing; they are the ones that tests and manuals use."""
_REFERENCE = re.compile(
    rb"[A-Za-z_]+(?:[./:-][A-Za-z_]+)*[0-9]?|[a-z0-9]+(?:_[a-z0-9]+){2,}|(?:https?:|[.]{0,2}/)[^ ]*|[A-Za-z_.]+\(.*"
)
"""Names, paths, addresses and calls; one digit at the end, or digits among underlines, are still a name."""
_CHECKED_PREFIXES = frozenset({b"ghp", b"gho", b"ghu", b"ghs", b"ghr", b"npm"})
_TEMPLATE = re.compile(rb"[{<\[]|\$\(|%s|%d|%\(|\$[A-Za-z_]|%[A-Z_]+%")
_PUBLIC_NAME = re.compile(
    rb"public|(?:hash|error|sha\d*|md5|digest|checksum|public|name|url|uri|path|file|type|field|label|prefix|header|pattern|regex|column"
    rb"|param|id|hint|policy|class|format|version|size|len(?:gth)?|count|key_?name|code|scheme|expiry|expires)s?$",
    re.IGNORECASE,
)
"""Last words of names that speak about a secret and do not hold it."""
_TOKENIZER = re.compile(rb"(?i)tokeni[sz](?:e|ing|ation)")
_SECRET_NAME = re.compile(rb"(?i)key|secret|token|credential|bearer")
_ARGUMENT = re.compile(rb"\w\s*,\s*[rbuRBU]?[\"'`]$")
"""Before the value: a name without quotes and a comma, which is the next argument and nothing that is assigned."""
_HOST_PORT = re.compile(rb"[\w.-]+:[0-9]{1,5}")
_KNOWN_EXAMPLES = frozenset(
    {
        "6c96130f130ab0d6",
        "00cf4c781dc37003",
        "ca7459e2b26776de",  # OAuth 2 (RFC 6749)
        "9d03b692e941d5ac",
        "4c20e6f5cc11b937",
        "cb87c87e4a138d9a",
        "bb9b1163338b2a51",
        "649e1f5c769e718b",
        "2ff8b0fb93aca981",  # OAuth 1 (RFC 5849)
        "051d093c4bdedbf2",
        "13d31e961a1ad8ec",
        "08831f80b56414a9",  # JWT (RFC 7519, jwt.io), by their signature
        "2cafc0970149a84f",
        "f2d6ca16515033e5",
        "2d1f7723aabc5c7a",  # Stripe
        "0011cc25eb432071",
        "aa6547439583c3a2",  # Azurite and Cosmos emulators
    }
)


@dataclass(frozen=True)
class Candidate:
    """Where a pattern matched."""

    text: bytes
    """The whole file."""
    start: int
    end: int
    name: bytes = b""
    """To what it is assigned, where the pattern says."""

    @property
    def value(self) -> bytes:
        """What would be redacted."""
        return self.text[self.start : self.end]

    @property
    def before(self) -> bytes:
        """What stands before it on its line, at most 48 bytes."""
        return self.text[max(0, self.start - _CONTEXT_BYTES) : self.start].rpartition(b"\n")[2]


Check = Callable[[Candidate], bool]


def entropy(value: bytes) -> float:
    """Give the Shannon entropy of a string's bytes, in bits a byte.

    >>> entropy(b"aaaa"), entropy(b"abcd")
    (0.0, 2.0)
    """
    counts = Counter(value)
    return sum(count / len(value) * math.log2(len(value) / count) for count in counts.values())


def random_enough(least_bits: float) -> Check:
    """Make a check on entropy, in bits a byte, and on the words of documentation."""

    def check(candidate: Candidate) -> bool:
        return entropy(candidate.value) >= least_bits and not _DUMMY.search(candidate.value)

    return check


def not_example(candidate: Candidate) -> bool:
    """Whether the value is none of the providers' own documentation examples."""
    value = candidate.value
    return not {example_digest(value), example_digest(value.rpartition(b".")[2])} & _KNOWN_EXAMPLES


def example_digest(value: bytes) -> str:
    """Name a known example; the table holds no text that looks like a secret."""
    return hashlib.sha256(value).hexdigest()[:16]


def crc32_base62(candidate: Candidate) -> bool:
    """Whether a token of GitHub's or npm's ends with its own checksum; one that does not was never issued."""
    body = candidate.value[4:-6]
    number, digits = zlib.crc32(body), ""
    while number:
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits.rjust(6, "0").encode() == candidate.value[-6:]


def json_web_token(candidate: Candidate) -> bool:
    """Whether the first part is a JSON header with an algorithm, and there is a signature that could be one."""
    header = _decoded(candidate.value.partition(b".")[0])
    try:
        fields = json.loads(header)
    except (ValueError, RecursionError):
        return False
    return isinstance(fields, dict) and "alg" in fields


def discord_snowflake(candidate: Candidate) -> bool:
    """Whether the first part is a decimal user id in base 64."""
    return _decoded(candidate.value.partition(b".")[0]).isdigit()


def basic_credentials(candidate: Candidate) -> bool:
    """Whether the value is `user:password` in base 64, with a password that is one."""
    user, colon, password = _decoded(candidate.value).partition(b":")
    return bool(colon) and user.isascii() and re.fullmatch(rb"[ -~]+", password) is not None and _strong(password)


def url_password(candidate: Candidate) -> bool:
    """Whether the password of a URL is none of a manual's, nor a variable or a query; the user's name is no password."""
    value = candidate.value
    if value == candidate.name or value.startswith(b"?"):
        return False
    return _strong(value) and (b"%" not in value or _strong(unquote_to_bytes(value)))


def assigned_password(candidate: Candidate) -> bool:
    """Whether a quoted value beside the word password is one: mixed, and no name, path, address, template or argument."""
    value = candidate.value
    if _PUBLIC_NAME.search(candidate.name) or len(value) > _LONGEST_BYTES or not _strong(value):
        return False
    between = value.startswith(b"+") and b"(" in value  # two strings, and what stands between them
    argument = _ARGUMENT.search(candidate.text, max(0, candidate.start - _CONTEXT_BYTES), candidate.start)
    return not (between or argument or _HOST_PORT.fullmatch(value) or _REFERENCE.fullmatch(value))


def settings_password(candidate: Candidate) -> bool:
    """Whether a bare value beside the word password is one: also random, for code looks like settings."""
    digits = len(re.findall(rb"[0-9]", candidate.value))
    random = digits >= _SETTINGS_DIGITS and entropy(candidate.value) >= _SETTINGS_BITS
    return random and assigned_password(candidate)


def assigned_key(candidate: Candidate) -> bool:
    """Whether a quoted value beside the word key, token or secret is random: digits and letters, much entropy."""
    value = candidate.value
    if (
        _PUBLIC_NAME.search(candidate.name)
        or not _SECRET_NAME.search(_TOKENIZER.sub(b"", candidate.name))
        or len(value) > _LONGEST_BYTES
        or _DUMMY.search(value)
        or _names_something(value)
    ):
        return False
    digits = len(re.findall(rb"[0-9]", value))
    letters = len(re.findall(rb"[A-Za-z]", value))
    hexadecimal = re.fullmatch(rb"[0-9a-fA-F-]+", value) is not None
    return digits >= 2 and letters >= 2 and entropy(value) >= (3.0 if hexadecimal else 3.5)


def query_key(candidate: Candidate) -> bool:
    """Whether the value of a parameter of a URL is random, as a key is; its name has said what it is for."""
    return assigned_key(replace(candidate, name=b"token"))


def mixed_token(candidate: Candidate) -> bool:
    """Whether what follows the prefix has all classes of characters and the prefix names no digest."""
    prefix, _, body = re.sub(rb"-", b"_", candidate.value).rpartition(b"_")
    if prefix in _CHECKED_PREFIXES:
        return False  # its checksum was wrong
    classes = all(re.search(one, body) for one in (rb"[g-z]", rb"[G-Z]", rb"[0-9].*[0-9]"))  # beyond hexadecimal
    return classes and not re.search(rb"sha|md5|hash|integrity|digest", prefix) and not _names_something(body)


def _decoded(value: bytes) -> bytes:
    try:
        return base64.urlsafe_b64decode(value.rstrip(b"=") + b"=" * (-len(value.rstrip(b"=")) % 4))
    except binascii.Error:
        return b""


def _strong(value: bytes) -> bool:
    """Whether a password mixes letters with digits or marks and is no usual stand-in or variable."""
    letters = re.search(rb"[A-Za-z\x80-\xff]", value)
    others = re.search(rb"[!-,/-@\[-^`{-~]", value)
    stand_in = _DUMMY.search(value) or _WEAK_PASSWORD.search(value) or _TEMPLATE.search(value)
    return bool(letters and others) and entropy(value) >= _PASSWORD_BITS and not stand_in


_CHUNK = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_CAPITALIZED = re.compile(rb"[A-Z][a-z]{3,}")
_CAPITALIZED_SHARE = 0.4
"""Share of a value in capitalised words of at least four letters from which it is an identifier; at random it is 0.15."""
_WORD_LENGTH = 3.75
"""Mean length of the runs of one class of characters from which a value is read as words; random base 62 has 1.6, base 36 2.5."""


def _names_something(value: bytes) -> bool:
    """Whether a value is made of words and numbers: an identifier, a path, an address, a sentence.

    >>> [_names_something(v) for v in (b"text-embedding-ada-002", b"/etc/keys/k1", b"aK3fj9Qx2LpZ7vB1")]
    [True, True, False]
    """
    chunks = _CHUNK.findall(value)
    words = len(b"".join(chunks)) >= _WORD_LENGTH * len(chunks)
    capitalized = len(b"".join(_CAPITALIZED.findall(value))) >= _CAPITALIZED_SHARE * len(value)
    return words or capitalized or value.startswith((b"/", b"./", b"http:", b"https:"))
