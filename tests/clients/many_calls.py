"""Many requests at once over connections that stay open, and the worker processes of a server. Only the standard library."""
import http.client
import json
import os
import queue
import selectors
import socket
import threading
import time
import urllib.parse
from pathlib import Path


class Caller:
    """One connection, made anew when it broke."""

    def __init__(self, server, token):
        self.at = urllib.parse.urlsplit(server.url)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.connection = None

    def ask(self, path, body, **headers):
        """(status, headers, body); the server is asked once."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.at.hostname, self.at.port, timeout=120)
            self.connection.connect()
            self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.connection.request("POST", path, json.dumps(body), {**self.headers, **headers})
            answer = self.connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            raise


def ask_all(server, token, calls, threads, **headers):
    """Answers of (path, body) in their order, so many at once."""
    answers, left = [None] * len(calls), queue.SimpleQueue()
    for at in range(len(calls)):
        left.put(at)

    def work():
        caller = Caller(server, token)
        while True:
            try:
                at = left.get_nowait()
            except queue.Empty:
                return
            try:
                answers[at] = caller.ask(*calls[at], **headers)
            except OSError as broken:
                answers[at] = (0, {}, repr(broken).encode())

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return answers


def worker_pids(server):
    """Of the model workers that the server started, youngest last."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if int(fields[1]) == server.process.pid and b"worker" in words and fields[0] != "Z":
            found.append((int(fields[19]), int(folder.name)))
    return [pid for _, pid in sorted(found)]


def resident_bytes(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def metric(server, name, **labels):
    """The sum of a metric's series with these labels; 0 where there is none."""
    total = 0.0
    for line in server.http("GET", "/metrics").body.decode().splitlines():
        if line.startswith("#") or line.split("{")[0].split(" ")[0] != name:
            continue
        if all(f'{key}="{value}"' in line for key, value in labels.items()):
            total += float(line.rpartition(" ")[2])
    return total


def offer(server, token, path, body, rate, seconds, connections, deadline_ms=None):
    """Requests at a rate that does not wait for answers, over at most so many connections: (status, seconds) of each, from
    when it was due; those that no connection was free for are left out."""
    at = urllib.parse.urlsplit(server.url)
    text = json.dumps(body).encode()
    deadline = "" if deadline_ms is None else f"X-Holdfast-Deadline: {deadline_ms}\r\n"
    request = (f"POST {path} HTTP/1.1\r\nHost: {at.netloc}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
               f"{deadline}Content-Length: {len(text)}\r\n\r\n").encode() + text
    poll, free, out = selectors.DefaultSelector(), [], []
    for _ in range(connections):
        one = socket.create_connection((at.hostname, at.port))
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        free.append(one)
    busy, begin, sent = {}, time.perf_counter(), 0
    while True:
        now = time.perf_counter()
        while sent < rate * min(now - begin, seconds):
            due = begin + sent / rate
            sent += 1
            if not free:
                continue
            one = free.pop()
            one.sendall(request)
            busy[one] = [due, b""]
            poll.register(one, selectors.EVENT_READ)
        if now - begin >= seconds and not busy:
            break
        for key, _ in poll.select(0.001):
            one = key.fileobj
            state = busy[one]
            state[1] += one.recv(1 << 16)
            head, gap, rest = state[1].partition(b"\r\n\r\n")
            if not gap:
                continue
            length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
            if len(rest) < length:
                continue
            out.append((int(head[9:12]), time.perf_counter() - state[0]))
            poll.unregister(one)
            del busy[one]
            free.append(one)
    for one in free:
        one.close()
    return out
