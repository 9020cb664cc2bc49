#pragma once

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

  // Calls each(end, id) for every word that ends at `end`.
  template <class Each>
  void find(std::string_view text, Each each) const {
    uint32_t state = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      state = steps_[state][static_cast<unsigned char>(text[i])];
      if (hits_begin_[state] == hits_begin_[state + 1]) continue;
      for (uint32_t hit = hits_begin_[state]; hit < hits_begin_[state + 1]; ++hit) each(i + 1, hits_[hit]);
    }
  }

 private:
  std::vector<std::array<uint16_t, 256>> steps_ = std::vector<std::array<uint16_t, 256>>(1);
  std::vector<std::vector<uint32_t>> ends_ = std::vector<std::vector<uint32_t>>(1);
  std::vector<uint32_t> hits_begin_, hits_;
};

}  // namespace holdfast::scan
