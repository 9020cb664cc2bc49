"""The demonstration's support desk: two heads trained on the example's messages, a record of what the first is for, and
the world around it: a runner of evaluations and callers whose right labels follow.

`prepare` leaves the story ready to be pressed in the browser; `play` presses everything itself; `keep` is the world
while a person presses. All of it through the public API and the command line.
"""
import http.client
import json
import os
import random
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

RECORD = "demo/support"
MODEL, DATA, RELABELLED = "demo/support-intents", "demo/support-messages", "demo/support-relabelled"
CRITERIA = {"metrics": [{"name": "accuracy", "at_least": 0.75, "margin": 0.03}], "categories_min": {"sensitive": 100}}
REGISTRY_YAML = f"""# registry.yaml: what the model is used for, and under which conditions
record: {RECORD}
use: Route support messages to the right team.
oncall: [olga]
tier: production
model: {MODEL}
task: text-classification
features: [support-routing]
data_class: internal
purpose: commercial
prompt: none
preprocessing: none
evaluation: {{dataset: {DATA}, split: test, text: text, label: intent}}
monitoring: {{accuracy_drop_max: 0.05, false_alarms_max: 0.01}}
rollback: previous
deployment: {{kind: hosted, canary_percent: 5}}
"""
ANSWERS_MAX = 6000  # Of one canary, after which the drop must have been seen.


def release_path(number, verb=""):
    return f"/api/registry/records/{RECORD}/releases/{number}" + (f"/{verb}" if verb else "")


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body


