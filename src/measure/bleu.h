#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::measure {

// BLEU as sacreBLEU 2.6 computes it: tokens 13a, order 4, smoothing "exp", case kept.
struct Bleu {
  double score = 0;  // 0 to 100
  std::array<double, 4> precisions{};
  double brevity_penalty = 1;
  size_t length = 0, reference_length = 0;
};

// references[i] are the references of hypothesis i, at least one each.
Bleu corpus_bleu(std::span<const std::string> hypotheses,
                 std::span<const std::vector<std::string>> references);
// One sentence, with the effective order.
Bleu sentence_bleu(std::string_view hypothesis, const std::vector<std::string>& references);
// What sacreBLEU prints to say how a score was made.
std::string bleu_signature(size_t references);

std::string tokenize_13a(std::string_view line);

}  // namespace holdfast::measure
