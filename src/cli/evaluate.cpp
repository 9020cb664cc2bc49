#include "cli/evaluate.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/option_value.h"
#include "cli/answered_rows.h"
#include "cli/connection.h"
#include "cli/evaluate_release.h"
#include "cli/evaluation_files.h"
#include "cli/labelled_rows.h"
#include "cli/model_source.h"
#include "cli/user_files.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr FlagRow flags[] = {
    {"--model", "MODEL", "The classifier: a folder, or REPO@REVISION."},
    {"--data", "DATA", "Rows as Parquet, JSON lines or CSV: a folder, or REPO@REVISION."},
    {"--criteria", "FILE", "What is asked, fixed before the rows are seen."},
    {"--out", "FOLDER", "Where result.json and rows.jsonl go; never over an earlier result."},
    {"--split", "NAME", "The rows [test]."},
    {"--label", "COLUMN", "What is to be told [label]."},
    {"--text", "COLUMN", "What it is told from [text]."},
    {"--release", "NUMBER", "The release of RECORD whose evidence this is."},
    {"--on-server", {}, "With RECORD: the server runs it, beside the model and the data."},
    {"--seed", "N", "Of the bootstrap [0]."},
    {"--json", {}, "The result on standard output."},
    endpoint_flag,
    token_flag};
constexpr uint64_t criteria_bytes_max = 1 << 20;

std::string digest_of(std::string_view text) {
  return "sha256:" + codec::to_hex(codec::sha256(as_bytes(text)));
}

std::string lines_of(const std::vector<LabelledRow>& rows, const measure::AnsweredRows& answers) {
  std::string lines;
  for (size_t i = 0; i < rows.size(); ++i)
    lines += codec::to_text(json::object{{"id", rows[i].id},
                                         {"text", rows[i].text},
                                         {"label", rows[i].label},
                                         {"predicted", answers.predicted(i)},
                                         {"confidence", answers.rows[i].confidence}}) +
             "\n";
  return lines;
}

json::object source_json(const Source& source) {
  if (source.name.empty()) return {{"repository", nullptr}, {"revision", nullptr}};
  return {{"repository", source.name}, {"revision", source.revision}};
}

void print_people(World& world, const measure::Evaluation& evaluation) {
  world.print(
      fmt::format("{:<24} {:>6}  {:<24} {:<24} {:>6}\n", "slice", "rows", "accuracy", "macro F1", "ECE"));
  const auto shown = [](const measure::Interval& one) {
    return fmt::format("{:.4f} [{:.4f}, {:.4f}]", one.estimate, one.low, one.high);
  };
  for (const measure::SliceScores& one : evaluation.slices)
    world.print(fmt::format("{:<24} {:>6}  {:<24} {:<24} {:.4f}\n", one.slice.empty() ? "all" : one.slice,
                            one.rows, shown(one.accuracy), shown(one.macro_f1), one.ece));
  world.print(fmt::format("latency: {:.1f} ms median, {:.1f} ms at 95 %\n",
                          evaluation.latency_p50_milliseconds, evaluation.latency_p95_milliseconds));
  for (const measure::Judgement& one : evaluation.judgements)
    world.print(fmt::format(
        "{}{} {} {}: {}\n", one.criterion.metric,
        one.criterion.slice.empty() ? "" : " of " + one.criterion.slice,
        one.criterion.bound == measure::Bound::at_least ? ">=" : "<=", one.criterion.limit, one.reason));
  world.print(fmt::format("verdict: {}\n", measure::verdict_name(evaluation.verdict)));
}

