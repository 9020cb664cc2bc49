#include "token/models/model_tables.h"

#include <emmintrin.h>

#include <algorithm>
#include <bit>
#include <charconv>

#include "codec/json.h"
#include "token/models/unigram.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

// Reads JSON from front to back. Each function is false where the text is not what it reads.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  const char* at() const { return at_; }
  bool is_at_end() {
    skip_space();
    return at_ == end_;
  }
  bool is_before(char wanted) {
    skip_space();
    return at_ < end_ && *at_ == wanted;
  }
  bool take(char wanted) {
    skip_space();
    if (at_ == end_ || *at_ != wanted) return false;
    ++at_;
    return true;
  }

  // A string as it is written, without its quotes.
  bool string(std::string_view& written, bool& has_escapes) {
    if (!take('"')) return false;
    const char* const begin = at_;
    has_escapes = false;
    while (true) {
      if (!find_special()) return false;
      if (*at_ == '"') break;
      if (*at_ != '\\' || end_ - at_ < 2) return false;  // A control.
      has_escapes = true;
      at_ += 2;
    }
    written = {begin, static_cast<size_t>(at_ - begin)};
    ++at_;
    return true;
  }

  bool number(uint32_t& out) {
    skip_space();
    uint64_t value = 0;
    const char* const begin = at_;
    while (at_ < end_ && *at_ >= '0' && *at_ <= '9' && at_ - begin < 11)
      value = value * 10 + static_cast<uint64_t>(*at_++ - '0');
    out = static_cast<uint32_t>(value);
    const bool leading_zero = at_ - begin > 1 && *begin == '0';
    return at_ > begin && !leading_zero && value <= UINT32_MAX;
  }

  // A number, as Unigram reads scores. What needs more than 18 digits is for the JSON parser.
  bool score(double& out) {
    skip_space();
    const char* const begin = at_;
    const auto digits = [&] {
      const char* const first = at_;
      while (at_ < end_ && *at_ >= '0' && *at_ <= '9') ++at_;
      return static_cast<size_t>(at_ - first);
    };
    const auto take_one_of = [&](char a, char b) {
      const bool there = at_ < end_ && (*at_ == a || *at_ == b);
      at_ += there ? 1 : 0;
      return there;
    };
    take_one_of('-', '-');
    const char* const first = at_;
    const size_t whole = digits();
    if (whole == 0 || whole > 18 || (whole > 1 && *first == '0')) return false;
    const bool fraction = take_one_of('.', '.');
    if (fraction && digits() == 0) return false;
    const bool exponent = take_one_of('e', 'E');
    if (exponent) take_one_of('+', '-');
    if (exponent && digits() == 0) return false;
    if (!fraction && !exponent && *begin == '-' && *first == '0') return false;  // A whole 0 has no sign.
    if (std::from_chars(begin, at_, out).ec != std::errc()) return false;
    if (fraction || exponent) out = score_as_read(out);
    return true;
  }

  // Any value, of which only strings and brackets are looked at.
  bool skip_value() {
    skip_space();
    size_t depth = 0;
    std::string_view written;
    bool has_escapes = false;
    while (at_ < end_) {
      const char one = *at_;
      if (one == '"') {
        if (!string(written, has_escapes)) return false;
        if (depth == 0) return true;
        continue;
      }
      if ((one == ',' || one == '}' || one == ']') && depth == 0) return true;
      if (one == '{' || one == '[') ++depth;
      ++at_;
      if ((one == '}' || one == ']') && --depth == 0) return true;
    }
    return depth == 0;
  }

 private:
  void skip_space() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }

  // The next quote, backslash or control.
  bool find_special() {
    while (end_ - at_ >= 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at_));
      const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
      const __m128i special = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                           _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')), control));
      if (const auto found = static_cast<uint32_t>(_mm_movemask_epi8(special)); found != 0) {
        at_ += std::countr_zero(found);
        return true;
      }
      at_ += 16;
    }
    for (; at_ < end_; ++at_)
      if (*at_ == '"' || *at_ == '\\' || static_cast<uint8_t>(*at_) < 0x20) return true;
    return false;
  }

  const char* at_;
  const char* end_;
};

bool hex(std::string_view written, uint32_t& out) {
  out = 0;
  if (written.size() < 4) return false;
  for (const char digit : written.substr(0, 4)) {
    const char lower = static_cast<char>(digit | 0x20);
    const bool is_digit = digit >= '0' && digit <= '9', is_letter = lower >= 'a' && lower <= 'f';
    if (!is_digit && !is_letter) return false;
    out = out << 4U | static_cast<uint32_t>(is_digit ? digit - '0' : lower - 'a' + 10);
  }
  return true;
}

// What a string with escapes stands for, which is never longer, into room that does not move. False for
// halves of surrogate pairs too.
bool unescape(std::string_view written, std::vector<char>& memory, std::string_view& out) {
  std::string made;
  for (size_t at = 0; at < written.size();) {
    const size_t next = std::min(written.find('\\', at), written.size());
    made.append(written, at, next - at);
    at = next;
    if (at == written.size()) break;
    if (at + 1 >= written.size()) return false;
    const char kind = written[at + 1];
    at += 2;
    constexpr std::string_view kinds = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    if (const size_t simple = kinds.find(kind); simple != std::string_view::npos) {
      made += meanings[simple];
      continue;
    }
    uint32_t code = 0;
    if (kind != 'u' || !hex(written.substr(at), code)) return false;
    at += 4;
    if (code >= 0xD800 && code < 0xE000) {
      uint32_t low = 0;
      if (code >= 0xDC00 || !written.substr(at).starts_with("\\u") || !hex(written.substr(at + 2), low) ||
          low < 0xDC00 || low >= 0xE000)
        return false;
      at += 6;
      code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
    }
    append_utf8(made, code);
  }
  if (memory.size() + made.size() > memory.capacity()) return false;
  const size_t begin = memory.size();
  memory.insert(memory.end(), made.begin(), made.end());
  out = {memory.data() + begin, made.size()};
  return true;
}

