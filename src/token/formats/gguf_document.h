#pragma once

#include <boost/json/fwd.hpp>

#include "base/result.h"
#include "codec/gguf.h"
#include "token/formats/tokenizer_config.h"
#include "token/models/model_tables.h"

namespace holdfast::token {

// What a GGUF file says of its tokenizer beside the vocabulary: special tokens, add_bos_token, chat
// templates.
Result<TokenizerConfig> config_of_gguf(const codec::GgufFile& file);

// The tokenizer.json that the metadata tokenizer.ggml.* mean: models "llama" and "gemma4" (SentencePiece
// BPE), "gpt2" (byte-level BPE, cut as tokenizer.ggml.pre names), "t5" (Unigram), "bert" (WordPiece). As
// transformers' gguf_tokenizer_mapping.py builds it, the last one as llama.cpp reads it. Other models are
// model_unsupported. `apart`, where it is not null, may be given what is large instead of the document; its
// merges are of the file.
Result<boost::json::object> document_of_gguf(const codec::GgufFile& file, ModelTables* apart = nullptr);

}  // namespace holdfast::token
