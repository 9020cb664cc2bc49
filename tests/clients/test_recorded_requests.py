"""Requests of git-lfs, huggingface_hub and hf_xet, and what a hub answers, as the protocol's page has them: written by hand, and held against this
server. The one file that is sent is the page's own vector, whose hashes hf_xet computed: no code of ours made any of it.

A recording: comments, the request's line and headers, a blank line, the body, a blank line, the status and headers that must be there, a blank line, what the
body must be. {NAME} stands for what is known, {=name} for what is kept, {*} for any text, {#} and {#name} for any number; of JSON only what is written must be
there, and "!key" must not. @vector, @xorb, @shard and @chunks are bytes; @last is the last of the body's lines.
"""
import hashlib
import json
import random
import re
import struct
import urllib.error
import urllib.request
from pathlib import Path

import pytest

RECORDED = Path(__file__).resolve().parent / "recorded_requests"
# docs/reference/hub-protocol.md 4.4.
CHUNKS = [43634, 131072, 58382, 117044, 29067, 131072, 129729]
XORB = "03ad2c249e56a6b3f0b990b7ade73553e4cd56f2a54f9776685ef5d67067cae5"
FILE = "0b224c02c58f0a0d7ba4fd132299e3bc957dc68fa796481a9463512007af43e3"
SPAN = "ea563bfac3c7ec78e2a219206fde3b20083594ff6f742d9fd6e0389f1d2b54ec"
SHA256 = "421353c308c7b0affdf3e204bd4531c56a2a0e9bb33331b0dd695b68a662a919"
TAG = b"HFRepoMetaData" + bytes.fromhex("00556967456A7B815783A5BDD95CCDD14AA9")


def vector():
    return random.Random(1).randbytes(400000) + b"\0\1\2\3" * 60000


def xorb():
    out, at, data = b"", 0, vector()
    for size in CHUNKS:  # Version, stored length, scheme 0, length: nothing is compressed.
        out += b"\0" + size.to_bytes(3, "little") + b"\0" + size.to_bytes(3, "little") + data[at:at + size]
        at += size
    return out


def raw(text):
    whole = bytes.fromhex(text)
    return b"".join(whole[i:i + 8][::-1] for i in range(0, 32, 8))


def shard():
    entry = raw(FILE) + struct.pack("<II8x", 0xC0000000, 1) + raw(XORB) + struct.pack("<IIII", 0, 640000, 0, 7) + raw(SPAN) + bytes(16) + raw(SHA256) + bytes(16)
    bookend = b"\xff" * 32 + bytes(16)
    return TAG + struct.pack("<QQ", 2, 0) + entry + bookend + bookend


class Replay:
    def __init__(self, server, repo, token):
        self.server = server
        self.known = {"REPO": repo, "TOKEN": token, "XORB": XORB, "FILE": FILE, "SHA256": SHA256, "NOBODYS": "5" * 64}

    def filled(self, text):
        return re.sub(r"\{([A-Za-z0-9]+)\}", lambda match: str(self.known[match[1]]), text)

    def bytes_of(self, word):
        return {"@vector": vector, "@xorb": xorb, "@chunks": xorb, "@shard": shard, "@none": lambda: None}[word]()

    def expect(self, wanted, found, where):
        if isinstance(wanted, dict):
            assert isinstance(found, dict), (where, found)
            for key, value in wanted.items():
                key = self.filled(key)
                if key.startswith("!"):
                    assert key[1:] not in found, (where, key, found)
                    continue
                assert key in found, (where, key, found)
                self.expect(value, found[key], f"{where}.{key}")
        elif isinstance(wanted, list):
            assert isinstance(found, list) and len(found) == len(wanted), (where, found)
            for i, one in enumerate(wanted):
                self.expect(one, found[i], f"{where}[{i}]")
        elif isinstance(wanted, str) and (match := re.fullmatch(r"\{([=*#])(\w*)\}", wanted)):
            assert isinstance(found, int if match[1] == "#" else str) and found != "", (where, found)
            if match[2]:
                self.known[match[2]] = found
        else:
            assert (self.filled(wanted) if isinstance(wanted, str) else wanted) == found, (where, wanted, found)

    def ask(self, path):
        head, body, answer, told = path.read_text().rstrip("\n").split("\n\n", 3)
        request = [self.filled(line) for line in head.split("\n") if not line.startswith("#")]
        method, target = request[0].split(" ", 1)
        data = self.bytes_of(body) if body.startswith("@") else self.filled(body).encode()
        url = target if target.startswith("http") else self.server.url + target
        headers = dict(line.split(": ", 1) for line in request[1:])
        opener = urllib.request.build_opener(urllib.request.HTTPRedirectHandler)
        try:
            got = opener.open(urllib.request.Request(url, data=data, method=method, headers=headers), timeout=60)
        except urllib.error.HTTPError as refused:
            got = refused
        with got:
            status, found, content = got.status, got.headers, got.read()
        line, *wanted = answer.split("\n")
        code = line.split(" ")[1]
        assert str(status) == code or (code.endswith("xx") and str(status)[0] == code[0]), (path.name, status, content[:500])
        for each in wanted:
            name, value = each.split(": ", 1)
            assert name in found, (path.name, name, dict(found))
            self.expect(value, found[name].split(";")[0] if name == "Content-Type" else found[name], f"{path.name}: {name}")
        if told in ("@vector", "@chunks"):
            self.same_bytes(told, content, path.name)
        elif told.startswith("@last "):
            self.expect(json.loads(told[6:]), json.loads(content.decode().strip().split("\n")[-1]), path.name)
        elif not told.startswith("@"):
            self.expect(json.loads(told), json.loads(content), path.name)

    def same_bytes(self, told, content, where):
        if told == "@vector":
            assert hashlib.sha256(content).hexdigest() == SHA256, where
            return
        # A server may have packed the chunks anew: what counts is what they hold, in their order.
        at, data = 0, b""
        while at < len(content):
            stored, scheme, size = int.from_bytes(content[at + 1:at + 4], "little"), content[at + 4], int.from_bytes(content[at + 5:at + 8], "little")
            part = content[at + 8:at + 8 + stored]
            if scheme:
                frame = pytest.importorskip("lz4.frame").decompress(part)
                part = frame
                if scheme == 2:
                    parts, begin = [], 0
                    for i in range(4):
                        length = (size - i + 3) // 4
                        parts.append(frame[begin:begin + length])
                        begin += length
                    part = bytes(parts[i % 4][i // 4] for i in range(size))
            assert len(part) == size, where
            data += part
            at += 8 + stored
        assert hashlib.sha256(data).hexdigest() == SHA256, where


def test_the_vector_is_the_pages():
    assert hashlib.sha256(vector()).hexdigest() == SHA256 and sum(CHUNKS) == len(vector())


@pytest.mark.parametrize("kind, owner", [("xet", "ada"), ("lfs", "bea")])
def test_what_clients_ask_is_answered_as_the_protocol_has_it(server, tokens, name, kind, owner):
    # Private, so that a stranger's question is challenged; and nobody is told that another has the same bytes.
    name = f"{owner}/{name.split('/')[1]}"
    made = server.http("POST", "/api/repos/create", tokens[owner], json.dumps({"name": name.split("/")[1], "private": True}).encode())
    assert made.status == 200, made.body
    replay = Replay(server, name, tokens[owner])
    recorded = sorted(RECORDED.glob(f"{kind}-*.http"))
    assert len(recorded) >= 12
    for path in recorded:
        replay.ask(path)
