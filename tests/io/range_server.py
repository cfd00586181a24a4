"""An HTTP server of a folder in a process of its own, because rasterio opens under the GIL."""

from __future__ import annotations

import multiprocessing
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class RangeServer:
    """Serves ranges of the files of a folder.

    ``drops`` bodies that begin at byte ``after`` or later are cut in the middle; ``sent`` counts
    the bytes of bodies.
    """

    def __init__(self, folder: Path) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.state = spawn.Array("q", 3)
        receiver, sender = spawn.Pipe(duplex=False)
        self.process = spawn.Process(
            target=_serve, args=(str(folder), self.state, sender), daemon=True
        )
        self.process.start()
        self.port = receiver.recv()

    def reset(self, drops: int = 0, after: int = 0) -> None:
        self.state[:] = [drops, after, 0]

    @property
    def drops(self) -> int:
        return self.state[0]

    @property
    def sent(self) -> int:
        return self.state[2]

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        self.process.terminate()
        self.process.join()


def _serve(folder: str, state: Any, sender: Any) -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.answer(with_body=False)

        def do_GET(self) -> None:
            self.answer(with_body=True)

        def answer(self, *, with_body: bool) -> None:
            path = Path(folder, self.path.lstrip("/").split("?")[0])
            if not path.is_file():
                self.send_error(404)
                return
            content = path.read_bytes()
            wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            first, last = wanted.groups() if wanted else ("0", "")
            start, end = int(first), min(int(last or len(content)) + 1, len(content))
            body = content[start:end]
            self.send_response(206 if wanted else 200)
            if wanted:
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if not with_body:
                return
            with state.get_lock():
                cut = state[0] > 0 and start >= state[1]
                state[0] -= cut
                state[2] += len(body)
            self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = cut

        def log_message(self, *args: Any) -> None:
            """Keep the output of the tests clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        sender.send(server.server_port)
        server.serve_forever()
