"""Somebody else's server for tests: it speaks when it is told to, dies when it is asked to, and notes who left. Of OpenAI's kind, and any other
address gets a label; what came in is kept in `seen`, by its headers and its body."""
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CHUNK = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}


class FakeEngine:
    """`user` in a body says what it does: "endless" goes on until its reader leaves, "dies" ends in the middle of its second event, "split" sends
    a byte at a time; else a piece follows for each `go_on.release()`. Without "stream" it answers whole, or refuses where `whole` is None. With `says`
    a stream is these texts at once, and then what "user" says."""

    def __init__(self, whole=None):
        engine = self
        self.whole, self.seen, self.status, self.pause_seconds = whole, [], 200, 0  # Status and pause are of an answer that is whole.
        self.says, self.fails_on = [], []  # Fails where one of those texts is asked.
        self.go_on, self.left = threading.Semaphore(0), threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                engine.seen.append((self.path, dict(self.headers), body))
                if body.get("stream"):
                    self.stream(body)
                elif engine.whole is not None:
                    time.sleep(engine.pause_seconds)
                    self.answer(500 if any(text in json.dumps(body) for text in engine.fails_on) else engine.status, engine.whole)
                else:
                    self.answer(400, {"error": {"message": "only streams here", "type": "invalid_request_error", "param": None, "code": None}})

            def answer(self, status, value):
                text = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def stream(self, body):
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                self.close_connection = True
                try:
                    self.events(body)
                except OSError:
                    engine.left.set()

            def events(self, body):
                how, count = body.get("user"), body["max_tokens"]
                for text in engine.says:
                    line = json.dumps({**CHUNK, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}, ensure_ascii=False)
                    self.wfile.write(f"data: {line}\n\n".encode())
                    self.wfile.flush()
                for number in range(count):
                    if number and how == "endless":
                        time.sleep(0.01)
                    elif number and how is None:
                        engine.go_on.acquire()
                    text = "naïve 🦦 " if how == "split" else f"{number} "
                    line = json.dumps({**CHUNK, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}, ensure_ascii=False)
                    event = f"data: {line}\n\n".encode()
                    if number and how == "dies":
                        self.wfile.write(event[:30])
                        self.wfile.flush()
                        self.connection.shutdown(2)
                        return
                    for at in range(0, len(event), 1 if how == "split" else len(event)):
                        self.wfile.write(event[at:at + (1 if how == "split" else len(event))])
                        self.wfile.flush()
                last = {**CHUNK, "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": count, "total_tokens": count + 5}}
                self.wfile.write(f"data: {json.dumps(last)}\n\ndata: [DONE]\n\n".encode())

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
