#include "scan/keywords.h"

#include "base/check.h"

namespace holdfast::scan {
namespace {

unsigned char lower(char c) { return static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c + 32 : c); }

}  // namespace

void Keywords::add(std::string_view word, uint32_t id) {
  longest_ = std::max(longest_, word.size());
  uint16_t state = 0;
  for (const char c : word) {
    uint16_t next = steps_[state][lower(c)];
    if (next == 0) {
      CHECK(steps_.size() < UINT16_MAX);
      next = static_cast<uint16_t>(steps_.size());
      steps_[state][lower(c)] = next;
      steps_.emplace_back();
      ends_.emplace_back();
    }
    state = next;
  }
  ends_[state].push_back(id);
}

void Keywords::build() {
  // Breadth first: where a state has no step of its own it takes the step of the longest end of its word that
  // begins another.
  std::vector<uint16_t> order = {0};
  std::vector<uint16_t> fallback(steps_.size());
  for (size_t at = 0; at < order.size(); ++at) {
    const uint16_t state = order[at];
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint16_t next = steps_[state][byte];
      const uint16_t behind = state == 0 ? uint16_t{0} : steps_[fallback[state]][byte];
      if (next == 0) {
        steps_[state][byte] = behind;
        continue;
      }
      fallback[next] = behind;
      ends_[next].insert(ends_[next].end(), ends_[behind].begin(), ends_[behind].end());
      order.push_back(next);
    }
  }
  for (auto& row : steps_)
    for (size_t upper = 'A'; upper <= 'Z'; ++upper) row[upper] = row[upper + 32];
  for (const auto& ids : ends_) {
    hits_begin_.push_back(static_cast<uint32_t>(hits_.size()));
    hits_.insert(hits_.end(), ids.begin(), ids.end());
  }
  hits_begin_.push_back(static_cast<uint32_t>(hits_.size()));
}

void Keywords::walk_lanes(std::string_view text, size_t begin,
                          std::array<std::vector<End>, lanes>& ends) const {
  std::array<uint32_t, lanes> states{};
  for (size_t lane = 0; lane < lanes; ++lane) states[lane] = state_before(text, begin + lane * lane_bytes);
  const char* const from = text.data() + begin;
  for (size_t i = 0; i < lane_bytes; ++i)
    for (size_t lane = 0; lane < lanes; ++lane) {
      const uint32_t state = step(states[lane], from[lane * lane_bytes + i]);
      states[lane] = state;
      if (hits_begin_[state] != hits_begin_[state + 1]) [[unlikely]]
        ends[lane].push_back({begin + lane * lane_bytes + i + 1, state});
    }
}

}  // namespace holdfast::scan
