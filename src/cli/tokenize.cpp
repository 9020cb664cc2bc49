#include "cli/tokenize.h"

#include <boost/json/object.hpp>
#include <map>

#include "cli/tokenizer_files.h"
#include "cli/user_files.h"
#include "codec/gzip.h"
#include "codec/json.h"
#include "token/case.h"

namespace holdfast::cli {
namespace {

constexpr size_t file_bytes_max = 256 << 20;
constexpr size_t line_bytes_max = 64 << 20;

Result<std::string> read_maybe_gzipped(std::string_view path) {
  TRY(UserFiles files, UserFiles::open());
  TRY(std::string text, files.read(path, file_bytes_max));
  if (!codec::looks_gzipped(as_bytes(text))) return text;
  TRY(const Bytes unpacked, codec::inflate(as_bytes(text), codec::Deflate::gzip, file_bytes_max));
  return std::string(as_text(unpacked));
}

// What is no tokenizer.json, by its name: a folder as repositories are, or a file of another format.
Result<bool> is_of_a_repository(UserFiles& files, std::string_view named) {
  const io::Path path = files.path(named);
  TRY(const io::Entry entry, files.disk().stat(path));
  if (entry.is_directory) return true;
  const std::string name = path.filename().string();
  for (const char* end : {".gguf", ".model", ".spm", ".tiktoken", ".txt"})
    if (name.ends_with(end)) return true;
  return name == "vocab.json" || name.starts_with("tekken");
}

// One tokenizer, or several by the name that cases give in `tk`.
class Tokenizers {
 public:
  static Result<Tokenizers> load_one(std::string_view path) {
    Tokenizers out;
    TRY(UserFiles files, UserFiles::open());
    TRY(const bool of_a_repository, is_of_a_repository(files, path));
    if (of_a_repository) {
      TRY(token::LoadedTokenizer loaded, load_tokenizer(files, path));
      out.by_name_.emplace("", std::move(loaded.tokenizer));
      return out;
    }
    TRY(const std::string json, read_maybe_gzipped(path));
    TRY(token::Tokenizer tokenizer, token::Tokenizer::load(json));
    out.by_name_.emplace("", std::move(tokenizer));
    return out;
  }

  // Lines of {"tk": name, "json": the text of a tokenizer.json}; one that cannot be loaded answers its cases
  // so.
  static Result<Tokenizers> load_lines(std::string_view path) {
    TRY(const std::string lines, read_maybe_gzipped(path));
    Tokenizers out;
    for (size_t at = 0; at < lines.size();) {
      const size_t end = std::min(lines.find('\n', at), lines.size());
      TRY(const boost::json::object row,
          codec::parse_json_object(std::string_view(lines).substr(at, end - at),
                                   {.depth_max = 32, .bytes_max = line_bytes_max}));
      TRY(const std::string_view name, codec::json_text(row, "tk"));
      const boost::json::value* json = row.if_contains("json");
      const std::string text = json == nullptr     ? ""
                               : json->is_string() ? std::string(json->get_string())
                                                   : codec::to_text(*json);
      out.by_name_.emplace(std::string(name), token::Tokenizer::load(text));
      at = end + 1;
    }
    return out;
  }

  Result<boost::json::object> run(const boost::json::object& wanted) const {
    TRY(const auto name, codec::json_text_if(wanted, "tk"));
    const auto found =
        by_name_.find(by_name_.size() == 1 && by_name_.contains("") ? "" : std::string(name.value_or("")));
    if (found == by_name_.end()) return fail(Reason::bad_request, "the case names no tokenizer of the file");
    if (!found->second.ok()) return found->second.error();
    return token::run_case(found->second.value(), wanted);
  }

 private:
  std::map<std::string, Result<token::Tokenizer>> by_name_;
};

Status answer_lines(World& world, const Tokenizers& tokenizers) {
  while (true) {
    TRY(const std::optional<std::string> line, world.read_line(line_bytes_max));
    if (!line) return Done{};
    if (line->empty()) continue;
    auto wanted = codec::parse_json_object(*line, {.depth_max = 32, .bytes_max = line_bytes_max});
    auto answer = wanted.ok() ? tokenizers.run(wanted.value()) : std::move(wanted).error();
    boost::json::object failure;
    if (!answer.ok()) failure["error"] = answer.error().message;
    world.print(codec::to_text(answer.ok() ? std::move(answer).value() : std::move(failure)) + "\n");
  }
}

int run_tokenize(World& world, std::span<const std::string_view> arguments) {
  const bool many = arguments.size() == 2 && arguments[0] == "--components";
  if (!many && arguments.size() != 1) {
    world.complain(
        "holdfast: tokenize takes one TOKENIZER.json, a FILE or FOLDER of another format, or --components "
        "TOKENIZERS.jsonl\n");
    return exit_misused;
  }
  auto tokenizers = many ? Tokenizers::load_lines(arguments[1]) : Tokenizers::load_one(arguments[0]);
  if (!tokenizers.ok()) return report(world, tokenizers.error());
  const Status done = answer_lines(world, tokenizers.value());
  return done.ok() ? exit_done : report(world, done.error());
}

}  // namespace

std::vector<Command> tokenize_commands() {
  return {
      {"tokenize", "TOKENIZER.json | FILE | FOLDER | --components TOKENIZERS.jsonl[.gz]",
       "Answers tokenizer cases, JSON lines on standard input, with JSON lines. A FOLDER is as repositories "
       "are; a FILE may be "
       "vocab.txt, vocab.json beside merges.txt, a SentencePiece model, tiktoken ranks, tekken.json or GGUF.",
       "echo '{\"op\":\"encode\",\"text\":\"Hello\"}' | holdfast tokenize tokenizer.json", run_tokenize}};
}

}  // namespace holdfast::cli
