#include "serve/prompt_check.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "serve/language_letters.h"

namespace holdfast::serve {
namespace {

constexpr size_t looked_at_bytes_max = 256 << 10, hidden_min = 4, words_between = 7;

using Words = std::span<const std::string_view>;

constexpr std::string_view turning[] = {
    "ignore",    "disregard",   "forget",  "override",  "bypass", "neglect",  // en
    "ignoriere", "ignorieren",  "vergiss", "missachte",                       // de
    "ignorez",   "oubliez",     "oublie",                                     // fr
    "ignora",    "olvida",      "ignorad", "dimentica", "ignore", "esqueca",  // es, it, pt
    "negeer",    "vergeet",                                                   // nl
    "игнорируй", "игнорируйте", "забудь",  "забудьте"};                       // ru
constexpr std::string_view earlier[] = {
    "previous",   "prior",   "above",       "earlier",    "preceding",  "foregoing",  "system",
    "original",   "initial", "all",         "your",       "any",        "vorherigen", "obigen",
    "bisherigen", "alle",    "precedentes", "precedente", "anteriores", "anterior",   "todas",
    "tutte",      "toutes",  "vorige",      "eerdere",    "предыдущие", "все",        "прежние"};
constexpr std::string_view orders[] = {
    "instructions", "instruction", "prompt",      "prompts",     "rules",         "guidelines", "directions",
    "directives",   "commands",    "anweisungen", "regeln",      "instrucciones", "reglas",     "istruzioni",
    "instrucoes",   "consignes",   "regles",      "instructies", "инструкции",    "правила",    "указания"};
constexpr std::string_view behind[] = {"previous",   "above",    "earlier",    "precedentes", "precedente",
                                       "anteriores", "anterior", "precedenti", "vorige"};
constexpr std::string_view showing[] = {"reveal", "show",  "print", "repeat", "output", "display", "tell",
                                        "leak",   "write", "give",  "expose", "recite", "dump"};
constexpr std::string_view secret[] = {"system", "hidden", "initial", "original", "secret", "internal"};
constexpr std::string_view told[] = {"prompt", "instructions", "message", "directives", "rules"};
constexpr std::string_view playing[] = {"act", "pretend", "behave", "roleplay", "respond", "answer", "you"};
constexpr std::string_view lacking[] = {"without", "unrestricted", "unfiltered", "jailbroken", "uncensored"};
constexpr std::string_view bounds[] = {"restrictions", "filters",    "limitations",
                                       "guidelines",   "censorship", "safeguards"};
constexpr std::string_view marks[] = {"<|im_start|>",    "<|im_end|>",      "<|start_header_id|>",
                                      "<|eot_id|>",      "[inst]",          "[/inst]",
                                      "<<sys>>",         "<|system|>",      "<|assistant|>",
                                      "<start_of_turn>", "<|start|>system", "<|endoftext|>"};

bool among(Words list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// Letters that look like one of ASCII, and accents, as that one; anything else as it is.
char32_t plain(char32_t c) {
  if (c >= 0xFF01 && c <= 0xFF5E) c -= 0xFEE0;
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  struct Alike {
    const char32_t* from;
    char32_t to;
  };
  static constexpr Alike alike[] = {
      {U"áàâäãåÁÀÂÄÃÅ", 'a'}, {U"éèêëÉÈÊË", 'e'}, {U"íìîïÍÌÎÏ", 'i'}, {U"óòôöõÓÒÔÖÕ", 'o'},
      {U"úùûüÚÙÛÜ", 'u'},     {U"çÇ", 'c'},       {U"ñÑ", 'n'}};
  for (const Alike& one : alike)
    for (const char32_t* from = one.from; *from != 0; ++from)
      if (*from == c) return one.to;
  if (c >= 0x0410 && c <= 0x042F) return c + 0x20;  // Cyrillic capitals.
  return c;
}

// Of a Cyrillic letter the Latin one that it looks like; 0: none.
char32_t latin_twin(char32_t c) {
  switch (c) {
    case U'а':
      return 'a';
    case U'е':
      return 'e';
    case U'о':
      return 'o';
    case U'р':
      return 'p';
    case U'с':
      return 'c';
    case U'у':
      return 'y';
    case U'х':
      return 'x';
    case U'і':
      return 'i';
    default:
      return 0;
  }
}

bool is_hidden(char32_t c) {
  return c == 0x200B || c == 0x2060 || c == 0x180E || c == 0xFEFF || c == 0x00AD ||
         (c >= 0x202A && c <= 0x202E) || (c >= 0xE0000 && c <= 0xE007F);
}

bool is_letter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c > 0x7F; }
bool is_space(char32_t c) { return c >= 0x2000 && c <= 0x206F; }  // And other punctuation of that block.

void append(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

// The next character; a byte that begins none is one by itself.
char32_t next(std::string_view text, size_t& at) {
  const auto byte = static_cast<uint8_t>(text[at]);
  const size_t length = byte < 0x80 ? 1 : byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
  if (length == 1 || at + length > text.size()) {
    ++at;
    return byte;
  }
  char32_t c = byte & (0xFF >> (length + 1));
  for (size_t i = 1; i < length; ++i) c = (c << 6) | (static_cast<uint8_t>(text[at + i]) & 0x3F);
  at += length;
  return c;
}

struct Reading {
  std::string smooth;                             // Lower case, without what nobody sees.
  std::vector<std::string> words;                 // Of it; one that mixes alphabets in its Latin look.
  std::vector<std::pair<size_t, size_t>> places;  // Of the words, in the text;
  std::vector<size_t> letters;                    // of each of their letters its begin.
  bool open = false;                              // The last word is not known to end.
  size_t hidden = 0;
};

Reading read_whole(std::string_view text) {
  Reading out;
  std::u32string word;
  size_t word_begin = 0, word_end = 0;
  const auto end_word = [&] {
    if (word.empty()) return;
    const bool latin = std::any_of(word.begin(), word.end(), [](char32_t c) { return c >= 'a' && c <= 'z'; });
    std::string made;
    for (const char32_t c : word) append(made, latin && latin_twin(c) != 0 ? latin_twin(c) : c);
    out.words.push_back(std::move(made));
    out.places.emplace_back(word_begin, word_end);
    word.clear();
  };
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t raw = next(text, at);
    if (is_hidden(raw)) {
      ++out.hidden;
      continue;
    }
    const char32_t c = plain(raw);
    append(out.smooth, c);
    if (!is_letter(c) || is_space(c)) {
      end_word();
      continue;
    }
    if (word.empty()) word_begin = begin;
    word += c;
    word_end = at;
    out.letters.push_back(begin);
  }
  out.open = !word.empty();
  end_word();
  return out;
}

// The ends matter most: what turns a model stands at the begin or behind a long document.
Reading read(std::string_view text) {
  if (text.size() <= looked_at_bytes_max) return read_whole(text);
  return read_whole(std::string(text.substr(0, looked_at_bytes_max / 2)) + ' ' +
                    std::string(text.substr(text.size() - looked_at_bytes_max / 2)));
}

// A word of each list in this order, each within a few words of the first.
bool in_order(const std::vector<std::string>& words, Words first, Words second, Words third) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (!among(first, words[i])) continue;
    bool found = false;
    for (size_t j = i + 1; j < words.size() && j <= i + words_between; ++j) {
      if (found && among(third, words[j])) return true;
      found = found || among(second, words[j]);
    }
  }
  return false;
}

