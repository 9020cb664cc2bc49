#include "model/speech/speech_segments.h"

#include <cmath>

namespace holdfast::model {

WindowEnd end_window(std::span<const TokenId> written, TokenId first_time, double length) {
  const auto is_time = [&](size_t at) { return written[at] >= first_time; };
  const size_t count = written.size();
  // A lone time at the end: nothing was said after it.
  const bool is_over = count >= 2 && is_time(count - 1) && !is_time(count - 2);
  size_t cut = 0;
  for (size_t at = 0; at + 1 < count; ++at)
    if (is_time(at) && is_time(at + 1)) cut = at + 1;
  if (cut == 0 || is_over) return {count, length};
  const auto next = static_cast<double>(written[cut - 1] - first_time);
  // A window that ended where it began would be read for ever.
  return {cut + 1, next > 0 ? next : length};
}

std::vector<SpeechChunk> cut_chunks(std::span<const TokenId> written, TokenId first_time, double step,
                                    double window) {
  std::vector<SpeechChunk> out;
  SpeechChunk chunk;
  double latest = 0, before_latest = 0, passed = 0;
  for (size_t at = 0; at < written.size(); ++at) {
    const TokenId token = written[at];
    if (token < first_time) {
      chunk.words.push_back(token);
      continue;
    }
    const double time = static_cast<double>(token - first_time) * step;
    if (time < latest) {
      const bool was_over = at >= 2 && !(written[at - 1] >= first_time && written[at - 2] >= first_time);
      if (was_over) {
        passed += step * window;
      } else {
        latest = before_latest;
        passed += before_latest;
      }
    }
    before_latest = latest;
    latest = time;
    const double whole = std::nearbyint((time + passed) * 100) / 100;
    if (!chunk.from) {
      chunk.from = whole;
    } else if (whole != *chunk.from) {
      chunk.to = whole;
      out.push_back(std::move(chunk));
      chunk = {};
    }
  }
  if (!chunk.words.empty()) out.push_back(std::move(chunk));
  return out;
}

}  // namespace holdfast::model
