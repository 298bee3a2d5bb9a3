"""What secrets look like: one row a kind, with the placeholder that takes its place.

Placeholders are StarCoder's (arXiv 2305.06161, section 4): <EMAIL>, <KEY>, <PASSWORD>; where StarCoder writes one of five
private addresses, <IP_ADDRESS> is written, so that a redaction can be seen and counted. Names of persons are not found:
that needs a model. Shapes of tokens are the providers' own documentation. Patterns are RE2's, over bytes: linear whatever
the text, and automata small: nothing is counted where it need not be. The order is the order of precedence where two overlap.
"""

from __future__ import annotations

from dataclasses import dataclass

from corpora.code import secret_addresses as addresses
from corpora.code import secret_checks as checks
from corpora.code.secret_checks import Check, random_enough

EMAIL, KEY, PASSWORD, IP_ADDRESS = b"<EMAIL>", b"<KEY>", b"<PASSWORD>", b"<IP_ADDRESS>"
PLACEHOLDERS = (EMAIL, KEY, PASSWORD, IP_ADDRESS)

_LEFT = r"(?:^|[^\w\\-]|\\[\\nrt])"
"""What may stand before a token: no letter, but the letter of an escape such as a line end's."""
_RIGHT = r"(?:[^\w-]|$)"
_QUOTE = "[\"'`]"
_IS = r"[\"'`]?[\])]?(?:\s?:\s?[\w.]+)?\s*(?::=|=>|=+|:|,|\()\s*"
"""What stands between a name and its quoted value in the languages of the corpus."""
_NEAR = rf"[\w-]*{_IS}[rbuRBU]?{_QUOTE}"


@dataclass(frozen=True)
class Rule:
    """A kind of secret."""

    kind: str
    anchor: str
    """A short pattern that every match contains: what a clean file is scanned for."""
    pattern: str
    """The last group is the secret; a group before it is the name to which it is assigned."""
    checks: tuple[Check, ...]
    placeholder: bytes = KEY
    block: bool = False
    """Whether the match only opens a block of base 64, which is the secret."""


def _token(kind: str, prefix: str, body: str, *more: Check, bits: float = 3.0, anchor: str = "") -> Rule:
    """Make the row of a token that a provider marks with a prefix."""
    standing = (random_enough(bits), checks.not_example, *more)
    return Rule(kind, anchor or prefix, f"{_LEFT}({prefix}{body}){_RIGHT}", standing)


def _beside(kind: str, name: str, body: str, *more: Check, bits: float = 3.0) -> Rule:
    """Make the row of a token that only the name beside it tells from any number."""
    joined = rf"(?i:{name})[\w.-]{{0,30}}(?:{_IS}|\s)(?:{_QUOTE})?"
    return Rule(kind, rf"(?i:{name})", f"{joined}({body}){_RIGHT}", (random_enough(bits), checks.not_example, *more))


