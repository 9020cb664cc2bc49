#include "cli/tokenizer_files.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"

namespace holdfast::cli {
namespace {

constexpr uint64_t texts_bytes_max = uint64_t{2} << 30;

Result<std::string> text_of_json(std::string_view line, size_t number) {
  TRY(const boost::json::value json, codec::parse_json(line, {.depth_max = 32, .bytes_max = 64 << 20}));
  if (json.is_string()) return std::string(json.get_string());
  if (json.is_object()) {
    TRY(const std::string_view text, codec::json_text(json.get_object(), "text"));
    return std::string(text);
  }
  return fail(Reason::bad_request, "line " + std::to_string(number) + " is neither a text nor an object");
}

}  // namespace

Result<token::FolderDocument> open_tokenizer(UserFiles& files, std::string_view named) {
  const io::Path path = files.path(named);
  TRY(const io::Entry entry, files.disk().stat(path));
  return entry.is_directory ? token::document_of_folder(files.disk(), path)
                            : token::document_of_file(files.disk(), path);
}

Result<token::LoadedTokenizer> load_tokenizer(UserFiles& files, std::string_view named) {
  const io::Path path = files.path(named);
  TRY(const io::Entry entry, files.disk().stat(path));
  return entry.is_directory ? token::load_from_folder(files.disk(), path)
                            : token::load_from_file(files.disk(), path);
}

Result<std::vector<std::string>> read_texts(UserFiles& files, std::string_view named) {
  TRY(const std::string all, files.read(named, texts_bytes_max));
  const bool is_json = named.ends_with(".jsonl");
  std::vector<std::string> out;
  for (size_t at = 0; at < all.size();) {
    const size_t end = std::min(all.find('\n', at), all.size());
    const std::string_view line = std::string_view(all).substr(at, end - at);
    at = end + 1;
    if (!is_json) {
      out.emplace_back(line);
    } else if (!line.empty()) {
      TRY(std::string text, text_of_json(line, out.size() + 1));
      out.push_back(std::move(text));
    }
  }
  return out;
}

}  // namespace holdfast::cli
