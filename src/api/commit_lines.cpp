#include "api/commit_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/base64.h"
#include "codec/json.h"
#include "content/hash.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

constexpr size_t summary_bytes_max = 4096, description_bytes_max = 60'000;

Result<repo::CommitTarget> read_header(const json::object& value) {
  TRY(const std::string_view summary, codec::json_text(value, "summary"));
  TRY(const auto description, codec::json_text_if(value, "description"));
  TRY(const auto parent, codec::json_text_if(value, "parentCommit"));
  if (summary.size() > summary_bytes_max || description.value_or("").size() > description_bytes_max)
    return fail(Reason::bad_request, "the summary or description is too long");
  const std::string_view digits = parent.value_or("");
  const bool hex =
      std::ranges::all_of(digits, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (!hex || (!digits.empty() && (digits.size() < 5 || digits.size() > 40)))
    return fail(Reason::bad_request, "\"parentCommit\" has 5 to 40 hexadecimal digits");
  repo::CommitTarget target;
  target.parent_commit = digits;
  target.summary = summary;
  target.description = description.value_or("");
  return target;
}

Status put_file(const json::object& value, repo::CommitDraft& draft) {
  TRY(const std::string_view path, codec::json_text(value, "path"));
  TRY(const std::string_view content, codec::json_text(value, "content"));
  TRY(const auto encoding, codec::json_text_if(value, "encoding"));
  if (encoding.value_or("utf-8") == "utf-8") return draft.put_file(path, as_bytes(content));
  if (*encoding != "base64") return fail(Reason::bad_request, "\"encoding\" must be base64 or utf-8");
  TRY(const Bytes bytes, codec::base64_decode(content));
  return draft.put_file(path, bytes);
}

Status put_large(const json::object& value, repo::CommitDraft& draft) {
  TRY(const std::string_view path, codec::json_text(value, "path"));
  TRY(const std::string_view oid, codec::json_text(value, "oid"));
  TRY(const auto algorithm, codec::json_text_if(value, "algo"));
  TRY(const auto size, codec::json_integer_if(value, "size"));
  if (algorithm.value_or("sha256") != "sha256") return fail(Reason::bad_request, "\"algo\" must be sha256");
  if (size && *size < 0) return fail(Reason::bad_request, "\"size\" is negative");
  TRY(const content::Sha256Digest sha256, content::parse_sha256(oid));
  return draft.put_large(path, sha256,
                         size ? std::optional(static_cast<uint64_t>(*size)) : std::optional<uint64_t>());
}

Status copy_file(const json::object& value, repo::CommitDraft& draft) {
  TRY(const std::string_view path, codec::json_text(value, "path"));
  TRY(const std::string_view from, codec::json_text(value, "srcPath"));
  TRY(const auto revision, codec::json_text_if(value, "srcRevision"));
  return draft.copy(from, revision.value_or(""), path);
}

}  // namespace

Status CommitLines::line(std::string_view text) {
  TRY(const json::object object,
      codec::parse_json_object(text, {.depth_max = 8, .bytes_max = commit_line_bytes_max}));
  TRY(const std::string_view key, codec::json_text(object, "key"));
  TRY(const json::object* value, codec::json_object(object, "value"));
  if (key == "header") {
    if (header_seen_) return fail(Reason::bad_request, "the commit has two headers");
    TRY(target_, read_header(*value));
    header_seen_ = true;
    return Done{};
  }
  if (key == "file") return put_file(*value, draft_);
  if (key == "lfsFile") return put_large(*value, draft_);
  if (key == "copyFile") return copy_file(*value, draft_);
  TRY(const std::string_view path, codec::json_text(*value, "path"));
  if (key == "deletedFile") return draft_.delete_file(path);
  if (key == "deletedFolder") return draft_.delete_folder(path);
  return fail(Reason::bad_request, fmt::format("a line has the unknown key \"{}\"", key.substr(0, 40)));
}

Status CommitLines::update(std::string_view piece) {
  return lines_.update(piece, [this](std::string_view text) { return line(text); });
}

Status CommitLines::finish() {
  TRY_DONE(lines_.finish([this](std::string_view text) { return line(text); }));
  if (!header_seen_) return fail(Reason::bad_request, "the commit has no header line");
  return Done{};
}

}  // namespace holdfast::api
