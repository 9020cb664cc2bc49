"""What the story is told with: a server that is killed between steps, people with tokens, commands, and the log that must
stay sound whatever happens."""
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/clients"))
import holdfast_server  # noqa: E402

JSON_TYPES = ("application/json", "application/vnd.git-lfs+json")


def check(condition, what):
    if not condition:
        raise SystemExit(f"FAILED: {what}")


class Means:
    def __init__(self, data, seed):
        self.random = random.Random(seed)
        self.server = holdfast_server.HoldfastServer(data, ["--manual-clock", "--checkpoints", str(Path(data) / "outside"), "--slo.shadow-percent", "100"])
        self.files = Path(tempfile.mkdtemp(prefix="holdfast-story-"))
        self.tokens, self.kills, self.worker_kills = {}, 0, 0

    def begin(self):
        self.server.start()
        # Clients read these when they are imported, which is after this.
        os.environ.update(HF_ENDPOINT=self.server.url, HF_HOME=str(self.files / "hf"), HF_HUB_DISABLE_TELEMETRY="1",
                          HF_HUB_DISABLE_PROGRESS_BARS="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1")
        os.environ.pop("HF_TOKEN", None)

    def step(self, title):
        """Between two steps the server or a worker may be killed: what was answered before stays true."""
        chance = self.random.random()
        if chance < 0.4:
            self.kill_server()
        elif chance < 0.7:
            self.kill_worker()
        print(f"  {title}", flush=True)

    def kill_server(self):
        port = urllib.parse.urlsplit(self.server.url).port
        self.server.kill()
        self.verify_log()
        self.server.start(port)
        self.kills += 1

    def workers(self):
        """Processes of `holdfast worker` whose parent is this story's own server."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except (OSError, IndexError, ValueError):
                continue
            if parent == self.server.process.pid and b"worker" in words:
                found.append(int(entry.name))
        return sorted(found)

    def kill_worker(self):
        workers = self.workers()
        if workers:
            os.kill(self.random.choice(workers), signal.SIGKILL)
            self.worker_kills += 1

    def verify_log(self):
        """By the verifier that shares no code with us."""
        done = subprocess.run([sys.executable, str(ROOT / "tools/verify_audit.py"), "--log", str(Path(self.server.folder) / "holdfast.db")],
                              capture_output=True, text=True)
        check(done.returncode == 0, f"the chained log is sound after a kill: {done.stdout}{done.stderr}")

    def call(self, method, path, who="ada", body=None, status=200, headers=None):
        if isinstance(body, str):
            body = body.encode()
        for _ in range(100):
            answer = self.server.http(method, path, self.tokens[who], body, headers)
            if answer.status != 503 or status == 503:
                break
            time.sleep(0.2)  # A model that comes back after its worker was killed.
        wanted = status if isinstance(status, tuple) else (status,)
        check(answer.status in wanted, f"{method} {path} by {who}: {answer.status} instead of {status}: {answer.body[:600]}")
        return answer.json() if (answer.headers["Content-Type"] or "").startswith(JSON_TYPES) else answer

    def command(self, *words, who="ada", code=0):
        environment = {**os.environ, "HF_ENDPOINT": self.server.url, "HF_TOKEN": self.tokens[who]}
        done = subprocess.run([holdfast_server.program(), *words], capture_output=True, text=True, env=environment, timeout=300)
        check(done.returncode == code, f"holdfast {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def write(self, name, text):
        path = self.files / name
        path.write_text(text if isinstance(text, str) else json.dumps(text))
        return str(path)

    def commit(self, kind, repo, files, status=200):
        lines = [{"key": "header", "value": {"summary": "story", "description": ""}}]
        lines += [{"key": "file", "value": {"path": path, "content": text, "encoding": "utf-8"}} for path, text in files.items()]
        body = "\n".join(json.dumps(line) for line in lines)
        return self.call("POST", f"/api/{kind}/{repo}/commit/main", body=body, status=status,
                         headers={"Content-Type": "application/x-ndjson"}).get("commitOid")

    def hub(self, who="ada"):
        from huggingface_hub import HfApi
        return HfApi(endpoint=self.server.url, token=self.tokens[who])

    def advance(self, seconds):
        return self.call("POST", "/api/registry/clock", "admin", {"advance_seconds": seconds})["now"]

    def in_hours(self, hours):
        from datetime import datetime, timedelta
        now = datetime.strptime(self.call("GET", "/api/registry/clock")["now"], "%Y-%m-%dT%H:%M:%S.%fZ")
        return (now + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
