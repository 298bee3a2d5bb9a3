"""A local server that says what a test wants it to say, in OpenAI's form or in none."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from corpora.endpoint import Endpoint

KEY = "sk-secret-0123456789"


class Server:
    """Answers `say(body, number)`: a text, or (status, headers, body)."""

    def __init__(self):
        self.bodies, self.keys, self.active, self.most = [], [], 0, 0
        self.say = lambda body, number: f"re: {body['messages'][-1]['content']}"
        lock, server = threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    server.bodies.append(body)
                    server.keys.append(self.headers.get("Authorization"))
                    number = len(server.bodies)
                    server.active += 1
                    server.most = max(server.most, server.active)
                said = server.say(body, number)
                with lock:
                    server.active -= 1
                if isinstance(said, str):
                    choice = {"message": {"content": said}, "finish_reason": "stop"}
                    usage = {"prompt_tokens": 10, "completion_tokens": 2}
                    said = (200, {}, json.dumps({"choices": [choice], "usage": usage}).encode())
                status, headers, data = said
                self.send_response(status)
                for name, value in {"Content-Length": len(data), **headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(data)
                if len(data) < int({"Content-Length": len(data), **headers}["Content-Length"]):
                    self.close_connection = True  # the rest of it never comes

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"

    def endpoint(self, **changed):
        return Endpoint(**{"url": self.url, "key": KEY, "backoff_seconds": 0.01, "timeout_seconds": 5, **changed})

    def close(self):
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()
