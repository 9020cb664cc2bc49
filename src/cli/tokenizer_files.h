#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/user_files.h"
#include "token/formats/folder.h"

namespace holdfast::cli {

// The tokenizer that a person names: a folder as repositories are, or one file of any format that is known.
Result<token::FolderDocument> open_tokenizer(UserFiles& files, std::string_view named);
Result<token::LoadedTokenizer> load_tokenizer(UserFiles& files, std::string_view named);

// Texts of a file, one a line; of *.jsonl each line is a text or an object with "text".
Result<std::vector<std::string>> read_texts(UserFiles& files, std::string_view named);

}  // namespace holdfast::cli
