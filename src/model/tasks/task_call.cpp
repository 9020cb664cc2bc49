#include "model/tasks/tasks.h"

namespace holdfast::model {
namespace {

void count(const TaskCall& call, const token::Encoding& encoding) {
  if (call.times != nullptr) call.times->count(encoding.ids, call.model.unknown_id());
}

}  // namespace

Result<token::Encoding> TaskCall::encode(std::string_view text, std::optional<std::string_view> pair,
                                         LongText long_text) const {
  const StageTimer timer(times, &StageTimes::tokenize);
  TRY(token::Encoding encoding, model.encode(text, pair, long_text));
  count(*this, encoding);
  return encoding;
}

Result<token::Encoding> TaskCall::encode_with(std::string_view text, std::optional<std::string_view> pair,
                                              const token::Truncation* truncation) const {
  const StageTimer timer(times, &StageTimes::tokenize);
  TRY(token::Encoding encoding, model.encode_with(text, pair, truncation));
  count(*this, encoding);
  for (const token::Encoding& part : encoding.overflow) count(*this, part);  // Go through the model as well.
  return encoding;
}

Result<token::Encoding> TaskCall::encode_words(std::span<const std::string> words,
                                               const token::Truncation* truncation) const {
  const StageTimer timer(times, &StageTimes::tokenize);
  TRY(token::Encoding encoding, model.encode_words(words, truncation));
  count(*this, encoding);
  for (const token::Encoding& part : encoding.overflow) count(*this, part);
  return encoding;
}

Result<std::vector<NamedOutput>> TaskCall::run(std::span<const token::Encoding> encodings) const {
  const StageTimer timer(times, &StageTimes::model);
  return model.run(encodings, threads);
}

Result<NamedOutput> TaskCall::logits(std::span<const token::Encoding> encodings) const {
  const StageTimer timer(times, &StageTimes::model);
  return model.logits(encodings, threads);
}

}  // namespace holdfast::model