class Callers:
    """Sends the example's test messages to the endpoint and says afterwards what would have been right."""

    def __init__(self, desk, rows):
        self.desk, self.rows = desk, rows
        self.asked = {"stable": 0, "canary": 0}

    def ask(self, count):
        """`count` messages by two threads, then their labels. Returns (request, side) of each answer."""
        chosen = [random.choice(self.rows) for _ in range(count)]
        answers, problems, lock = [], [], threading.Lock()

        def work(part):
            host = urllib.parse.urlsplit(self.desk.url).netloc
            connection = http.client.HTTPConnection(host, timeout=60)
            for row in part:
                connection.request("POST", f"/endpoints/{RECORD}", json.dumps({"inputs": row["text"]}),
                                   {"Authorization": f"Bearer {self.desk.tokens['robot']}", "Content-Type": "application/json",
                                    "X-Holdfast-Feature": "support-routing", "X-Holdfast-Key": str(random.random())})
                answer = connection.getresponse()
                body = answer.read()
                if answer.status == 200:
                    with lock:
                        answers.append((answer.headers["X-Request-Id"], answer.headers["X-Deployment"].rsplit("/", 1)[1], row["intent"]))
                elif answer.status not in (429, 503):
                    problems.append(f"the endpoint answered {answer.status}: {body[:300]}")
                    return

        threads = [threading.Thread(target=work, args=(chosen[part::2],)) for part in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if problems:
            raise RuntimeError(problems[0])
        if answers:
            self.desk.call("POST", "/api/registry/feedback", "robot",
                           {"feedback": [{"request": request, "label": label} for request, _, label in answers]})
        for _, side, _ in answers:
            self.asked[side] = self.asked.get(side, 0) + 1
        return answers


class Desk:
    def __init__(self, program, data, url, tokens, say):
        self.program, self.url, self.tokens, self.say = str(program), url, tokens, say
        self.folder = data / "support-files"  # Not what a repository is called: `datasets` would take the folder for it.
        self.messages = self.folder / "messages"

    # --- means ---

    def call(self, method, path, who="ada", body=None, kind="application/json"):
        data = body.encode() if isinstance(body, str) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Authorization": f"Bearer {self.tokens[who]}", "Content-Type": kind}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            text = error.read()
            raise Refused(error.code, json.loads(text) if text.startswith(b"{") else text.decode()) from None

    def command(self, *words, who="ada"):
        environment = {**os.environ, "HF_ENDPOINT": self.url, "HF_TOKEN": self.tokens[who]}
        done = subprocess.run([self.program, *map(str, words)], text=True, capture_output=True, env=environment)
        if done.returncode != 0:
            raise SystemExit(f"holdfast {' '.join(map(str, words))} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def release(self, number):
        return self.call("GET", release_path(number))

    def step(self, number, verb, who="ada", **body):
        return self.call("POST", release_path(number, verb), who, {"reason": f"{verb} by the demonstration", **body})

    def rows(self, split):
        with open(self.messages / f"{split}.jsonl", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    # --- what stands before anybody presses ---

    def prepare(self, base, step):
        """Data, two trained heads as two releases, record, roles, endpoint. Goes on where it stopped."""
        known = [one["id"] for one in self.call("GET", "/api/registry/records")["records"]]
        if RECORD in known and len(self.call("GET", f"/api/registry/records/{RECORD}")["releases"]) >= 2:
            return
        from huggingface_hub import HfApi
        self.messages.mkdir(parents=True, exist_ok=True)
        with step(f"support messages as {DATA}") as note:
            self.command("example", "support", self.messages)
            self.relabel()
            api = HfApi()
            for name, folder, message in ((DATA, self.messages, "Messages made from a seed"), (RELABELLED, self.folder / "relabelled", "Last week's labels")):
                api.create_repo(name, repo_type="dataset", exist_ok=True)
                api.upload_folder(repo_id=name, repo_type="dataset", folder_path=folder, commit_message=message)
            note.note = f"{sum(len(self.rows(split)) for split in ('train', 'validation', 'test'))} messages"
        revisions = []
        for name, data, title in (("intents", DATA, f"train a head on them, push {MODEL}"), ("worse", RELABELLED, "train another, a third of its labels wrong")):
            # Labels that are wrong in so many rows are found before the training, and stop it.
            despite = ("--despite", "to show what a worse version does") if name == "worse" else ()
            with step(title) as note:
                (self.folder / name).mkdir(exist_ok=True)
                note.note = self.command("train", "head", "--base", f"{base}@main", "--data", f"{data}@main", "--label", "intent",
                                         "--out", self.folder / name, "--push", MODEL, *despite).splitlines()[0]
                revisions.append(api.model_info(MODEL).sha)
        with step(f"the record {RECORD}, its endpoint, its roles"):
            self.call("PUT", f"/api/registry/records/{RECORD}", "ada", REGISTRY_YAML, "application/yaml")
            for revision, note in zip(revisions, ("The first head.", "Trained again on last week's labels.")):
                self.call("POST", f"/api/registry/records/{RECORD}/releases", "ada", {"revision": revision, "note": note})
            self.call("POST", f"/api/endpoints/{RECORD.split('/')[0]}", "ada", {"name": RECORD.split("/")[1], "record": RECORD})
            for user, role, second in (("boris", "owner", "root"), ("olga", "oncall", "boris")):
                made = self.call("POST", "/api/registry/roles/demo", "ada", {"user": user, "role": role})
                self.call("POST", f"/api/registry/roles/demo/{made['id']}/confirm", second, {})

    def relabel(self):
        """The same messages with two of the six labels exchanged, as when two columns were mixed up."""
        folder = self.folder / "relabelled"
        folder.mkdir(exist_ok=True)
        (folder / "README.md").write_text("---\nlicense: cc0-1.0\n---\n# Support messages, labelled again last week\n", encoding="utf-8")
        first, second = sorted({row["intent"] for row in self.rows("train")})[:2]
        for split, count in (("train", 1200), ("validation", 300)):
            with open(folder / f"{split}.jsonl", "w", encoding="utf-8") as lines:
                for row in self.rows(split)[:count]:
                    row["intent"] = {first: second, second: first}.get(row["intent"], row["intent"])
                    lines.write(json.dumps(row) + "\n")

    # --- the world around ---

    def evaluate(self, number):
        return self.command("eval", RECORD, "--release", number, who="robot")

    def keep(self):
        """Until the process ends: evaluates what waits for it, and asks the endpoint once a release is live."""
        callers = Callers(self, self.rows("test"))
        tried = set()  # (release, criteria) that were evaluated.
        while True:
            try:
                record = self.call("GET", f"/api/registry/records/{RECORD}")
                self.evaluate_waiting(record, tried)
                if record["live"]["stable"] is not None:
                    callers.ask(60 if record["live"]["canary"] is not None else 8)
            except (Refused, RuntimeError, OSError) as error:
                self.say(f"  the support desk waits: {error}")
                time.sleep(5)
            time.sleep(1)

    def evaluate_waiting(self, record, tried):
        criteria = self.call("GET", f"/api/registry/records/{RECORD}/criteria")["criteria"]
        for release in sorted(record["releases"], key=lambda one: one["number"]):
            key = (release["number"], len(criteria))
            if not criteria or release["state"] != "candidate" or key in tried:
                continue
            if any(one["supply"]["action"] == "run_evaluation" for one in self.release(release["number"])["missing"]):
                tried.add(key)
                self.say(f"  release {release['number']} waits for its evaluation: holdfast eval {RECORD} --release {release['number']}")
                try:
                    said = self.evaluate(release["number"])
                except SystemExit as error:  # A run whose figures do not do ends with 1; the gate says so in the page too.
                    said = str(error)
                self.say(f"    {said.strip().splitlines()[-1]}")

    # --- the whole story, without a person ---

    def play(self, step):
        """Each part looks first whether it is already done."""
        if self.release(1)["state"] == "candidate":
            self.play_evidence(step)
        if self.release(1)["state"] in ("validated", "approved"):
            with step("two people approve it in their roles, not the author"):
                self.approve()
        with step("the endpoint answers; the answer is replayed") as note:
            note.note = self.ask_and_replay()
        if self.release(2)["state"] == "candidate":
            with step("release 2, the worse one, enters a 5 % canary by a dated exception of two people"):
                self.except_and_start()
        if self.release(2)["state"] == "canary":
            with step("labels follow, and the watch sees it") as note:
                note.note = self.wait_for_rollback()
        incident = self.call("GET", f"/api/registry/incidents?record={RECORD}")["incidents"][0]
        self.say(f"\n  {incident['cause']}\n  detected in {incident['detected_after_ms'] / 1000:.1f} s, restored in {incident['restored_after_ms'] / 1000:.3f} s\n")
        with step("what people correct becomes data and golden examples") as note:
            note.note = self.learn(incident)

    def play_evidence(self, step):
        if not self.call("GET", f"/api/registry/records/{RECORD}")["owner"]:
            with step("promote release 1: refused") as note:
                note.note = self.refused(1, {"owner", "criteria"})
        with step("supply what is missing; the evaluation runs") as note:
            self.supply()
            note.note = f"accuracy {self.release(1)['evidence'][-1]['body']['metrics']['accuracy']['value']:.1%} on 1,000 messages"

    def refused(self, number, facts):
        try:
            self.step(number, "promote")
        except Refused as error:
            missing = error.body["missing"]
            assert error.status == 412 and {one["fact"] for one in missing} == facts, f"refused for {missing}"
            return "; ".join(f"{one['fact']}: {one['needs']}" for one in missing)
        raise AssertionError("nothing was asked for")

    def supply(self):
        self.call("PUT", f"/api/registry/records/{RECORD}", "ada", REGISTRY_YAML + "owner: support-platform\n", "application/yaml")
        self.call("POST", f"/api/registry/records/{RECORD}/criteria", "ada", CRITERIA)
        self.evaluate(1)
        if not any(one["role"] == "reviewer" for one in self.call("GET", "/api/registry/roles/demo")["roles"]):
            made = self.call("POST", "/api/registry/roles/demo", "ada", {"user": "olga", "role": "reviewer"})
            self.call("POST", f"/api/registry/roles/demo/{made['id']}/confirm", "boris", {})
        assert self.step(1, "promote")["state"] == "validated", "the evidence is complete"

    def approve(self):
        try:
            self.step(1, "approve", "ada", role="owner")
            raise AssertionError("an author approved")
        except Refused as error:
            assert error.status == 403, f"the author: {error}"
        given = {one["role"] for one in self.release(1)["approvals"]}
        for who, role in (("boris", "owner"), ("olga", "reviewer")):
            if role not in given:
                self.step(1, "approve", who, role=role)
        assert self.step(1, "promote")["state"] == "deployed", "release 1 is live"

    def ask_and_replay(self):
        callers = Callers(self, self.rows("test"))
        request, side, _ = callers.ask(1)[0]
        assert side == "stable", side
        replay = self.call("POST", f"/api/registry/requests/{request}/replay", "ada", {})
        assert replay["identical"], f"the replayed answer differs: {replay}"
        return f"bit for bit, sha256 {replay['original']['sha256'][:12]}…"

    def except_and_start(self):
        expires = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 3600))
        made = self.step(2, "exceptions", reason="A campaign starts on Monday.", expires=expires)
        self.call("POST", f"/api/registry/exceptions/{made['id']}/confirm", "boris", {"reason": "For an hour."})
        live = self.step(2, "canary")
        assert live["state"] == "canary" and live["exception"], f"{live['state']}"

    def wait_for_rollback(self):
        callers = Callers(self, self.rows("test"))
        while self.release(2)["state"] == "canary":
            assert sum(callers.asked.values()) < ANSWERS_MAX, f"the drop was not seen: {self.release(2)['watch']}"
            callers.ask(50)
        assert self.release(2)["state"] == "rolled_back", "the watch took it back"
        assert {side for _, side, _ in callers.ask(40)} == {"stable"}, "all requests are answered by release 1"
        return f"after {sum(callers.asked.values())} answers, {callers.asked['canary']} of them by the canary"

    def learn(self, incident):
        assert incident["versions"] == {"stable": 1, "canary": 2, "restored": 1} and incident["samples"] and incident["timeline"], "the incident"
        items = [one for one in self.call("GET", f"/api/registry/records/{RECORD}/review?state=open")["items"] if one["why"] == "wrong"]
        self.call("POST", f"/api/registry/review/{items[0]['id']}", "olga", {"action": "edit", "label": items[0]["truth"]})
        self.call("POST", f"/api/registry/review/{items[1]['id']}", "olga", {"action": "reject", "reason": "No message at all."})
        made = self.call("POST", f"/api/registry/records/{RECORD}/review/export", "olga", {"dataset": DATA})
        return f"{made['rows']} rows in {DATA}, {made['golden']} golden"
