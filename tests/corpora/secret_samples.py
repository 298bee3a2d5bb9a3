"""Secrets of every kind, made anew in each test, so that no file of the repository holds one."""

import base64
import json
import random
import string
import zlib

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
HEX = "0123456789abcdef"
WORD = BASE62 + "_-"


def checked(prefix, rng):
    """A token of GitHub's or npm's: the last six characters are the checksum of those before them."""
    body = run(rng, 30)
    number, digits = zlib.crc32(body.encode()), ""
    while number:
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return prefix + body + digits.rjust(6, "0")


def run(rng, length, alphabet=BASE62):
    return "".join(rng.choice(alphabet) for _ in range(length))


def encoded(data, rng):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).decode().rstrip("=")


def tail(rng, length, alphabet=WORD):
    """Ends with a letter or digit."""
    return run(rng, length - 1, alphabet) + run(rng, 1)


SAMPLES = {
    "age_secret_key": lambda r: "AGE-SECRET-KEY-1" + run(r, 58, string.digits + string.ascii_uppercase),
    "airtable_token": lambda r: f"pat{run(r, 14)}.{run(r, 64, HEX)}",
    "alibaba_key_id": lambda r: "LTAI" + run(r, 20),
    "anthropic_key": lambda r: "sk-ant-api03-" + run(r, 93, WORD) + "AA",
    "atlassian_token": lambda r: "ATATT3" + tail(r, 186),
    "aws_access_key_id": lambda r: "AKIA" + run(r, 16, string.ascii_uppercase + "234567"),
    "azure_client_secret": lambda r: f"{run(r, 3)}8Q~{tail(r, 34)}",
    "brevo_key": lambda r: f"xkeysib-{run(r, 64, HEX)}-{run(r, 16)}",
    "clojars_token": lambda r: "CLOJARS_" + run(r, 60, string.ascii_lowercase + string.digits),
    "crates_token": lambda r: "cio" + run(r, 32),
    "databricks_token": lambda r: "dapi" + run(r, 32, HEX),
    "digitalocean_token": lambda r: "dop_v1_" + run(r, 64, HEX),
    "discord_bot_token": lambda r: f"{encoded(b'1' + run(r, 17, string.digits).encode(), r)}.{run(r, 6)}.{tail(r, 27)}",
    "docker_hub_token": lambda r: "dckr_pat_" + tail(r, 27),
    "dynatrace_token": lambda r: (
        f"dt0c01.{run(r, 24, string.ascii_uppercase + '234567')}.{run(r, 64, string.ascii_uppercase + '234567')}"
    ),
    "github_token": lambda r: checked("gh" + r.choice("pousr") + "_", r),
    "github_fine_grained_token": lambda r: f"github_pat_{run(r, 22)}_{run(r, 59)}",
    "gitlab_token": lambda r: "glpat-" + tail(r, 20),
    "google_api_key": lambda r: "AIza" + tail(r, 35),
    "google_oauth_secret": lambda r: "GOCSPX-" + tail(r, 28),
    "google_access_token": lambda r: "ya29." + tail(r, 120),
    "grafana_token": lambda r: f"glsa_{run(r, 32)}_{run(r, 8, HEX)}",
    "groq_key": lambda r: "gsk_" + run(r, 52),
    "heroku_key": lambda r: "HRKU-" + tail(r, 60),
    "hugging_face_token": lambda r: "hf_" + run(r, 34, string.ascii_letters),
    "linear_key": lambda r: "lin_api_" + run(r, 40),
    "mailchimp_key": lambda r: f"{run(r, 32, HEX)}-us{r.randint(1, 20)}",
    "mailgun_key": lambda r: "key-" + run(r, 32, HEX),
    "new_relic_key": lambda r: "NRAK-" + run(r, 27, string.digits + string.ascii_uppercase),
    "notion_token": lambda r: "ntn_" + run(r, 46),
    "npm_token": lambda r: checked("npm_", r),
    "openai_key": lambda r: f"sk-{run(r, 20)}T3BlbkFJ{run(r, 20)}",
    "openai_project_key": lambda r: "sk-proj-" + tail(r, 100),
    "perplexity_key": lambda r: "pplx-" + run(r, 48),
    "postman_key": lambda r: f"PMAK-{run(r, 24, HEX)}-{run(r, 34, HEX)}",
    "pulumi_token": lambda r: "pul-" + run(r, 40, HEX),
    "pypi_token": lambda r: "pypi-AgEIcHlwaS5vcmcC" + tail(r, 150),
    "replicate_token": lambda r: "r8_" + run(r, 37),
    "rubygems_key": lambda r: "rubygems_" + run(r, 48, HEX),
    "sendgrid_key": lambda r: f"SG.{run(r, 22)}.{tail(r, 43)}",
    "sentry_token": lambda r: "sntryu_" + run(r, 64, HEX),
    "shopify_token": lambda r: "shpat_" + run(r, 32, HEX),
    "slack_token": lambda r: f"xoxb-{run(r, 12, string.digits)}-{run(r, 12, string.digits)}-{run(r, 24)}",
    "slack_webhook": lambda r: f"https://hooks.slack.com/services/T{run(r, 8)}/B{run(r, 8)}/{run(r, 24)}",
    "discord_webhook": lambda r: f"https://discord.com/api/webhooks/{run(r, 18, '123456789')}/{tail(r, 68)}",
    "square_token": lambda r: "sq0csp-" + tail(r, 43),
    "stripe_key": lambda r: "sk_live_" + run(r, 24),
    "supabase_token": lambda r: "sbp_" + run(r, 40, HEX),
    "telegram_bot_token": lambda r: f"{run(r, 10, '123456789')}:AA{tail(r, 33)}",
    "terraform_token": lambda r: f"{run(r, 14)}.atlasv1.{tail(r, 67)}",
    "twilio_key": lambda r: "SK" + run(r, 32, HEX),
    "vault_token": lambda r: "hvs." + tail(r, 91),
    "xai_key": lambda r: "xai-" + run(r, 80),
    "json_web_token": lambda r: ".".join(
        [encoded({"alg": "HS256", "typ": "JWT"}, r), encoded({"sub": run(r, 10), "iat": 1}, r), tail(r, 43)]
    ),
    "email": lambda r: f"{run(r, 6, string.ascii_lowercase)}.{run(r, 5, string.ascii_lowercase)}@debian.org",
    "ipv4": lambda r: f"{r.randint(60, 90)}.{r.randint(40, 250)}.{r.randint(40, 250)}.{r.randint(40, 250)}",
    "ipv6": lambda r: "2a00:1450:" + ":".join(run(r, 3, "123456789abcdef") + "7" for _ in range(6)),
}
"""Kind, and what makes one: a string in which the secret is the longest part."""
CONTEXTS = {
    "aws_secret_key": lambda r: f'AWS_SECRET_ACCESS_KEY="{run(r, 40)}"',
    "azure_account_key": lambda r: f"EndpointSuffix=core.net;AccountKey={run(r, 86)}==;",
    "heroku_key": lambda r: 'heroku_api_key: "{}-{}-{}-{}-{}"'.format(*(run(r, n, HEX) for n in (8, 4, 4, 4, 12))),
    "twilio_auth_token": lambda r: f"TWILIO_AUTH_TOKEN = '{run(r, 32, HEX)}'",
    "url_password": lambda r: f"postgres://app:{run(r, 9)}7!q@db.internal.net:5432/main",
    "authorization_basic": lambda r: (
        f"Authorization: Basic {base64.b64encode(f'joe:{run(r, 10)}7!'.encode()).decode()}"
    ),
    "authorization_bearer": lambda r: f"Authorization: Bearer {run(r, 40)}",
    "connection_password": lambda r: f"Server=db;User Id=app;Password={run(r, 9)}7!;",
    "assigned_password": lambda r: f"db_password = '{run(r, 9)}7!'",
    "assigned_key": lambda r: f'{{"client_secret": "{run(r, 32)}"}}',
    "settings_key": lambda r: f"deploy_token: {run(r, 40)}" + r.choice(["", "  # of the robot"]),
    "settings_password": lambda r: f"export DB_ROOT_PASSWORD={run(r, 6)}7{run(r, 6)}2{run(r, 3)}",
    "query_key": lambda r: f"![ci](https://ci.io/a.svg?style=x&{r.choice(['circle-token', 'pwd'])}={run(r, 40, HEX)})",
}
"""Secrets that only what stands around them tells."""


def private_key(rng, lines=13):
    body = "\n".join(run(rng, 64, BASE62 + "+/") for _ in range(lines))
    return f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"


def made(seed):
    return random.Random(seed)
