#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "codec/json.h"
#include "token/models/bpe.h"

namespace holdfast::token {
namespace {

struct Pair {
  std::string_view left, right;
};

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

Result<std::vector<Merge>> load_merges(const boost::json::array& json, const Vocabulary& vocabulary,
                                       size_t prefix_bytes) {
  std::vector<Merge> out;
  out.reserve(json.size());
  const bool as_text = !json.empty() && json[0].is_string();
  std::string both;
  for (size_t i = 0; i < json.size(); ++i) {
    TRY(const std::optional<Pair> pair, read_pair(json[i], i, as_text));
    if (!pair) continue;
    const auto left = vocabulary.id_of(pair->left), right = vocabulary.id_of(pair->right);
    if (!left || !right || pair->right.size() < prefix_bytes)
      return broken(i, "names a token that is not in the vocabulary");
    both.assign(pair->left).append(pair->right.substr(prefix_bytes));
    const auto result = vocabulary.id_of(both);
    if (!result) return broken(i, "makes a token that is not in the vocabulary");
    out.push_back({*left, *right, *result});
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<Model>> load_bpe(const boost::json::object& json) {
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

  TRY(const boost::json::object* tokens, codec::json_object(json, "vocab"));
  TRY(Vocabulary vocabulary, Vocabulary::load(*tokens));
  TRY(const boost::json::array* pairs, codec::json_array(json, "merges"));
  TRY(std::vector<Merge> merges, load_merges(*pairs, vocabulary, options.prefix.size()));
  return std::unique_ptr<Model>(
      std::make_unique<Bpe>(std::move(vocabulary), std::move(merges), std::move(options)));
}

}  // namespace holdfast::token
