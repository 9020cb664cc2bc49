#include "model/generation/generate.h"

#include <algorithm>

#include "model/generation/beam_search.h"
#include "model/generation/logits_chain.h"

namespace holdfast::model {
namespace {

constexpr size_t rows_max = 4'096;
constexpr size_t new_tokens_default = 20;  // transformers' own.

bool is_end(const GenerationSettings& settings, TokenId token) {
  return std::find(settings.end_tokens.begin(), settings.end_tokens.end(), token) !=
         settings.end_tokens.end();
}

Status check(std::span<const Prompt> prompts, const GenerationSettings& settings) {
  if (prompts.empty() || prompts.size() * std::max(settings.beams, settings.returned) > rows_max)
    return fail(Reason::bad_request,
                "between 1 and " + std::to_string(rows_max) + " rows, beams counted, are generated at once");
  for (const Prompt& prompt : prompts) {
    if (prompt.tokens.size() != prompts[0].tokens.size())
      return fail(Reason::bad_request, "prompts of one batch have one length: pad them at the left");
    if (prompt.padding >= prompt.tokens.size()) return fail(Reason::bad_request, "a prompt is empty");
  }
  return Done{};
}

// How long a row may become, prompt included.
Result<size_t> length_limit(const NextToken& model, const GenerationSettings& settings, size_t prompt) {
  size_t limit = prompt + new_tokens_default;
  if (settings.length_max) limit = *settings.length_max;
  if (settings.new_tokens_max) limit = prompt + *settings.new_tokens_max;
  if (prompt >= model.length_max())
    return fail(Reason::input_too_long, "the prompt has " + std::to_string(prompt) +
                                            " tokens, the model holds " + std::to_string(model.length_max()));
  return std::min(limit, model.length_max());
}

// Rows of one batch that still grow.
struct Rows {
  std::vector<std::vector<TokenId>> sequences;
  std::vector<size_t> padding, prompt_of;
  std::vector<size_t> alive;  // Rows, in the model's order.
};

Rows start_rows(std::span<const Prompt> prompts, size_t copies) {
  Rows rows;
  for (size_t p = 0; p < prompts.size(); ++p)
    for (size_t copy = 0; copy < copies; ++copy) {
      rows.alive.push_back(rows.sequences.size());
      rows.sequences.push_back(prompts[p].tokens);
      rows.padding.push_back(prompts[p].padding);
      rows.prompt_of.push_back(p);
    }
  return rows;
}

}  // namespace

std::vector<std::vector<TokenId>> bare_prompts(std::span<const Prompt> prompts) {
  std::vector<std::vector<TokenId>> out;
  for (const Prompt& prompt : prompts)
    out.emplace_back(prompt.tokens.begin() + static_cast<ptrdiff_t>(prompt.padding), prompt.tokens.end());
  return out;
}

namespace {

// Greedy search and sampling: every row for itself.
Result<Generated> generate_rows(NextToken& model, std::span<const Prompt> prompts, const Call& call,
                                const OnToken& on_token) {
  const GenerationSettings& settings = call.settings;
  Rows rows = start_rows(prompts, settings.returned);
  const size_t width = model.vocabulary();
  std::vector<float> scores(prompts.size() * width), row_scores(width);
  TRY_DONE(model.begin(bare_prompts(prompts), scores));
  std::vector<size_t> score_row = rows.prompt_of;  // Where in `scores` each living row stands.
  for (size_t length = call.prompt_length; length < call.length_max && !rows.alive.empty(); ++length) {
    std::vector<size_t> parents, next_alive;
    std::vector<TokenId> tokens;
    for (size_t at = 0; at < rows.alive.size(); ++at) {
      const size_t row = rows.alive[at];
      auto& sequence = rows.sequences[row];
      std::copy_n(scores.begin() + static_cast<ptrdiff_t>(score_row[at] * width), width, row_scores.begin());
      call.chain.apply(sequence, rows.padding[row], row_scores);
      const TokenId token = settings.sample
                                ? sample_token(row_scores, settings.seed + row, length - call.prompt_length)
                                : best_token(row_scores);
      sequence.push_back(token);
      const bool go_on = !on_token || on_token(row, token);
      if (!go_on || is_end(settings, token)) continue;
      parents.push_back(score_row[at]);
      tokens.push_back(token);
      next_alive.push_back(row);
    }
    rows.alive = std::move(next_alive);
    if (rows.alive.empty() || length + 1 == call.length_max) break;
    scores.resize(rows.alive.size() * width);
    TRY_DONE(model.extend(parents, tokens, scores));
    score_row.resize(rows.alive.size());
    for (size_t at = 0; at < score_row.size(); ++at) score_row[at] = at;
  }
  Generated out{.sequences = std::move(rows.sequences), .scores = {}};
  size_t longest = 0;
  for (const auto& sequence : out.sequences) longest = std::max(longest, sequence.size());
  for (auto& sequence : out.sequences) sequence.resize(longest, call.pad);
  return out;
}

}  // namespace

Result<Generated> generate(NextToken& model, std::span<const Prompt> prompts,
                           const GenerationSettings& settings, std::span<const TokenId> encoder_tokens,
                           const OnToken& on_token) {
  TRY_DONE(check(prompts, settings));
  const size_t prompt_length = prompts[0].tokens.size();
  TRY(const size_t length_max, length_limit(model, settings, prompt_length));
  if (length_max <= prompt_length) {
    Generated nothing_new;
    for (const Prompt& prompt : prompts) nothing_new.sequences.push_back(prompt.tokens);
    return nothing_new;
  }
  TokenId pad = settings.end_tokens.empty() ? 0 : settings.end_tokens[0];
  if (settings.pad_token) pad = *settings.pad_token;
  LogitsChain chain(settings, {.prompt_length = prompt_length,
                               .length_max = length_max,
                               .encoder_tokens = {encoder_tokens.begin(), encoder_tokens.end()}});
  const Call call{.settings = settings,
                  .chain = chain,
                  .prompt_length = prompt_length,
                  .length_max = length_max,
                  .pad = pad};
  if (settings.beams > 1) return beam_search(model, prompts, call);
  return generate_rows(model, prompts, call, on_token);
}

}  // namespace holdfast::model