bool plays_a_role(const std::vector<std::string>& words) {
  if (in_order(words, playing, lacking, bounds)) return true;
  for (size_t i = 0; i + 2 < words.size(); ++i) {
    if (words[i] == "do" && words[i + 1] == "anything" && words[i + 2] == "now") return true;
    if (words[i] != "you" || (words[i + 1] != "are" && words[i + 1] != "re") || words[i + 2] != "now")
      continue;
    for (size_t j = i + 3; j < words.size() && j <= i + words_between; ++j)
      if (words[j] == "dan" || words[j] == "unrestricted" || words[j] == "jailbroken" ||
          words[j] == "unfiltered" || words[j] == "uncensored")
        return true;
  }
  return false;
}

// The most frequent words of languages that share a script.
struct Language {
  std::string_view code;
  std::array<std::string_view, 14> words;
};
constexpr Language latin_languages[] = {
    {"en",
     {"the", "and", "of", "to", "is", "that", "it", "was", "for", "with", "this", "are", "what", "you"}},
    {"de",
     {"der", "die", "und", "das", "ist", "nicht", "ein", "eine", "ich", "mit", "auf", "wie", "von", "zu"}},
    {"fr", {"le", "les", "et", "est", "une", "des", "du", "que", "pas", "pour", "dans", "vous", "je", "sur"}},
    {"es", {"el", "los", "las", "y", "es", "una", "que", "por", "para", "con", "del", "como", "esta", "no"}},
    {"it",
     {"il", "gli", "che", "e", "di", "una", "per", "non", "sono", "con", "della", "questo", "come", "ma"}},
    {"pt", {"o", "os", "as", "uma", "que", "nao", "para", "com", "um", "em", "do", "da", "isso", "voce"}},
    {"nl", {"de", "het", "een", "en", "van", "is", "niet", "dat", "ik", "met", "voor", "zijn", "wat", "op"}},
    {"sv", {"och", "att", "det", "som", "en", "ar", "jag", "inte", "pa", "med", "for", "den", "vad", "av"}},
    {"pl", {"i", "w", "nie", "na", "sie", "jest", "z", "to", "do", "ze", "jak", "co", "czy", "dla"}},
    {"tr",
     {"ve", "bir", "bu", "da", "de", "ne", "icin", "ile", "mi", "cok", "ama", "gibi", "var", "olarak"}}};
