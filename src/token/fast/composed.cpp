#include "token/fast/composed.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <bit>
#include <set>
#include <vector>

#include "token/fast/code_flags.h"
#include "token/unicode/properties.h"
#include "token/unicode/tables.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

// What a code point may do to a text that is to be in NFC.
enum Kind : uint8_t {
  inert,          // In NFC itself, joins nothing before it, is not put into order.
  inert_of_more,  // The same, but it has a decomposition: a mark after it may change it.
  odd,            // Not in NFC itself, or one of Hangul's letters.
  joins,          // May join the one right before it.
  first_mark,     // From here on: marks, by the rank of their combining class,
};
constexpr uint8_t joining_mark = 0x80;  // which may join what they stand after.

constexpr uint64_t all_bits = ~uint64_t{0};

struct Kinds {
  std::vector<uint8_t> of;  // 0x110000 of them.
  // By the halves of a byte: both have a bit in common where it begins code points that are not all inert.
  alignas(16) std::array<uint8_t, 16> low{}, high{};

  bool is_inert(const uint8_t* at) const { return of[decode(at).code] <= inert_of_more; }
  bool is_suspect(uint8_t byte) const { return (low[byte & 15U] & high[byte >> 4U]) != 0; }
};

uint8_t kind_of(char32_t code, const std::set<int>& orders, std::vector<char32_t>& parts) {
  if (code < 0xC0) return inert;
  if (code >= 0xAC00 && code <= 0xD7A3) return inert_of_more;  // Syllables come back as they were.
  const int order = combining_class(code);
  if (order == 0 && !may_decompose(code)) return inert;
  parts.clear();
  append_decomposed(parts, code, Decomposition::canonical);
  const bool whole = parts.size() == 1 && parts[0] == code;
  if (order != 0) {
    if (!whole) return odd;
    return static_cast<uint8_t>(first_mark + std::distance(orders.begin(), orders.find(order)));
  }
  if (whole) return inert;
  char32_t again = parts[0];
  for (size_t i = 1; i < parts.size() && again != 0; ++i) again = compose(again, parts[i]);
  return again == code && combining_class(parts[0]) == 0 ? inert_of_more : odd;
}

const Kinds& kinds() {
  static const Kinds table = [] {
    Kinds out;
    std::set<int> orders;
    for (char32_t code = 0; code < 0x110000; ++code)
      if (const int order = combining_class(code); order != 0) orders.insert(order);
    std::vector<char32_t> parts;
    out.of.resize(0x110000);
    for (char32_t code = 0; code < 0x110000; ++code) out.of[code] = kind_of(code, orders, parts);
    for (size_t i = 1; i < tables::compositions.size(); i += 3) {
      uint8_t& kind = out.of[tables::compositions[i]];
      if (kind >= first_mark)
        kind |= joining_mark;
      else
        kind = kind == inert ? joins : odd;
    }
    for (char32_t code = 0x1161; code <= 0x1175; ++code) out.of[code] = odd;
    for (char32_t code = 0x11A8; code <= 0x11C2; ++code) out.of[code] = odd;
    for (size_t i = 12; i < 16; ++i) out.high[i] = static_cast<uint8_t>(1U << (i - 12));
    for (char32_t code = 0x80; code < 0x110000; ++code) {
      if (out.of[code] <= inert_of_more) continue;
      const uint32_t lead = code < 0x800     ? 0xC0 | code >> 6U
                            : code < 0x10000 ? 0xE0 | code >> 12U
                                             : 0xF0 | code >> 18U;
      out.low[lead & 15U] |= out.high[lead >> 4U];
    }
    return out;
  }();
  return table;
}

constexpr size_t block = 64;

// The bytes of a block that begin what may not be inert.
__attribute__((target("avx2"))) uint64_t suspects_by_avx2(const Kinds& table, const uint8_t* at) {
  const __m256i half = _mm256_set1_epi8(15);
  const __m256i low = _mm256_broadcastsi128_si256(*reinterpret_cast<const __m128i*>(table.low.data()));
  const __m256i high = _mm256_broadcastsi128_si256(*reinterpret_cast<const __m128i*>(table.high.data()));
  uint64_t inert_bytes = 0;
  for (size_t i = 0; i < block; i += 32) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + i));
    const __m256i found =
        _mm256_and_si256(_mm256_shuffle_epi8(low, _mm256_and_si256(bytes, half)),
                         _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half)));
    const auto none =
        static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(found, _mm256_setzero_si256())));
    inert_bytes |= uint64_t{none} << i;
  }
  return ~inert_bytes;
}

uint64_t suspects(const Kinds& table, const uint8_t* at, size_t bytes) {
  uint64_t out = 0;
  for (size_t i = 0; i < bytes; ++i) out |= uint64_t{table.is_suspect(at[i])} << i;
  return out;
}

const uint8_t* before(const uint8_t* at) {
  do --at;
  while ((*at & 0xC0U) == 0x80U);
  return at;
}

