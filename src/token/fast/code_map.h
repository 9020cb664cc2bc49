#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "token/normalizers/normalizer.h"

namespace holdfast::token {

// What a normalizer makes of single code points, asked once each, where that is what it makes of them among
// others too. Of one thread at a time.
class CodeMap {
 public:
  static constexpr size_t bytes_max = 14;

  enum class State : uint8_t {
    unasked,
    simple,  // Always becomes the text.
    mark,    // The same, but joins the code point before it into a grapheme cluster.
    other,   // May depend on what is around it.
  };
  struct Entry {
    State state = State::unasked;
    uint8_t bytes = 0;
    std::array<char, bytes_max> text{};
  };

  enum class Works : uint8_t {
    by_code_point,  // With canonical order; puts spaces around ideographs, which are not of the text here.
    by_cluster,     // On grapheme clusters, those of 6 bytes and more code point by code point.
  };

  const Entry& of(uint32_t code, const Normalizer& normalizer, Works works) {
    std::unique_ptr<Page>& page = pages_[code >> 8U];
    if (!page) [[unlikely]]
      page = std::make_unique<Page>();
    Entry& entry = (*page)[code & 255U];
    if (entry.state == State::unasked) [[unlikely]]
      ask(code, normalizer, works, entry);
    return entry;
  }

 private:
  using Page = std::array<Entry, 256>;
  static void ask(uint32_t code, const Normalizer& normalizer, Works works, Entry& out);

  std::array<std::unique_ptr<Page>, 0x110000 / 256> pages_;
};

}  // namespace holdfast::token
