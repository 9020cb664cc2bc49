"""Backup and restore whose source, target or disk goes away in the middle: a clear error, and nothing that looks whole.

The library of tests/simulate makes a disk full. usage: backup_faults.py (HOLDFAST_PROGRAM, HOLDFAST_FAULTS name program and library)
"""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "clients"))
sys.path.insert(0, str(ROOT / "tests" / "journeys"))
from disk_faults import LIBRARY, commit, put_large  # noqa: E402
from holdfast_server import HoldfastServer, program  # noqa: E402

FILES, SIZE, TRIES = 24, 4_000_000, 10


def holdfast(*words, **environment):
    """(exit code, the answer in JSON)"""
    done = subprocess.run([program(), *map(str, words), "--json"], capture_output=True, text=True, env={**os.environ, **environment})
    return done.returncode, json.loads(done.stdout)


def full_when(switch, root):
    return {"LD_PRELOAD": LIBRARY, "HOLDFAST_FAULT_ROOT": str(root), "HOLDFAST_FAULT_FULL_FILE": str(switch)}


def stop_when(seen, *words, **environment):
    """Starts a command and stops it (SIGSTOP) as soon as `seen` says so; None where it was faster."""
    process = subprocess.Popen([program(), *map(str, words), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, **environment})
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if seen():
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.02)
            return process
    process.wait()
    return None


def in_the_middle(seen, disturb, clear, *words, **environment):
    """(exit code, answer) of a command that met `disturb` in its middle; tried again where it was too fast."""
    for _ in range(TRIES):
        process = stop_when(seen, *words, **environment)
        if process is None:
            clear()
            continue
        disturb()
        process.send_signal(signal.SIGCONT)
        out, err = process.communicate(timeout=60)
        assert out, (process.returncode, err)
        return process.returncode, json.loads(out)
    raise AssertionError(f"holdfast {words[0]} was too fast {TRIES} times")


def empty(folder):
    return not folder.exists() or not any(folder.iterdir())


def copied_xorbs(folder):
    return sum(1 for _ in folder.glob("content/xorbs/*/*"))


def no_backup(work, folder, answer, wanted):
    code, told = answer
    assert code == 1 and told["code"] == wanted and told["error"], answer
    assert str(work) not in told["error"], "no path of the server in an error"
    assert not (folder / "manifest.jsonl").exists(), "called complete"
    if folder.exists():
        code, told = holdfast("backup", folder, "--verify")
        assert code == 1 and "no finished backup" in told["error"], told


def backups(work, server, data):
    target = work / "backup"
    clear = lambda: shutil.rmtree(target, ignore_errors=True)  # noqa: E731

    # The target goes away: all of it, then a part.
    for gone in (target, target / "content"):
        answer = in_the_middle(lambda: copied_xorbs(target) >= 2, lambda: shutil.rmtree(gone), clear, "backup", target, "--data", data)
        assert answer[0] == 1 and answer[1]["error"], answer
        assert not (target / "manifest.jsonl").exists()
        clear()
    print("a backup folder removed in the middle is an error:", answer[1]["error"], flush=True)

    # The target's disk is full: at once, and in the middle.
    switch = work / "full"
    for seen in (lambda: True, lambda: copied_xorbs(target) >= 2):
        answer = in_the_middle(seen, switch.touch, clear, "backup", target, "--data", data, **full_when(switch, target))
        switch.unlink()
        no_backup(work, target, answer, "disk_full")
        assert empty(target), "what was copied takes the room that is missing"
    print("a full backup disk is an error:", answer[1]["error"], flush=True)
    assert holdfast("gc", "--data", data)[0] == 0, "a backup that failed still holds deletion"

    # Stored bytes go away underneath; they come back afterwards.
    aside = work / "aside"
    answer = in_the_middle(lambda: copied_xorbs(target) >= 1, lambda: shutil.move(Path(data) / "content" / "xorbs", aside), clear,
                           "backup", target, "--data", data)
    no_backup(work, target, answer, "data_corrupt")
    answer = holdfast("backup", target, "--data", data)
    no_backup(work, target, answer, "data_corrupt")
    shutil.rmtree(Path(data) / "content" / "xorbs", ignore_errors=True)
    shutil.move(aside, Path(data) / "content" / "xorbs")
    print("stored bytes removed underneath are an error:", answer[1]["error"], flush=True)

    code, told = holdfast("backup", target, "--data", data)
    assert code == 0, told
    return target


def restores(work, backup, files):
    target, switch = work / "restored" / "server", work / "full"
    target.parent.mkdir()
    clear = lambda: shutil.rmtree(target, ignore_errors=True)  # noqa: E731
    for seen in (lambda: True, lambda: copied_xorbs(target) >= 1, lambda: copied_xorbs(target) >= FILES - 4):
        answer = in_the_middle(seen, switch.touch, clear, "restore", backup, "--data", target, **full_when(switch, target))
        switch.unlink()
        assert answer[0] == 1 and answer[1]["code"] == "disk_full" and answer[1]["retryable"], answer
        assert empty(target), sorted(target.rglob("*"))[:5]
        code, told = holdfast("fsck", "--data", target)
        assert code == 1 and "there is no instance" in told["error"], told
        clear()
    print("a restore onto a full disk is an error and leaves nothing:", answer[1]["error"], flush=True)

    # Killed in the middle: nothing opens what it left, and doing it again heals it.
    for _ in range(TRIES):
        process = stop_when(lambda: copied_xorbs(target) >= 2, "restore", backup, "--data", target)
        if process:
            break
        clear()
    process.kill()
    process.communicate()
    assert (target / "holdfast.db").exists(), "the kill came too early to show anything"
    for words in (("serve", "--listen", "127.0.0.1:0"), ("fsck",), ("user", "list")):
        done = subprocess.run([program(), *words, "--data", str(target), "--json"], capture_output=True, text=True, timeout=30)
        assert done.returncode == 1 and "has not ended" in done.stdout + done.stderr, (words, done)
    code, told = holdfast("restore", backup, "--data", target)
    assert code == 0, told
    server = HoldfastServer(target.parent).start()
    token = server.create_token("ada", name="after")
    for path, digest in files.items():
        assert hashlib.sha256(server.http("GET", f"/ada/copied/resolve/main/{path}", token).body).hexdigest() == digest, path
    assert json.loads(server.command("fsck", "--json"))["clean"]
    server.stop()
    print("a killed restore is opened by nothing and is done again", flush=True)


def main():
    if not Path(LIBRARY).exists():
        raise SystemExit(f"{LIBRARY} is not built: ninja -C build/dev fault_preload")
    work = Path(tempfile.mkdtemp(prefix="holdfast-backup-")).resolve()
    server = HoldfastServer(work)
    try:
        server.start()
        server.create_user("ada")
        token = server.create_token("ada")
        assert server.http("POST", "/api/repos/create", token, {"name": "copied", "organization": "ada"}).status == 200
        files = {}
        for number in range(FILES):
            content = os.urandom(SIZE)
            assert put_large(server, token, "ada/copied", content) == 200
            assert commit(server, token, "ada/copied", f"{number}.bin", content, large=True).status == 200
            files[f"{number}.bin"] = hashlib.sha256(content).hexdigest()
        backup = backups(work, server, server.folder)
        restores(work, backup, files)
        assert json.loads(server.command("fsck", "--json"))["clean"]
        server.stop()
    except BaseException:
        print(server.log(), flush=True)
        if server.process and server.process.poll() is None:
            server.kill()
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
