#pragma once

#include "base/clock.h"
#include "model/text_generator.h"
#include "serve/worker_protocol.h"

namespace holdfast::cli {

// What doors ask of a model that writes, beside answers: tokenize, detokenize, describe, render. `answers`
// are those it is about. model_unsupported for vectors and for tasks of other models.
Result<serve::EmbedAnswer> answer_writer_task(const serve::EmbedItem& item,
                                              const model::TextGenerator& generator, size_t answers,
                                              WallTime now);

}  // namespace holdfast::cli
