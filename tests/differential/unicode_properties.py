"""Properties of regular expressions, ours against the reference's, for every code point.

`python unicode_properties.py [NAME...]` prints, for each property that both know, the code points that differ.
"""

import argparse
import json
import os
import sys

import random_calls

SCRIPTS = (
    "Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal "
    "Carian Caucasian_Albanian Chakma Cham Cherokee Chorasmian Common Coptic Cuneiform Cypriot Cypro_Minoan Cyrillic Deseret Devanagari Dives_Akuru Dogra Duployan "
    "Egyptian_Hieroglyphs Elbasan Elymaic Ethiopic Garay Georgian Glagolitic Gothic Grantha Greek Gujarati Gunjala_Gondi Gurmukhi Gurung_Khema Han Hangul Hanifi_Rohingya "
    "Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inherited Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kawi Kayah_Li Kharoshthi "
    "Khitan_Small_Script Khmer Khojki Khudawadi Kirat_Rai Lao Latin Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani Makasar Malayalam Mandaic Manichaean Marchen "
    "Masaram_Gondi Medefaidrin Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar Nabataean Nag_Mundari Nandinagari "
    "New_Tai_Lue Newa Nko Nushu Nyiakeng_Puachue_Hmong Ogham Ol_Chiki Ol_Onal Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian Old_Sogdian "
    "Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan Saurashtra "
    "Sharada Shavian Siddham SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese Sunuwar Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tamil "
    "Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Todhri Toto Tulu_Tigalari Ugaritic Unknown Vai Vithkuqi Wancho Warang_Citi Yezidi Yi Zanabazar_Square")
OTHERS = (
    "L Lu Ll Lt Lm Lo LC M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp C Cc Cf Co Cn Alpha Digit Alnum Space Upper Lower Punct Word XDigit Cntrl "
    "Graph Print Blank Alphabetic ASCII_Hex_Digit Bidi_Control Case_Ignorable Cased Changes_When_Casefolded Changes_When_Casemapped Changes_When_Lowercased "
    "Changes_When_Titlecased Changes_When_Uppercased Dash Default_Ignorable_Code_Point Deprecated Diacritic Emoji Emoji_Component Emoji_Modifier Emoji_Modifier_Base "
    "Emoji_Presentation Extended_Pictographic Extender Grapheme_Base Grapheme_Extend Grapheme_Link Hex_Digit Hyphen IDS_Binary_Operator IDS_Trinary_Operator "
    "IDS_Unary_Operator ID_Continue ID_Start ID_Compat_Math_Start ID_Compat_Math_Continue Ideographic Join_Control Logical_Order_Exception Lowercase Math "
    "Modifier_Combining_Mark Noncharacter_Code_Point Pattern_Syntax Pattern_White_Space Prepended_Concatenation_Mark Quotation_Mark Radical Regional_Indicator "
    "Sentence_Terminal Soft_Dotted Terminal_Punctuation Unified_Ideograph Uppercase Variation_Selector White_Space XID_Continue XID_Start Assigned Any ASCII "
    "Arab Cyrl Latn Hani Zyyy Zinh Grek CI IDS XIDC VS STerm EPres ExtPict Combining_Mark Gara Gukh IDSU InCB Krai MCM Newline OAlpha OMath Onao "
    "Other_Alphabetic Other_Math POSIX_Punct Sunu Todr Tutg")
CODES = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
TEXT = "".join(map(chr, CODES))


def document(name):
    return json.dumps({"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "post_processor": None, "decoder": None,
                       "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "\\p{%s}+" % name}, "behavior": "Removed", "invert": True},
                       "model": {"type": "WordLevel", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"}})


def held(offsets):
    return {code for begin, end in offsets for code in CODES[begin:end]}


def differences(program, names):
    """Yields (name, code points that only the reference has in it, those that only we have)."""
    from tokenizers import Tokenizer
    for name in names:
        theirs = held(Tokenizer.from_str(document(name)).encode(TEXT).offsets)
        row = next(iter(random_calls.got(program, {0: document(name)}, [(0, {"op": "encode", "text": TEXT})])))
        ours = held(row["offsets"]) if "offsets" in row else set()
        if ours != theirs:
            yield name, sorted(theirs - ours), sorted(ours - theirs)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--program", default=os.environ.get("HOLDFAST_PROGRAM", "build/holdfast"))
    arguments.add_argument("names", nargs="*")
    given = arguments.parse_args()
    total = 0
    for name, lacking, more in differences(given.program, given.names or [*SCRIPTS.split(), *OTHERS.split()]):
        total += 1
        print(name, "lacks", len(lacking), [hex(code) for code in lacking[:5]], "has beyond it", len(more), [hex(code) for code in more[:5]], flush=True)
    print(f"{total} properties differ")
    return total != 0


if __name__ == "__main__":
    sys.exit(main())
