#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::cli {

// The data of the example application: short messages to a support desk, made from a seed.
struct SupportMessage {
  std::string id, text, intent, kind, length, tone;
  std::string pattern;  // Which parts the text was made of; at most support_pattern_uses messages share one.
};

inline constexpr size_t support_pattern_uses = 4;
inline constexpr double support_label_noise =
    0.075;  // Messages that carry another intent than the one they were made for.

struct SupportData {
  std::vector<SupportMessage> train, validation, test;
  std::vector<SupportMessage> week2;  // The same intents in other words.
};

// The same seed gives the same data on every machine. No two texts are equal.
SupportData make_support_data(uint64_t seed);

}  // namespace holdfast::cli
