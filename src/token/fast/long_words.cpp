#include "token/fast/long_words.h"

#include <algorithm>
#include <bit>

#include "token/fast/free_merges.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

constexpr size_t stream_bytes = 16384;  // At most: what one stream makes is joined to the next.
constexpr size_t longer_parts[] = {512, 8192};

// Where a character begins: at `at` or a little before.
size_t begin_of_character(std::string_view text, size_t at) {
  if (at >= text.size()) return text.size();
  for (size_t back = 0; back < 4 && back < at; ++back)
    if (starts_code_point(text[at - back])) return at - back;
  return at;
}

}  // namespace

// A part of the text on its way from its begin to its end.
struct LongWords::Stream {
  size_t begin = 0;  // Of the whole text.
  std::string_view text;
  Tokens done;          // Ends are of this stream's text, and of
  Tokens next;          // what comes next here.
  size_t at = 0;        // The end of what is done.
  size_t furthest = 0;  // The same, before anything was taken back.
  size_t back = 1;      // Tokens that are taken back where a seam does not fit.
  size_t longer = 0;    // 0: the next part is a lane's; else which of the longer ones.
};

bool LongWords::read(const MergeLanes::Lane& lane, Tokens& out) const {
  out.ids.clear();
  out.ends.clear();
  for (uint64_t live = lane.live; live != 0;) {
    const uint32_t id = lane.ids[static_cast<size_t>(std::countr_zero(live))];
    if (!model_.has(id)) return false;
    live &= live - 1;
    out.ids.push_back(id);
    out.ends.push_back(lane.begins[live == 0 ? lane.size : static_cast<size_t>(std::countr_zero(live))]);
  }
  return true;
}

// The next part of a stream without lanes.
bool LongWords::make_longer(Stream& stream, BacktrackBpe::Room& room) const {
  const size_t end = begin_of_character(stream.text, stream.at + longer_parts[stream.longer - 1]);
  const std::string_view part = stream.text.substr(stream.at, end - stream.at);
  stream.next.ids.resize(part.size());
  stream.next.ends.resize(part.size());
  const auto count = model_.tokenize(part, stream.next.ids.data(), stream.next.ends.data(), room);
  if (!count) return false;
  stream.next.ids.resize(*count);
  stream.next.ends.resize(*count);
  take(stream, part.size(), room);
  return true;
}

// Puts down the tokens that were made of the next `bytes`, without the last ones, which depend on what comes.
void LongWords::take(Stream& stream, size_t bytes, BacktrackBpe::Room& room) const {
  constexpr size_t last = 2, taken_back_max = 32;
  Tokens &done = stream.done, &next = stream.next;
  const bool ends = stream.at + bytes == stream.text.size();
  const size_t kept = ends ? next.ids.size() : next.ids.size() - std::min(next.ids.size(), last);
  const size_t end = stream.at + (kept == 0 ? 0 : next.ends[kept - 1]);
  if (end <= stream.furthest) {
    ++stream.longer;
    return;
  }
  if (!done.ids.empty() && !model_.stand_together(done.ids.back(), next.ids[0], room.fits)) {
    const size_t left = done.ids.size() - std::min(done.ids.size(), stream.back);
    stream.back *= 2;
    done.ids.resize(left);
    done.ends.resize(left);
    stream.at = left == 0 ? 0 : done.ends.back();
    const size_t taken_back = stream.furthest - stream.at;
    if (taken_back > (stream.longer == 0 ? taken_back_max : longer_parts[stream.longer - 1] / 2))
      ++stream.longer;
    return;
  }
  for (size_t i = 0; i < kept; ++i) {
    done.ids.push_back(next.ids[i]);
    done.ends.push_back(next.ends[i] + static_cast<uint32_t>(stream.at));
  }
  stream.at = stream.furthest = end;
  stream.back = 1;
  stream.longer = 0;
}

bool LongWords::run(std::vector<Stream>& streams, std::vector<MergeLanes::Lane>& lanes,
                    BacktrackBpe::Room& room) const {
  const MergeLanes& merger = model_.lanes();
  while (true) {
    Stream* at_lane[MergeLanes::count] = {};
    size_t bytes[MergeLanes::count] = {}, used = 0;
    bool any = false;
    for (Stream& stream : streams) {
      if (stream.at == stream.text.size()) continue;
      any = true;
      if (stream.longer > std::size(longer_parts)) return false;
      if (stream.longer > 0) {
        if (!make_longer(stream, room)) return false;
        continue;
      }
      bytes[used] = merger.fill(lanes[used], stream.text.substr(stream.at));
      if (bytes[used] == 0) return false;
      at_lane[used++] = &stream;
    }
    if (!any) return true;
    merger.merge({lanes.data(), used}, instructions_);
    for (size_t i = 0; i < used; ++i) {
      if (!read(lanes[i], at_lane[i]->next)) return false;
      take(*at_lane[i], bytes[i], room);
    }
  }
}

