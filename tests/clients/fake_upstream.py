"""An upstream hub of the standard library alone, written from docs/reference/hub-protocol.md sections 0, 1.3, 1.5 and 1.8: info with
siblings, refs, and resolve with ranges, large files behind a redirect. Nothing of Holdfast makes these answers. What a test can turn:
`down` (connections end at once), `status` (every answer), `cut_after` (bytes of files, then connections end), `ranges`, `slow`."""
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


def blob_id(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Repository:
    def __init__(self, files, private=False):
        self.private = private
        self.refs = {"main": []}  # Name: commits, newest last.
        self.commits = {}
        self.put(files)

    def put(self, files, ref="main"):
        commit = hashlib.sha1(json.dumps(sorted((k, hashlib.sha256(v).hexdigest()) for k, v in files.items())).encode()).hexdigest()
        self.commits[commit] = dict(files)
        self.refs.setdefault(ref, []).append(commit)
        return commit

    def find(self, revision):
        if revision in self.commits:
            return revision
        return self.refs[revision][-1] if self.refs.get(revision) else None


class FakeUpstream:
    LARGE = 100_000  # Bytes from which on a file is an LFS file.

    def __init__(self, token=None):
        self.token, self.repositories, self.moved = token, {}, {}
        self.down, self.status, self.cut_after, self.ranges, self.slow = False, None, None, True, 0
        self.asked, self.sent = [], 0
        self.lock = threading.Lock()
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                hub.answer(self)

            do_HEAD = do_GET

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def count(self, part):
        with self.lock:
            return sum(part in path for path in self.asked)

    def refuse(self, to, status, code, message):
        body = json.dumps({"error": message}).encode()
        self.send(to, status, {"X-Error-Code": code, "X-Error-Message": message, "Content-Type": "application/json"}, body)

    def send(self, to, status, headers, body):
        to.send_response(status)
        for name, value in {"X-Request-Id": "fake", **headers, "Content-Length": str(len(body))}.items():
            to.send_header(name, value)
        to.end_headers()
        if to.command != "HEAD":
            to.wfile.write(body)

    def answer(self, to):
        path = urlsplit(to.path).path
        with self.lock:
            self.asked.append(f"{to.command} {to.path}")
        if self.down:
            to.close_connection = True
            to.connection.close()
            return
        if self.status:
            self.refuse(to, self.status, "", "the hub is not well")
            return
        cdn = path.startswith("/cdn/")
        if self.token and not cdn and to.headers.get("Authorization") != f"Bearer {self.token}":
            self.refuse(to, 401, "RepoNotFound", "Repository not found")
            return
        if cdn:
            if to.headers.get("Authorization"):
                self.refuse(to, 400, "", "a token on its way to a stranger")
                return
            _, _, key = path.partition("/cdn/")
            name, commit, file = (unquote(part) for part in key.split("|"))
            self.send_file(to, self.repositories[name].commits[commit][file], {})
            return
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"] and len(parts) >= 4:
            name, rest = "/".join(parts[2:4]), parts[4:]
        else:
            name, rest = "/".join(parts[:2]), parts[2:]
        if name in self.moved:
            self.send(to, 307, {"Location": to.path.replace(name, self.moved[name], 1)}, b"")
            return
        repository = self.repositories.get(name)
        if repository is None:
            self.refuse(to, 404, "RepoNotFound", "Repository not found")
        elif path.startswith("/api/") and rest[:1] == ["refs"]:
            body = {"branches": [{"name": n, "ref": f"refs/heads/{n}", "targetCommit": c[-1]} for n, c in repository.refs.items() if not n.startswith("v")],
                    "tags": [{"name": n, "ref": f"refs/tags/{n}", "targetCommit": c[-1]} for n, c in repository.refs.items() if n.startswith("v")], "converts": []}
            self.send(to, 200, {"Content-Type": "application/json"}, json.dumps(body).encode())
        elif path.startswith("/api/"):
            revision = unquote(rest[1]) if rest[:1] == ["revision"] else "main"
            self.info(to, name, repository, revision)
        elif rest[:1] == ["resolve"]:
            self.resolve(to, name, repository, unquote(rest[1]), unquote("/".join(rest[2:])))
        else:
            self.refuse(to, 404, "", "no such page")

    def info(self, to, name, repository, revision):
        commit = repository.find(revision)
        if commit is None:
            self.refuse(to, 404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return
        siblings = []
        for path, content in sorted(repository.commits[commit].items()):
            row = {"rfilename": path, "size": len(content), "blobId": blob_id(content)}
            if len(content) >= self.LARGE:
                digest = hashlib.sha256(content).hexdigest()
                pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n".encode()
                row["blobId"] = blob_id(pointer)
                row["lfs"] = {"size": len(content), "sha256": digest, "pointerSize": len(pointer)}
            siblings.append(row)
        body = {"_id": "1", "id": name, "modelId": name, "sha": commit, "private": repository.private, "siblings": siblings, "tags": [],
                "downloads": 0, "likes": 0, "createdAt": "2026-01-01T00:00:00.000Z", "lastModified": "2026-01-01T00:00:00.000Z"}
        self.send(to, 200, {"Content-Type": "application/json"}, json.dumps(body).encode())

    def resolve(self, to, name, repository, revision, path):
        commit = repository.find(revision)
        if commit is None:
            self.refuse(to, 404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return
        content = repository.commits[commit].get(path)
        if content is None:
            self.refuse(to, 404, "EntryNotFound", "Entry not found")
        elif len(content) >= self.LARGE:
            self.send(to, 302, {"Location": f"http://localhost:{self.server.server_port}/cdn/{name.replace('/', '%2F')}|{commit}|{path.replace('/', '%2F')}",
                                "X-Repo-Commit": commit, "X-Linked-Size": str(len(content)),
                                "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"'}, b"")
        else:
            self.send_file(to, content, {"X-Repo-Commit": commit, "ETag": f'"{blob_id(content)}"'})

    def send_file(self, to, content, headers):
        asked = to.headers.get("Range") if self.ranges else None
        first, last, status = 0, len(content) - 1, 200
        if asked:
            begin, _, end = asked.removeprefix("bytes=").partition("-")
            first, last, status = int(begin), min(int(end) if end else last, last), 206
            headers = {**headers, "Content-Range": f"bytes {first}-{last}/{len(content)}"}
        to.send_response(status)
        for key, value in {**headers, "Accept-Ranges": "bytes", "Content-Length": str(last - first + 1)}.items():
            to.send_header(key, value)
        to.end_headers()
        if to.command == "HEAD":
            return
        at = first
        while at <= last:
            piece = content[at:min(at + 65536, last + 1)]
            with self.lock:
                cut = self.cut_after is not None and self.sent + len(piece) > self.cut_after
                if not cut:
                    self.sent += len(piece)
            if cut or self.down:
                to.close_connection = True
                to.connection.close()
                return
            to.wfile.write(piece)
            at += len(piece)
            if self.slow:
                time.sleep(self.slow)
