#include "model/text_generator.h"

#include <fmt/format.h>

#include <array>

#include "model/generation/generate.h"
#include "token/formats/folder.h"
#include "token/formats/tokenizer_config.h"

namespace holdfast::model {
namespace {

bool is_file(const io::Path& place) { return place.extension() == ".gguf"; }

// Text of tokens as they come: what may still change, as a character may take several tokens, is held back.
class Unfolding {
 public:
  explicit Unfolding(const token::Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  // What became certain with this token.
  std::string add(TokenId token) {
    ids_.push_back(token);
    const auto all =
        tokenizer_.decode(std::span(ids_).subspan(from_), token::Tokenizer::SpecialsInOutput::skip);
    if (!all.ok()) return {};
    const std::string& text = all.value();
    if (text.ends_with("\xEF\xBF\xBD") || text.size() <= shown_) return {};
    std::string piece = text.substr(shown_);
    shown_ = text.size();
    // Decoding begins again at a line's end, so that a long answer is not decoded over and over.
    if (piece.ends_with('\n') && ids_.size() - from_ > 64) {
      from_ = ids_.size();
      shown_ = 0;
    }
    return piece;
  }

 private:
  const token::Tokenizer& tokenizer_;
  std::vector<TokenId> ids_;
  size_t from_ = 0, shown_ = 0;
};

Status open_model(io::Disk& disk, const io::Path& place, tensor::Compute compute,
                  DecoderModel::Adapters adapters, const LayerStore* store,
                  std::shared_ptr<const DecoderModel>& out) {
  TRY(DecoderModel model, is_file(place) ? DecoderModel::open_gguf(disk, place, compute, adapters, store)
                                         : DecoderModel::open(disk, place, compute, adapters, store));
  if (model.plan().head_kind != DecoderPlan::Head::language)
    return fail(Reason::model_unsupported, "the model does not generate text");
  out = std::make_shared<const DecoderModel>(std::move(model));
  return Done{};
}

Status open_tokenizer(io::Disk& disk, const io::Path& place, token::TokenizerConfig& config,
                      std::shared_ptr<const token::Tokenizer>& out) {
  TRY(token::LoadedTokenizer found,
      is_file(place) ? token::load_from_file(disk, place) : token::load_from_folder(disk, place));
  // Patterns are compiled when a text first needs them: here nobody waits for it.
  (void)found.tokenizer.encode({.text = "a 1", .words = {}, .pair = {}}, {});
  config = std::move(found.config);
  out = std::make_shared<const token::Tokenizer>(std::move(found.tokenizer));
  return Done{};
}

}  // namespace

Result<TextGenerator> TextGenerator::open(io::Disk& disk, const io::Path& place, tensor::Compute compute,
                                          DecoderModel::Adapters adapters, const LayerStore* store) {
  TextGenerator out;
  token::TokenizerConfig config;
  // Beside each other: the first word waits for both.
  std::array<Status, 2> done{Done{}, Done{}};
  tensor::make_threads(done.size())->run(done.size(), [&](size_t part) {
    done[part] = part == 0 ? open_model(disk, place, compute, adapters, store, out.model_)
                           : open_tokenizer(disk, place, config, out.tokenizer_);
  });
  for (Status& part : done) TRY_DONE(std::move(part));
  for (uint64_t id = out.model_->plan().vocabulary; id < out.tokenizer_->vocabulary_size(); ++id)
    if (out.tokenizer_->token_of(static_cast<uint32_t>(id)))
      return fail(Reason::bad_request,
                  fmt::format("the tokenizer has {} tokens, the model's table only {}",
                              out.tokenizer_->vocabulary_size(), out.model_->plan().vocabulary));
  if (const std::string* text = config.chat_template(); text != nullptr) out.chat_template_ = *text;
  for (const auto& [role, token] : config.specials) out.special_tokens_[role] = token.content;
  return out;
}

Result<TextGenerator> TextGenerator::with_adapter(io::Disk& disk, const io::Path& folder) const {
  TextGenerator out = *this;
  TRY(Adapter adapter, model_->open_adapter(disk, folder));
  out.adapter_ = std::make_shared<const Adapter>(std::move(adapter));
  if (is_file(folder)) return out;
  TRY(const token::TokenizerConfig own, token::read_tokenizer_config(disk, folder));
  if (const std::string* text = own.chat_template(); text != nullptr) out.chat_template_ = *text;
  return out;
}

Result<Answer> Conversation::go_on(std::string_view prompt, token::SpecialTokens special,
                                   GenerationSettings settings, const OnText& on_text) {
  token::EncodeOptions options;
  options.special = special;
  TRY(const token::Encoding encoding,
      generator_.tokenizer().encode({.text = prompt, .words = {}, .pair = {}}, options));
  if (encoding.ids.empty()) return fail(Reason::tokenization_failed, "the prompt has no tokens");
  if (encoding.ids.size() >= generator_.tokens_max())
    return fail(Reason::input_too_long,
                fmt::format("the prompt has {} tokens, the model takes {} with its answer",
                            encoding.ids.size(), generator_.tokens_max()));
  const size_t room = generator_.tokens_max() - encoding.ids.size();
  settings.new_tokens_max = std::min(settings.new_tokens_max.value_or(room), room);
  Prompt row;
  row.tokens.assign(encoding.ids.begin(), encoding.ids.end());
  Answer out;
  out.prompt_tokens = row.tokens.size();
  Unfolding unfolding(generator_.tokenizer());
  const auto on_token = [&](size_t, TokenId token) {
    ++out.new_tokens;
    for (const TokenId end : settings.end_tokens)
      if (token == end) out.ended = true;
    if (out.ended) return false;
    const std::string piece = unfolding.add(token);
    out.text += piece;
    if (!piece.empty() && on_text && !on_text(piece)) out.ended = true;
    return !out.ended;
  };
  TRY([[maybe_unused]] const Generated done, generate(rows_, {&row, 1}, settings, {}, on_token));
  return out;
}

}  // namespace holdfast::model