// Appends a stream to what is done, with the tokens around the seam made again, more of them until their
// outer neighbours fit.
bool LongWords::join(std::string_view text, const Stream& next, Tokens& done,
                     BacktrackBpe::Room& room) const {
  const Tokens& made = next.done;
  const auto append = [&](const Tokens& tokens, size_t from, size_t begin) {
    done.ids.insert(done.ids.end(), tokens.ids.begin() + static_cast<std::ptrdiff_t>(from), tokens.ids.end());
    for (size_t i = from; i < tokens.ends.size(); ++i)
      done.ends.push_back(tokens.ends[i] + static_cast<uint32_t>(begin));
  };
  if (done.ids.empty() || model_.stand_together(done.ids.back(), made.ids[0], room.fits)) {
    append(made, 0, next.begin);
    return true;
  }
  Tokens middle;
  for (size_t back = 2, ahead = 2;;) {
    back = std::min(back, done.ids.size());
    ahead = std::min(ahead, made.ids.size());
    const size_t kept = done.ids.size() - back;
    const size_t begin = kept == 0 ? 0 : done.ends[kept - 1], end = next.begin + made.ends[ahead - 1];
    constexpr size_t window_max = 8192;
    if (end - begin > window_max) return false;
    middle.ids.resize(end - begin);
    middle.ends.resize(end - begin);
    const auto count =
        model_.tokenize(text.substr(begin, end - begin), middle.ids.data(), middle.ends.data(), room);
    if (!count) return false;
    middle.ids.resize(*count);
    middle.ends.resize(*count);
    const bool left_fits = kept == 0 || model_.stand_together(done.ids[kept - 1], middle.ids[0], room.fits);
    const bool right_fits =
        ahead == made.ids.size() || model_.stand_together(middle.ids.back(), made.ids[ahead], room.fits);
    if (left_fits && right_fits) {
      done.ids.resize(kept);
      done.ends.resize(kept);
      append(middle, 0, begin);
      append(made, ahead, next.begin);
      return true;
    }
    if (!left_fits) back *= 2;
    if (!right_fits) ahead *= 2;
  }
}

// Parts of many symbols each, merged at once and joined.
bool LongWords::merge_freely(const FreeMerges& merges, std::string_view text, Tokens& done,
                             BacktrackBpe::Room& room) const {
  constexpr size_t last = 3;  // Tokens of a part that are made again, as they depend on what comes.
  FreeMerges::Room merging;
  Stream part;
  Tokens& made = part.done;
  while (part.begin < text.size()) {
    merging.clear();
    const size_t bytes = merges.put(text.substr(part.begin), merging);
    if (bytes == 0 || !merges.merge(merging, instructions_)) return false;
    made.ids.resize(FreeMerges::symbols_max);
    made.ends.resize(FreeMerges::symbols_max);
    size_t count = merging.take(made.ids.data(), made.ends.data());
    if (part.begin + bytes < text.size() && count > last) count -= last;
    made.ids.resize(count);
    made.ends.resize(count);
    if (!join(text, part, done, room)) return false;
    part.begin += made.ends.back();
  }
  return true;
}

bool LongWords::tokenize(std::string_view text, std::vector<uint32_t>& ids, std::vector<uint32_t>& ends,
                         BacktrackBpe::Room& room) const {
  Tokens done;
  done.ids.swap(ids);
  done.ends.swap(ends);
  done.ids.clear();
  done.ends.clear();
  // What is not written to takes no memory, and nothing is copied as they grow.
  reserve_large(done.ids, text.size());
  reserve_large(done.ends, text.size());
  const FreeMerges* const merges =
      instructions_ >= Instructions::avx2 ? model_.free_merges(text.size()) : nullptr;
  if (merges != nullptr && merge_freely(*merges, text, done, room)) {
    done.ids.swap(ids);
    done.ends.swap(ends);
    return true;
  }
  done.ids.clear();
  done.ends.clear();
  std::vector<MergeLanes::Lane> lanes(MergeLanes::count);
  std::vector<Stream> streams(MergeLanes::count);
  const size_t step = std::clamp(text.size() / MergeLanes::count + 1, size_t{64}, stream_bytes);
  bool good = true;
  for (size_t at = 0; good && at < text.size();) {
    for (Stream& stream : streams) {
      const size_t end = begin_of_character(text, at + step);
      stream.begin = at;
      stream.text = text.substr(at, end - at);
      stream.done.ids.clear();
      stream.done.ends.clear();
      stream.at = stream.furthest = stream.longer = 0;
      stream.back = 1;
      at = end;
    }
    good = run(streams, lanes, room);
    for (const Stream& stream : streams)
      good = good && (stream.text.empty() || join(text, stream, done, room));
  }
  done.ids.swap(ids);
  done.ends.swap(ends);
  return good;
}

}  // namespace holdfast::token
