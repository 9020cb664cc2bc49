#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "codec/json.h"
#include "token/models/bpe.h"
#include "token/models/model_tables.h"

namespace holdfast::token {
namespace {

using Pair = ModelTables::MergePair;

Error broken(size_t index, std::string_view what) {
  return fail(Reason::bad_request, fmt::format("model.merges[{}] of the tokenizer {}", index, what));
}

// ["a", "b"], or in early files "a b".
Result<std::optional<Pair>> read_pair(const boost::json::value& value, size_t index, bool as_text) {
  if (as_text) {
    if (!value.is_string()) return broken(index, "is not text as the first is");
    const std::string_view text = value.get_string();
    if (text.starts_with("#version")) return std::optional<Pair>();
    const size_t space = text.find(' ');
    if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos)
      return broken(index, "is not two tokens with a space between");
    return std::optional<Pair>({text.substr(0, space), text.substr(space + 1)});
  }
  if (!value.is_array() || value.get_array().size() != 2 || !value.get_array()[0].is_string() ||
      !value.get_array()[1].is_string())
    return broken(index, "is not a pair of tokens");
  return std::optional<Pair>({value.get_array()[0].get_string(), value.get_array()[1].get_string()});
}

// Three look-ups in the vocabulary for each merge: those of several are begun before the first is needed.
class MergeLoader {
 public:
  MergeLoader(const Vocabulary& vocabulary, size_t prefix_bytes, std::vector<Merge>& out)
      : vocabulary_(vocabulary), prefix_bytes_(prefix_bytes), out_(out) {}

  Status put(const Pair& pair, size_t index) {
    Waiting& one = waiting_[count_++];
    one.pair = pair;
    one.index = index;
    one.both.assign(pair.left).append(pair.right.substr(std::min(prefix_bytes_, pair.right.size())));
    one.hashes = {Vocabulary::hash_of(pair.left), Vocabulary::hash_of(pair.right),
                  Vocabulary::hash_of(one.both)};
    for (const uint64_t hash : one.hashes) vocabulary_.prefetch(hash);
    return count_ == waiting_.size() ? finish() : Status(Done{});
  }

  Status finish() {
    const size_t count = std::exchange(count_, 0);
    for (size_t i = 0; i < count; ++i)
      for (const uint64_t hash : waiting_[i].hashes) vocabulary_.prefetch_entry(hash);
    for (size_t i = 0; i < count; ++i)
      for (const uint64_t hash : waiting_[i].hashes) vocabulary_.prefetch_token(hash);
    for (size_t i = 0; i < count; ++i) {
      const Waiting& one = waiting_[i];
      const auto left = vocabulary_.id_of(one.pair.left, one.hashes[0]),
                 right = vocabulary_.id_of(one.pair.right, one.hashes[1]);
      if (!left || !right || one.pair.right.size() < prefix_bytes_)
        return broken(one.index, "names a token that is not in the vocabulary");
      const auto result = vocabulary_.id_of(one.both, one.hashes[2]);
      if (!result) return broken(one.index, "makes a token that is not in the vocabulary");
      out_.push_back({*left, *right, *result});
    }
    return Done{};
  }

 private:
  struct Waiting {
    Pair pair;
    std::string both;
    std::array<uint64_t, 3> hashes{};
    size_t index = 0;
  };

  const Vocabulary& vocabulary_;
  size_t prefix_bytes_, count_ = 0;
  std::vector<Merge>& out_;
  std::array<Waiting, 32> waiting_;
};

Result<std::vector<Merge>> load_merges(const std::vector<Pair>& pairs, const Vocabulary& vocabulary,
                                       size_t prefix_bytes) {
  std::vector<Merge> out;
  out.reserve(pairs.size());
  MergeLoader loader(vocabulary, prefix_bytes, out);
  for (size_t i = 0; i < pairs.size(); ++i) TRY_DONE(loader.put(pairs[i], i));
  TRY_DONE(loader.finish());
  return out;
}

Result<std::vector<Merge>> load_merges(const boost::json::array& json, const Vocabulary& vocabulary,
                                       size_t prefix_bytes) {
  std::vector<Merge> out;
  out.reserve(json.size());
  const bool as_text = !json.empty() && json[0].is_string();
  MergeLoader loader(vocabulary, prefix_bytes, out);
  for (size_t i = 0; i < json.size(); ++i) {
    const auto pair = read_pair(json[i], i, as_text);
    if (!pair.ok()) {
      TRY_DONE(loader.finish());  // What is wrong before it is said first.
      return pair.error();
    }
    if (pair.value()) TRY_DONE(loader.put(*pair.value(), i));
  }
  TRY_DONE(loader.finish());
  return out;
}

}  // namespace

Result<std::unique_ptr<Model>> load_bpe(const boost::json::object& json, ModelTables* tables) {
  BpeOptions options;
  TRY(const auto unknown, codec::json_text_if(json, "unk_token"));
  if (unknown) options.unknown = *unknown;
  TRY(const auto prefix, codec::json_text_if(json, "continuing_subword_prefix"));
  options.prefix = prefix.value_or("");
  TRY(const auto suffix, codec::json_text_if(json, "end_of_word_suffix"));
  options.suffix = suffix.value_or("");
  TRY(const auto dropout, codec::json_number_if(json, "dropout"));
  options.dropout = dropout.value_or(0);
  if (!(options.dropout >= 0 && options.dropout <= 1))
    return fail(Reason::bad_request, "model.dropout of the tokenizer is not between 0 and 1");
  TRY(const auto fuse, codec::json_flag_if(json, "fuse_unk"));
  options.fuse_unknown = fuse.value_or(false);
  TRY(const auto fallback, codec::json_flag_if(json, "byte_fallback"));
  options.byte_fallback = fallback.value_or(false);
  TRY(const auto ignore, codec::json_flag_if(json, "ignore_merges"));
  options.ignore_merges = ignore.value_or(false);

  TRY(Vocabulary vocabulary, take_vocabulary(json, tables));
  TRY(const boost::json::array* pairs, codec::json_array(json, "merges"));
  TRY(std::vector<Merge> merges, tables != nullptr && tables->merges
                                     ? load_merges(*tables->merges, vocabulary, options.prefix.size())
                                     : load_merges(*pairs, vocabulary, options.prefix.size()));
  return std::unique_ptr<Model>(
      std::make_unique<Bpe>(std::move(vocabulary), std::move(merges), std::move(options)));
}

}  // namespace holdfast::token
