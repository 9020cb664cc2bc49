#include "token/fast/composed.h"

#include <emmintrin.h>

#include <vector>

#include "token/fast/code_flags.h"
#include "token/normalized_text.h"
#include "token/unicode/properties.h"
#include "token/unicode/tables.h"

namespace holdfast::token {
namespace {

// 1 for code points that are themselves in NFC and neither join what is before them nor are put into order.
const std::vector<uint8_t>& inert_table() {
  static const std::vector<uint8_t> table = [] {
    std::vector<uint8_t> out(0x110000, 1);
    std::vector<char32_t> parts;
    for (char32_t code = 0xC0; code < out.size(); ++code) {
      if (code >= 0xAC00 && code <= 0xD7A3) continue;  // Syllables come back as they were.
      if (combining_class(code) != 0) {
        out[code] = 0;
        continue;
      }
      parts.clear();
      append_decomposed(parts, code, Decomposition::canonical);
      if (parts.size() == 1 && parts[0] == code) continue;
      char32_t whole = parts[0];
      for (size_t i = 1; i < parts.size() && whole != 0; ++i) whole = compose(whole, parts[i]);
      out[code] = whole == code && combining_class(parts[0]) == 0;
    }
    for (size_t i = 1; i < tables::compositions.size(); i += 3) out[tables::compositions[i]] = 0;
    for (char32_t code = 0x1161; code <= 0x1175; ++code) out[code] = 0;
    for (char32_t code = 0x11A8; code <= 0x11C2; ++code) out[code] = 0;
    return out;
  }();
  return table;
}

// The first code point that is not inert, from `at`.
const uint8_t* end_of_inert(const uint8_t* at, const uint8_t* end, const std::vector<uint8_t>& inert) {
  while (at < end) {
    while (end - at >= 16 && _mm_movemask_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))) == 0)
      at += 16;
    if (at == end) break;
    if (*at < 0x80) {
      ++at;
      continue;
    }
    const Decoded wide = decode_wide(at);
    if (inert[wide.code] == 0) return at;
    at += wide.bytes;
  }
  return end;
}

const uint8_t* bytes_of(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

}  // namespace

bool is_surely_composed(std::string_view text) {
  const uint8_t* const end = bytes_of(text) + text.size();
  return end_of_inert(bytes_of(text), end, inert_table()) == end;
}

void compose_into(std::string_view text, std::string& out) {
  const std::vector<uint8_t>& inert = inert_table();
  const uint8_t *const begin = bytes_of(text), *const end = begin + text.size();
  out.clear();
  const uint8_t* done = begin;
  while (done < end) {
    const uint8_t* const odd = end_of_inert(done, end, inert);
    if (odd == end) break;
    // The character before may take part; the first inert one after does not, but ends what does.
    const uint8_t* from = odd;
    while (from > done && (*--from & 0xC0U) == 0x80U) {
    }
    const uint8_t* to = odd;
    while (to < end && inert[decode(to).code] == 0) to += decode(to).bytes;
    out.append(reinterpret_cast<const char*>(done), static_cast<size_t>(from - done));
    NormalizedText part({reinterpret_cast<const char*>(from), static_cast<size_t>(to - from)});
    part.compose(Decomposition::canonical);
    out += part.text();
    done = to;
  }
  out.append(reinterpret_cast<const char*>(done), static_cast<size_t>(end - done));
}

}  // namespace holdfast::token
