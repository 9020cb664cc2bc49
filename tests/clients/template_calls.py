"""Calls of every filter, test, method and global with odd arguments, and templates of statements, by seed."""
import random

VALUES = ["n", "f", "s", "numbers", "floats", "words", "nested", "messages", "people", "pairs", "empty", "nothing", "yes", "no", "zz", "big", "html", "nested.b", "messages[2]",
          "1", "0", "-2", "3", "2.5", "-0.5", "1e20", "1e-7", "'a'", "''", "'Ab c'", "' x\\n y '", "'aXbXc'", "'12'", "'é ß\\u0130'", "'<b>&\"'", "[]", "[1, 'x']", "[3, 1, 2]", "['b', 'A']",
          "[[1, 2], [3]]", "{}", "{'k': 1}", "{'b': 2, 'A': 1}", "(1, 2)", "()", "none", "true", "false", "range(3)", "'abc'|map('upper')", "[1, 1.0, true]", "['a', 'A', 'b']",
          "[none, 1]", "[1, [2, [3]]]", "'%s-%s'", "'{}{}'", "'a,b;c'", "'x' * 30", "namespace(a=1)", "dict(a=1)", "[(1, 'b'), (2, 'a')]", "'one two three four five six'", "-7", "255", "1000000", "html|safe", "'<b>&'|e", "('%s<%r>'|safe)", "('{}<{!r}>'|safe)", "(5|safe)", "(' <a> b '|e)", "[s, s]", "words * 8", "('<' + (s|e))", "'0x1f'", "'1e3'", "'  7 '", "' \\t'"]
SMALL = ["n", "1", "0", "-1", "2", "3", "10", "2.5", "'a'", "''", "'k'", "'x'", "none", "true", "false", "[]", "'Ab c'", "zz", "'é'", "[1]", "{}", "(1, 2)", "' '", "'<'", "'role'", "'age'", "'0'", "1e20", "-0.0", "'n'"]
# Name of each filter to the names of its arguments.
FILTERS = {
    "abs": [], "attr": ["name"], "batch": ["linecount", "fill_with"], "capitalize": [], "center": ["width"], "count": [], "d": ["default_value", "boolean"],
    "default": ["default_value", "boolean"], "dictsort": ["case_sensitive", "by", "reverse"], "e": [], "escape": [], "filesizeformat": ["binary"], "first": [], "forceescape": [], "float": ["default"],
    "format": [], "groupby": ["attribute", "default", "case_sensitive"], "indent": ["width", "first", "blank"], "int": ["default", "base"], "items": [],
    "join": ["d", "attribute"], "last": [], "length": [], "list": [], "lower": [], "map": [], "max": ["case_sensitive", "attribute"], "min": ["case_sensitive", "attribute"],
    "pprint": [], "reject": [], "rejectattr": [], "safe": [], "replace": ["old", "new", "count"], "reverse": [], "round": ["precision", "method"], "select": [], "selectattr": [],
    "slice": ["slices", "fill_with"], "sort": ["reverse", "case_sensitive", "attribute"], "string": [], "striptags": [], "sum": ["attribute", "start"], "title": [], "tojson": ["ensure_ascii", "indent", "separators", "sort_keys"],
    "trim": ["chars"], "truncate": ["length", "killwords", "end", "leeway"], "unique": ["case_sensitive", "attribute"], "upper": [], "urlencode": [], "wordcount": [],
    "wordwrap": ["width", "break_long_words", "wrapstring", "break_on_hyphens"], "xmlattr": ["autospace"]}
TESTS = {"boolean": 0, "callable": 0, "defined": 0, "divisibleby": 1, "eq": 1, "equalto": 1, "escaped": 0, "even": 0, "false": 0, "filter": 0, "float": 0, "ge": 1, "gt": 1, "greaterthan": 1, "in": 1,
         "integer": 0, "iterable": 0, "le": 1, "lessthan": 1, "lower": 0, "lt": 1, "mapping": 0, "ne": 1, "none": 0, "number": 0, "odd": 0, "sameas": 1, "sequence": 0, "string": 0, "test": 0, "true": 0,
         "undefined": 0, "upper": 0, "==": 1, "!=": 1, ">": 1, ">=": 1, "<": 1, "<=": 1}