_BLOCKS = (
    Rule("private_key", "PRIVATE KEY", "(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)", (), block=True),
    Rule("putty_private_key", r"Private-Lines: ", r"(Private-Lines: \d{1,3})", (), block=True),
)
_TOKENS = (
    _token("1password_secret_key", "A3-[A-Z0-9]{6}-", "[A-Z0-9]{6}-?[A-Z0-9]{5}(?:-[A-Z0-9]{5}){3}"),
    _token("1password_token", "ops_eyJ", "[A-Za-z0-9+/_-]{100,}=*"),
    _token("age_secret_key", "AGE-SECRET-KEY-1", "[0-9A-Z]{58}"),
    _token("airtable_token", r"pat[A-Za-z0-9]{14}\.", "[0-9a-f]{64}", anchor=r"\.[0-9a-f]{16}"),
    _token("alibaba_key_id", "LTAI", "[A-Za-z0-9]{12,24}"),
    _token("anthropic_key", "sk-ant-", r"[a-z0-9]{2,10}-[\w-]{80,120}"),
    _token("atlassian_token", "ATATT", r"[\w=-]{150,220}"),
    _token("aws_access_key_id", "A(?:KIA|SIA|BIA|CCA)", "[A-Z2-7]{16}", bits=2.8),
    _token("azure_client_secret", r"[\w.~-]{3}\dQ~", r"[\w.~-]{31,34}"),
    _token("aws_bedrock_key", "ABSK", "[A-Za-z0-9+/]{100,300}={0,2}"),
    _token("brave_key", "BSA", r"[\w-]{27,28}", bits=3.8, anchor=r"BSA[\w-]{24}"),
    _token("brevo_key", "xkeysib-", "[0-9a-f]{64}-[A-Za-z0-9]{16}"),
    _token("circleci_token", "CCIP(?:AT|RJ)_", "[A-Za-z0-9]{22}_[0-9a-f]{40}"),
    _token("clojars_token", "CLOJARS_", "[a-z0-9]{60}"),
    _token("crates_token", "cio", "[A-Za-z0-9]{32}", bits=3.8, anchor=r"cio[A-Za-z0-9]{20}"),
    _token("databricks_token", "dapi", "[0-9a-f]{32}(?:-[0-9])?", anchor="dapi[0-9a-f]{8}"),
    _token("digitalocean_token", "do[opr]_v1_", "[0-9a-f]{64}"),
    _token(
        "discord_bot_token",
        r"[MNO][A-Za-z\d_-]{23,27}\.[\w-]{6}\.",
        r"[\w-]{27,40}",
        checks.discord_snowflake,
        anchor=r"\.[\w-]{6}\.[\w-]{27}",
    ),
    _token("cloudflare_origin_key", r"v1\.0-", "[0-9a-f]{24}-[0-9a-f]{146}", anchor=r"v1\.0-[0-9a-f]{8}"),
    _token("docker_hub_token", "dckr_(?:pat|oat)_", r"[\w-]{27,32}"),
    _token("doppler_token", r"dp\.(?:pt|st|ct|sa)\.", r"[\w.-]{40,80}"),
    _token("dropbox_token", r"sl\.", r"[\w-]{130,}", anchor=r"sl\.[\w-]{40}"),
    _token("dynatrace_token", r"dt0[a-zA-Z]\d\d\.", r"[A-Z2-7]{24}\.[A-Z2-7]{64}"),
    _token("easypost_key", "EZ[AT]K", "[A-Za-z0-9]{54}", anchor="EZ[AT]K[A-Za-z0-9]{20}"),
    _token("elevenlabs_key", "sk_", "[0-9a-f]{48}", anchor="sk_[0-9a-f]{16}"),
    _token("facebook_token", "EAA[CM]", "[A-Za-z0-9]{80,300}"),
    _token("figma_token", "fig[dou]_", r"[\w-]{38,44}"),
    _token("flutterwave_key", "FLWSECK(?:_TEST)?-", "[0-9a-zA-Z]{12,40}(?:-X)?"),
    _token("github_token", "gh[pousr]_", "[A-Za-z0-9]{36}", checks.crc32_base62),
    _token("github_fine_grained_token", "github_pat_", r"[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    _token("gitlab_token", "gl(?:pat|dt|rtr|rt|cbt|ptt|ft|imt|agent|oas|soat)-", r"[\w-]{20,64}(?:\.[\w.-]{2,40})?"),
    _token("google_api_key", "AIza", r"[\w-]{35}"),
    _token("google_oauth_secret", "GOCSPX-", r"[\w-]{28}"),
    _token("gitlab_runner_token", "GR1348941", r"[\w-]{20}"),
    _token("google_gemini_key", r"AQ\.Ab8", r"[\w-]{40,60}"),
    _token("google_access_token", r"ya29\.", r"[\w-]{30,500}"),
    _token("grafana_token", "gl(?:c|sa)_", "[A-Za-z0-9+/_=]{32,200}"),
    _token("groq_key", "gsk_", "[A-Za-z0-9]{52}"),
    _token("heroku_key", "HRKU-", r"[\w-]{36,64}"),
    _token("hugging_face_token", "hf_", "[A-Za-z0-9]{34}", bits=3.6, anchor="hf_[A-Za-z0-9]{20}"),
    _token("langsmith_key", "lsv2_(?:pt|sk)_", "[0-9a-fA-F]{32}_[0-9a-fA-F]{10}"),
    _token("linear_key", "lin_(?:api|oauth)_", "[A-Za-z0-9]{40,64}"),
    _token("mailchimp_key", "[0-9a-f]{32}-us", r"\d{1,2}", anchor=r"[0-9a-f]-us\d"),
    _token("mailgun_key", "key-", "[0-9a-f]{32}", anchor="key-[0-9a-f]{8}"),
    _token("new_relic_key", "NR(?:AK|JS|II)-", "[A-Za-z0-9_-]{19,42}"),
    _token("notion_token", "(?:secret_|ntn_)", "[A-Za-z0-9]{43,46}", bits=3.8, anchor="(?:ret|ntn)_[A-Za-z0-9]{24}"),
    _token("npm_token", "npm_", "[A-Za-z0-9]{36}", anchor="npm_[A-Za-z0-9]{20}"),
    _token("nvidia_key", "nvapi-", r"[\w-]{60,70}"),
    _token("octopus_key", "API-", "[A-Z0-9]{25,27}", bits=3.5, anchor="API-[A-Z0-9]{20}"),
    _token("openai_key", "sk-", r"[\w-]{20,80}T3BlbkFJ[\w-]{20,80}", anchor="T3BlbkFJ"),
    _token("openai_project_key", "sk-(?:proj|svcacct|admin)-", r"[\w-]{40,180}"),
    _token("perplexity_key", "pplx-", "[A-Za-z0-9]{40,56}"),
    _token("planetscale_token", "pscale_(?:tkn|pw|oauth)_", r"[\w.=-]{32,64}"),
    _token("postman_key", "PMAK-", "[0-9a-f]{24}-[0-9a-f]{34}"),
    _token("pulumi_token", "pul-", "[0-9a-f]{40}", anchor="pul-[0-9a-f]{8}"),
    _token("pypi_token", "pypi-AgE", r"[\w-]{50,400}"),
    _token("replicate_token", "r8_", "[A-Za-z0-9]{37}", anchor="r8_[A-Za-z0-9]{20}"),
    _token("rubygems_key", "rubygems_", "[0-9a-f]{48}", anchor="rubygems_[0-9a-f]{8}"),
    _token("sendgrid_key", r"SG\.", r"[\w-]{16,32}\.[\w-]{16,64}", anchor=r"SG\.[\w-]{16}"),
    _token("sentry_token", "sntry[su]_", r"[\w+/=-]{64,300}"),
    _token("shopify_token", "shp(?:at|ca|pa|ss|ua)_", "[0-9a-fA-F]{32}"),
    _token("slack_token", "xox[abeoprs]-", r"[\w-]{20,200}"),
    _token("slack_app_token", r"xapp-\d-", r"[\w-]{40,160}"),
    _token("square_token", "sq0[a-z]{3}-", r"[\w-]{22,43}"),
    _token("square_access_token", "EAAA", r"[\w-]{60}", bits=3.8),
    _token("stripe_key", "(?:sk|rk)_(?:live|test|prod)_", "[A-Za-z0-9]{20,247}"),
    _token("stripe_webhook_secret", "whsec_", "[A-Za-z0-9+/=]{32,64}"),
    _token("sonarqube_token", "sq[pua]_", "[0-9a-f]{40}"),
    _token("supabase_token", "sbp_", "[0-9a-f]{40}"),
    _token("telegram_bot_token", r"\d{8,10}:AA", r"[\w-]{33}", anchor=r"\d:AA[\w-]{8}"),
    _token("tencent_key_id", "AKID", "[A-Za-z0-9]{32}"),
    _token("terraform_token", r"[A-Za-z0-9]{14}\.atlasv1\.", r"[\w-]{60,70}", anchor="atlasv1"),
    _token("twilio_key", "SK", "[0-9a-f]{32}", anchor=r"SK[0-9a-f]{8}"),
    _token("twitter_bearer", "A{20,22}", "[A-Za-z0-9%]{30,160}", bits=3.8, anchor="A{20}[A-Za-z0-9%]{30}"),
    _token("vault_token", r"hv[sbr]\.", r"[\w-]{24,200}"),
    _token("xai_key", "xai-", "[A-Za-z0-9]{80}", anchor="xai-[A-Za-z0-9]{20}"),
    _token(
        "json_web_token", "eyJ", r"[\w-]{10,}\.eyJ[\w-]{8,}\.[\w-]{20,}", checks.json_web_token, anchor=r"\.eyJ[\w-]{8}"
    ),
)
_PREFIXED = _token(
    "prefixed_token",
    "[a-z]{2,12}(?:[_-][a-z0-9]{1,12}){0,3}[_-]",
    "[A-Za-z0-9]{32,200}",
    checks.mixed_token,
    bits=4.0,
    anchor="[a-z0-9][_-][A-Za-z0-9]{32}",
)
"""What no row names: a short prefix in small letters and many characters of all classes, as most providers write now."""
_UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_BESIDE = (
    _beside("aws_secret_key", "aws|secret_?access_?key", "[A-Za-z0-9/+]{40}", bits=3.8),
    _beside("azure_account_key", "accountkey|sharedaccesskey", r"[A-Za-z0-9+/]{42,88}={1,2}", bits=3.8),
    _beside("cloudflare_key", "cloudflare", r"(?:[0-9a-f]{37}|[\w-]{40})"),
    _beside("datadog_key", "datadog|dd_api|dd_app", "(?:[0-9a-f]{32}|[0-9a-f]{40})"),
    _beside("fastly_token", "fastly", r"[\w-]{32}", bits=3.5),
    _beside("heroku_key", "heroku", _UUID),
    _beside("algolia_key", "algolia", "[0-9a-f]{32}"),
    _beside("twilio_auth_token", "twilio", "[0-9a-f]{32}"),
)
_KEY_NAME = (
    "api_?-?key|access_?-?key|secret|token|auth_?-?key|private_?-?key|encryption_?-?key|signing_?-?key|credential"
)
_PASSWORD_NAME = "passw(?:or)?d|passphrase|pwd|passwd"  # noqa: S105 (the name, not one)
_QUERY_NAME = f"token|secret|api_?-?key|{_PASSWORD_NAME}"
_NAMED = rf"([\w-]*(?i:{_KEY_NAME})[\w-]*)"
_NAMED_PASSWORD = rf"([\w-]*(?i:{_PASSWORD_NAME})[\w-]*)"
_CREDENTIALS = (
    Rule(
        "slack_webhook",
        r"hooks\.slack\.com/",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/([\w/]{30,120})",
        (random_enough(3.0),),
    ),
    Rule(
        "discord_webhook",
        "/api/webhooks/",
        r"/api/webhooks/\d{17,20}/([\w-]{60,80})",
        (random_enough(3.5),),
    ),
    Rule(
        "azure_signature",
        "[?&;]sig=",
        r"[?&;]sig=([A-Za-z0-9%+/]{43,80}(?:=|%3[dD]))",
        (random_enough(3.5),),
    ),
    Rule(
        "url_password",
        r"://[^\s/@:\"'<>]{0,64}:[^\s/@\"'<>]{3}",
        r"[a-zA-Z][\w+.-]{1,20}://([^\s/@:\"'`<>()]{0,64}):([^\s/@\"'`<>\\]{4,128})@[\w.\[-]",
        (checks.url_password,),
        PASSWORD,
    ),
    Rule(
        "authorization_basic",
        r"(?i:basic)\s{1,2}[A-Za-z0-9+/]{11}",
        r"(?i:basic)\s{1,2}([A-Za-z0-9+/]{11,400}={0,2})",
        (checks.not_example, checks.basic_credentials),
        PASSWORD,
    ),
    Rule(
        "authorization_bearer",
        r"(?i:bearer\s{1,2}[\w.~+/-]{20})",
        r"(?i:(bearer))\s{1,2}([\w.~+/-]{20,1000}=*)",
        (checks.assigned_key,),
    ),
    Rule(
        "connection_password",
        r"(?i:;\s{0,2}(?:password|pwd)\s{0,2}=)",
        r"(?i:;\s{0,2}(password|pwd))\s{0,2}=\s{0,2}([^;\"'`\s<>{}\\]{6,64})",
        (checks.assigned_password,),
        PASSWORD,
    ),
    Rule(
        "assigned_password",
        rf"(?i:passw|passphrase|pwd){_NEAR}",
        rf"{_NAMED_PASSWORD}{_IS}[rbuRBU]?{_QUOTE}([^\"'`\s\\<>{{}}]{{8,}}){_QUOTE}",
        (checks.assigned_password,),
        PASSWORD,
    ),
    Rule(
        "assigned_key",
        rf"(?i:key|secret|token|credential){_NEAR}[\w+/.=~-]{{16}}",
        rf"{_NAMED}{_IS}[rbuRBU]?{_QUOTE}([\w+/.=~-]{{16,}}){_QUOTE}",
        (checks.assigned_key, checks.not_example),
    ),
    Rule(
        "settings_key",
        r"(?i:key|secret|token)[\w-]*[ \t]*[:=][ \t]*[\w+/.=~-]{20}",
        rf"(?m:{_NAMED}[ \t]*[:=][ \t]*([\w+/.=~-]{{20,}})[ \t]*(?:[ \t]#.*)?$)",
        (checks.assigned_key, checks.not_example),
    ),
    Rule(
        "query_key",
        r"(?i:key|secret|token|passw|passphrase|pwd)[\w-]*=[\w%+/.~-]{16}",
        rf"[?&;]([\w-]*(?i:{_QUERY_NAME}))=([\w%+/.~-]{{16,400}}=*)",
        (checks.query_key, checks.not_example),
    ),
    Rule(
        "settings_password",
        r"(?i:passw|passphrase|pwd)[\w-]*[ \t]*[:=][ \t]*[\w!#%*+./=?@^~-]{8}",
        rf"(?m:^[ \t]*(?:export )?{_NAMED_PASSWORD}[ \t]*[:=][ \t]*([\w!#%*+./=?@^~-]{{8,64}})[ \t]*(?:[ \t]#.*)?$)",
        (checks.settings_password,),
        PASSWORD,
    ),
)
_ADDRESSES = (
    Rule(
        "email",
        r"\w@\w",
        r"((?:[A-Za-z0-9_][A-Za-z0-9._%+-]{0,63})@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,6}[A-Za-z]{2,18})\b",
        (addresses.email_address,),
        EMAIL,
    ),
    Rule(
        "ipv4",
        r"\d\.\d{1,3}\.\d{1,3}\.\d",
        r"(?:^|[^\w.+-]|\\[nrt])(\d{1,3}(?:\.\d{1,3}){3})(?:[^\w.+-]|\.\s|\.?$)",
        (addresses.public_ipv4,),
        IP_ADDRESS,
    ),
    Rule(
        "ipv6",
        "[23][0-9a-fA-F]{3}:[0-9a-fA-F]{0,4}:",
        r"(?:^|[^\w.:-]|\\[nrt])([23][0-9a-fA-F]{3}:(?:[0-9a-fA-F]{0,4}:){1,6}[0-9a-fA-F]{0,4})(?:[^\w.:-]|$)",
        (addresses.public_ipv6,),
        IP_ADDRESS,
    ),
)
RULES: tuple[Rule, ...] = (*_BLOCKS, *_TOKENS, *_BESIDE, *_CREDENTIALS, _PREFIXED, *_ADDRESSES)
