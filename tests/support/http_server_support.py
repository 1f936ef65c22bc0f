"""A real server on this machine, which can be told to behave badly."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Request(NamedTuple):
    path: str
    range: str | None
    status: int
    sent: int


@dataclass
class Server:
    """What it serves, how it misbehaves, and what it was asked."""

    files: dict[str, bytes] = field(default_factory=dict)
    stop_after: int | None = None
    """Announce the whole file, but hang up after so many bytes."""
    knows_ranges: bool = True
    wrong_range: bool = False
    says_length: bool = True
    requests: list[Request] = field(default_factory=list)
    address: str = ""

    def answer(self, path: str, wanted: str | None) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body."""
        content = self.files.get(path.lstrip("/"))
        if content is None:
            return 404, {}, b""
        if wanted is None or not self.knows_ranges:
            return 200, {}, content
        match = re.fullmatch(r"bytes=(\d+)-", wanted)
        assert match is not None
        start = int(match[1])
        if start >= len(content):
            return 416, {"Content-Range": f"bytes */{len(content)}"}, b""
        if self.wrong_range:
            start = start // 2
        return 206, {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}, content[start:]


@contextlib.contextmanager
def serve() -> Iterator[Server]:
    """Serve on a free port until the end of the block."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            status, headers, body = server.answer(self.path, wanted)
            sent = body[: server.stop_after]
            server.requests.append(Request(self.path, wanted, status, len(sent)))
            self.send_response(status)
            length = {"Content-Length": str(len(body))} if server.says_length else {}
            for name, value in (headers | length).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        server.address = f"http://127.0.0.1:{listener.server_port}"
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()