SPELLED = {"divisibleby": "divisibleby", "==": "eq"}
METHODS = {"capitalize": 0, "casefold": 0, "center": 2, "count": 3, "endswith": 3, "expandtabs": 1, "find": 3, "index": 3, "isalnum": 0, "isalpha": 0, "isascii": 0, "isdecimal": 0, "isdigit": 0,
           "isidentifier": 0, "islower": 0, "isnumeric": 0, "isprintable": 0, "isspace": 0, "istitle": 0, "isupper": 0, "join": 1, "ljust": 2, "lower": 0, "lstrip": 1, "partition": 1, "removeprefix": 1,
           "removesuffix": 1, "replace": 3, "rfind": 3, "rindex": 3, "rjust": 2, "rpartition": 1, "rsplit": 2, "rstrip": 1, "split": 2, "splitlines": 1, "startswith": 3, "strip": 1, "swapcase": 0,
           "title": 0, "upper": 0, "zfill": 1, "format": 2, "get": 2, "items": 0, "keys": 0, "values": 0, "copy": 0, "bit_length": 0, "is_integer": 0, "conjugate": 0, "striptags": 0, "unescape": 0, "escape": 1, "append": 1, "pop": 1, "bit_count": 0, "sort": 0}
FORMATS = ["{}", "{0}", "{!r}", "{:>8}", "{:^8}|", "{:*<6}", "{:08.3f}", "{:+}", "{:,}", "{:e}", "{:g}", "{:x}", "{:#b}", "{:.2}", "{:%}", "{:c}", "{:d}", "{:n}", "{:5}", "{:<5}|", "{:=+8}", "{:_}", "{a}", "{0.x}", "{0[0]}", "{:{}}", "{", "}", "{{}}", "{!s:4}", "{:s}", "{:b}", "{:.0f}", "{:#x}", "{:010,}", "{!a}", "{:z}", "{: d}", "{:.3g}", "{:G}", "{:#.3g}", "{:#o}", "{:E}", "{:F}"]
PERCENTS = ["%s", "%r", "%d", "%i", "%5d", "%-5d|", "%05d", "%+d", "% d", "%x", "%X", "%o", "%#x", "%e", "%g", "%f", "%.2f", "%8.3f", "%c", "%%", "%(a)s", "%.2s", "%5s", "%-5s|", "%*d", "%u", "%a", "%G", "%E", "%F", "%.0f", "%#.3g", "%+.1e", "%z", "%", "%.3d", "%#o", "%05.1f", "%+5s", "%ld"]


def arguments(rnd, names, deep):
    count = rnd.choice([0, 0, 1, 1, 2, 3, len(names), len(names) + 1]) if names else rnd.choice([0, 0, 0, 0, 1])
    out, at = [], 0
    for _ in range(count):
        left = [name for name in names[len(out):] + ['zz'] * (rnd.random() < 0.05) if not any(one.startswith(name + "=") for one in out)]
        if left and rnd.random() < 0.35:
            out.append(f"{rnd.choice(left)}={rnd.choice(SMALL)}")
        elif not out or "=" not in out[-1]:
            out.append(rnd.choice(SMALL))
    return f"({', '.join(out)})" if out or rnd.random() < 0.1 else ""


def filtered(rnd, deep=0):
    value = rnd.choice(VALUES) if deep or rnd.random() < 0.8 else "(" + any_expression(rnd, 1) + ")"
    name = rnd.choice(list(FILTERS))
    if name == "map":
        inner = rnd.choice([f"attribute={rnd.choice(SMALL)}", f"attribute='n', default={rnd.choice(SMALL)}", f"'{rnd.choice(list(FILTERS))}'", f"'{rnd.choice(list(FILTERS))}', {rnd.choice(SMALL)}", "attribute='a.b'", "attribute=0", "attribute='0.1'"])
        return f"{value}|map({inner})|list"
    if name in ("select", "reject"):
        return f"{value}|{name}({rnd.choice(['', repr(rnd.choice(list(TESTS))), repr(rnd.choice(list(TESTS))) + ', ' + rnd.choice(SMALL)])})|list"
    if name in ("selectattr", "rejectattr"):
        return f"{value}|{name}({rnd.choice(['', repr(rnd.choice(['n', 'age', 'role', 'a.b', 'k'])) , repr(rnd.choice(['n', 'age', 'role', 'g'])) + ', ' + repr(rnd.choice(list(TESTS))), repr(rnd.choice(['n', 'age'])) + ', ' + repr(rnd.choice(list(TESTS))) + ', ' + rnd.choice(SMALL)])})|list"
    if name == "format":
        return f"'{''.join(rnd.choice(PERCENTS) for _ in range(rnd.randint(1, 2)))}'|format({', '.join(rnd.choice(VALUES) for _ in range(rnd.randint(0, 3)))})"
    tail = rnd.choice(["|list", "|list", ""]) if name in ("batch", "slice", "unique", "reverse", "items", "groupby") else ""
    return f"{value}|{name}{arguments(rnd, FILTERS[name], deep)}{tail}"


