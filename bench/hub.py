"""./dev bench hub: the hub beside its limits and peers, on one machine, in one run.

Prints one JSON line a figure and a table at the end. Ratios are medians over rounds in which both sides take turns, so
that a noisy machine hurts both; clients run on the same cores.

usage: hub.py [--program build/holdfast] [--gib 1] [--rounds 5] [--only lfs|download|xet|info]
"""
import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "journeys"))
from first_model import Server, run  # noqa: E402

ROWS, STAGES = [], []


def report(name, ours, peer, target, ours_text, peer_text, bound=""):
    """`ours` and `peer` are speeds of paired rounds: the ratio is the median of the rounds' ratios."""
    ratio = statistics.median(a / b for a, b in zip(ours, peer))
    row = {"bench": name, "ratio": round(ratio, 3), "target": target, "ours": ours_text, "peer": peer_text, "rounds": len(ours)}
    if bound:
        row["bound"] = bound
    ROWS.append(row)
    print(json.dumps(row), flush=True)


def seconds(command, **keywords):
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **keywords)
    return time.perf_counter() - began


def random_file(path, size):
    with open(path, "wb") as out:
        left = size
        while left:
            out.write(os.urandom(min(left, 1 << 24)))
            left -= min(left, 1 << 24)
    return path


def ask(url, token, body, kind="application/vnd.git-lfs+json"):
    request = urllib.request.Request(url, data=json.dumps(body).encode(), method="POST",
                                     headers={"Authorization": f"Bearer {token}", "Content-Type": kind, "Accept": kind})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def mb(values):
    return f"{statistics.median(values):.0f} MB/s"


