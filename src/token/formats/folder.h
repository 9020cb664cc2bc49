#pragma once

#include <boost/json/fwd.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/disk.h"
#include "token/formats/tokenizer_config.h"
#include "token/tokenizer.h"

namespace holdfast::token {

// What a repository's files say of its tokenizer: a tokenizer.json document, made from what is there.
struct FolderDocument {
  boost::json::object document;
  TokenizerConfig config;
  std::string source;  // Name of the file the vocabulary came from.
};

// Takes the first that is there of tokenizer.json, vocab.json + merges.txt, a SentencePiece .model,
// tekken.json, tiktoken ranks (tiktoken.model, *.tiktoken, or a tokenizer.model that is text), vocab.txt,
// *.gguf; where CANINE's is meant, none of these. A WordPiece class puts vocab.txt first. Beside a
// tokenizer.json, tokenizer_config.json may add tokens that it lacks, and a post-processor for add_bos_token
// and add_eos_token, as transformers does. entry_not_found where there is none.
Result<FolderDocument> document_of_folder(io::Disk& disk, const io::Path& folder);

// The same of one file, by its name and content; beside it, its folder's tokenizer_config.json counts.
Result<FolderDocument> document_of_file(io::Disk& disk, const io::Path& file);

// For who does not look at the vocabulary's document: most of a start's time would go into its tree.
struct LoadedTokenizer {
  Tokenizer tokenizer;
  // As FolderDocument has them, but that `vocab` and `merges` of the document's model may be left empty.
  boost::json::object document;
  TokenizerConfig config;
  std::string source;
};
// Tokenizer::from_document of document_of_folder, and of document_of_file.
Result<LoadedTokenizer> load_from_folder(io::Disk& disk, const io::Path& folder);
Result<LoadedTokenizer> load_from_file(io::Disk& disk, const io::Path& file);

}  // namespace holdfast::token
