"""The peers of the scanner, asked in an interpreter that has them (build/env-peers): one JSON question on standard input, one answer out.

{"ask": "picklescan", "files": [...]}: of each file, how many issues it has and its worst name's safety.
{"ask": "personal", "seed": 7, "each": 12}: sentences with personal data made by Faker, and which of them Presidio's recognisers find.
{"ask": "licenses", "expressions": [...]}: which of them license-expression validates as SPDX.
"""
import importlib.abc
import importlib.machinery
import json
import logging
import sys
import types

logging.disable(logging.CRITICAL)


def picklescan(files):
    from picklescan.scanner import scan_file_path
    out = {}
    for path in files:
        result = scan_file_path(path)
        out[path] = {"issues": result.issues_count, "failed": result.scan_err}
    return out


def without_spacy():
    """Presidio imports spaCy and thinc for its own pipeline, which nothing here runs."""
    class Any(type):
        def __getattr__(cls, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return lambda *_, **__: (lambda decorated: decorated)

    class Anything(metaclass=Any):
        pass

    class Absent(types.ModuleType):
        __path__ = []

        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return Anything

    class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
        def find_spec(self, name, path=None, target=None):
            return importlib.machinery.ModuleSpec(name, self, is_package=True) if name.split(".")[0] in ("spacy", "preshed", "thinc") else None

        def create_module(self, spec):
            return Absent(spec.name)

        def exec_module(self, module):
            pass

    sys.meta_path.insert(0, Finder())


def recognisers():
    without_spacy()
    import tldextract
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())  # The list it brings; nothing is fetched.
    from presidio_analyzer import predefined_recognizers as known
    wanted = ["CreditCardRecognizer", "EmailRecognizer", "IbanRecognizer", "UsSsnRecognizer", "UsItinRecognizer", "IpRecognizer", "PhoneRecognizer",
              "EsNifRecognizer", "ItFiscalCodeRecognizer", "PlPeselRecognizer", "FiPersonalIdentityCodeRecognizer", "NhsRecognizer", "InAadhaarRecognizer",
              "CryptoRecognizer", "UkNinoRecognizer", "AbaRoutingRecognizer", "MedicalLicenseRecognizer", "InPanRecognizer", "SgFinRecognizer", "UrlRecognizer",
              "AuTfnRecognizer", "AuAbnRecognizer", "MacAddressRecognizer"]
    return {name: getattr(known, name)() for name in wanted if hasattr(known, name)}


def verhoeff(digits):
    """The check digit of Aadhaar numbers."""
    turn = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]
    first = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
    for _ in range(7):
        turn.append([first[x] for x in turn[-1]])
    times = [[(j + i) % 5 if i < 5 and j < 5 else 5 + (j - 5 + i) % 5 if i < 5 else 5 + (i - 5 - j) % 5 if j < 5 else (i - j) % 5 for j in range(10)]
             for i in range(10)]
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = times[check][turn[(place + 1) % 8][int(digit)]]
    return str([0, 4, 3, 2, 1, 5, 6, 7, 8, 9][check])


def nhs(chance):
    while True:
        digits = [chance.randint(0, 9) for _ in range(9)]
        check = 11 - sum(d * w for d, w in zip(digits, range(10, 1, -1))) % 11
        if check != 10:
            text = "".join(map(str, digits + [check % 11]))
            return f"{text[:3]} {text[3:6]} {text[6:]}"


def makers(seed):
    import random

    from faker import Faker
    of = {name: Faker(name) for name in ("en_US", "de_DE", "en_GB", "es_ES", "it_IT", "pl_PL", "fi_FI")}
    for each in of.values():
        each.seed_instance(seed)
    us, chance = of["en_US"], random.Random(seed)
    return {
        "CreditCardRecognizer": ("I paid with my credit card {} today.", us.credit_card_number),
        "EmailRecognizer": ("Please write to {} soon.", us.email),
        "IbanRecognizer": ("Transfer it to the IBAN {} please.", of["de_DE"].iban),
        "UsSsnRecognizer": ("Her social security number is {} she says.", us.ssn),
        "UsItinRecognizer": ("His taxpayer ITIN is {} this year.", us.itin),
        "IpRecognizer": ("The server answers at ip {} only.", us.ipv4_public),
        "PhoneRecognizer": ("Call me, my phone number is {} in the evening.", lambda: us.numerify("(2##) 5##-####").replace("(20", "(21")),
        "EsNifRecognizer": ("Su DNI es {} desde entonces.", of["es_ES"].nif),
        "ItFiscalCodeRecognizer": ("Il codice fiscale {} vale.", of["it_IT"].ssn),
        "PlPeselRecognizer": ("Numer PESEL {} podano.", of["pl_PL"].pesel),
        "FiPersonalIdentityCodeRecognizer": ("Hetu {} on oikea.", of["fi_FI"].ssn),
        "NhsRecognizer": ("The NHS number {} is hers.", lambda: nhs(chance)),
        "InAadhaarRecognizer": ("His aadhaar is {} he says.", lambda: (lambda d: d + verhoeff(d))("".join(str(chance.randint(2 if i == 0 else 0, 9)) for i in range(11)))),
        "UkNinoRecognizer": ("Her national insurance number is {} now.", of["en_GB"].ssn),
        "AbaRoutingRecognizer": ("The bank's routing number is {} here.", us.aba),
        "InPanRecognizer": ("His permanent account number PAN is {} now.",
                            lambda: "".join(chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=3)) + "P" + chance.choice("ABCDEFGH") + f"{chance.randint(1, 9999):04}" + chance.choice("ABCDEFGHJK")),
        "MacAddressRecognizer": ("The card's MAC address is {} still.", us.mac_address),
    }


def personal(seed, each):
    found, rows = recognisers(), []
    for name, (sentence, make) in makers(seed).items():
        if name not in found:
            continue
        recogniser = found[name]
        for _ in range(each):
            value = str(make())
            text = sentence.format(value)
            begin = text.index(value)
            told = recogniser.analyze(text, recogniser.supported_entities, None)
            # Its context enhancer adds this to what stands near a word it knows; all sentences name their kind.
            hit = any(result.start < begin + len(value) and result.end > begin and result.score + 0.35 >= 0.4 for result in told or [])
            rows.append({"kind": name, "text": text, "found": hit})
    return rows


def licenses(expressions):
    from license_expression import get_spdx_licensing
    licensing = get_spdx_licensing()
    out = {}
    for each in expressions:
        try:
            out[each] = not licensing.validate(each).errors
        except Exception:
            out[each] = False
    return out


question = json.load(sys.stdin)
kind = question.pop("ask")
json.dump({"picklescan": picklescan, "personal": personal, "licenses": licenses}[kind](**question), sys.stdout)
