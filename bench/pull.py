"""./dev bench pull: what the gate of a governed pull costs. A record of tier production, its release approved as the life-cycle journey does
it; then the same small file of the approved revision is fetched over one connection each by an ordinary token and by one that is bound to the
environment, in turns, and so are a refused revision and a batch of git-lfs. Medians of pairs, in milliseconds.

usage: pull.py [--program build/holdfast] [--pairs 400]
"""
import argparse
import http.client
import json
import os
import statistics
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "journeys"), str(ROOT / "tests" / "clients")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=str(ROOT / "build/holdfast"))
    parser.add_argument("--pairs", type=int, default=400)
    options = parser.parse_args()
    os.environ["HOLDFAST_PROGRAM"] = os.path.abspath(options.program)
    from life_cycle import Story
    with tempfile.TemporaryDirectory() as folder:
        story = Story(folder, 7)
        story.begin()
        try:
            for part in (story.people, story.data, story.train, story.record, story.evidence, story.approvals, story.serve):
                part()
            return measure(story, options.pairs)
        finally:
            story.server.kill()


def measure(story, pairs):
    info = story.hub().model_info("demo/intents", revision=story.v1, files_metadata=True)
    large = next(each for each in info.siblings if each.rfilename == "model.safetensors")
    batch = json.dumps({"operation": "download", "transfers": ["basic"], "objects": [{"oid": large.lfs.sha256, "size": large.size}]})
    questions = {"a file": ("GET", f"/demo/intents/resolve/{story.v1}/config.json", None),
                 "a file's head": ("HEAD", f"/demo/intents/resolve/{story.v1}/model.safetensors", None),
                 "a batch of git-lfs": ("POST", "/demo/intents.git/info/lfs/objects/batch", batch),
                 "the CAS token": ("GET", f"/api/models/demo/intents/xet-read-token/{story.v1}", None)}
    address = urllib.parse.urlsplit(story.server.url).netloc
    connections = {who: http.client.HTTPConnection(address, timeout=60) for who in ("ada", "machine")}

    def ask(who, method, path, body):
        began = time.perf_counter()
        connections[who].request(method, path, body, {"Authorization": f"Bearer {story.tokens[who]}", "Content-Type": "application/json"})
        answer = connections[who].getresponse()
        answer.read()
        assert answer.status in (200, 302, 307), (who, path, answer.status)
        return (time.perf_counter() - began) * 1000

    worst = 0
    for name, question in questions.items():
        both = [(ask("ada", *question), ask("machine", *question)) for _ in range(pairs)]
        added = statistics.median(bound - plain for plain, bound in both)
        worst = max(worst, added)
        print(json.dumps({"bench": f"governed pull, {name}", "value": round(added, 3), "target": "<= 1",
                          "text": f"ms added to {statistics.median(plain for plain, _ in both):.3f}, over {pairs} pairs"}), flush=True)
    return 0 if worst <= 1 else 1


if __name__ == "__main__":
    sys.exit(main())
