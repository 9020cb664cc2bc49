#include <boost/json/object.hpp>

#include "codec/base64.h"
#include "codec/json.h"
#include "token/normalizers/charsmap.h"
#include "token/normalizers/normalizer.h"
#include "token/unicode/graphemes.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

// SentencePiece's rewriting, by grapheme clusters as the reference does it: a short cluster is looked up
// whole, else code point by code point.
class Precompiled final : public Normalizer {
 public:
  explicit Precompiled(Charsmap map) : map_(std::move(map)) {}

  Status normalize(NormalizedText& text) const override {
    std::vector<Change> changes;
    bool changed = false;
    const std::string_view all = text.text();
    for (size_t at = 0; at < all.size();) {
      const size_t end = grapheme_end(all, at);
      const std::string_view cluster = all.substr(at, end - at);
      at = end;
      if (cluster.size() < whole_bytes_max && replace(cluster, changes)) {
        changed = true;
        continue;
      }
      for_each_code_point(cluster, [&](char32_t code, size_t from, size_t bytes) {
        if (replace(cluster.substr(from, bytes), changes))
          changed = true;
        else
          changes.push_back({code, 0});
      });
    }
    if (changed) text.transform(changes, 0);
    return Done{};
  }

 private:
  static constexpr size_t whole_bytes_max = 6;

  bool replace(std::string_view part, std::vector<Change>& changes) const {
    const auto found = map_.find(part);
    if (!found) return false;
    const auto old_count = static_cast<int>(count_code_points(part));
    int new_count = 0;
    for_each_code_point(*found, [&](char32_t code, size_t, size_t) {
      changes.push_back({code, 0});
      ++new_count;
    });
    // The last of more are insertions; the last of fewer drops the rest, even if it is of the part before.
    for (int i = 0; i < new_count - old_count; ++i)
      changes[changes.size() - 1 - static_cast<size_t>(i)].steps = 1;
    if (new_count < old_count && !changes.empty()) changes.back().steps += new_count - old_count;
    return true;
  }

  Charsmap map_;
};

}  // namespace

Result<std::unique_ptr<Normalizer>> load_precompiled(const boost::json::object& json) {
  TRY(const std::string_view text, codec::json_text(json, "precompiled_charsmap"));
  TRY(const Bytes blob, codec::base64_decode(text));
  TRY(Charsmap map, Charsmap::parse(as_text(blob)));
  return std::unique_ptr<Normalizer>(std::make_unique<Precompiled>(std::move(map)));
}

}  // namespace holdfast::token
