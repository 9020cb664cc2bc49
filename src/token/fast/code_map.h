#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "token/normalizers/normalizer.h"

namespace holdfast::token {

// What a normalizer makes of single code points, asked once each, where that is what it makes of them among
// others too. Any thread: texts of many languages have thousands of them, and each thread asked for all.
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
    std::atomic<State> state = State::unasked;  // The rest is there when this is.
    uint8_t bytes = 0;
    std::array<char, bytes_max> text{};
  };

  enum class Works : uint8_t {
    by_code_point,  // With canonical order; puts spaces around ideographs, which are not of the text here.
    by_cluster,     // On grapheme clusters, those of 6 bytes and more code point by code point.
  };

  // Without a normalizer it is not asked.
  CodeMap(const Normalizer* normalizer, Works works) : normalizer_(normalizer), works_(works) {}

  const Entry& of(uint32_t code) const {
    const Page* const page = pages_[code >> 8U].load(std::memory_order_acquire);
    if (page != nullptr) [[likely]] {
      const Entry& entry = (*page)[code & 255U];
      if (entry.state.load(std::memory_order_acquire) != State::unasked) [[likely]]
        return entry;
    }
    return ask(code);
  }

 private:
  using Page = std::array<Entry, 256>;
  const Entry& ask(uint32_t code) const;
  State make(uint32_t code, std::string& out) const;

  const Normalizer* normalizer_;
  Works works_;
  mutable std::mutex mutex_;  // Of writing.
  mutable std::vector<std::unique_ptr<Page>> owned_;
  mutable std::array<std::atomic<Page*>, 0x110000 / 256> pages_{};
};

}  // namespace holdfast::token
