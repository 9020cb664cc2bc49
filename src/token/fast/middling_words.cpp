#include "token/fast/middling_words.h"

#include <algorithm>
#include <array>

#include "token/fast/free_merges.h"

namespace holdfast::token {
namespace {

bool is_ascii(std::string_view text) {
  uint8_t all = 0;
  for (const char letter : text) all |= static_cast<uint8_t>(letter);
  return all < 0x80;
}

}  // namespace

// A word on its way from its begin to its end.
struct MiddlingWords::Part {
  BpeJob* job = nullptr;  // Its tokens are those that are done.
  size_t at = 0;          // Their end.
  size_t furthest = 0;    // The same, before anything was taken back.
  size_t back = 1;        // Tokens that are taken back where a seam does not fit.
  size_t bytes = 0;       // In the lane.
};

// Puts down the tokens that were made of what is in the lane, without the last ones, which depend on what
// comes. False where the word is given up.
bool MiddlingWords::take(Part& part, const MergeLanes::Lane& lane, FitCache& fits) const {
  constexpr size_t last = 2, taken_back_max = 32;
  std::array<uint32_t, MergeLanes::symbols_max> ids, ends;
  BpeJob& job = *part.job;
  const bool is_end = part.at + part.bytes == job.text.size();
  if (part.at == 0 && is_end) {  // What merging says, of all of it.
    job.count = lane.put_tokens(job.ids, job.ends);
    part.at = job.text.size();
    return true;
  }
  const size_t count = lane.put_tokens(ids.data(), ends.data());
  if (!std::all_of(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count),
                   [this](uint32_t id) { return model_.has(id); }))
    return false;
  const size_t kept = is_end ? count : count - std::min(count, last);
  const size_t end = part.at + (kept == 0 ? 0 : ends[kept - 1]);
  if (end <= part.furthest) return false;
  if (job.count > 0 && !model_.stand_together(job.ids[job.count - 1], ids[0], fits)) {
    job.count -= std::min(job.count, part.back);
    part.back *= 2;
    part.at = job.count == 0 ? 0 : job.ends[job.count - 1];
    return part.furthest - part.at <= taken_back_max;
  }
  for (size_t i = 0; i < kept; ++i) {
    job.ids[job.count] = ids[i];
    job.ends[job.count++] = ends[i] + static_cast<uint32_t>(part.at);
  }
  part.at = part.furthest = end;
  part.back = 1;
  return true;
}

void MiddlingWords::tokenize(std::span<BpeJob> jobs, FitCache& fits) const {
  if (instructions_ >= Instructions::avx2) {
    size_t bytes = 0;
    for (const BpeJob& job : jobs) bytes += job.is_done ? 0 : job.text.size();
    const FreeMerges* const merges = bytes == 0 ? nullptr : model_.free_merges(bytes);
    if (merges != nullptr) merges->run(jobs, instructions_);
  }
  std::array<MergeLanes::Lane, MergeLanes::count> lanes;
  std::array<Part, MergeLanes::count> parts;
  size_t active = 0, next = 0;
  const auto fill = [&](size_t i) {
    Part& part = parts[i];
    part.bytes = model_.lanes().fill(lanes[i], part.job->text.substr(part.at));
    if (part.bytes == 0) part.job->count = 0;
    return part.bytes > 0;
  };
  const auto fill_with_next = [&](size_t i) {
    for (; next < jobs.size(); ++next) {
      if (jobs[next].is_done || !is_ascii(jobs[next].text)) continue;
      parts[i] = {.job = &jobs[next]};
      if (!fill(i)) continue;
      ++next;
      return true;
    }
    return false;
  };
  while (active < lanes.size() && fill_with_next(active)) ++active;
  while (active > 0) {
    model_.lanes().merge({lanes.data(), active}, instructions_);
    for (size_t i = active; i-- > 0;) {
      Part& part = parts[i];
      const bool good = take(part, lanes[i], fits);
      part.job->is_done = good && part.at == part.job->text.size();
      if (!good) part.job->count = 0;
      const bool goes_on = good && !part.job->is_done && fill(i);
      if (goes_on || fill_with_next(i)) continue;
      // The last one, which is through with its turn, takes the place.
      parts[i] = parts[--active];
      if (i < active) lanes[i] = lanes[active];
    }
  }
}

}  // namespace holdfast::token
