"""A corpus of secrets by seed, for a comparison with gitleaks: of each of its rules, texts that the rule's pattern matches, planted in code,
settings, YAML, notebooks and more as people write them. The patterns are read at run time out of the peer's own program, which carries its
settings as a text; none of them is written down here.

What is wanted is what gitleaks itself reports on the corpus, place by place; what it does not report is nobody's miss.
"""
import json
import random
import re
import subprocess
import tempfile
from pathlib import Path

try:
    from re import _constants as codes, _parser as parser
except ImportError:  # Python 3.10
    import sre_constants as codes
    import sre_parse as parser

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
ALLOWED = set(LETTERS + "-_.=+/~:@%|# ")  # Of a class: what a slip of its escapes lets in besides stands in nobody's secret.
RULE = re.compile(rb"\[\[rules\]\]\s*id = \"([\w-]+)\"(.*?)(?=\[\[rules\]\]|\Z)", re.DOTALL)
PATTERN = re.compile(rb"^regex = '''(.*?)'''", re.DOTALL | re.MULTILINE)
GENERIC = "generic-api-key"


def rules_of(program):
    """Rule's name to its pattern, out of gitleaks' program or of its gitleaks.toml."""
    found = {}
    for name, body in RULE.findall(Path(program).read_bytes()):
        if pattern := PATTERN.search(body[:20_000]):
            found.setdefault(name.decode(), pattern[1].decode())
    return found


def tree_of(pattern):
    """Go's notation as Python's parser takes it; nothing where it does not."""
    insensitive = "(?i)" in pattern or "(?i:" in pattern
    for go, python in (("[[:alnum:]]", "[A-Za-z0-9]"), (r"\z", r"\Z"), ("(?s:.)", "."), ("(?i)", ""), ("(?i:", "(?:"), ("(?-i:", "(?:")):
        pattern = pattern.replace(go, python)
    try:
        return parser.parse(pattern), insensitive
    except re.error:
        return None, insensitive


class Maker:
    """Texts that a parsed pattern matches."""

    def __init__(self, chance, insensitive):
        self.chance, self.insensitive = chance, insensitive
        self.upper = insensitive and chance.random() < 0.4  # One of the two cases, or both: what letters of a class are drawn from.

    def letter(self, allowed):
        drawn = self.chance.choice(allowed)
        return drawn.swapcase() if self.upper and self.chance.random() < 0.5 else drawn

    def text(self, tree):
        return "".join(self.part(str(operation), argument) for operation, argument in tree)

    def part(self, name, argument):
        chance = self.chance
        if name == "LITERAL":
            return chr(argument)
        if name == "NOT_LITERAL":
            return "q"
        if name == "ANY":
            return chance.choice("abcdefgh")
        if name == "IN":
            chosen, negated = [], False
            for kind, value in argument:
                kind = str(kind)
                negated = negated or kind == "NEGATE"
                chosen += ([chr(value)] if kind == "LITERAL" else [chr(c) for c in range(value[0], value[1] + 1)] if kind == "RANGE" else
                           list(LETTERS if "WORD" in str(value) else " " if "SPACE" in str(value) else "0123456789") if kind == "CATEGORY" else [])
            chosen = [c for c in chosen if c in ALLOWED and c != " "] or chosen
            return chance.choice([c for c in "qwertz" if c not in chosen]) if negated else self.letter(chosen)
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            least, most, inner = argument
            if most == codes.MAXREPEAT:
                most, least = max(least + 20, 24), max(least, 10)
            count = chance.randint(least, min(most, least + 20)) if least > 8 or most < 3 else max(least, 1)
            return "".join(self.text(inner) for _ in range(count))
        if name == "SUBPATTERN":
            return self.text(argument[3])
        if name == "BRANCH":
            return self.text(chance.choice(argument[1]))
        return ""


