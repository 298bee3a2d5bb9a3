"""HTTP for a model: one thread a connection, JSON in and out, errors in OpenAI's form, everything bounded.

Requests, connections and silence have limits. A web page cannot reach a server on its reader's machine: a body must call
itself JSON, which pages may not send elsewhere without asking, and the host must be this machine, whatever name led here.
Of what is asked nothing is logged but counts.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import sys
import threading
import time
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from specialize import openai_form
from specialize.openai_form import ApiError

if TYPE_CHECKING:
    from specialize.serve import Service

MAX_BODY_BYTES = 1 << 20
MAX_CONNECTIONS = 64
_IDLE_SECONDS = 60
"""A connection that says nothing for so long is closed."""
_POSTS = {"/v1/chat/completions": True, "/v1/completions": False}
"""Path -> whether it is a chat."""


class Server(ThreadingHTTPServer):
    """The listener: a thread a connection, up to a number of them."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], service: Service) -> None:
        self.service = service
        self._slots = threading.Semaphore(MAX_CONNECTIONS)
        super().__init__(address, Handler)
        self.is_local = is_local(address[0])

    @property
    def url(self) -> str:
        """The address that clients are given."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}/v1"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a connection a thread, or close it where there are too many."""
        if self._slots.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that go away; show what is ours."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "specialize", ""
    timeout = _IDLE_SECONDS
    server: Server

    def do_GET(self) -> None:
        """Answer /health and /v1/models."""
        service = self.server.service
        model = {"id": service.name, "object": "model", "created": 0, "owned_by": "specialize"}
        pages = {
            "/health": {"status": "ok"},
            "/v1/models": {"object": "list", "data": [model]},
            f"/v1/models/{service.name}": model,
        }
        try:
            path = self._path()
            if path != "/health":
                self._check_caller()
            if path not in pages:
                raise _unknown(path)
            self._send(200, pages[path])
        except ApiError as error:
            self._send_error(error)

    def do_POST(self) -> None:
        """Answer a completion."""
        begun = time.monotonic()
        try:
            self._check_caller()
            path = self._path()
            if path not in _POSTS:
                raise _unknown(path)
            call, replies = self.server.service.answer(self._body(), is_chat=_POSTS[path])
        except ApiError as error:
            self._send_error(error)
            return
        except Exception:  # a fault of ours: the client hears so, the cause is shown here
            self._send_error(ApiError(500, "the model failed; the server's output has the cause"))
            raise
        if call.stream:
            self._stream(openai_form.events(call, replies))
        else:
            self._send(200, openai_form.completion(call, replies))
        tokens = sum(one.tokens for one in replies)
        self.log_message("%s: %d replies, %d tokens, %.1f s", path, len(replies), tokens, time.monotonic() - begun)

    def _path(self) -> str:
        return urlsplit(self.path).path.rstrip("/") or "/"

    def _check_caller(self) -> None:
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname or ""
        if self.server.is_local and not is_local(host):  # a page whose name was made to point here
            raise ApiError(403, "this server answers to localhost alone", code="wrong_host")
        key = self.server.service.key
        given = self.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if key and not hmac.compare_digest(given.encode(), key.encode()):
            raise ApiError(401, "the key is missing or wrong: send it as Authorization: Bearer KEY", code="wrong_key")

    def _body(self) -> bytes:
        if self.headers.get_content_type() != "application/json":  # what a page may send without asking is not JSON
            raise ApiError(415, "the Content-Type must be application/json", code="wrong_type")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise ApiError(411, "a Content-Length is needed", code="no_length")
        if len(length) > 12 or int(length) > MAX_BODY_BYTES:
            raise ApiError(413, f"a request may have {MAX_BODY_BYTES} bytes", code="too_large")
        return self.rfile.read(int(length))

    def _send(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(value, ensure_ascii=True).encode()
        self.send_response(status)
        fields = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
        for name, text in fields.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(data)

    def _send_error(self, error: ApiError) -> None:
        """Send an error; the connection ends, since its body may not have been read."""
        self.close_connection = True
        retry = {"Retry-After": str(error.retry_seconds)} if error.retry_seconds else {}
        self._send(error.status, error.body(), {"Connection": "close", **retry})

    def _stream(self, events: Iterable[dict[str, Any]]) -> None:
        self.close_connection = True  # its end is the end of the stream
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for event in events:
            self.wfile.write(f"data: {json.dumps(event, ensure_ascii=True)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Leave the line of every request to `do_POST`, which knows more."""


def _unknown(path: str) -> ApiError:
    known = ", ".join(("/health", "/v1/models", *_POSTS))
    return ApiError(404, f"nothing is at {path[:100]!r}; there are {known}", code="not_found")


def is_local(host: str) -> bool:
    """Whether a name or address is of this machine alone.

    >>> is_local("localhost"), is_local("127.0.0.1"), is_local("0.0.0.0"), is_local("example.org")
    (True, True, False, False)
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