def tested(rnd):
    name = rnd.choice([one for one in TESTS if one[0].isalpha()])
    argument = ""
    if TESTS[name] or rnd.random() < 0.05:
        argument = rnd.choice([f"({rnd.choice(VALUES)})", f"({rnd.choice(SMALL)})", f"({rnd.choice(SMALL)}, {rnd.choice(SMALL)})", "", f" {rnd.choice(SMALL)}"])
    return f"{rnd.choice(VALUES)} is {rnd.choice(['', '', 'not '])}{name}{argument}"


def called(rnd):
    name = rnd.choice(list(METHODS)).strip()
    if name == "format":
        given = [rnd.choice(VALUES) for _ in range(rnd.randint(0, 3))] + [f"a={rnd.choice(VALUES)}"] * (rnd.random() < 0.3)
        return f"'{''.join(rnd.choice(FORMATS) for _ in range(rnd.randint(1, 2)))}'.format({', '.join(given)})"
    count = rnd.choice([0, METHODS[name], METHODS[name], rnd.randint(0, METHODS[name])]) + (rnd.random() < 0.03)
    return f"({rnd.choice(VALUES)}).{name}({', '.join(rnd.choice(SMALL) for _ in range(count))})"


def operated(rnd):
    return f"{rnd.choice(VALUES)} {rnd.choice(['+', '-', '*', '/', '//', '%', '**', '~', '==', '!=', '<', '>', '<=', '>=', 'in', 'not in', 'and', 'or'])} {rnd.choice(VALUES)}"


def indexed(rnd):
    one = lambda: rnd.choice(["", "", "0", "1", "-1", "2", "-3", "100", "-100", "n", "none", "true", "'a'", "2.0"])
    return f"({rnd.choice(VALUES)})[{rnd.choice([one() or '0', one() + ':' + one(), one() + ':' + one() + ':' + one()])}]"


def globals_(rnd):
    a = lambda: rnd.choice(SMALL)
    return rnd.choice([f"range({a()})|list", f"range({a()}, {a()})|list", f"range({a()}, {a()}, {a()})|list", f"dict(a={a()})", f"dict({a()})", f"dict([({a()}, {a()})])", f"namespace(a={a()}).a", f"namespace({a()}).k",
                       f"joiner({a()})()", f"cycler({a()}, {a()}).next()", f"cycler().next()", f"strftime_now({a()})", f"raise_exception({a()})", f"'{rnd.choice(PERCENTS)}{rnd.choice(PERCENTS)}' % {rnd.choice(VALUES)}",
                       f"'{rnd.choice(PERCENTS)}' % ({rnd.choice(VALUES)},)", f"'{rnd.choice(PERCENTS)}{rnd.choice(PERCENTS)}' % ({rnd.choice(VALUES)}, {rnd.choice(VALUES)})", f"-{rnd.choice(VALUES)}", f"+{rnd.choice(VALUES)}", f"not {rnd.choice(VALUES)}",
                       f"strftime_now('%{rnd.choice('aAbBcdHIjmMpSUwWxXyYzZ%fGuVeDFTRrnthCgsklEOPL-')}')"])


def any_expression(rnd, deep=0):
    kind = rnd.randrange(10)
    if kind < 4:
        return filtered(rnd, deep)
    return [tested, called, called, operated, indexed, globals_][kind - 4](rnd)


def space(rnd):
    return rnd.choice(["", "", "", " ", "\n", "\n\n", "  ", "\t", " \n ", "x", "a b", "\n  ", "x\n", "\r\n"])


def tag(rnd, text):
    return "{%" + rnd.choice(["", "", "", "-", "+"]) + rnd.choice([" ", " ", ""]) + text + rnd.choice([" ", " ", ""]) + rnd.choice(["", "", "", "-", "+"]) + "%}"


def put(rnd, names):
    inner = rnd.choice(names) if names and rnd.random() < 0.6 else any_expression(rnd)
    return "{{" + rnd.choice(["", "", "-"]) + " " + inner + " " + rnd.choice(["", "", "-"]) + "}}"


def body(rnd, names, depth, in_loop):
    return "".join(space(rnd) + statement(rnd, names, depth + 1, in_loop) for _ in range(rnd.randint(0, 3))) + space(rnd)


