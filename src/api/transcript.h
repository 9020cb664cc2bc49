#pragma once

#include <boost/json/fwd.hpp>
#include <string>

#include "base/result.h"

namespace holdfast::api {

// What POST /v1/audio/transcriptions answers, of the speech task's own answer
// {"text", "chunks": [{"text", "timestamp": [from, to]}], "language", "duration"}.
enum class TranscriptForm : uint8_t { json, text, srt, verbose_json, vtt };

Result<TranscriptForm> read_transcript_form(std::string_view name);  // Empty: json.
std::string_view transcript_type(TranscriptForm form);               // Content-Type.
// `translates`: which of the two tasks it was. `words`: chunks are words, not segments.
std::string transcript(const boost::json::value& answer, TranscriptForm form, bool translates, bool words);

}  // namespace holdfast::api
