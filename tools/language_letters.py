"""Writes src/serve/language_letters.cpp: how often the three-letter groups of a language are, counted in the translations of a Django wheel (BSD-3-Clause;
counts alone, no text). Known languages, and others beside them so that their texts are taken for none of the known ones.

usage: language_letters.py DJANGO_FOLDER > src/serve/language_letters.cpp
"""
import collections
import gettext
import math
import re
import sys
from pathlib import Path

KNOWN = "en de fr es it pt nl sv pl tr".split()
OTHERS = "da nb fi hu cs ro id hr ca sk lt et sl vi af sq eu is lv cy ga".split()
GROUPS, LEVELS, STEP = 500, 16, 0.35


def lower(c):
    n = ord(c)
    if 0x41 <= n <= 0x5A or 0xC0 <= n <= 0xDE and n != 0xD7:
        return chr(n + 32)
    if n == 0x130:
        return "i"
    if n == 0x178:
        return chr(0xFF)
    if 0x139 <= n <= 0x148 or 0x179 <= n <= 0x17E:
        return chr(n + n % 2)
    if 0x100 <= n <= 0x177 or 0x1E00 <= n <= 0x1EFF:
        return chr(n | 1)
    return c


def is_letter(c):
    n = ord(c)
    return 0x61 <= n <= 0x7A or 0xDF <= n <= 0x24F and n != 0xF7 or 0x1E00 <= n <= 0x1EFF


def groups(text):
    for word in "".join(c if is_letter(c) else " " for c in map(lower, text)).split():
        word = f" {word} "
        yield from (word[at:at + 3] for at in range(len(word) - 2))


def messages(folder, language):
    """English is what the others were translated from."""
    for file in sorted(folder.glob(f"**/locale/{'de' if language == 'en' else language}/LC_MESSAGES/*.mo")):
        for key, value in gettext.GNUTranslations(file.open("rb"))._catalog.items():
            key = key[0] if isinstance(key, tuple) else key
            text = key if language == "en" else value
            if key and (language == "en" or value != key):
                yield re.sub(r"%\(\w+\)[sd]|%[sd]|\{[^}]*\}|<[^>]*>|https?:\S+|[\d_&]", " ", text)


def main():
    folder = Path(sys.argv[1])
    print("// Written by tools/language_letters.py from the translations of Django (BSD-3-Clause, the Django Software Foundation and its\n"
          "// translators): how often groups of three letters are.\n#include \"serve/language_letters.h\"\n\nnamespace holdfast::serve {\nnamespace {\n\n"
          "constexpr LanguageLetters table[] = {")
    for language in KNOWN + OTHERS:
        counts = collections.Counter(group for text in messages(folder, language) for group in groups(text))
        total = sum(counts.values())
        of_level = [""] * LEVELS
        for group, count in sorted(counts.most_common(GROUPS)):
            of_level[min(LEVELS - 1, max(0, round((-math.log(count / total) - 3.5) / STEP)))] += group.replace(" ", "_")
        print(f'    {{"{language if language in KNOWN else ""}",\n     {{{{' + ",\n       ".join(f'"{level}"' for level in of_level) + "}}},")
    print("};\n\n}  // namespace\n\nstd::span<const LanguageLetters> language_letters() { return table; }\n\n}  // namespace holdfast::serve")


if __name__ == "__main__":
    main()
