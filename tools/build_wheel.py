#!/usr/bin/env python3
"""Packs bindings/python/holdfast_tokenizers and its native half into a wheel: build_wheel.py NATIVE_FILE OUT_FOLDER.

A wheel is a zip file with a list of its members (PEP 427). The same files give the same wheel, byte for byte.
"""

import base64
import hashlib
import sys
import sysconfig
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAME, VERSION = "holdfast_tokenizers", "0.1.0"


def add(wheel, rows, name, data):
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = (0o755 if name.endswith(".so") else 0o644) << 16
    wheel.writestr(info, data)
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    rows.append(f"{name},sha256={digest},{len(data)}")


def main():
    native, out = Path(sys.argv[1]), Path(sys.argv[2])
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    tag = f"{python}-{python}-{platform}"
    folder, rows = f"{NAME}-{VERSION}.dist-info", []
    out.mkdir(parents=True, exist_ok=True)
    file = out / f"{NAME}-{VERSION}-{tag}.whl"
    with zipfile.ZipFile(file, "w") as wheel:
        for source in sorted((ROOT / "bindings/python" / NAME).glob("*.py")):
            add(wheel, rows, f"{NAME}/{source.name}", source.read_bytes())
        add(wheel, rows, f"{NAME}/{native.name}", native.read_bytes())
        add(wheel, rows, f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: {NAME.replace('_', '-')}\nVersion: {VERSION}\n"
            f"Summary: Tokenizers of Holdfast with the classes of the package tokenizers\nRequires-Python: >=3.11\n".encode())
        add(wheel, rows, f"{folder}/WHEEL", f"Wheel-Version: 1.0\nGenerator: holdfast\nRoot-Is-Purelib: false\nTag: {tag}\n".encode())
        rows.append(f"{folder}/RECORD,,")
        add(wheel, [], f"{folder}/RECORD", ("\n".join(rows) + "\n").encode())
    print(file)


main()
