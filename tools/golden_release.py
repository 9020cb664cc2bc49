"""What tools/golden.py keeps of the registry: a head trained on a tiny encoder, its record, evidence, approvals, and one
answered request with its label. Everything by the routes and commands that people use."""
import json
import os
import random
import subprocess
import tempfile
from pathlib import Path

from tree import ROOT

from holdfast_server import program

RECORD = """record: team/routing
use: Send a message to the team it is for.
owner: ada
oncall: [ada]
tier: production
environment: production
model: team/intents
task: text-classification
features: [routing]
data_class: internal
purpose: commercial
prompt: none
preprocessing: none
evaluation: {dataset: team/messages, split: test, text: text, label: intent}
monitoring: {accuracy_drop_max: 0.05, false_alarms_max: 0.01, p95_ms_max: 5000}
rollback: previous
deployment: {kind: hosted, canary_percent: 5}
"""
CRITERIA = {"metrics": [{"name": "accuracy", "at_least": 0.1, "margin": 0.2}], "rows_min": 50}
RELEASE = "/api/registry/records/team/routing/releases/1"
WORDS = {"billing": ("invoice", "refund", "charge"), "delivery": ("parcel", "courier", "late"), "account": ("password", "login", "email")}


def messages(split, count):
    made = random.Random(split)
    for _ in range(count):
        intent = made.choice(sorted(WORDS))
        yield {"text": " ".join(["my", made.choice(WORDS[intent]), made.choice(("is wrong", "is lost", "please help"))]), "intent": intent}


def fill(server, token):
    def call(method, path, body=None, who=token, headers=None):
        answer = server.http(method, path, who, body.encode() if isinstance(body, str) else body, headers)
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status}: {answer.body.decode()[:600]}")
        return answer.json()

    def command(*words):
        done = subprocess.run([program(), *words], capture_output=True, text=True, timeout=300,
                              env={**os.environ, "HF_ENDPOINT": server.url, "HF_TOKEN": token})
        if done.returncode != 0:
            raise SystemExit(f"holdfast {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    tokens = {}
    for name in ("bea", "cam", "dan"):
        server.create_user(name)
        tokens[name] = server.create_token(name)
    server.command("org", "create", "team")
    for name, role in (("ada", "admin"), ("bea", "admin"), ("cam", "contributor"), ("dan", "contributor")):
        server.command("org", "member", "add", "team", name, "--role", role)
    from huggingface_hub import HfApi, metadata_update
    api = HfApi()
    folder = Path(tempfile.mkdtemp(prefix="holdfast-golden-"))
    for split, count in (("train", 300), ("validation", 100), ("test", 100)):
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in messages(split, count)))
    api.create_repo("team/messages", repo_type="dataset")
    api.upload_folder(repo_id="team/messages", repo_type="dataset", folder_path=folder)
    card = {"license": "cc0-1.0", "language": "en", "pretty_name": "Messages"}
    data = metadata_update("team/messages", card, repo_type="dataset").rsplit("/", 1)[1]
    api.create_repo("team/encoder")
    api.upload_folder(repo_id="team/encoder", folder_path=ROOT / "tests/golden/models/feature-extraction", ignore_patterns="golden.json")
    metadata_update("team/encoder", {"license": "apache-2.0"})
    base = api.model_info("team/encoder").sha
    api.create_repo("team/intents")
    command("train", "head", "--base", f"team/encoder@{base}", "--data", f"team/messages@{data}", "--label", "intent", "--out",
            str(folder / "head"), "--push", "team/intents")

    call("PUT", "/api/registry/records/team/routing", RECORD, headers={"Content-Type": "application/yaml"})
    call("POST", "/api/registry/records/team/routing/releases", {"revision": api.model_info("team/intents").sha})
    (folder / "criteria.json").write_text(json.dumps(CRITERIA))
    command("release", "criteria", "team/routing", str(folder / "criteria.json"))
    command("eval", "team/routing", "--release", "1", "--data", f"team/messages@{data}")
    command("release", "promote", "team/routing", "1", "--reason", "the evidence is there")
    for name, role in (("cam", "owner"), ("dan", "reviewer")):
        proposed = call("POST", "/api/registry/roles/team", {"user": name, "role": role})
        call("POST", f"/api/registry/roles/team/{proposed['id']}/confirm", {}, tokens["bea"])
        call("POST", f"{RELEASE}/approve", {"role": role, "reason": "it fits"}, tokens[name])
    command("release", "promote", "team/routing", "1", "--reason", "approved by two")
    call("POST", "/api/endpoints/team", {"name": "routing", "record": "team/routing"})
    asked = server.http("POST", "/endpoints/team/routing/predict", token, {"inputs": "my parcel is lost"})
    call("POST", "/api/registry/feedback", {"request": asked.headers["X-Request-Id"], "label": "delivery"})
    return keep(server, call)


def keep(server, call):
    """What must be found again."""
    release = call("GET", RELEASE)
    return {"record": "team/routing", "text": RECORD, "state": release["state"], "revision": release["revision"],
            "approvals": len(release["approvals"]), "question": "my parcel is lost", "endpoint": "team/routing",
            "evidence": [{key: one[key] for key in ("id", "kind", "digest")} for one in release["evidence"]],
            "audit_rows": len(server.command("audit", "export").splitlines())}