def bench_lfs(server, token, repo, work, size, rounds):
    """A new file each round: PUT to the address the LFS batch gives, until the server says it is durable."""
    ours, peer = [], []
    for n in range(rounds):
        path = random_file(work / "lfs.bin", size)
        peer.append(size / 1e6 / seconds(["openssl", "dgst", "-sha256", str(path)]))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        batch = ask(f"{server.url}/{repo}.git/info/lfs/objects/batch", token,
                    {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": digest, "size": size}], "hash_algo": "sha256"})
        upload = batch["objects"][0]["actions"]["upload"]
        ours.append(size / 1e6 / seconds(["curl", "-sSf", "-H", "Expect:", "-T", str(path), upload["href"]]))
    report("lfs_upload_vs_openssl_sha256", ours, peer, ">= 0.30", mb(ours), mb(peer), "hash, chunking and fsync share two cores with the client")
    return path, digest


def bench_stages(program, size):
    """What an upload's time is made of: each stage alone and all of an ingest, in the program's own code, without the network."""
    for line in run([program, str(size >> 20)]).splitlines():
        STAGES.append(json.loads(line))
        print(line, flush=True)


def start_nginx(work, folder):
    port = 18080
    (work / "nginx.conf").write_text(f"""
worker_processes 2; daemon off; pid {work}/nginx.pid; error_log {work}/nginx.log;
events {{ worker_connections 256; }}
http {{ access_log off; sendfile on; tcp_nopush on; client_body_temp_path {work}/b; proxy_temp_path {work}/p;
  fastcgi_temp_path {work}/f; uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;
  server {{ listen 127.0.0.1:{port}; root {folder}; }} }}
user root;
""")
    process = subprocess.Popen(["nginx", "-c", str(work / "nginx.conf"), "-p", str(work)], stderr=subprocess.DEVNULL)
    for _ in range(100):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1)
        except urllib.error.HTTPError:
            break
        except OSError:
            time.sleep(0.05)
    return process, f"http://127.0.0.1:{port}"


def fetch(url, token, count):
    headers = ["-H", f"Authorization: Bearer {token}"]
    began = time.perf_counter()
    running = [subprocess.Popen(["curl", "-sSf", *headers, "-o", "/dev/null", url]) for _ in range(count)]
    if any(process.wait() for process in running):
        raise SystemExit(f"download of {url} failed")
    return time.perf_counter() - began


def bench_download(server, token, repo, work, path, size, rounds):
    from huggingface_hub import HfApi
    HfApi().upload_file(repo_id=repo, path_or_fileobj=str(path), path_in_repo="big.bin")
    nginx, base = start_nginx(work, path.parent)
    try:
        for count in (1, 8):
            ours, peer = [], []
            fetch(f"{server.url}/{repo}/resolve/main/big.bin", token, 1)
            fetch(f"{base}/{path.name}", token, 1)
            for _ in range(rounds):
                ours.append(count * size / 1e6 / fetch(f"{server.url}/{repo}/resolve/main/big.bin", token, count))
                peer.append(count * size / 1e6 / fetch(f"{base}/{path.name}", token, count))
            report(f"download_vs_nginx_{count}_connections", ours, peer, ">= 0.50", mb(ours), mb(peer))
    finally:
        nginx.terminate()
        nginx.wait()


UPLOAD = "import sys; from huggingface_hub import HfApi; HfApi().upload_file(repo_id=sys.argv[1], path_or_fileobj=sys.argv[2], path_in_repo=sys.argv[3])"


def bench_xet(server, drain_program, repo, work, size, rounds):
    drain = subprocess.Popen([drain_program], stdout=subprocess.PIPE, text=True)
    try:
        drain_url = drain.stdout.readline().strip()
        ours, peer = [], []
        for n in range(rounds):
            path = random_file(work / "xet.bin", size)
            for url, times in ((drain_url, peer), (server.url, ours)):
                environment = {**os.environ, "HF_ENDPOINT": url, "HF_HOME": str(work / f"home-{n}-{len(times)}-{url[-5:]}")}
                times.append(seconds([sys.executable, "-c", UPLOAD, repo, str(path), f"xet-{n}.bin"], env=environment))
        ratio = statistics.median(a / b for a, b in zip(ours, peer))
        row = {"bench": "xet_upload_time_vs_draining_server", "ratio": round(ratio, 3), "target": "<= 1.30",
               "ours": f"{statistics.median(ours):.2f} s", "peer": f"{statistics.median(peer):.2f} s", "rounds": rounds}
        ROWS.append(row)
        print(json.dumps(row), flush=True)
    finally:
        drain.kill()
        drain.wait()


def requests_per_second(url, token):
    out = run(["wrk", "-t1", "-c16", "-d3s", "-H", f"Authorization: Bearer {token}", url])
    return float(next(line for line in out.splitlines() if line.startswith("Requests/sec")).split()[1])


def bench_info(server, token, repo, rounds):
    ours, peer = [], []
    for _ in range(rounds):
        ours.append(requests_per_second(f"{server.url}/api/models/{repo}", token))
        peer.append(requests_per_second(f"{server.url}/healthz", token))
    report("model_info_vs_healthz", ours, peer, ">= 0.15", f"{statistics.median(ours):.0f}/s", f"{statistics.median(peer):.0f}/s")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=os.environ.get("HOLDFAST_PROGRAM", "build/holdfast"))
    parser.add_argument("--build", default="build/release", help="build folder of the same preset, for the draining server")
    parser.add_argument("--gib", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    size = int(options.gib * (1 << 30))
    run(["ninja", "-C", options.build, "drain_server", "ingest_bench"])
    drain = f"{options.build}/bin/drain_server"
    work = Path(tempfile.mkdtemp(prefix="holdfast-bench-"))
    server = None
    try:
        data = str(work / "server")
        os.environ.update(HF_HOME=str(work / "home"), HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_UPDATE_CHECK="1",
                          HF_HUB_DISABLE_PROGRESS_BARS="1", NO_PROXY="127.0.0.1,localhost")
        server = Server(options.program, work, 0)
        run([options.program, "user", "create", "bench", "--data", data])
        token = json.loads(run([options.program, "token", "create", "--user", "bench", "--name", "bench", "--role", "write",
                                "--data", data, "--json"]))["token"]
        os.environ.update(HF_ENDPOINT=server.url, HF_TOKEN=token)
        from huggingface_hub import HfApi
        repo = "bench/speed"
        HfApi().create_repo(repo)
        wanted = lambda name: not options.only or options.only in name
        if wanted("info"):
            bench_info(server, token, repo, options.rounds)
        path = random_file(work / "lfs.bin", size)
        if wanted("lfs"):
            path, _ = bench_lfs(server, token, repo, work, size, options.rounds)
            bench_stages(f"{options.build}/bin/ingest_bench", size)
        if wanted("download"):
            bench_download(server, token, repo, work, path, size, options.rounds)
        if wanted("xet"):
            bench_xet(server, drain, repo, work, size, options.rounds)
    finally:
        if server is not None and server.process.poll() is None:
            server.stop()
        shutil.rmtree(work, ignore_errors=True)
    print(f"\n{'':40} {'ours':>12} {'peer':>12} {'ratio':>7}  target")
    for row in ROWS:
        print(f"{row['bench']:40} {row['ours']:>12} {row['peer']:>12} {row['ratio']:>7.3f}  {row['target']}")
    if STAGES:
        print(f"\n{'stages of an upload, alone':40} {'seconds':>12} {'processor s':>12} {'MiB/s':>7}")
    for row in STAGES:
        print(f"{row['stage']:40} {row['seconds']:>12.3f} {row['cpu_seconds']:>12.3f} {row['mib_per_second']:>7}")


if __name__ == "__main__":
    sys.exit(main())