def branches(tree):
    """The texts that a parsed alternative of plain words offers."""
    out = [""]
    for operation, argument in tree:
        name = str(operation)
        if name == "LITERAL":
            out = [text + chr(argument) for text in out]
        elif name == "ANY":
            out = [text + "." for text in out]
        elif name == "SUBPATTERN":
            out = [text + more for text in out for more in branches(argument[3])]
        elif name == "BRANCH":
            out = [text + more for text in out for branch in argument[1] for more in branches(branch)]
        elif name == "IN":
            out = [text + chr(argument[0][1]) for text in out]
        else:
            return []
    return out


def group_of(tree, number):
    for operation, argument in tree:
        name = str(operation)
        if name == "SUBPATTERN":
            if argument[0] == number:
                return argument[3]
            found = group_of(argument[3], number)
        elif name == "BRANCH":
            found = next((one for one in (group_of(branch, number) for branch in argument[1]) if one), None)
        else:
            found = None
        if found:
            return found
    return None


# How people name what they keep a secret in, after the maker's name.
TAILS = ["api_key", "token", "secret", "key", "access_token", "client_secret", "auth_token", "client_id", "password", "credentials"]


def spelled(words, style):
    parts = [part for part in re.split(r"[\W_]+", words) if part]
    if style == "shout":
        return "_".join(parts).upper()
    if style == "dash":
        return "-".join(parts).lower()
    if style == "camel":
        return parts[0].lower() + "".join(part.capitalize() for part in parts[1:])
    return "_".join(parts).lower()


# A file's name; a line (or lines) with a name and a value; how its names are spelled; a line with nothing.
FRAMES = [
    ("client.py", ['{name} = "{value}"', "{name} = '{value}'", 'connect(host, {name}="{value}", retries=3)', 'SETTINGS["{name}"] = "{value}"',
                   '    "{name}": "{value}",'], ("snake", "shout"), "    return rows[index] + offset  # of the page before"),
    ("deploy.yaml", ["{name}: {value}", '  {name}: "{value}"', "  - {name}={value}", "    {name}: '{value}'"], ("snake", "dash", "camel", "shout"), "  replicas: 3"),
    (".env", ["{name}={value}", "export {name}={value}", '{name}="{value}"'], ("shout",), "# what the service needs"),
    ("settings.json", ['  "{name}": "{value}",'], ("snake", "camel", "shout"), '  "replicas": 3,'),
    ("settings.toml", ['{name} = "{value}"'], ("snake", "dash"), "retries = 3"),
    ("settings.ini", ["{name} = {value}", "{name}={value}"], ("snake",), "retries = 3"),
    ("app.js", ['const {name} = "{value}";', "  {name}: '{value}',", "const {name} = process.env.X || '{value}';"], ("camel", "shout"), "  return list.map((row) => row.id);"),
    ("main.tf", ['  {name} = "{value}"'], ("snake",), "  count = 3"),
    ("Dockerfile", ["ENV {name}={value}", "ARG {name}={value}"], ("shout",), "RUN make install"),
    ("notes.md", ["Use `{name}={value}` for the tests.", "    {name}: {value}"], ("shout", "snake"), "Nothing to see here."),
    ("main.go", ['\t{name} := "{value}"'], ("camel",), "\treturn nil"),
    ("analysis.ipynb", [], ("snake", "shout"), ""),
]
# Where a secret that its maker marked stands by itself.
BARE = ['token = "{value}"', "# see {value} for it", 'curl -H "X-Token: {value}" https://api.example.net/v1/rows', "  - {value}", "print('{value}')", "{value}"]


