#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "git/attributes.h"
#include "git/object_id.h"
#include "git/repository.h"

namespace holdfast::repo {

// The .gitattributes files that matter for `paths`: the root's and those of the folders above each. `changed`
// may answer with the text a commit in progress puts at a path.
using ChangedText = std::function<Result<std::optional<std::string>>(const std::string& path)>;
Result<git::LfsAttributes> read_attributes(const git::Repository& objects, const git::ObjectId& commit,
                                           std::span<const std::string> paths,
                                           const ChangedText& changed = {});

// git::check_path with a reason of its own: clients tell a path that no repository may hold from other bad
// requests.
Status check_file_path(std::string_view path);

// Whether a file's first bytes are those of text: no NUL, and UTF-8 as far as the sample goes.
bool looks_like_text(ByteView sample);

}  // namespace holdfast::repo
