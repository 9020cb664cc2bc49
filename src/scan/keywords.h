#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace holdfast::scan {

// Finds many words in a text at once, without regard to ASCII case: the automaton of Aho and Corasick with
// every step spelled out, so a byte costs one look into a table.
class Keywords {
 public:
  // `id` is given back for each place where the word ends.
  void add(std::string_view word, uint32_t id);
  void build();

  // Calls each(end, id) for every word that ends at `end`, in their order. A step waits for the one before
  // it, so a long text is walked in several places at once.
  template <class Each>
  void find(std::string_view text, Each each) const {
    std::array<std::vector<End>, lanes> ends;
    size_t begin = 0;
    for (; text.size() - begin >= lanes * lane_bytes; begin += lanes * lane_bytes) {
      walk_lanes(text, begin, ends);
      for (std::vector<End>& lane : ends) {
        for (const End& end : lane) tell(end.at, end.state, each);
        lane.clear();
      }
    }
    uint32_t state = state_before(text, begin);
    for (size_t i = begin; i < text.size(); ++i) {
      state = step(state, text[i]);
      if (hits_begin_[state] != hits_begin_[state + 1]) tell(i + 1, state, each);
    }
  }

 private:
  static constexpr size_t lanes = 4, lane_bytes = 16 << 10;
  struct End {
    size_t at;
    uint32_t state;
  };

  uint32_t step(uint32_t state, char byte) const { return steps_[state][static_cast<unsigned char>(byte)]; }
  // No word is longer than what is looked back at.
  uint32_t state_before(std::string_view text, size_t at) const {
    uint32_t state = 0;
    for (size_t i = at - std::min(at, longest_); i < at; ++i) state = step(state, text[i]);
    return state;
  }
  template <class Each>
  void tell(size_t end, uint32_t state, Each& each) const {
    for (uint32_t hit = hits_begin_[state]; hit < hits_begin_[state + 1]; ++hit) each(end, hits_[hit]);
  }
  void walk_lanes(std::string_view text, size_t begin, std::array<std::vector<End>, lanes>& ends) const;

  size_t longest_ = 0;
  std::vector<std::array<uint16_t, 256>> steps_ = std::vector<std::array<uint16_t, 256>>(1);
  std::vector<std::vector<uint32_t>> ends_ = std::vector<std::vector<uint32_t>>(1);
  std::vector<uint32_t> hits_begin_, hits_;
};

}  // namespace holdfast::scan
