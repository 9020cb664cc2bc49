#pragma once

#include <optional>
#include <span>
#include <vector>

#include "model/generation/settings.h"

namespace holdfast::model {

// Of what was written of one window of a sound, times among it: what counts, and where the next window
// begins, in steps from this one's begin. A piece that was cut off is read again.
struct WindowEnd {
  size_t kept = 0;  // Of the tokens.
  double next = 0;
};
// As transformers' generate goes through sounds (5.23). `first_time`: the token of the window's begin;
// `length`: of the window, in steps.
WindowEnd end_window(std::span<const TokenId> written, TokenId first_time, double length);

// A part of what was said, in seconds; without an end where the model told none.
struct SpeechChunk {
  std::optional<double> from, to;
  std::vector<TokenId> words;
};
// The windows' tokens one after the other, cut at their times, as transformers' tokenizer does it (5.23): a
// time that runs backwards is of the next window. `step`: seconds; `window`: steps.
std::vector<SpeechChunk> cut_chunks(std::span<const TokenId> written, TokenId first_time, double step,
                                    double window);

}  // namespace holdfast::model