Result<int> evaluate_command(World& world, const Arguments& arguments) {
  for (const char* needed : {"--model", "--data", "--criteria", "--out"})
    if (!arguments.value(needed)) return fail(Reason::bad_request, fmt::format("eval needs {}", needed));
  TRY(UserFiles files, UserFiles::open());
  TRY(const std::string criteria_text, files.read(*arguments.value("--criteria"), criteria_bytes_max));
  TRY(const std::vector<measure::Criterion> criteria, parse_criteria(criteria_text));
  TRY(const auto out, io::open_posix_disk(std::string(*arguments.value("--out"))));
  if (io::read_text(*out, "result.json", 1 << 30).ok())
    return fail(Reason::already_exists,
                "the folder holds a result already, and results are never changed: name another one");
  TRY(const Source model_source,
      open_source(world, arguments, *arguments.value("--model"), RemoteType::model));
  TRY(const Source data_source,
      open_source(world, arguments, *arguments.value("--data"), RemoteType::dataset));
  TRY(const auto data_disk, io::open_posix_disk(data_source.folder));
  const std::string split(arguments.value_or("--split", "test"));
  TRY(const auto rows, read_rows(*data_disk, split,
                                 {std::string(arguments.value_or("--text", "text")),
                                  std::string(arguments.value_or("--label", "label"))}));
  TRY(const auto model_disk, io::open_posix_disk(model_source.folder));
  TRY(const model::TextModel model, model::TextModel::open(*model_disk, "."));
  TRY_DONE(model.expect_head(model::Head::sequence_classification, "eval"));
  TRY(const int64_t seed, parse_count(arguments.value_or("--seed", "0")));
  TRY(const measure::AnsweredRows answers, answer_rows(world.clock(), model, rows));
  const measure::Evaluation evaluation =
      measure::evaluate(answers.rows, answers.labels.size(), criteria, {.seed = static_cast<uint64_t>(seed)});
  const std::string lines = lines_of(rows, answers);

  json::object result = evaluation_json(evaluation);
  result["model"] = source_json(model_source);
  result["data"] = source_json(data_source);
  result["split"] = split;
  result["seed"] = seed;
  result["criteria_digest"] = digest_of(criteria_text);
  result["rows_digest"] = digest_of(lines);
  result["made_at"] = format_time(world.clock().wall());
  const std::string text = with_digest(std::move(result));
  TRY_DONE(io::publish_text(*out, "rows.jsonl", lines));
  TRY_DONE(io::publish_text(*out, "criteria.json", criteria_text));
  TRY_DONE(io::publish_text(*out, "result.json", text));
  if (arguments.has("--json"))
    world.print(text);
  else
    print_people(world, evaluation);
  return evaluation.verdict == measure::Verdict::passed ? exit_done : exit_failed;
}

// With a record's name: a release of it, by the registry's criteria, as evidence.
int run_evaluate(World& world, std::span<const std::string_view> words) {
  const auto arguments = Arguments::parse({flags, 0, 1}, words);
  if (!arguments.ok()) return report(world, arguments.error());
  const auto outcome = arguments.value().positionals().empty() ? evaluate_command(world, arguments.value())
                                                               : evaluate_release(world, arguments.value());
  return outcome.ok() ? outcome.value() : report(world, outcome.error());
}

// Whether a result is what its digest says, and its rows and criteria are those it was made from.
Status verify(UserFiles& files, std::string_view folder) {
  const std::string base = std::string(folder) + "/";
  TRY(const std::string text, files.read(base + "result.json", 1 << 30));
  TRY_DONE(check_digest(text));
  TRY(const json::object result, codec::parse_json_object(text));
  for (const auto& [key, name] :
       {std::pair{"rows_digest", "rows.jsonl"}, {"criteria_digest", "criteria.json"}}) {
    TRY(const std::string_view said, codec::json_text(result, key));
    TRY(const std::string kept, files.read(base + name, 1 << 30));
    if (digest_of(kept) != said)
      return fail(Reason::data_corrupt, fmt::format("{} is not what the result was made from", name));
  }
  return Done{};
}

int run_verify(World& world, std::span<const std::string_view> words) {
  const auto arguments = Arguments::parse({{}, 1, 1}, words);
  if (!arguments.ok()) return report(world, arguments.error());
  auto files = UserFiles::open();
  if (!files.ok()) return report(world, files.error());
  const Status done = verify(files.value(), arguments.value().positionals()[0]);
  if (!done.ok()) return report(world, done.error());
  world.print("the result is as it was made\n");
  return exit_done;
}

}  // namespace

std::vector<Command> evaluate_commands() {
  return {
      {"eval",
       "RECORD --release NUMBER [--on-server] | --model MODEL --data DATA --criteria FILE --out FOLDER\n\n" +
           flags_help(flags),
       "Runs a classifier over labelled rows and judges it by criteria fixed before; exit 0 only when it "
       "passes. With RECORD, by the registry's criteria, and the rows become the release's evidence.",
       "holdfast eval --model demo/intents@main --data demo/support@main --label intent --criteria "
       "criteria.json --out ./evidence",
       run_evaluate},
      {"eval verify", "FOLDER", "Checks an evaluation's result, rows and criteria against its digests.",
       "holdfast eval verify ./evidence", run_verify}};
}

}  // namespace holdfast::cli
