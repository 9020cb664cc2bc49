"""One fresh server for each pytest run, started before any client is imported: the clients read HF_ENDPOINT then.

The environment is a user's own: HF_ENDPOINT, HF_TOKEN of the user `ada` (write), an empty HF_HOME. Where Xet is to be
left out the caller sets HF_HUB_DISABLE_XET=1.
"""
import os
import shutil
import sys
import tempfile
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from holdfast_server import HoldfastServer  # noqa: E402

SKIPPED = 77
state = {}


def pytest_configure(config):
    if config.option.collectonly:
        return
    server = state["server"] = HoldfastServer().start()
    server.create_user("ada")
    server.create_user("bea")
    state["tokens"] = {name: server.create_token(name) for name in ("ada", "bea")}
    state["home"] = tempfile.mkdtemp(prefix="holdfast-home-")
    os.environ.update({
        "HF_ENDPOINT": server.url, "HF_TOKEN": state["tokens"]["ada"], "HF_HOME": state["home"], "HOME": state["home"],
        "HF_HUB_DISABLE_UPDATE_CHECK": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "0", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"})


def pytest_unconfigure(config):
    server = state.pop("server", None)
    if server is None:
        return
    try:
        server.stop()
    finally:
        server.remove()
        shutil.rmtree(state.pop("home"), ignore_errors=True)


def pytest_terminal_summary(terminalreporter):
    if terminalreporter.stats.get("failed") or terminalreporter.stats.get("error"):
        terminalreporter.section("the server's log, its end")
        terminalreporter.write_line(state["server"].log())


def pytest_sessionfinish(session, exitstatus):
    """A run in which nothing but skips happened is a skip for ctest, or a failure where nothing may be skipped."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    ran = any(reporter.stats.get(kind) for kind in ("passed", "failed", "error"))
    if reporter.stats.get("skipped") and (not ran or os.environ.get("HOLDFAST_NO_SKIP") == "1"):
        session.exitstatus = 1 if os.environ.get("HOLDFAST_NO_SKIP") == "1" else SKIPPED


@pytest.fixture
def server():
    return state["server"]


@pytest.fixture
def tokens():
    """User name to write token: ada (the environment's own) and bea."""
    return state["tokens"]


@pytest.fixture
def name():
    """A repository name nobody used before, in ada's namespace."""
    return f"ada/r-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def api():
    from huggingface_hub import HfApi
    return HfApi()


@pytest.fixture
def repo(api, name):
    """A fresh public model repository of ada's."""
    api.create_repo(name)
    return name


@pytest.fixture
def stranger(tokens):
    from huggingface_hub import HfApi
    return HfApi(token=tokens["bea"])


@pytest.fixture
def anonymous():
    from huggingface_hub import HfApi
    return HfApi(token=False)


@pytest.fixture
def shared():
    """The reference data; a test that needs it is skipped, loudly, where it is missing."""
    folder = Path(os.environ.get("HOLDFAST_SHARED") or Path(__file__).resolve().parents[3] / "shared")
    if not (folder / "data").is_dir():
        pytest.skip(f"SKIPPED: no reference data at {folder}; set HOLDFAST_SHARED")
    return folder / "data"
