"""Texts by seed that tell tokenizers apart, and the smallest part of a text that still does."""

import random
import unicodedata

RANGES = [(0x20, 0x7E), (0x20, 0x7E), (0x20, 0x7E), (0xA0, 0x17F), (0x300, 0x36F), (0x370, 0x52F), (0x590, 0x6FF),
          (0x900, 0x97F), (0xE00, 0xE7F), (0x1100, 0x11FF), (0x1E00, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x218F),
          (0x2190, 0x2BFF), (0x3000, 0x30FF), (0x3400, 0x9FFF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF), (0xFE00, 0xFFFF),
          (0x1F300, 0x1FAFF), (0x1D400, 0x1D7FF), (0x20000, 0x2FA1F), (0x0, 0x1F), (0xE0000, 0xE01EF), (0x0, 0x10FFFF)]
WORDS = ("the of and a to in is it's we'll I'VE they're DON'T hello world tokenizer naïve Straße İstanbul ǅ ﬁne ½ ² Ⅷ "
         "日本語 テスト 中文 한국어 Привет мир مرحبا שלום नमस्ते ภาษาไทย 👩‍👩‍👧 👍🏽 🏳️‍🌈 e\u0301 Ελλάς ß SS ς Σ").split(" ")
CODE = ["def f(x):\n    return x ** 2\n", "for (int i = 0; i < n; ++i) {\n\tsum += a[i];\n}\n", "<a href=\"#x\">&amp;</a>",
        "SELECT * FROM t WHERE id=1;--", "https://example.org/a?b=1&c=%20", "x->y::z<T>(0xFF, 1e-9)", "{\"k\": [1, 2.50, null]}",
        "`` quoted '' \"text\"", "\\n\\t\\\\", "$HOME/.cache/**/*.py", "snake_case camelCase HTTPServer2"]
SPACES = [" ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", "\u00a0", "\u3000", "\u2009", "\u200b", "\x85", " \n ", "\ufeff", "\u2028"]


def character(rnd):
    low, high = rnd.choice(RANGES)
    code = rnd.randint(low, high)
    return "?" if 0xD800 <= code <= 0xDFFF else chr(code)


def part(rnd, added):
    kind = rnd.randrange(12)
    if kind == 0:
        return "".join(character(rnd) for _ in range(rnd.randint(1, 12)))
    if kind == 1:
        return rnd.choice(CODE)
    if kind == 2:
        return rnd.choice([character(rnd), rnd.choice(WORDS), rnd.choice(SPACES), "ab", "=-"]) * rnd.randint(2, 40)
    if kind == 3 and added:
        token = rnd.choice(added)
        return rnd.choice(["", " ", "  ", "a"]) + token[:rnd.choice([len(token), len(token), len(token) - 1])] + rnd.choice(["", " ", "b"])
    if kind == 4:
        return rnd.choice(SPACES)
    if kind == 5:
        return "".join(rnd.choice("0123456789.,") for _ in range(rnd.randint(1, 9)))
    if kind == 6:
        return unicodedata.normalize(rnd.choice(["NFC", "NFD", "NFKC", "NFKD"]), rnd.choice(WORDS))
    if kind == 7:
        return rnd.choice("'’`") + rnd.choice(["s", "S", "ll", "LL", "re", "ve", "d", "m", "t", "ſ"])
    word = rnd.choice(WORDS)
    return rnd.choice(["", " ", " "]) + rnd.choice([word, word, word.upper(), word.capitalize()])


def text(rnd, added):
    return "".join(part(rnd, added) for _ in range(rnd.choice([1, 1, 2, 3, 5, 8, 13])))


def texts(seed, count, added):
    rnd = random.Random(seed)
    return [text(rnd, added) for _ in range(count)]


def smallest(whole, differ):
    """Takes parts off while what is left still differs; `differ` answers for a list of texts at once."""
    size = max(1, len(whole) // 2)
    while True:
        shorter = [whole[:at] + whole[at + size:] for at in range(0, len(whole), size)]
        shorter = [one for one in shorter if len(one) < len(whole)][:400]
        found = next((one for one, bad in zip(shorter, differ(shorter)) if bad), None) if shorter else None
        if found is not None:
            whole = found
            size = max(1, min(size, len(whole) // 2))
        elif size == 1:
            return whole
        else:
            size = max(1, size // 2)
