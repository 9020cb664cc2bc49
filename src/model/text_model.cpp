#include "model/text_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>

#include "codec/json.h"
#include "model/first_module.h"
#include "model/folder_json.h"
#include "token/formats/folder.h"

namespace holdfast::model {
namespace {

// Whether the tokenizer's model says how a word is continued.
bool has_prefix(const boost::json::object& document) {
  const boost::json::value* model = document.if_contains("model");
  if (model == nullptr || !model->is_object()) return false;
  const boost::json::value* prefix = model->get_object().if_contains("continuing_subword_prefix");
  return prefix != nullptr && prefix->is_string() && !prefix->get_string().empty();
}

}  // namespace

Result<TextModel> TextModel::open(io::Disk& disk, const io::Path& folder, tensor::Compute compute,
                                  const Backend* graphs, Random* keep) {
  TRY(const FirstModule first, first_module(disk, folder));
  TRY(token::LoadedTokenizer found, token::load_from_folder(disk, first.place));
  token::Tokenizer& tokenizer = found.tokenizer;
  TRY(EncoderModel model, EncoderModel::open(disk, folder, compute, graphs, keep));
  if (tokenizer.vocabulary_size() > model.plan().vocabulary) {
    // Ids past the table would be refused one text at a time; say it at once.
    for (size_t id = model.plan().vocabulary; id < tokenizer.vocabulary_size(); ++id)
      if (tokenizer.token_of(static_cast<uint32_t>(id)))
        return fail(Reason::bad_request, fmt::format("the tokenizer has {} tokens, the model's table only {}",
                                                     tokenizer.vocabulary_size(), model.plan().vocabulary));
  }
  TextModel out(std::move(model), std::make_unique<token::Tokenizer>(std::move(tokenizer)));
  out.marks_subwords_ = has_prefix(found.document);
  out.gives_type_ids_ = found.config.gives_type_ids();
  TRY_DONE(out.read_names(disk, folder, first.place));
  return out;
}

Status TextModel::read_names(io::Disk& disk, const io::Path& folder, const io::Path& place) {
  TRY(const boost::json::object config, read_config(disk, folder));
  TRY(const auto found_tokens, read_json_file(disk, place / "tokenizer_config.json"));
  const boost::json::object tokens = found_tokens.value_or(boost::json::object());
  TRY(const auto found_map, read_json_file(disk, place / "special_tokens_map.json"));
  const boost::json::object map = found_map.value_or(boost::json::object());
  const auto id = [&](std::string_view key,
                      std::initializer_list<std::string_view> usual) -> std::optional<uint32_t> {
    auto text = token_text(tokens, key);
    if (!text) text = token_text(map, key);
    if (text) return tokenizer_->id_of(*text);
    for (std::string_view name : usual)
      if (const auto found = tokenizer_->id_of(name); found) return found;
    return std::nullopt;
  };
  mask_id_ = id("mask_token", {"[MASK]", "<mask>"});
  pad_id_ = id("pad_token", {"[PAD]", "<pad>"});
  unknown_id_ = id("unk_token", {"[UNK]", "<unk>"});
  first_id_ = id("cls_token", {"[CLS]", "<s>"});
  ConfigReader reader(config);
  problem_type_ = reader.text({"problem_type"}, "");
  TRY_DONE(reader.status());
  tokens_max_ = plan().positions;
  TRY(const auto most, codec::json_number_if(tokens, "model_max_length"));
  if (most && *most >= 1 && *most < static_cast<double>(tokens_max_))
    tokens_max_ = static_cast<size_t>(*most);
  if (tokenizer_->added_tokens(2) >= tokens_max_)
    return fail(Reason::bad_request, "the model has no position left beside the special tokens");
  return Done{};
}

Result<token::Encoding> TextModel::encode_with(std::string_view text, std::optional<std::string_view> pair,
                                               const token::Truncation* truncation) const {
  token::EncodeOptions options;
  if (plan().bare_texts) options.special = token::SpecialTokens::leave_out;
  if (truncation != nullptr) options.truncation = *truncation;
  TRY(token::Encoding encoding, tokenizer_->encode({.text = text, .words = {}, .pair = pair}, options));
  if (encoding.ids.empty()) return fail(Reason::tokenization_failed, "the text has no tokens");
  return encoding;
}

Result<token::Encoding> TextModel::encode_words(std::span<const std::string> words,
                                                const token::Truncation* truncation) const {
  token::EncodeOptions options;
  if (truncation != nullptr) options.truncation = *truncation;
  TRY(token::Encoding encoding, tokenizer_->encode({.text = {}, .words = words, .pair = {}}, options));
  if (encoding.ids.empty()) return fail(Reason::tokenization_failed, "the words have no tokens");
  return encoding;
}

Result<token::Encoding> TextModel::encode(std::string_view text, std::optional<std::string_view> pair,
                                          LongText long_text) const {
  if (long_text == LongText::cut) {
    const token::Truncation truncation{.length_max = tokens_max_};
    return encode_with(text, pair, &truncation);
  }
  TRY(token::Encoding encoding, encode_with(text, pair, nullptr));
  if (encoding.size() > tokens_max_)
    return fail(Reason::input_too_long,
                fmt::format("the input has {} tokens, the model takes {}; ask for truncation to cut it",
                            encoding.size(), tokens_max_));
  return encoding;
}

Result<std::vector<NamedOutput>> TextModel::run(std::span<const token::Encoding> encodings,
                                                tensor::Threads& threads) const {
  TokenBatch batch;
  for (const token::Encoding& encoding : encodings) {
    const std::vector<int64_t> ids(encoding.ids.begin(), encoding.ids.end());
    const std::vector<int64_t> positions = positions_of(plan(), ids);
    for (size_t i = 0; i < ids.size(); ++i)
      batch.add(ids[i], gives_type_ids_ ? encoding.type_ids[i] : 0, positions[i], static_cast<int64_t>(i));
    batch.end_sequence();
  }
  return model_.forward(batch, threads);
}

Result<NamedOutput> TextModel::logits(std::span<const token::Encoding> encodings,
                                      tensor::Threads& threads) const {
  TRY(std::vector<NamedOutput> outputs, run(encodings, threads));
  for (NamedOutput& output : outputs)
    if (output.name == "logits") return std::move(output);
  return fail(Reason::model_unsupported, "the model has no logits");
}

Status TextModel::expect_head(Head head, std::string_view task) const {
  if (plan().head == head) return Done{};
  return fail(Reason::model_unsupported, fmt::format("the model has no head for {}", task));
}

}  // namespace holdfast::model
