#include "cli/tokenizer.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/arguments.h"
#include "cli/text_table.h"
#include "cli/tokenizer_files.h"
#include "cli/tokenizer_train.h"
#include "codec/json.h"
#include "token/compare.h"
#include "token/inspect.h"
#include "token/save.h"

namespace holdfast::cli {
namespace {

using boost::json::array;
using boost::json::object;

constexpr FlagRow json_flag{.name = "--json", .help = "Answers one JSON object."};
constexpr FlagRow inspect_flags[] = {json_flag};
constexpr FlagRow diff_flags[] = {
    {.name = "--texts",
     .value = "FILE",
     .help = "Compares on these texts, one a line, or JSON lines with \"text\"."},
    json_flag};

// White space and controls as escapes, so that each row is one line.
std::string shown(std::string_view text) {
  const std::string quoted = codec::to_text(boost::json::value(text));
  return quoted.substr(1, quoted.size() - 2);
}

std::string shown(token::Span span) { return fmt::format("{}..{}", span.begin, span.end); }

array to_json(const std::vector<token::StageRow>& rows) {
  array out;
  for (const token::StageRow& row : rows) {
    object one{{"text", row.text}, {"bytes", array{row.bytes.begin, row.bytes.end}}};
    if (!row.tokens.empty()) one["id"] = row.tokens.front().id;
    out.push_back(std::move(one));
  }
  return out;
}

void print_stage(World& world, std::string_view title, const std::vector<token::StageRow>& rows) {
  std::vector<std::vector<std::string>> table = {{"#", "bytes", "id", "text"}};
  for (size_t i = 0; i < rows.size(); ++i)
    table.push_back({std::to_string(i), shown(rows[i].bytes),
                     rows[i].tokens.empty() ? "" : std::to_string(rows[i].tokens.front().id),
                     shown(rows[i].text)});
  world.print(fmt::format("{}\n{}\n", title, text_table(table)));
}

void print_encoding(World& world, const token::Encoding& encoding) {
  std::vector<std::vector<std::string>> table = {
      {"#", "characters", "id", "type", "word", "special", "token"}};
  for (size_t i = 0; i < encoding.size(); ++i)
    table.push_back({std::to_string(i), shown(encoding.offsets[i]), std::to_string(encoding.ids[i]),
                     std::to_string(encoding.type_ids[i]),
                     encoding.words[i] < 0 ? "-" : std::to_string(encoding.words[i]),
                     encoding.special[i] != 0 ? "yes" : "", shown(encoding.tokens[i])});
  world.print("encoding\n" + text_table(table) + "\n");
}

object to_json(const token::Encoding& encoding) {
  object out;
  array ids, tokens, offsets;
  for (size_t i = 0; i < encoding.size(); ++i) {
    ids.emplace_back(encoding.ids[i]);
    tokens.emplace_back(encoding.tokens[i]);
    offsets.emplace_back(array{encoding.offsets[i].begin, encoding.offsets[i].end});
  }
  out["ids"] = std::move(ids);
  out["tokens"] = std::move(tokens);
  out["offsets"] = std::move(offsets);
  return out;
}

Status inspect(World& world, const Arguments& arguments) {
  TRY(UserFiles files, UserFiles::open());
  TRY(const token::LoadedTokenizer loaded, load_tokenizer(files, arguments.positionals()[0]));
  TRY(const token::StageReport report, token::inspect(loaded.tokenizer, arguments.positionals()[1]));
  if (arguments.has("--json")) {
    object out;
    out["normalized"] = to_json(report.normalized);
    out["pre_tokenized"] = to_json(report.pre_tokenized);
    out["model"] = to_json(report.modelled);
    out["encoding"] = to_json(report.encoded);
    out["decoded"] = report.decoded;
    world.print(codec::to_text(out) + "\n");
    return Done{};
  }
  print_stage(world, "normalized (added tokens cut out)", report.normalized);
  print_stage(world, "pre-tokenized", report.pre_tokenized);
  print_stage(world, "model", report.modelled);
  print_encoding(world, report.encoded);
  world.print("decoded\n" + shown(report.decoded) + "\n");
  return Done{};
}

object to_json(const token::TextDifference& difference) {
  return object{{"text", difference.text},
                {"row", difference.row},
                {"first", difference.ours},
                {"second", difference.theirs}};
}

Result<std::vector<std::string>> texts_to_compare(UserFiles& files, const Arguments& arguments) {
  if (const auto named = arguments.value("--texts")) return read_texts(files, *named);
  std::vector<std::string> out;
  for (const std::string_view text : token::telling_texts()) out.emplace_back(text);
  return out;
}

Result<int> diff(World& world, const Arguments& arguments) {
  TRY(UserFiles files, UserFiles::open());
  TRY(token::FolderDocument one, open_tokenizer(files, arguments.positionals()[0]));
  TRY(token::FolderDocument other, open_tokenizer(files, arguments.positionals()[1]));
  TRY(const token::Tokenizer first, token::Tokenizer::from_document(one.document));
  TRY(const token::Tokenizer second, token::Tokenizer::from_document(other.document));
  TRY(const std::string first_digest, token::tokenizer_digest(std::move(one.document)));
  TRY(const std::string second_digest, token::tokenizer_digest(std::move(other.document)));
  TRY(const std::vector<std::string> texts, texts_to_compare(files, arguments));
  std::vector<token::TextDifference> differences;
  for (const std::string& text : texts)
    if (auto found = token::difference_on(first, second, text)) differences.push_back(std::move(*found));

  const bool same_digest = first_digest == second_digest;
  if (arguments.has("--json")) {
    array listed;
    for (const token::TextDifference& difference : differences) listed.push_back(to_json(difference));
    world.print(codec::to_text(object{{"first_digest", first_digest},
                                      {"second_digest", second_digest},
                                      {"texts", texts.size()},
                                      {"differing", differences.size()},
                                      {"differences", std::move(listed)}}) +
                "\n");
  } else {
    world.print(fmt::format("{} {}\n{} {}\n", first_digest, arguments.positionals()[0], second_digest,
                            arguments.positionals()[1]));
    world.print(fmt::format("{}; {} of {} texts differ\n",
                            same_digest ? "the same content" : "the contents differ", differences.size(),
                            texts.size()));
    std::vector<std::vector<std::string>> table = {{"token", "first", "second", "text"}};
    for (const token::TextDifference& difference : differences)
      table.push_back({std::to_string(difference.row), shown(difference.ours), shown(difference.theirs),
                       shown(difference.text.substr(0, 80))});
    if (!differences.empty()) world.print(text_table(table));
  }
  return same_digest && differences.empty() ? exit_done : exit_failed;
}

Status convert(World& world, const Arguments& arguments) {
  TRY(UserFiles files, UserFiles::open());
  TRY(token::FolderDocument found, open_tokenizer(files, arguments.positionals()[0]));
  TRY(const std::string digest, token::tokenizer_digest(found.document));
  TRY(const std::string text, token::saved_tokenizer_json(std::move(found.document)));
  TRY_DONE(files.write(arguments.positionals()[1], text));
  if (arguments.has("--json"))
    world.print(codec::to_text(object{{"source", found.source}, {"digest", digest}}) + "\n");
  else
    world.print(fmt::format("{} from {}, digest {}\n", arguments.positionals()[1], found.source, digest));
  return Done{};
}

template <class Work>
int run(World& world, std::span<const FlagRow> flags, size_t positionals,
        std::span<const std::string_view> words, Work work) {
  const auto arguments = Arguments::parse(
      {.flags = flags, .positionals_min = positionals, .positionals_max = positionals}, words);
  if (!arguments.ok()) return report(world, arguments.error());
  const Output output = arguments.value().has("--json") ? Output::json : Output::people;
  const Result<int> code = work(arguments.value());
  return code.ok() ? code.value() : report(world, code.error(), output);
}

int run_inspect(World& world, std::span<const std::string_view> words) {
  return run(world, inspect_flags, 2, words, [&](const Arguments& arguments) -> Result<int> {
    TRY_DONE(inspect(world, arguments));
    return exit_done;
  });
}

int run_diff(World& world, std::span<const std::string_view> words) {
  return run(world, diff_flags, 2, words, [&](const Arguments& arguments) { return diff(world, arguments); });
}

int run_convert(World& world, std::span<const std::string_view> words) {
  return run(world, inspect_flags, 2, words, [&](const Arguments& arguments) -> Result<int> {
    TRY_DONE(convert(world, arguments));
    return exit_done;
  });
}

}  // namespace

std::vector<Command> tokenizer_commands() {
  std::vector<Command> out = {
      {"tokenizer inspect", "FILE|FOLDER TEXT [--json]",
       "Shows what each stage of a tokenizer makes of a text.",
       "holdfast tokenizer inspect tokenizer.json 'Hello, world'", run_inspect},
      {"tokenizer diff", "FILE|FOLDER FILE|FOLDER [--texts FILE] [--json]",
       "Tells whether two tokenizers differ, and on which texts.",
       "holdfast tokenizer diff v1/tokenizer.json v2/tokenizer.json --texts samples.txt", run_diff},
      {"tokenizer convert", "FILE|FOLDER OUTPUT.json [--json]",
       "Writes the tokenizer.json that a folder's or file's vocabulary means.",
       "holdfast tokenizer convert ./repo-with-tokenizer.model tokenizer.json", run_convert}};
  out.push_back(tokenizer_train_command());
  return out;
}

}  // namespace holdfast::cli