class Corpus:
    """Writes a folder full; `planted` counts what was, by rule."""

    def __init__(self, folder, rules, seed):
        self.chance, self.planted = random.Random(seed), {}
        lines = {name: [] for name, *_ in FRAMES}
        for rule, pattern in rules.items():
            tree, insensitive = tree_of(pattern)
            if tree is None:
                continue
            for frame in FRAMES:
                if text := self.place(rule, pattern, tree, insensitive, frame):
                    lines[frame[0]] += [frame[3], text, frame[3]] if frame[0] != "analysis.ipynb" else [text]
                    self.planted[rule] = self.planted.get(rule, 0) + 1
        for name, all_lines in lines.items():
            text = self.notebook(all_lines) if name.endswith(".ipynb") else "\n\n".join(all_lines) + "\n"
            Path(folder, name).write_text(text)

    def place(self, rule, pattern, tree, insensitive, frame):
        maker = Maker(self.chance, insensitive)
        assigned = r"(?:=|" in pattern and len(tree) > 2
        if r"[\s\S" in pattern:  # A block: the pattern says nothing of what is within.
            body = "\n".join("".join(self.chance.choices(LETTERS + "+/", k=64)) for _ in range(6))
            kind = self.chance.choice(["RSA ", "", "EC ", "OPENSSH "])
            return f"-----BEGIN {kind}PRIVATE " + f"KEY-----\n{body}\n-----END {kind}PRIVATE " + "KEY-----"
        if not assigned:
            value = maker.text(tree).strip("\n'\"`;| ")
            if "\n" in value:  # A key of several lines: as it is, everywhere.
                return value
            return self.line(frame, BARE).format(value=value)
        words = next((index for index, (operation, _) in enumerate(tree) if "REPEAT" in str(operation)), 1)
        names = [name for name in branches(tree[:words]) if name] or [rule]
        value = maker.text(group_of(tree, 1) or []).strip('"')
        words = self.chance.choice(names)
        if rule != GENERIC or self.chance.random() < 0.5:
            words += "_" + self.chance.choice(TAILS)
        return self.line(frame, frame[1] or ['{name} = "{value}"', "{name}: {value}"]).format(name=spelled(words, self.chance.choice(frame[2])), value=value)

    def line(self, frame, forms):
        return self.chance.choice(forms if forms is not BARE or frame[0] in ("client.py", "notes.md", "deploy.yaml", "analysis.ipynb") else BARE[:1])

    def notebook(self, texts):
        cells = []
        for index, text in enumerate(texts):
            lines = [line + "\n" for line in text.split("\n")]
            output = index % 3 == 0  # In what a cell printed instead of in its source.
            cells.append({"cell_type": "code", "execution_count": index, "metadata": {}, "source": ["rows = load()\n", "rows.head()\n"] if output else lines,
                          "outputs": [{"name": "stdout", "output_type": "stream", "text": lines}] if output else []})
        return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def reported_by(program, folder):
    """What gitleaks finds: rule, file and line."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        for words in (["dir", str(folder)], ["detect", "--no-git", "--source", str(folder)]):  # Since 8.19, and before.
            done = subprocess.run([program, *words, "--report-path", report.name, "--report-format", "json", "--no-banner", "--exit-code", "0"], capture_output=True, text=True, timeout=600)
            if done.returncode == 0:
                break
        assert done.returncode == 0, done.stderr[-2000:]
        return [{"rule": each["RuleID"], "file": Path(each["File"]).name, "lines": (each["StartLine"], each["EndLine"]), "secret": each["Secret"]} for each in json.loads(Path(report.name).read_text())]


def compare(program, scan, seed, rules=None):
    """`scan` gives our report of a folder. Told: how many of gitleaks' findings we have, which we miss, and what we find where neither it nor the
    corpus has anything."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = Corpus(folder, rules or rules_of(program), seed)
        wanted = reported_by(program, folder)
        found = {}
        for finding in scan(folder)["findings"]:
            if finding["topic"] == "secret":
                found.setdefault(Path(finding["file"]).name, set()).add(finding["line"])
        # Lines differ by one between its releases; nothing is planted within two lines of the next.
        missed = [each for each in wanted if not any(line in found.get(each["file"], ()) for line in range(each["lines"][0] - 1, each["lines"][1] + 2))]
        texts = {path.name: path.read_text().split("\n") for path in Path(folder).iterdir()}
        for each in missed:
            each["text"] = texts[each["file"]][max(0, each["lines"][0] - 1)][:200]
    return {"seed": seed, "planted": sum(corpus.planted.values()), "rules": len({each["rule"] for each in wanted}), "findings": len(wanted),
            "recall": 1 - len(missed) / max(1, len(wanted)), "missed": missed}
