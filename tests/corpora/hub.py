"""A small hub on this machine: the addresses that `huggingface_hub` asks, over a folder, with faults on request."""

import http.server
import json
import threading
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Hub:
    """Serves one dataset at one commit; `fault` turns every answer into an error, `asked` lists what was asked for."""

    def __init__(self, folder, *, name, revision):
        self.folder, self.name, self.revision = Path(folder), name, revision
        self.fault = None
        self.asked = []
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_HEAD(self):
                self.answer(with_body=False)

            def do_GET(self):
                self.answer()

            def do_POST(self):
                self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.answer()

            def answer(self, *, with_body=True):
                status, headers, body = hub.reply(self)
                self.send_response(status)
                for key, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(key, value)
                self.end_headers()
                if with_body:
                    self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def reply(self, request):
        path = unquote(urlsplit(request.path).path)
        self.asked.append((request.command, path, request.headers.get("Range")))
        if self.fault:
            status, code = self.fault
            return status, {"X-Error-Code": code, "X-Error-Message": code}, b"{}"
        files = f"/datasets/{self.name}/resolve/{self.revision}/"
        if path.startswith(files):
            return self.file(path.removeprefix(files), request.headers.get("Range"))
        api = f"/api/datasets/{self.name}/"
        if path == f"{api}revision/{self.revision}":
            return self.json({"id": self.name, "sha": self.revision, "siblings": [], "tags": []})
        if path.startswith(f"{api}tree/{self.revision}"):
            return self.json(self.tree())
        if path.startswith(f"{api}paths-info/{self.revision}"):
            asked = request.body.decode()
            return self.json([one for one in self.tree() if one["path"] in unquote(asked)])
        if path.startswith((f"{api}revision/", f"{api}tree/")):
            return 404, {"X-Error-Code": "RevisionNotFound"}, b"{}"
        return 404, {"X-Error-Code": "RepoNotFound"}, b"{}"

    def tree(self):
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return [
            {"type": "file", "path": path.relative_to(self.folder).as_posix(), "size": path.stat().st_size, "oid": "0"}
            for path in paths
        ]

    def file(self, name, span):
        path = self.folder / name
        if not path.is_file():
            return 404, {"X-Error-Code": "EntryNotFound"}, b"{}"
        data = path.read_bytes()
        headers = {"ETag": '"0"', "X-Repo-Commit": self.revision, "Accept-Ranges": "bytes"}
        if not span:
            return 200, headers, data
        start, end = (int(one) for one in span.removeprefix("bytes=").split("-"))
        part = data[start : end + 1]
        return 206, headers | {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(data)}"}, part

    @staticmethod
    def json(value):
        return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()