constexpr std::string_view script_languages[] = {"ru", "uk", "el", "he", "ar", "hi", "th", "ko", "ja", "zh"};

struct Scripts {
  size_t latin = 0, cyrillic = 0, ukrainian = 0, greek = 0, hebrew = 0, arabic = 0, devanagari = 0, thai = 0,
         hangul = 0, kana = 0, han = 0, letters = 0;
};

Scripts count_scripts(std::string_view text) {
  Scripts out;
  const auto within = [](char32_t c, char32_t from, char32_t to) { return c >= from && c <= to; };
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next(text, at);
    size_t* into = nullptr;
    if (within(c, 'a', 'z') || within(c, 'A', 'Z') || within(c, 0xC0, 0x24F)) into = &out.latin;
    if (within(c, 0x0400, 0x04FF)) into = &out.cyrillic;
    if (c == U'і' || c == U'ї' || c == U'є' || c == U'ґ') ++out.ukrainian;
    if (within(c, 0x0370, 0x03FF)) into = &out.greek;
    if (within(c, 0x0590, 0x05FF)) into = &out.hebrew;
    if (within(c, 0x0600, 0x06FF)) into = &out.arabic;
    if (within(c, 0x0900, 0x097F)) into = &out.devanagari;
    if (within(c, 0x0E00, 0x0E7F)) into = &out.thai;
    if (within(c, 0xAC00, 0xD7AF)) into = &out.hangul;
    if (within(c, 0x3040, 0x30FF)) into = &out.kana;
    if (within(c, 0x4E00, 0x9FFF)) into = &out.han;
    if (into == nullptr) continue;
    ++*into;
    ++out.letters;
  }
  return out;
}