bool read_text(Cursor& cursor, std::vector<char>& memory, std::string_view& out) {
  bool has_escapes = false;
  return cursor.string(out, has_escapes) && (!has_escapes || unescape(out, memory, out));
}

// {"token": id, …}
bool read_vocabulary(Cursor& cursor, ModelTables& out) {
  std::vector<Vocabulary::Entry> entries;
  if (!cursor.take('{')) return false;
  if (!cursor.take('}')) {
    do {
      Vocabulary::Entry entry;
      if (!read_text(cursor, out.memory, entry.first) || !cursor.take(':') || !cursor.number(entry.second))
        return false;
      entries.push_back(entry);
    } while (cursor.take(','));
    if (!cursor.take('}')) return false;
  }
  out.vocabulary = Vocabulary::of(entries);
  return out.vocabulary.has_value();
}

// [["piece", score], …]
bool read_pieces(Cursor& cursor, ModelTables& out) {
  auto& pieces = out.pieces.emplace();
  if (!cursor.take('[')) return false;
  if (cursor.take(']')) return true;
  do {
    std::pair<std::string_view, double> piece;
    if (!cursor.take('[') || !read_text(cursor, out.memory, piece.first) || !cursor.take(',') ||
        !cursor.score(piece.second) || !cursor.take(']'))
      return false;
    pieces.push_back(piece);
  } while (cursor.take(','));
  return cursor.take(']');
}

bool read_pair(Cursor& cursor, std::vector<char>& memory, ModelTables::MergePair& out) {
  return read_text(cursor, memory, out.left) && cursor.take(',') && read_text(cursor, memory, out.right) &&
         cursor.take(']');
}

// Lines of versions are for the JSON parser.
bool read_joined(Cursor& cursor, std::vector<char>& memory, ModelTables::MergePair& out) {
  std::string_view text;
  if (!read_text(cursor, memory, text) || text.starts_with("#version")) return false;
  const size_t space = text.find(' ');
  if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) return false;
  out = {text.substr(0, space), text.substr(space + 1)};
  return true;
}

// [["a", "b"], …]; early files have ["a b", …].
bool read_merges(Cursor& cursor, ModelTables& out) {
  std::vector<ModelTables::MergePair>& merges = out.merges.emplace();
  if (!cursor.take('[')) return false;
  if (cursor.take(']')) return true;
  bool first_as_pair = true;
  do {
    ModelTables::MergePair pair;
    const bool as_pair = cursor.take('[');
    if (!merges.empty() && as_pair != first_as_pair) return false;
    first_as_pair = as_pair;
    if (!(as_pair ? read_pair(cursor, out.memory, pair) : read_joined(cursor, out.memory, pair)))
      return false;
    merges.push_back(pair);
  } while (cursor.take(','));
  return cursor.take(']');
}

// Calls visit(key) at the value of each key; false where it is, or keys have escapes.
template <class Visit>
bool for_each_key(Cursor& cursor, Visit visit) {
  if (!cursor.take('{')) return false;
  if (cursor.take('}')) return true;
  do {
    std::string_view key;
    bool has_escapes = false;
    if (!cursor.string(key, has_escapes) || has_escapes || !cursor.take(':') || !visit(key)) return false;
  } while (cursor.take(','));
  return cursor.take('}');
}

}  // namespace

std::optional<SplitDocument> split_document(std::string_view text) {
  if (!is_valid_utf8(text)) return std::nullopt;
  SplitDocument out;
  const char* copied = text.data();
  // The table between here and where the cursor is then becomes `instead`.
  const auto leave_out = [&](const char* begin, const char* end, std::string_view instead) {
    out.rest.append(copied, begin).append(instead);
    copied = end;
  };
  Cursor cursor(text);
  size_t models = 0;
  const bool good = for_each_key(cursor, [&](std::string_view key) {
    if (key != "model") return cursor.skip_value();
    if (++models > 1) return false;
    return for_each_key(cursor, [&](std::string_view inner) {
      const bool vocabulary = inner == "vocab", merges = inner == "merges";
      const char* const begin = cursor.at();
      const bool is_list = vocabulary && cursor.is_before('[');
      if ((vocabulary && (out.tables.vocabulary || out.tables.pieces)) || (merges && out.tables.merges))
        return false;
      if (!vocabulary && !merges) return cursor.skip_value();
      if (out.tables.memory.capacity() == 0) out.tables.memory.reserve(text.size());
      if (!(is_list      ? read_pieces(cursor, out.tables)
            : vocabulary ? read_vocabulary(cursor, out.tables)
                         : read_merges(cursor, out.tables)))
        return false;
      leave_out(begin, cursor.at(), vocabulary && !is_list ? "{}" : "[]");
      return true;
    });
  });
  if (!good || !cursor.is_at_end() || (!out.tables.vocabulary && !out.tables.pieces)) return std::nullopt;
  out.rest.append(copied, text.data() + text.size());
  return out;
}

Result<Vocabulary> take_vocabulary(const boost::json::object& model, ModelTables* tables) {
  if (tables != nullptr && tables->vocabulary) return std::move(*tables->vocabulary);
  TRY(const boost::json::object* tokens, codec::json_object(model, "vocab"));
  return Vocabulary::load(*tokens);
}

}  // namespace holdfast::token
