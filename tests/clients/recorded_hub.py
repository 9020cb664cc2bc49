"""A hub of recorded exchanges: the files below tests/clients/recorded/, written by hand from docs/reference/hub-protocol.md. This server knows
nothing of the protocol; it compares a request with each file's and sends what the first that fits says. Where a file's name ends in -1, -2
…, the answers come in that order, and the last one stays.

A file: lines of comment (#), the request's line, headers that it must have (a `!` before a name: must not have), a blank line, the status line,
headers, a blank line, the body to the end of the file; a body `@hex …` is written as digits. {HUB} and {CDN} are the two addresses under which this
server is reached, so that a redirect between them is one to another host.
"""
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

RECORDED = Path(__file__).resolve().parent / "recorded"


def same_target(one, other):
    """The query's order does not matter."""
    one, other = urlsplit(one), urlsplit(other)
    return one.path == other.path and sorted(parse_qsl(one.query, True)) == sorted(parse_qsl(other.query, True))


class Exchange:
    def __init__(self, path, places):
        head, _, rest = path.read_bytes().partition(b"\n\n")
        answer, _, self.body = rest.partition(b"\n\n")
        for name, place in places.items():
            head, answer, self.body = (part.replace(b"{%s}" % name.encode(), place.encode()) for part in (head, answer, self.body))
        if self.body.startswith(b"@hex "):
            self.body = bytes.fromhex(self.body[5:].decode())
        request = [line for line in head.decode().split("\n") if not line.startswith("#")]
        self.method, self.target = request[0].split(" ", 1)
        self.wanted = [line for line in request[1:] if not line.startswith("!")]
        self.unwanted = [line[1:] for line in request[1:] if line.startswith("!")]
        status, *headers = answer.decode().split("\n")
        _, code, self.reason = status.split(" ", 2)
        self.status, self.headers = int(code), [tuple(line.split(": ", 1)) for line in headers]
        self.file = path.relative_to(RECORDED).as_posix()
        number = re.search(r"-(\d+)$", path.stem)
        self.series, self.number = (path.stem[:number.start()], int(number[1])) if number else (path.stem, 0)

    def fits(self, method, target, headers):
        return (self.method == method and same_target(self.target, target) and not any(name in headers for name in self.unwanted)
                and all(headers.get(name) == value for name, value in (line.split(": ", 1) for line in self.wanted)))


class RecordedHub:
    def __init__(self):
        self.lock, self.asked, self.unknown, self.sent = threading.Lock(), [], [], {}
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                hub.answer(self)

            do_HEAD = do_POST = do_PUT = do_GET

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        port = self.server.server_port
        self.url = f"http://127.0.0.1:{port}"
        places = {"HUB": self.url, "CDN": f"http://localhost:{port}", "CDN_HOST": f"localhost:{port}"}
        self.exchanges = sorted((Exchange(path, places) for path in RECORDED.rglob("*.http")), key=lambda one: one.number)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def count(self, part):
        with self.lock:
            return sum(part in each for each in self.asked)

    def answer(self, to):
        with self.lock:
            self.asked.append(f"{to.command} {to.path}")
            fitting = [one for one in self.exchanges if one.fits(to.command, to.path, to.headers)]
            if not fitting:
                self.unknown.append(f"{to.command} {to.path} {dict(to.headers)}")
            key = (to.command, to.path)
            exchange = fitting[min(self.sent.get(key, 0), len(fitting) - 1)] if fitting else None
            self.sent[key] = self.sent.get(key, 0) + 1
        if exchange is None:
            to.send_response_only(501, "Not Recorded")
            to.send_header("Content-Length", "0")
            to.end_headers()
            return
        to.send_response_only(exchange.status, exchange.reason)
        for name, value in exchange.headers:
            to.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in exchange.headers):
            to.send_header("Content-Length", str(len(exchange.body)))
        to.end_headers()
        if to.command != "HEAD":
            to.wfile.write(exchange.body)
