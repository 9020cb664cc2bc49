#pragma once

#include <span>

#include "model/generation/settings.h"

namespace holdfast::model {

// Takes away the times that Whisper may not write next, and the words where a time must come: times come in
// pairs, do not run backwards, the first is near the beginning, and one is written where all of them together
// are likelier than any word (Radford et al. 2022, as transformers 5.23 has it). `written`: of this row,
// without its prompt; `scores`: of its next token, those that are never written taken away before.
void hold_times(const SpeechTimes& times, std::span<const TokenId> written, std::span<float> scores);

}  // namespace holdfast::model
