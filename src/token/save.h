#pragma once

#include <boost/json/fwd.hpp>
#include <string>

#include "base/result.h"

namespace holdfast::token {

// The document as the reference library writes it: every part with its type and all its fields in order,
// defaults written out, the vocabulary by id, merges as pairs, special tokens by name. What it does not know
// stays as it is. bad_request where the document is none of a tokenizer.
Result<boost::json::object> canonical_document(boost::json::object document);

// The text of a tokenizer.json file: canonical, with two spaces of indentation.
Result<std::string> saved_tokenizer_json(boost::json::object document);

// SHA-256, in hex, of what decides ids, tokens, offsets and decodings: the canonical document with its keys
// sorted, without `version`. The same for two files that differ in spelling, order of keys, written-out
// defaults or order of the vocabulary only (docs/formats/tokenizer-digest.md).
Result<std::string> tokenizer_digest(boost::json::object document);

}  // namespace holdfast::token
