#include "net/message.h"

#include <algorithm>
#include <charconv>

#include "codec/percent.h"

namespace holdfast::net {
namespace {

constexpr size_t query_pairs_max = 1024;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::optional<uint64_t> digits(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool same_name(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, {}, lower, lower);
}

void Headers::set(std::string name, std::string value) {
  std::erase_if(fields_, [&](const auto& field) { return same_name(field.first, name); });
  add(std::move(name), std::move(value));
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const auto& [key, value] : fields_)
    if (same_name(key, name)) return value;
  return std::nullopt;
}

Query Query::parse(std::string_view raw) {
  Query query;
  while (!raw.empty() && query.pairs_.size() < query_pairs_max) {
    const std::string_view pair = raw.substr(0, raw.find('&'));
    raw.remove_prefix(std::min(raw.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    std::string name = codec::form_decode(pair.substr(0, equals));
    if (name.size() > 2 && name.ends_with("[]")) name.resize(name.size() - 2);
    query.pairs_.emplace_back(std::move(name), equals == std::string_view::npos
                                                   ? std::string()
                                                   : codec::form_decode(pair.substr(equals + 1)));
  }
  return query;
}

std::optional<std::string_view> Query::find(std::string_view name) const {
  for (const auto& [key, value] : pairs_)
    if (key == name) return value;
  return std::nullopt;
}

std::vector<std::string_view> Query::all(std::string_view name) const {
  std::vector<std::string_view> found;
  for (const auto& [key, value] : pairs_)
    if (key == name) found.push_back(value);
  return found;
}

bool Query::flag(std::string_view name) const {
  const auto value = find(name);
  return value && (value->empty() || *value == "1" || same_name(*value, "true"));
}

std::string_view Request::capture(std::string_view name) const {
  for (const auto& [key, value] : captures)
    if (key == name) return value;
  return {};
}

std::string_view Request::path() const { return std::string_view(target).substr(0, target.find('?')); }

Query Request::query() const {
  const size_t mark = target.find('?');
  if (mark == std::string::npos) return {};
  return Query::parse(std::string_view(target).substr(mark + 1));
}

std::string sse_event(std::string_view name, std::string_view data) {
  std::string out;
  out.reserve(name.size() + data.size() + 24);
  if (!name.empty()) out.append("event: ").append(name).append("\n");
  while (true) {
    // CR, LF and CRLF all end a line in an event stream.
    const size_t end = data.find_first_of("\r\n");
    out.append("data: ").append(data.substr(0, end)).append("\n");
    if (end == std::string_view::npos) break;
    data.remove_prefix(end + (data.substr(end).starts_with("\r\n") ? 2 : 1));
  }
  return out += '\n';
}

Result<std::optional<ByteRange>> parse_range(std::string_view header, uint64_t size) {
  const std::optional<ByteRange> whole;
  header = trim(header);
  if (header.size() < 6 || !same_name(header.substr(0, 6), "bytes=")) return whole;
  header = trim(header.substr(6));
  const size_t dash = header.find('-');
  // What RFC 9110 calls invalid is ignored, as a header that is not there.
  if (dash == std::string_view::npos || header.find(',') != std::string_view::npos) return whole;
  const std::string_view from = trim(header.substr(0, dash)), to = trim(header.substr(dash + 1));
  const auto first = digits(from), last = digits(to);
  if ((!from.empty() && !first) || (!to.empty() && !last) || (!first && !last)) return whole;
  if (!first) {  // The last n bytes.
    if (*last == 0 || size == 0) return fail(Reason::range_unsatisfiable, "the range holds no byte");
    const uint64_t count = std::min(*last, size);
    return std::optional(ByteRange{.first = size - count, .last = size - 1});
  }
  if (last && *last < *first) return whole;
  if (*first >= size) return fail(Reason::range_unsatisfiable, "the range starts past the end");
  return std::optional(ByteRange{.first = *first, .last = last ? std::min(*last, size - 1) : size - 1});
}

}  // namespace holdfast::net
