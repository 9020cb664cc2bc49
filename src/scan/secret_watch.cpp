#include "scan/secret_watch.h"

#include <algorithm>

#include "scan/secrets.h"

namespace holdfast::scan {
namespace {

constexpr size_t key_block_bytes_max = 600;  // In which a private key is told by what it has of base64.

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Where the last run begins. A run that has just ended still counts: what follows it may be what its form
// asks for. Only a password within an address may have letters beyond ASCII.
size_t last_run(std::string_view text) {
  size_t end = text.size();
  while (end > 0 && is_blank(text[end - 1])) --end;
  size_t begin = end;
  while (begin > 0 && !is_blank(text[begin - 1])) --begin;
  if (text.substr(begin, end - begin).find("://") != std::string_view::npos) return begin;
  size_t plain = end;
  while (plain > begin && static_cast<unsigned char>(text[plain - 1]) < 0x80) --plain;
  return plain;
}

// Where the mark of a key's block begins that has not gone on for long; the text's end: there is none.
size_t key_block(std::string_view text) {
  static constexpr std::string_view mark = "-----begin";
  const size_t from = text.size() - std::min(text.size(), key_block_bytes_max);
  const auto found =
      std::search(text.begin() + static_cast<ptrdiff_t>(from), text.end(), mark.begin(), mark.end(),
                  [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b; });
  return static_cast<size_t>(found - text.begin());
}

}  // namespace

bool SecretWatch::take(std::string_view more) {
  window_ += more;
  size_t hold = std::min(last_run(window_), key_block(window_));
  hold = std::max(hold, window_.size() - std::min(window_.size(), form_bytes_max));
  if (hold <= held_from_) return false;  // Nothing more to be let through.
  if (has_secret(window_, held_from_, TextEnd::goes_on)) return true;
  held_from_ = hold;
  if (held_from_ > 2 * form_bytes_max) {
    const size_t past = held_from_ - form_bytes_max;
    window_.erase(0, past);
    base_ += past;
    held_from_ -= past;
  }
  return false;
}

bool SecretWatch::end() {
  if (has_secret(window_, held_from_, TextEnd::is_all)) return true;
  held_from_ = window_.size();
  return false;
}

}  // namespace holdfast::scan