def statement(rnd, names, depth=0, in_loop=False):
    kind = rnd.randrange(16) if depth < 4 else 0
    t = lambda text: tag(rnd, text)
    some = lambda: rnd.choice(names) if names and rnd.random() < 0.5 else rnd.choice(VALUES)
    if kind < 3:
        return put(rnd, names)
    if kind == 3:
        name = rnd.choice(["u", "v", "w", "n"])
        return t(f"set {name} = {rnd.choice([some(), any_expression(rnd)])}") + ("" if rnd.random() < 0.2 else put(rnd, [name]))
    if kind == 4:
        name = rnd.choice(["u", "v"])
        return t(f"set {name}{rnd.choice(['', '', ' | upper', ' | trim', '|indent(2)', '|replace(' + repr('a') + ', ' + repr('b') + ')'])}") + body(rnd, names, depth, False) + t("endset") + "[{{ " + name + " }}]"
    if kind == 5:
        out = t(f"if {rnd.choice([some(), tested(rnd), operated(rnd)])}") + body(rnd, names, depth, in_loop)
        if rnd.random() < 0.4:
            out += t(f"elif {some()}") + body(rnd, names, depth, in_loop)
        if rnd.random() < 0.5:
            out += t("else") + body(rnd, names, depth, in_loop)
        return out + t("endif")
    if kind < 9:
        target = rnd.choice(["x", "x", "x", "a, b", "n"])
        over = rnd.choice([some(), "numbers", "people", "nested.items()", "pairs", "messages", "words|sort", "'abc'", "range(3)", "[[1, 2], [3, 4]]"])
        flags = rnd.choice(["", "", "", " if x", " if loop is defined", " if x != 1", " recursive"])
        inner = [*names, *target.split(", "), "loop.index", "loop.last", "loop.first", "loop.index0", "loop.revindex", "loop.length", "loop.previtem", "loop.nextitem", "loop.depth", "loop.cycle('p', 'q')", "loop.changed(x)"]
        inside = body(rnd, inner, depth, True)
        if rnd.random() < 0.3:
            inside += t(f"if {rnd.choice(['loop.index > 1', 'x', 'loop.first'])}") + t(rnd.choice(["break", "continue"])) + t("endif") + body(rnd, inner, depth, True)
        return t(f"for {target} in {over}{flags}") + inside + (t("else") + body(rnd, names, depth, in_loop) if rnd.random() < 0.3 else "") + t("endfor")
    if kind == 9:
        name = rnd.choice(["m1", "m2"])
        parameters = rnd.choice(["", "a", "a, b=2", "a=1, b=a", "a, b", "a=n"])
        given = rnd.choice(["", "1", "1, 2", "b=3", "1, b=2", "1, 2, 3", "a=1, z=2", "*[1, 2]", "**{'a': 5}", "a=zz"])
        more = rnd.choice([[], [], ["varargs"], ["kwargs"], ["caller()"], ["caller is defined"]])
        return t(f"macro {name}({parameters})") + body(rnd, ["a", "b", *more, *names], depth, False) + "".join("{{ " + one + " }}" for one in more) + t("endmacro") + "{{ " + name + "(" + given + ") }}"
    if kind == 10:
        name = rnd.choice(["m1", "m3"])
        return t(f"macro {name}(a=1)") + "<{{ caller(" + rnd.choice(["", "a", "1, 2"]) + ") }}>" + t("endmacro") + t(f"call{rnd.choice(['', '(q)', '(q=3)'])} {name}({rnd.choice(['', '5', 'b=1'])})") + body(rnd, [*names, "q"], depth, False) + t("endcall")
    if kind == 11:
        return t(f"filter {rnd.choice(['upper', 'trim', 'indent(2)', 'replace(1, 2)', 'title', 'wordwrap(5)', 'truncate(5)', 'upper|lower', 'tojson', 'striptags'])}") + body(rnd, names, depth, False) + t("endfilter")
    if kind == 12:
        return t(f"with {rnd.choice(['', 'u = 1', 'u = n, v = u', 'n = 5'])}") + body(rnd, [*names, "u", "v"], depth, False) + t("endwith")
    if kind == 13:
        return rnd.choice(["{# c #}", "{#- c -#}", "{# a\n b #}", "{#+ c #}", "{# c +#}", "{% raw %} {{ x }} {% endraw %}", "{%- raw -%}\n {% if %} {%- endraw -%}\n", "{% raw -%} a {%+ endraw %}"])
    if kind == 14:
        return t("set ns = namespace(c=0)") + t("for i in range(2)") + t("set ns.c = ns.c + " + rnd.choice(["1", "i", "'a'", "n", "none"])) + body(rnd, ["ns.c", "i", *names], depth, True) + t("endfor") + "{{ ns.c }}"
    return rnd.choice([t("generation") + body(rnd, names, depth, in_loop) + t("endgeneration"), t("do " + rnd.choice(VALUES)), t("print " + rnd.choice(VALUES)),
                       t(rnd.choice(["break", "continue"])) if in_loop else t("set q1, q2 = 1, n") + "{{ q2 }}", t(f"set u, v = {some()}") + "{{ u }}{{ v }}", "{{ u }}"])


def template(rnd):
    return "".join(space(rnd) + statement(rnd, [], 0) for _ in range(rnd.randint(1, 4))) + space(rnd)
