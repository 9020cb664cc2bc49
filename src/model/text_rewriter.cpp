#include "model/text_rewriter.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "model/encoder_model.h"
#include "model/families/seq2seqs.h"
#include "model/folder_json.h"
#include "model/generation/generate.h"
#include "model/seq2seq_model.h"
#include "model/tasks/task_parameters.h"
#include "token/formats/folder.h"

namespace holdfast::model {
namespace {

namespace json = boost::json;

constexpr size_t texts_max = 256, new_tokens_most = 4'096;
constexpr std::string_view names[] = {"summarization", "translation", "text2text-generation"};

bool translates(std::string_view task) { return task == "translation" || task.starts_with("translation_"); }

// What the family's checkpoints were trained for, as config.json does not say it.
std::string_view task_of(const Seq2SeqPlan& plan) {
  if (plan.family == "marian" || plan.family == "m2m_100" || plan.family == "mbart") return "translation";
  if (plan.family == "pegasus") return "summarization";
  return "text2text-generation";
}

std::string_view answer_key(std::string_view task) {
  if (task == "summarization") return "summary_text";
  return translates(task) ? "translation_text" : "generated_text";
}

}  // namespace

struct TextRewriter::Order {
  std::string prefix;
  GenerationSettings settings;
  std::optional<uint32_t> from;  // The token of the language that is read.
  bool cut = false;
};

TextRewriter::TextRewriter(std::unique_ptr<Seq2SeqModel> model, std::unique_ptr<token::Tokenizer> tokenizer)
    : model_(std::move(model)), tokenizer_(std::move(tokenizer)) {}
TextRewriter::TextRewriter(TextRewriter&&) noexcept = default;
TextRewriter& TextRewriter::operator=(TextRewriter&&) noexcept = default;
TextRewriter::~TextRewriter() = default;

std::span<const std::string_view> rewriting_tasks() { return names; }

Result<bool> rewrites_text(io::Disk& disk, const io::Path& folder) {
  const auto config = read_config(disk, folder);
  if (!config.ok() && config.error().code == Code::not_found) return false;  // A graph, or a GGUF file.
  if (!config.ok()) return config.error();
  if (!is_seq2seq(config.value())) return false;
  TRY(const Seq2SeqPlan plan, plan_seq2seq(config.value()));
  return plan.head == Seq2SeqPlan::Head::language && !plan.signals;
}

Result<TextRewriter> TextRewriter::open(io::Disk& disk, const io::Path& folder, tensor::Compute compute) {
  TRY(Seq2SeqModel model, Seq2SeqModel::open(disk, folder, compute));
  if (model.plan().head != Seq2SeqPlan::Head::language)
    return fail(Reason::model_unsupported, "the model does not generate text");
  if (model.signals() != nullptr)
    return fail(Reason::model_unsupported, "the model reads images or sounds, not texts");
  TRY(token::LoadedTokenizer found, token::load_from_folder(disk, folder));
  token::Tokenizer& tokenizer = found.tokenizer;
  const size_t table = std::min(model.plan().encoder.vocabulary, model.plan().decoder.vocabulary);
  for (size_t id = table; id < tokenizer.vocabulary_size(); ++id)
    if (tokenizer.token_of(static_cast<uint32_t>(id)))
      return fail(Reason::bad_request, fmt::format("the tokenizer has {} tokens, the model's table only {}",
                                                   tokenizer.vocabulary_size(), table));
  TextRewriter out(std::make_unique<Seq2SeqModel>(std::move(model)),
                   std::make_unique<token::Tokenizer>(std::move(tokenizer)));
  out.task_ = task_of(out.model_->plan());
  TRY(const json::object config, read_config(disk, folder));
  TRY(const json::object* by_task, codec::json_object_if(config, "task_specific_params"));
  if (by_task != nullptr) out.by_task_ = *by_task;
  TRY(const auto found_own, read_json_file(disk, folder / "tokenizer_config.json"));
  const json::object own = found_own.value_or(json::object());
  out.tokens_max_ = out.model_->plan().encoder.positions;
  TRY(const auto most, codec::json_number_if(own, "model_max_length"));
  if (most && *most >= 1 && *most < static_cast<double>(out.tokens_max_))
    out.tokens_max_ = static_cast<size_t>(*most);
  return out;
}

Result<uint32_t> TextRewriter::language(std::string_view name) const {
  for (const std::string& spelled : {std::string(name), fmt::format("__{}__", name)})
    if (const auto id = tokenizer_->id_of(spelled)) return *id;
  return fail(Reason::bad_request,
              fmt::format("the model's tokenizer has no language '{}'", name.substr(0, 60)));
}

Result<TextRewriter::Order> TextRewriter::read_order(std::string_view task,
                                                     const json::object& parameters) const {
  Order out;
  TRY(const auto from, codec::json_text_if(parameters, "src_lang"));
  TRY(const auto to, codec::json_text_if(parameters, "tgt_lang"));
  // T5 names its pairs: "translation_en_to_fr".
  const std::string named = task == "translation" && from && to
                                ? fmt::format("translation_{}_to_{}", *from, *to)
                                : std::string(task);
  json::object said;
  TRY(const json::object* of_task, codec::json_object_if(by_task_, named));
  if (of_task != nullptr) lay_over(said, *of_task);
  if (const json::value* prefix = said.if_contains("prefix"); prefix != nullptr && prefix->is_string())
    out.prefix = prefix->get_string();
  TRY(const json::object* within, codec::json_object_if(parameters, "generate_parameters"));
  if (within != nullptr) lay_over(said, *within);
  lay_over(said, parameters);
  TRY(out.settings, parse_generation_settings(said, model_->generation()));
  const size_t wished =
      std::max(out.settings.new_tokens_max.value_or(0), out.settings.length_max.value_or(0));
  if (wished > new_tokens_most)
    return fail(Reason::bad_request, fmt::format("an answer has at most {} tokens", new_tokens_most));
  if (of_task == nullptr && translates(task)) {
    if (from) {
      TRY(out.from, language(*from));
    }
    if (to) {
      TRY(out.settings.forced_begin, language(*to));
    }
  }
  TRY(const auto truncation, codec::json_text_if(parameters, "truncation"));
  out.cut = truncation && *truncation != "do_not_truncate";
  return out;
}

Result<std::vector<TokenId>> TextRewriter::encode(const Order& order, std::string_view text) const {
  token::EncodeOptions options;
  if (order.cut) options.truncation = token::Truncation{.length_max = tokens_max_};
  const std::string whole = order.prefix + std::string(text);
  TRY(const token::Encoding encoding, tokenizer_->encode({.text = whole, .words = {}, .pair = {}}, options));
  if (encoding.ids.empty()) return fail(Reason::tokenization_failed, "the text has no tokens");
  if (encoding.ids.size() > tokens_max_)
    return fail(Reason::input_too_long,
                fmt::format("the input has {} tokens, the model takes {}; ask for truncation to cut it",
                            encoding.ids.size(), tokens_max_));
  std::vector<TokenId> ids(encoding.ids.begin(), encoding.ids.end());
  if (!order.from) return ids;
  // What stands around every text but its end is the tokenizer's own language.
  TRY(const token::Encoding empty, tokenizer_->encode({.text = "", .words = {}, .pair = {}}, {}));
  const std::optional<int64_t> end = model_->plan().end_id;
  for (const uint32_t around : empty.ids) {
    if (around == end) continue;
    for (TokenId& id : ids)
      if (id == around) id = *order.from;
    return ids;
  }
  return fail(Reason::bad_request, "the model's tokenizer marks no language: leave src_lang out");
}

Result<std::string> TextRewriter::rewrite(const Order& order, std::string_view text, tensor::Threads& threads,
                                          StageTimes* times) const {
  std::vector<TokenId> ids;
  {
    const StageTimer timer(times, &StageTimes::tokenize);
    TRY(ids, encode(order, text));
    if (times != nullptr) times->count(ids, std::nullopt);
  }
  const StageTimer timer(times, &StageTimes::model);
  const std::vector<int64_t> wide(ids.begin(), ids.end());
  const std::vector<int64_t> positions = positions_of(model_->plan().encoder, wide);
  TokenBatch batch;
  for (size_t i = 0; i < ids.size(); ++i) batch.add(wide[i], 0, positions[i], static_cast<int64_t>(i));
  batch.end_sequence();
  TRY(const tensor::Floats hidden, model_->encode(batch, threads));
  Seq2SeqRows rows(*model_, model_->remember(batch, hidden, threads), threads);
  if (!model_->plan().start_id)
    return fail(Reason::bad_request, "config.json does not say decoder_start_token_id");
  const Prompt begin{.tokens = {static_cast<TokenId>(*model_->plan().start_id)}, .padding = 0};
  TRY(const Generated made, generate(rows, {&begin, 1}, order.settings, ids));
  const std::span<const TokenId> all(made.sequences[0]);
  if (times != nullptr) times->tokens += all.size() - 1;
  return tokenizer_->decode(all.subspan(1), token::Tokenizer::SpecialsInOutput::skip);
}

Result<json::value> TextRewriter::run(std::string_view task, const json::value& inputs,
                                      const json::object& parameters, tensor::Threads& threads,
                                      StageTimes* times) const {
  if (std::find(std::begin(names), std::end(names), task) == std::end(names) && !translates(task))
    return fail(Reason::model_unsupported,
                fmt::format("the model is for {}, not for {}", task_, task.substr(0, 60)));
  TRY(const Order order, read_order(task, parameters));
  std::vector<std::string_view> texts;
  if (inputs.is_string()) {
    texts.push_back(inputs.get_string());
  } else if (inputs.is_array()) {
    for (const json::value& one : inputs.get_array()) {
      if (!one.is_string()) return fail(Reason::bad_request, "inputs are a text or a list of texts");
      texts.push_back(one.get_string());
    }
  } else {
    return fail(Reason::bad_request, "inputs are a text or a list of texts");
  }
  if (texts.size() > texts_max)
    return fail(Reason::bad_request, fmt::format("at most {} texts a call", texts_max));
  json::array out;
  for (const std::string_view text : texts) {
    TRY(const std::string written, rewrite(order, text, threads, times));
    out.push_back(json::object{{answer_key(task), written}});
  }
  return json::value(std::move(out));
}

}  // namespace holdfast::model
