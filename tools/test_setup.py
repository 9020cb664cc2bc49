"""Set-up on machines that lack something: what it installs, what it says, and that it does nothing twice."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


class Machine:
    """A copy of the tree's set-up with a machine's commands replaced by scripts of ours."""

    def __init__(self, folder):
        self.folder, self.tree, self.bin, self.calls = folder, folder / "tree", folder / "bin", folder / "calls"
        (self.tree / "tools").mkdir(parents=True)
        (self.tree / "tests/clients").mkdir(parents=True)
        self.bin.mkdir()
        for name in ("setup.sh", "stages.sh"):
            shutil.copy(ROOT / "tools" / name, self.tree / "tools" / name)
        (self.tree / "tools/packages.apt").write_text("# words\ncmake\nninja-build\nclang-19 test\n")
        for name in ("requirements.txt", "requirements-hub1.txt", "requirements-hub0.txt", "requirements-openvino.txt", "requirements-peers.txt", "requirements-envoy.txt"):
            (self.tree / "tests/clients" / name).write_text("# none\n")
        self.installed = folder / "installed"
        self.installed.write_text("cmake\n")
        self.command("dpkg-query", f'for last; do :; done; grep -qx "$last" {self.installed} && echo "install ok installed"')
        self.command("apt-get", f'echo "apt-get $*" >> {self.calls}; [ "$1" = update ] || for word; do echo "$word" >> {self.installed}; done')
        self.command("id", "echo 0")
        # A Python whose environments hold a pip that only notes its calls.
        self.command("pip-of-ours", f'echo "pip $*" >> {self.calls}')
        self.command("python3", f'case "$1" in --version) echo Python 3.11.2;; '
                                f'-m) mkdir -p "$4/bin"; cp {self.bin}/pip-of-ours "$4/bin/pip"; cp {self.bin}/pip-of-ours "$4/bin/python";; esac')

    def command(self, name, body):
        (self.bin / name).write_text(f"#!/bin/bash\n{body}\n")
        (self.bin / name).chmod(0o755)

    def set_up(self, purpose="test"):
        done = subprocess.run(["/bin/bash", "tools/setup.sh", purpose], cwd=self.tree, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, env={**os.environ, "PATH": f"{self.bin}:/usr/bin:/bin"})
        return done.returncode, done.stdout + done.stderr

    def called(self):
        return self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_what_is_missing_is_installed_once(machine):
    code, said = machine.set_up()
    assert code == 0, said
    installs = [call for call in machine.called() if call.startswith("apt-get install")]
    assert len(installs) == 1 and "ninja-build" in installs[0] and "clang-19" in installs[0] and "cmake" not in installs[0]
    assert len([call for call in machine.called() if call.startswith("pip install")]) == 6
    before = machine.called()
    code, said = machine.set_up()
    assert code == 0 and machine.called() == before, "a second set-up did something"
    assert "nothing missing" in said and "up to date" in said


def test_running_needs_less_than_testing(machine):
    code, said = machine.set_up("run")
    assert code == 0, said
    assert not any("clang-19" in call for call in machine.called())
    assert not (machine.tree / "build/env-hub1").exists() and (machine.tree / "build/env/.stamp").exists()


def test_a_changed_requirement_is_noticed(machine):
    machine.set_up("run")
    (machine.tree / "tests/clients/requirements.txt").write_text("numpy==1\n")
    machine.set_up("run")
    assert len([call for call in machine.called() if call.startswith("pip install")]) == 2


def test_without_root_and_sudo_it_names_the_command_to_run(machine):
    machine.command("id", "echo 1000")
    for name in ("bash", "sh", "awk", "grep", "tr", "cat", "flock", "mkdir", "dirname", "sha256sum", "cut"):
        (machine.bin / name).symlink_to(shutil.which(name))
    done = subprocess.run(["/bin/bash", "tools/setup.sh", "test"], cwd=machine.tree, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, env={**os.environ, "PATH": str(machine.bin)})
    said = done.stdout + done.stderr
    assert done.returncode == 1 and "needs root" in said and "ninja-build clang-19" in said
    assert machine.called() == []


def test_a_refusing_sudo_is_named(machine):
    machine.command("id", "echo 1000")
    machine.command("sudo", "exit 1")
    code, said = machine.set_up()
    assert code == 1 and "sudo refused" in said and "ninja-build" in said


def test_without_network_it_says_what_is_missing(machine):
    machine.command("apt-get", "exit 100")
    code, said = machine.set_up()
    assert code == 1 and "is the network there? Missing are: ninja-build clang-19" in said


def test_a_failed_pip_leaves_no_stamp(machine):
    machine.installed.write_text("cmake\nninja-build\nclang-19\n")
    machine.command("pip-of-ours", "exit 1")
    code, said = machine.set_up()
    assert code == 1 and "pip could not install" in said
    assert not (machine.tree / "build/env/.stamp").exists()


def test_every_library_the_build_asks_for_is_in_the_list_of_packages():
    """A package that somebody installed by hand hides a missing line: the owner of each library's file must be named."""
    files = [ROOT / "CMakeLists.txt", *sorted((ROOT / "cmake").glob("*.cmake")), *sorted((ROOT / "src").rglob("*.cmake"))]
    text = "\n".join(file.read_text() for file in files)
    modules = {word for words in re.findall(r"pkg_check_modules\(\w+ ([^)]*)\)", text) for word in words.split() if not word.isupper()}
    libraries = set(re.findall(r"find_library\(\w+ ([\w-]+)", text))
    assert "libarchive" in modules and "prometheus-cpp-core" in libraries
    listed = {line.split()[0] for line in (ROOT / "tools/packages.apt").read_text().splitlines() if line and not line.startswith("#")}
    wanted = [f"*/pkgconfig/{module}.pc" for module in modules] + [f"*/lib{library}.so" for library in libraries]
    for pattern in wanted:
        found = subprocess.run(["dpkg-query", "--search", pattern], capture_output=True, text=True).stdout
        owners = {line.split(":")[0] for line in found.splitlines()}
        assert owners & listed, f"{pattern} is of {owners or 'no package here'}, which tools/packages.apt does not name"
