#!/usr/bin/env python3
"""Verifies a Holdfast audit log against a signed checkpoint, independently of Holdfast's own code.

usage: verify_audit.py --log AUDIT.jsonl|HOLDFAST.DB [--checkpoint FILE] [--key HEX]

AUDIT.jsonl is what `holdfast audit export` prints; a SQLite database is read directly. The chain, the checkpoint's
signature (Ed25519, RFC 8032) and that the checkpoint's row is in the chain are checked. Exit 0: sound; 1: not.
Formats: docs/formats/audit-log.md, docs/formats/audit-checkpoint.md. Standard library only.
"""
import argparse
import hashlib
import json
import sqlite3
import sys
from datetime import datetime, timezone

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def add(p, q):
    """Two points in extended coordinates (RFC 8032, 5.1.4)."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result


def recover_x(y, sign):
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P)
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def decompress(data):
    number = int.from_bytes(data, "little")
    y, sign = number & ((1 << 255) - 1), number >> 255
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = recover_x(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def signature_is_good(key, message, signature):
    if len(key) != 32 or len(signature) != 64:
        return False
    public, r = decompress(key), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if public is None or r is None or s >= L:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    left, right = multiply(s, BASE), add(r, multiply(challenge, public))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def quoted(text):
    out = ['"']
    for letter in text:
        if letter in '"\\':
            out.append("\\" + letter)
        elif letter in "\n\r\t":
            out.append({"\n": "\\n", "\r": "\\r", "\t": "\\t"}[letter])
        elif ord(letter) < 0x20:
            out.append(f"\\u{ord(letter):04x}")
        else:
            out.append(letter)
    return "".join(out) + '"'


def details_text(details):
    names = sorted(details, key=lambda name: name.encode())
    return "{" + ",".join(quoted(name) + ":" + quoted(details[name]) for name in names) + "}"


def exported_rows(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            at = datetime.strptime(row["at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
            milliseconds = round((at - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds() * 1000)
            yield (row["number"], milliseconds, row["actor"], row["action"], row["subject"], details_text(row["details"]),
                   bytes.fromhex(row["hash"]))


def database_rows(path):
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    yield from database.execute(
        "SELECT number, at, actor, action, subject, details, hash FROM identity_audit ORDER BY number")


def check_chain(rows, checkpoint):
    """What is wrong, or None; and how many rows were read."""
    before, expected, met = bytes(32), 1, checkpoint is None or checkpoint["number"] == 0
    for number, at, actor, action, subject, details, stored in rows:
        if number != expected:
            return f"row {expected} is missing", expected - 1
        text = (f'{{"number":{number},"at":{at},"actor":{quoted(actor)},"action":{quoted(action)},'
                f'"subject":{quoted(subject)},"details":{details}}}')
        before = hashlib.sha256(before + text.encode()).digest()
        if before != stored:
            return f"row {number} is not what was written", number
        if checkpoint and checkpoint["number"] == number:
            met = True
            if checkpoint["hash"] != before.hex():
                return f"row {number} differs from the checkpoint: history was rewritten", number
        expected += 1
    if not met:
        return f"the log ends at row {expected - 1}, before the checkpoint at {checkpoint['number']}", expected - 1
    return None, expected - 1


def check_signature(checkpoint, key):
    if key and checkpoint["key"] != key:
        return "the checkpoint was signed by another key"
    message = f"holdfast audit checkpoint\n{checkpoint['number']}\n{checkpoint['hash']}\n{checkpoint['at']}\n".encode()
    good = signature_is_good(bytes.fromhex(checkpoint["key"]), message, bytes.fromhex(checkpoint["signature"]))
    return None if good else "the checkpoint's signature is wrong"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--log", required=True)
    parser.add_argument("--checkpoint")
    parser.add_argument("--key", help="the instance's public key, written down when it was set up")
    options = parser.parse_args()
    checkpoint = None
    if options.checkpoint:
        with open(options.checkpoint, encoding="utf-8") as file:
            checkpoint = json.load(file)
        wrong = check_signature(checkpoint, options.key)
        if wrong:
            print(wrong)
            return 1
    with open(options.log, "rb") as file:
        is_database = file.read(16).startswith(b"SQLite format 3")
    wrong, rows = check_chain(database_rows(options.log) if is_database else exported_rows(options.log), checkpoint)
    print(wrong or f"the audit log is sound: {rows} rows")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
