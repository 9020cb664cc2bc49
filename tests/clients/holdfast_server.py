"""A server of our own for tests: build/holdfast on a free port with a fresh data folder, users and tokens made by the
command line as an operator makes them. Only the standard library, so that every client's environment can use it."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS, STOP_SECONDS = 60, 30


def program():
    found = Path(os.environ.get("HOLDFAST_PROGRAM") or ROOT / "build/holdfast")
    if not found.exists():
        raise SystemExit(f"{found} is not built: ./dev build")
    return str(found)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class HoldfastServer:
    def __init__(self, data=None, options=(), environment=None):
        self.environment = environment  # Of the server's process, beside the caller's own.
        self.owns_data = data is None
        self.data = Path(data or tempfile.mkdtemp(prefix="holdfast-test-"))
        self.options = list(options)
        self.log_path = self.data / "server.log"
        self.process = None
        self.url = None
        self.own_group = False  # A power cut of tests/simulate kills the process group.
        self.events = []  # What the server said on standard output, parsed.

    @property
    def folder(self):
        return str(self.data / "server")

    def restart(self, port):
        """After kill(): on the port it had, so that clients find it again."""
        return self.start(port)

    def start(self, port=0):
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen([program(), "serve", "--listen", f"127.0.0.1:{port}", "--data", self.folder, "--json", *self.options],
                                        stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=self.own_group,
                                        env={**os.environ, **self.environment} if self.environment else None)
        log.close()
        self.url = None
        for line in self.process.stdout:
            try:
                self.events.append(json.loads(line))
            except ValueError:
                continue
            if self.events[-1].get("event") == "listening":
                self.url = self.events[-1]["url"]
                break
        if self.url is None:
            raise RuntimeError(f"the server did not start (exit {self.process.wait(STOP_SECONDS)}):\n{self.log()}")
        threading.Thread(target=self._drain, args=(self.process.stdout,), daemon=True).start()
        deadline = time.monotonic() + READY_SECONDS
        while self.http("GET", "/readyz").status != 200:
            if time.monotonic() > deadline:
                raise RuntimeError(f"not ready within {READY_SECONDS} s:\n{self.log()}")
            time.sleep(0.05)
        return self

    def _drain(self, stdout):
        for _ in stdout:
            pass

    def stop(self):
        """Ends the server as an operator does; anything but a clean exit in time is an error."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"the server did not stop within {STOP_SECONDS} s of SIGTERM:\n{self.log()}")
        if code != 0:
            raise RuntimeError(f"the server ended with {code}:\n{self.log()}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def remove(self):
        if self.owns_data:
            shutil.rmtree(self.data, ignore_errors=True)

    def log(self, lines=80):
        if not self.log_path.exists():
            return "(no log)"
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def command(self, *words, stdin=None):
        """Runs a command that administers this server's data folder; its standard output."""
        done = subprocess.run([program(), *words, "--data", self.folder], input=stdin, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise RuntimeError(f"holdfast {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def create_user(self, name, *options):
        self.command("user", "create", name, *options)

    def create_token(self, user, role="write", name="test", *options):
        return json.loads(self.command("token", "create", "--user", user, "--name", name, "--role", role, "--json", *options))["token"]

    def http(self, method, path, token=None, body=None, headers=None):
        """One plain request, redirects and errors as they are."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers = {"Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=dict(headers or {}))
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect).open(request, timeout=60) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as refused:
            return Answer(refused.code, refused.headers, refused.read())