struct WordsGuess {
  std::string_view code;  // Empty: they decide nothing.
  size_t hits = 0;
};
WordsGuess latin_language(const std::vector<std::string>& words) {
  size_t best = 0, second = 0;
  std::string_view code;
  for (const Language& language : latin_languages) {
    const size_t hits = static_cast<size_t>(std::count_if(
        words.begin(), words.end(), [&](const std::string& word) { return among(language.words, word); }));
    if (hits > best) {
      second = std::exchange(best, hits);
      code = language.code;
    } else {
      second = std::max(second, hits);
    }
  }
  constexpr size_t hits_min = 2;
  return {best >= hits_min && best > second ? code : std::string_view(), best};
}

// By letters where those are sure. Words mislead where there are few: "I do not" has two of Polish.
std::string_view latin_language(std::string_view text) {
  constexpr size_t hits_alone = 5;
  const LettersGuess letters = language_by_letters(text);
  if (letters.sure) return letters.code;
  const WordsGuess words = latin_language(read(text).words);
  return words.hits >= hits_alone || words.code == letters.code ? words.code : std::string_view();
}

}  // namespace

std::string_view sign_name(InputSign sign) {
  switch (sign) {
    case InputSign::disregard:
      return "disregard_instructions";
    case InputSign::instructions:
      return "reveal_instructions";
    case InputSign::role:
      return "unrestricted_role";
    case InputSign::template_words:
      return "template_words";
    case InputSign::hidden:
      return "hidden_characters";
  }
  return "disregard_instructions";
}

std::optional<InputSign> find_sign(std::string_view text, TextPlace place) {
  const Reading reading = read(text);
  if (in_order(reading.words, turning, earlier, orders)) return InputSign::disregard;
  // Where the adjective follows: "ignora las instrucciones anteriores".
  if (in_order(reading.words, turning, orders, behind)) return InputSign::disregard;
  if (in_order(reading.words, showing, secret, told)) return InputSign::instructions;
  if (plays_a_role(reading.words)) return InputSign::role;
  if (place == TextPlace::turn)
    for (const std::string_view mark : marks)
      if (reading.smooth.find(mark) != std::string::npos) return InputSign::template_words;
  if (reading.hidden >= hidden_min) return InputSign::hidden;
  return std::nullopt;
}

std::string_view language_of(std::string_view text) {
  constexpr size_t letters_min = 6, script_letters_min = 2;
  const Scripts scripts = count_scripts(text.substr(0, looked_at_bytes_max));
  const auto most = [&](size_t count) { return count * 2 > scripts.letters && count >= script_letters_min; };
  if (most(scripts.latin)) return scripts.latin < letters_min ? "" : latin_language(text);
  if (most(scripts.cyrillic)) return scripts.ukrainian > 0 ? "uk" : "ru";
  if (most(scripts.greek)) return "el";
  if (most(scripts.hebrew)) return "he";
  if (most(scripts.arabic)) return "ar";
  if (most(scripts.devanagari)) return "hi";
  if (most(scripts.thai)) return "th";
  if (most(scripts.hangul)) return "ko";
  if (most(scripts.kana + scripts.han)) return scripts.kana * 10 > scripts.han ? "ja" : "zh";
  return "";
}

std::vector<std::string> plain_words(std::string_view text) { return read_whole(text).words; }

WordPlaces plain_word_places(std::string_view text) {
  Reading reading = read_whole(text);
  WordPlaces out{.words = {}, .letters = std::move(reading.letters), .open = reading.open};
  for (size_t i = 0; i < reading.words.size(); ++i)
    out.words.push_back({std::move(reading.words[i]), reading.places[i].first, reading.places[i].second});
  return out;
}

std::string latin_look(std::string_view plain_word) {
  std::string out;
  for (size_t at = 0; at < plain_word.size();) {
    const char32_t c = next(plain_word, at);
    append(out, latin_twin(c) != 0 ? latin_twin(c) : c);
  }
  return out;
}

bool is_known_language(std::string_view code) {
  return among(script_languages, code) ||
         std::any_of(std::begin(latin_languages), std::end(latin_languages),
                     [&](const Language& language) { return language.code == code; });
}

}  // namespace holdfast::serve
