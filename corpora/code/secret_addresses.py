"""Is an address a person's or a host's: e-mail and Internet addresses, and what only looks like one.

Left alone: domains that RFC 2606 and RFC 6761 set aside, the mail boxes of machines, names that no registry delegates;
private, loopback, link-local, documentation and reserved networks (IANA's special-purpose registries), public resolvers
(as BigCode's redaction does), network masks, and four numbers that read as a version.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network
from itertools import pairwise

from corpora.code.secret_checks import Candidate

_COUNTRIES = frozenset(
    (
        b"ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc cd"
        b" cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gd ge"
        b" gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh"
        b" ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw"
        b" mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb"
        b" sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk"
        b" us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"
    ).split()
)
_GENERIC = frozenset(
    (
        b"com org net edu gov mil int info biz name pro aero coop museum jobs mobi travel cat tel asia post arpa app dev page"
        b" cloud tech online site store shop xyz blog wiki email systems software engineering science network agency digital"
        b" solutions group company world today life live news media design studio codes tools space website club top vip work"
        b" works expert team social chat games technology academy institute university foundation ventures capital finance"
        b" consulting services support center global international berlin wien london paris nyc swiss hamburg koeln bayern"
        b" brussels amsterdam moscow tokyo eus gal bzh scot ngo ong google apple microsoft amazon ibm intel cern bayer bmw"
    ).split()
)
_RESERVED_DOMAIN = re.compile(
    rb"(?:^|[.])(?:example|test|invalid|localhost|local|localdomain|internal|lan|corp|home)$"
    rb"|(?:^|[.])example[.][a-z.]+$|^(?:[a-z]*your|my)-?(?:domain|company|server|host|site|org)[a-z]*[.]"
    rb"|^(?:domain|host|server|foo|bar|baz|test|acme|corp|company|abc|xyz|mail|email|a|b|x|y)[.][a-z]{2,3}$"
)
_USER_OF_URL = re.compile(rb"//[^\s/\"'<>]*$")
_MACHINE_BOX = re.compile(
    rb"(?:git|hg|svn|ssh|noreply|no-reply|donotreply|this|return|break|super|root|nobody|postgres|[0-9.]+)$"
)
_MESSAGE_ID = re.compile(rb"(?i)(?:message-?id|in-reply-to|references)[\w\"']{0,3}\s{0,2}[:=][^@]{0,40}$")
"""What stands before the name of a mail, which looks like an address."""
_PORT = re.compile(rb":[0-9]")
_FILE_SUFFIX = frozenset(b"py rs sh md so pl ps mm".split())
"""Country codes that are file suffixes: after a name that is a version or a scale (`icon@2x`), they are files."""

_SPECIAL = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
"""IANA's IPv4 special-purpose registry, with multicast and class E; a table, because Python's own has changed."""
_DOCUMENTATION_6 = tuple(IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
_RESOLVERS = frozenset(
    [
        "8.8.8.8",
        "8.8.4.4",
        "1.1.1.1",
        "1.0.0.1",
        "9.9.9.9",
        "149.112.112.112",
        "208.67.222.222",
        "208.67.220.220",
        "94.140.14.14",
        "94.140.15.15",
        "76.76.19.19",
        "114.114.114.114",
        "4.2.2.2",
        "4.2.2.1",
        "2001:4860:4860::8888",
        "2001:4860:4860::8844",
        "2606:4700:4700::1111",
        "2606:4700:4700::1001",
        "2620:fe::fe",
    ]
)
_VERSION_WORD = re.compile(
    rb"(?i)(?:(?:version|(?:^|[^a-z])(?:ver|release|rev|build|oid|firmware))s?[^a-z0-9]{0,6}(?:[a-z_]{1,10}[^a-z0-9]{1,4})?"
    rb"|\bv[.:]? ?|(?:chrome|edg)/|[=><~^!]= ?|[<>~^])$"
)
"""What stands before a version."""
_DECIMAL = re.compile(rb"(?:^|[^0-9.])[0-9]*[.][0-9]+[ ,-]$")
"""A decimal number right before: a list of coordinates without spaces, as in SVG."""


def email_address(candidate: Candidate) -> bool:
    """Whether this can be somebody's mail box."""
    box, _, domain = candidate.value.lower().rpartition(b"@")
    top = domain.rpartition(b".")[2]
    if top not in _COUNTRIES and top not in _GENERIC:
        return False
    if top in _FILE_SUFFIX and domain[:1].isdigit():
        return False
    if _USER_OF_URL.search(candidate.before) or candidate.text[candidate.end : candidate.end + 1] == b"(":
        return False  # a call
    if _MESSAGE_ID.search(candidate.before) or _PORT.match(candidate.text, candidate.end):
        return False
    return len(box) <= 64 and len(domain) <= 255 and not _RESERVED_DOMAIN.search(domain) and not _MACHINE_BOX.match(box)


def public_ipv4(candidate: Candidate) -> bool:
    """Whether this is the address of one host on the Internet."""
    value = candidate.value.decode()
    try:
        address = IPv4Address(value)
    except AddressValueError:  # a number over 255, a leading zero
        return False
    numbers = address.packed
    after = candidate.text[candidate.end : candidate.end + 1]
    network = numbers[3] in (0, 255) or (
        after == b"/" and candidate.text[candidate.end + 1 : candidate.end + 2].isdigit()
    )
    version = _is_version(numbers) or _VERSION_WORD.search(candidate.before) or _DECIMAL.search(candidate.before)
    return not (network or version or value in _RESOLVERS or any(address in special for special in _SPECIAL))


def public_ipv6(candidate: Candidate) -> bool:
    """Whether this is the address of one host in what IANA has given out (2000::/3)."""
    value = candidate.value.decode().lower()
    try:
        address = IPv6Address(value)
    except AddressValueError:
        return False
    network = candidate.text[candidate.end : candidate.end + 1] == b"/" or address.packed[8:] == bytes(8)
    return not (network or str(address) in _RESOLVERS or any(address in special for special in _DOCUMENTATION_6))


def _is_version(numbers: bytes) -> bool:
    """Whether four numbers read as a version, an object identifier or a stand-in; 1 public address in 70 does.

    >>> [_is_version(bytes(n)) for n in ((5, 9, 211, 32), (2, 5, 4, 42), (43, 4, 2, 2), (91, 198, 174, 192))]
    [True, True, True, False]
    """
    low_start = numbers[0] < 20 and numbers[1] < 32
    steps = {b - a for a, b in pairwise(numbers)}
    return low_start or sum(number < 20 for number in numbers) >= 3 or len(steps) == 1
