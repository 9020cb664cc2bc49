"""Watched: a real Prometheus scrapes a real server; a week of messages passes calmly, in the next one other words come, and an
alert of deploy/prometheus fires. Beside it, an OTLP collector gets a trace of every request, and the log holds no text.

usage: watched.py --program build/holdfast --data DIR [--once]
"""
import argparse
import json
import math
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/clients"))
import holdfast_server  # noqa: E402
import otlp_collector  # noqa: E402

BATCH = 25
MARKER = "unmistakable-4929-1234"
RECORD = """record: demo/support
use: Route support messages to the right team.
owner: support-platform
tier: prototype
model: demo/intents
task: text-classification
features: [support-routing]
monitoring: {p95_ms_max: 5000}
deployment: {kind: attached}
"""
CARD = "---\nlicense: apache-2.0\n---\n# Intents\nRoutes support messages.\n"


def check(condition, what):
    if not condition:
        raise SystemExit(f"FAILED: {what}")


def words_of(text):
    return re.findall(r"[a-z0-9]+", text.lower())


class Engine:
    """An outside engine that speaks TEI's /predict: naive Bayes over the training messages."""

    def __init__(self, rows):
        self.words, self.labels = defaultdict(Counter), Counter(row["intent"] for row in rows)
        for row in rows:
            self.words[row["intent"]].update(words_of(row["text"]))
        self.totals = {label: sum(counts.values()) for label, counts in self.words.items()}
        self.parents = []  # traceparent of what it was asked.
        engine = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                engine.parents.append(self.headers["traceparent"])
                try:
                    texts = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["inputs"]
                except ValueError:
                    texts = None
                body = json.dumps([engine.predict(text) for text in texts or []]).encode()
                self.send_response(400 if texts is None else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def predict(self, text):
        logits = {label: math.log(count) + sum(math.log((self.words[label][word] + 0.5) / (self.totals[label] + 500)) for word in words_of(text))
                  for label, count in self.labels.items()}
        top = max(logits.values())
        exponents = {label: math.exp((value - top) / 4) for label, value in logits.items()}
        total = sum(exponents.values())
        return sorted(({"label": label, "score": value / total} for label, value in exponents.items()), key=lambda one: -one["score"])


class Prometheus:
    """Debian's own, with the rules of deploy/prometheus but for their patience."""

    def __init__(self, folder, target):
        self.folder = folder
        rules = (ROOT / "deploy/prometheus/holdfast.rules.yml").read_text()
        (folder / "rules.yml").write_text(re.sub(r"for: \d+m", "for: 2s", rules))
        (folder / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": ["rules.yml"],
            "scrape_configs": [{"job_name": "holdfast", "static_configs": [{"targets": [urllib.parse.urlsplit(target).netloc]}]}]}))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
                                         f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)

    def query(self, expression):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.url}/api/v1/query?" + urllib.parse.urlencode({"query": expression}), timeout=10) as answer:
                return json.load(answer)["data"]["result"]
        except OSError:
            return []

    def wait(self, expression, fits, what, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = self.query(expression)
            if fits(found):
                return found
            time.sleep(0.5)
        raise SystemExit(f"FAILED: {what}: {expression} gave {found}")


class Story:
    def __init__(self, arguments):
        self.folder = Path(tempfile.mkdtemp(prefix="holdfast-watched-"))
        self.collector = otlp_collector.Collector()
        os.environ["HOLDFAST_PROGRAM"] = str(Path(arguments.program).resolve())
        Path(arguments.data).mkdir(parents=True, exist_ok=True)
        self.server = holdfast_server.HoldfastServer(arguments.data, ("--traces.endpoint", self.collector.url))
        self.sent = 0

    def call(self, method, path, who="ada", body=None, status=200, headers=None):
        if isinstance(body, str):
            body = body.encode()
        answer = self.server.http(method, path, self.tokens[who], body, headers)
        check(answer.status == status, f"{method} {path}: {answer.status} instead of {status}: {answer.body[:600]}")
        return answer

    def play(self):
        self.server.start()
        try:
            self.world()
            self.prometheus = Prometheus(self.folder, self.server.url)
            self.first_week()
            self.second_week()
            self.traces()
            self.silence()
            self.restart()
            print("seen: a calm week, a drifting one, and an alert")
        finally:
            if hasattr(self, "prometheus"):
                self.prometheus.process.kill()
                self.prometheus.process.wait()
            self.server.kill()
            shutil.rmtree(self.folder, ignore_errors=True)

    def world(self):
        print("  a record, a release, an engine behind it", flush=True)
        (self.folder / "data").mkdir()
        subprocess.run([holdfast_server.program(), "example", "support", "data"], cwd=self.folder, check=True, stdout=subprocess.DEVNULL)
        rows = {split: [json.loads(line) for line in (self.folder / f"data/{split}.jsonl").read_text().splitlines()]
                for split in ("train", "validation", "test", "week2")}
        self.engine = Engine(rows["train"][:2000])
        self.week1 = [row["text"] for row in (rows["validation"] + rows["test"] + rows["train"][2000:])][:1200]
        self.week2 = [row["text"] for row in rows["week2"]]
        self.server.create_user("ada")
        self.server.command("org", "create", "demo")
        self.server.command("org", "member", "add", "demo", "ada", "--role", "admin")
        self.tokens = {"ada": self.server.create_token("ada"),
                       "admin": next(event["token"] for event in self.server.events if event.get("event") == "first_admin")}
        self.call("POST", "/api/repos/create", body={"name": "intents", "organization": "demo", "type": "model"})
        lines = [{"key": "header", "value": {"summary": "first", "description": ""}}]
        lines += [{"key": "file", "value": {"path": path, "content": text, "encoding": "utf-8"}}
                  for path, text in {"README.md": CARD, "config.json": "{}", "tokenizer.json": '{"v": 1}'}.items()]
        revision = self.call("POST", "/api/models/demo/intents/commit/main", body="\n".join(map(json.dumps, lines)),
                             headers={"Content-Type": "application/x-ndjson"}).json()["commitOid"]
        self.call("PUT", "/api/registry/records/demo/support", body=RECORD, status=201, headers={"Content-Type": "application/yaml"})
        self.call("POST", "/api/registry/records/demo/support/releases", body={"revision": revision}, status=201)
        for _ in range(4):
            state = self.call("POST", "/api/registry/records/demo/support/releases/1/promote", body={"reason": "go"}).json()["state"]
            if state == "deployed":
                break
        check(state == "deployed", f"the release is {state}")
        self.call("POST", "/api/endpoints/demo", "admin", {"name": "support", "record": "demo/support", "url": self.engine.url, "engine": "tei",
                                                           "model": "demo/intents", "revision": revision}, 201)
        self.revision = revision

    def ask(self, texts):
        for at in range(0, len(texts), BATCH):
            answer = self.call("POST", "/endpoints/demo/support/predict", body={"inputs": texts[at:at + BATCH]})
            self.sent += 1
        for header, wanted in (("X-Model-Revision", self.revision), ("X-Deployment", "demo/support/1/stable")):
            check(answer.headers[header] == wanted, f"{header}: {answer.headers[header]}")
        for header in ("X-Request-Id", "X-Tokenizer-Digest", "traceparent"):
            check(answer.headers[header], f"the answer has no {header}")

    def drift(self):
        return self.call("GET", "/api/drift/demo/support").json()

    def until(self, fits, what, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            seen = self.drift()
            if fits(seen):
                return seen
            time.sleep(0.3)
        raise SystemExit(f"FAILED: {what}: {seen}")

    def first_week(self):
        print("  a week like the ones before", flush=True)
        self.ask(self.week1)
        seen = self.until(lambda drift: drift["phase"] == "watching", "a window is full")
        check(seen["reference_rows"] == 400 and all(one["band"] != "act" for one in seen["features"]), f"a calm week: {seen}")
        self.endpoint = seen["endpoint"]
        self.prometheus.wait("up == 1", lambda found: found, "the target is up")
        series = f'holdfast_serve_requests_total{{endpoint="{self.endpoint}",version="1",outcome="answered"}}'
        self.prometheus.wait(series, lambda found: found and float(found[0]["value"][1]) == self.sent, "every request is counted once")
        items = self.prometheus.query(f'holdfast_serve_items_total{{endpoint="{self.endpoint}"}}')
        check(float(items[0]["value"][1]) == len(self.week1), f"and every input: {items}")
        check(not self.prometheus.query('ALERTS{alertname="HoldfastInputsDrift"}'), "no alarm yet")
        slo = self.call("GET", "/api/slo/demo/support").json()
        check(round(slo["availability"]["objective"], 6) == 0.999 and slo["latency_ms"] == 5000 and slo["availability"]["windows"]["1h"]["bad"] == 0, f"the objective: {slo}")
        check(slo["availability"]["windows"]["1h"]["valid"] == self.sent, "counts what was asked")

    def second_week(self):
        print("  the next one says it in other words", flush=True)
        before = self.drift()
        self.ask(self.week2)
        seen = self.until(lambda drift: drift["features"][0]["psi"] > 0.25, "the index rises")
        psi = {one["feature"]: one["psi"] for one in seen["features"]}
        calm = {one["feature"]: one["psi"] for one in before["features"]}
        check(seen["features"][0]["feature"] == "unseen_words" and seen["features"][0]["band"] == "act", f"it is the words: {seen}")
        print(f"    unseen words {calm['unseen_words']:.3f} -> {psi['unseen_words']:.3f}", flush=True)
        self.prometheus.wait(f'holdfast_drift_psi{{endpoint="{self.endpoint}",feature="unseen_words"}}',
                             lambda found: found and float(found[0]["value"][1]) > 0.25, "Prometheus sees it")
        self.prometheus.wait('ALERTS{alertname="HoldfastInputsDrift",alertstate="firing",feature="unseen_words"}', bool, "the alert fires")
        text = self.server.http("GET", "/metrics").body.decode()
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        check(done.returncode == 0 and not done.stderr.strip(), f"promtool: {done.stdout}{done.stderr}")
        check("demo" not in text and "support" not in text, "no name a user chose is in /metrics")

    def traces(self):
        print("  a trace of every request", flush=True)
        parent = f"00-{'ab' * 16}-{'cd' * 8}-01"
        answer = self.call("POST", "/endpoints/demo/support/predict", body={"inputs": [MARKER]}, headers={"traceparent": parent})
        check(answer.headers["traceparent"].split("-")[1] == "ab" * 16, "the caller's trace goes on")
        check(self.engine.parents[-1].split("-")[1] == "ab" * 16, "and on to the engine")
        spans = self.collector.wait_for("ab" * 16)
        otlp_collector.check_trace(spans, parent="cd" * 8, stages=["upstream", "post"])
        upstream = next(span for span in spans if span["name"] == "upstream")
        check(self.engine.parents[-1].split("-")[2] == upstream["spanId"], "under the span of its own call")

    def silence(self):
        self.call("POST", "/endpoints/demo/support/predict", body={"inputs": [MARKER], "bad": MARKER})
        self.server.http("POST", "/endpoints/demo/support/predict", self.tokens["ada"], f"{{{MARKER}".encode(), {"Content-Type": "application/json"})
        time.sleep(0.5)
        log = self.server.log_path.read_text()
        check(MARKER not in log, "the log holds what was asked")
        check(all(MARKER not in body for body in self.collector.bodies), "a trace holds what was asked")
        line = next(json.loads(line) for line in log.splitlines() if '"model_request"' in line)
        for name in ("trace_id", "request", "status", "revision", "tokenizer", "deployment", "input_bytes", "input_digest", "duration_ms", "post_ms"):
            check(name in line, f"a line without {name}")

    def restart(self):
        print("  a restart forgets no window", flush=True)
        before = self.call("GET", "/api/slo/demo/support").json()["availability"]["windows"]["30d"]
        port = urllib.parse.urlsplit(self.server.url).port
        self.server.stop()
        self.server.start(port)
        after = self.call("GET", "/api/slo/demo/support").json()["availability"]
        end = time.monotonic() + 10
        while (after is None or after["windows"]["30d"] != before) and time.monotonic() < end:
            time.sleep(0.2)
            after = self.call("GET", "/api/slo/demo/support").json()["availability"]
        check(after and after["windows"]["30d"] == before and before["valid"] >= self.sent, f"the windows: {before}, then {after}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--once", action="store_true")
    arguments = parser.parse_args()
    if shutil.which("prometheus") is None:
        print("prometheus is missing: set-up installs Debian's")
        return 1 if os.environ.get("HOLDFAST_NO_SKIP") == "1" else 77
    Story(arguments).play()
    return 0


if __name__ == "__main__":
    sys.exit(main())