// The end of what stays as it is at `at`, a code point that is not inert and has others before it from
// `begin` on; `at` where it may change.
const uint8_t* end_of_kept(const Kinds& table, const uint8_t* begin, const uint8_t* at, const uint8_t* end) {
  const Decoded first = decode(at);
  uint8_t kind = table.of[first.code];
  if (kind == odd || at == begin) return at;
  const char32_t base = decode(before(at)).code;
  const uint8_t base_kind = table.of[base];
  if (kind == joins) {
    const bool kept =
        base_kind != inert_of_more && (base_kind >= first_mark || compose(base, first.code) == 0);
    return kept ? at + first.bytes : at;
  }
  if (base_kind != inert && base_kind != joins) return at;
  const uint8_t* const marks = at;
  for (uint8_t last = first_mark; at < end;) {
    const Decoded mark = decode(at);
    kind = table.of[mark.code];
    if (kind < first_mark) break;
    const uint8_t order = kind & ~joining_mark;
    if (order < last || (kind != order && compose(base, mark.code) != 0)) return marks;
    last = order;
    at += mark.bytes;
  }
  return at;
}

// The first code point of [begin, end) that composing may change or join to what is before it.
const uint8_t* find_changed(const uint8_t* begin, const uint8_t* end, Instructions instructions) {
  const Kinds& table = kinds();
  for (const uint8_t* at = begin; at < end;) {
    const size_t bytes = std::min<size_t>(block, static_cast<size_t>(end - at));
    uint64_t found = bytes == block && instructions >= Instructions::avx2 ? suspects_by_avx2(table, at)
                                                                          : suspects(table, at, bytes);
    const uint8_t* next = at + bytes;
    while (found != 0) {
      const auto place = static_cast<size_t>(std::countr_zero(found));
      const uint8_t* const suspect = at + place;
      found &= found - 1;
      if (table.of[decode_wide(suspect).code] <= inert_of_more) [[likely]]
        continue;
      const uint8_t* const kept = end_of_kept(table, begin, suspect, end);
      if (kept == suspect) return suspect;
      if (kept >= at + bytes) {
        next = kept;
        break;
      }
      found &= all_bits << static_cast<size_t>(kept - at);
    }
    at = next;
  }
  return end;
}

const uint8_t* bytes_of(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }
std::string_view part_of(const uint8_t* begin, const uint8_t* end) {
  return {reinterpret_cast<const char*>(begin), static_cast<size_t>(end - begin)};
}

}  // namespace

bool is_surely_composed(std::string_view text, Instructions instructions) {
  const uint8_t* const end = bytes_of(text) + text.size();
  return find_changed(bytes_of(text), end, instructions) == end;
}

void CodeOrigins::put(uint32_t code, const std::vector<Span>& spans, uint32_t after) {
  regions_.push_back({code, static_cast<uint32_t>(spans.size()), after, spans_.size()});
  spans_.insert(spans_.end(), spans.begin(), spans.end());
}

Span CodeOrigins::of_one(uint32_t code) const {
  const auto next =
      std::upper_bound(regions_.begin(), regions_.end(), code,
                       [](uint32_t asked, const Region& region) { return asked < region.code; });
  if (next == regions_.begin()) return {code, code + 1};
  const Region& region = *(next - 1);
  const uint32_t place = code - region.code;
  if (place < region.count) return spans_[region.spans + place];
  const uint32_t origin = region.after + place - region.count;
  return {origin, origin + 1};
}

Span CodeOrigins::of(Span codes) const { return {of_one(codes.begin).begin, of_one(codes.end - 1).end}; }

void compose_into(std::string_view text, std::string& out, CodeOrigins* origins, Instructions instructions) {
  const Kinds& table = kinds();
  const uint8_t *const begin = bytes_of(text), *const end = begin + text.size();
  out.clear();
  const uint8_t* done = begin;
  uint32_t codes = 0, codes_before = 0;  // Composed, and before that.
  while (done < end) {
    const uint8_t* const changed = find_changed(done, end, instructions);
    if (changed == end) break;
    // What is before, back to an inert one, may take part; the first inert one after does not, but ends what
    // does.
    const uint8_t* from = changed;
    do {
      if (from == done) break;
      from = before(from);
    } while (!table.is_inert(from));
    const uint8_t* to = changed;
    while (to < end && !table.is_inert(to)) to += decode(to).bytes;
    out += part_of(done, from);
    NormalizedText part(part_of(from, to));
    part.compose(Decomposition::canonical);
    out += part.text();
    if (origins != nullptr) {
      const auto kept = static_cast<uint32_t>(count_code_points(part_of(done, from)));
      codes += kept;
      codes_before += kept;
      std::vector<Span> spans;
      for_each_code_point(part.text(), [&](char32_t, size_t at, size_t bytes) {
        const Span bytes_before = part.origin(at, at + bytes);
        const auto code_at = [&](uint32_t byte) {
          return codes_before + static_cast<uint32_t>(count_code_points(part_of(from, from + byte)));
        };
        spans.push_back({code_at(bytes_before.begin), code_at(bytes_before.end)});
      });
      codes_before += static_cast<uint32_t>(count_code_points(part_of(from, to)));
      origins->put(codes, spans, codes_before);
      codes += static_cast<uint32_t>(spans.size());
    }
    done = to;
  }
  out += part_of(done, end);
}

}  // namespace holdfast::token
