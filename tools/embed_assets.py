#!/usr/bin/env python3
"""usage: tools/embed_assets.py FOLDER OUT.cpp     The files of the built front end as the table of src/page/assets.h."""
import gzip
import hashlib
import re
import sys
from pathlib import Path

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".svg": "image/svg+xml", ".woff2": "font/woff2", ".json": "application/json", ".txt": "text/plain; charset=utf-8"}
HASHED = re.compile(r"-[\w-]{8}\.\w+$")
MISSING = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Holdfast</title>
<h1>Holdfast runs, its pages were not built</h1>
<p>This program was compiled without its front end. <code>./dev build</code> makes both; clients work as they are.</p></html>
"""


def literal(data):
    """The bytes as C++ string literals, a line each. A digit after an octal escape is no danger: escapes have three."""
    lines = []
    for start in range(0, len(data), 4096):
        lines.append('"' + "".join(chr(b) if 0x20 <= b < 0x7f and b not in b'"\\?' else f"\\{b:03o}"
                                   for b in data[start:start + 4096]) + '"')
    return "\n".join(lines) or '""'


def files(folder):
    found = {path.relative_to(folder).as_posix(): path.read_bytes()
             for path in folder.rglob("*") if path.is_file()} if folder.is_dir() else {}
    if "index.html" not in found:
        found["index.html"] = MISSING
    return dict(sorted(found.items()))


def main(folder, out):
    rows = []
    for path, data in files(Path(folder)).items():
        suffix = Path(path).suffix
        zipped = suffix not in (".woff2", ".png")
        digest = hashlib.sha256(data).hexdigest()[:20]
        sent = gzip.compress(data, 9, mtime=0) if zipped else data
        rows.append(f'    Asset{{"{path}", "{TYPES.get(suffix, "application/octet-stream")}", "{digest}",\n'
                    f'          std::string_view({literal(sent)}, {len(sent)}),\n'
                    f'          {str(zipped).lower()}, {str(bool(HASHED.search(path))).lower()}}},\n')
    text = ('// Written by tools/embed_assets.py.\n#include <array>\n\n#include "page/assets.h"\n\nnamespace holdfast::page {\n\n'
            "std::span<const Asset> assets() {\n  static constexpr auto all = std::to_array<Asset>({\n" + "".join(rows)
            + "  });\n  return all;\n}\n\n}  // namespace holdfast::page\n")
    target = Path(out)
    if not target.exists() or target.read_text() != text:
        target.write_text(text)
    else:
        target.touch()


if __name__ == "__main__":
    main(*sys.argv[1:])
