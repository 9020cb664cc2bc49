#include "cli/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "base/option_value.h"
#include "cli/connection.h"
#include "cli/evaluation_files.h"
#include "cli/labelled_rows.h"
#include "cli/model_source.h"
#include "cli/user_files.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "model/text_model.h"

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
    {"--seed", "N", "Of the bootstrap [0]."},
    {"--json", {}, "The result on standard output."},
    endpoint_flag,
    token_flag};
constexpr uint64_t criteria_bytes_max = 1 << 20;

struct Answers {
  std::vector<measure::EvaluatedRow> rows;
  std::string lines;  // rows.jsonl
};

// The class with the greatest logit and its softmax.
std::pair<int, double> read_logits(const model::NamedOutput& logits) {
  const std::vector<float> all(logits.data.data(), logits.data.data() + logits.data.size());
  const auto best = std::max_element(all.begin(), all.end());
  double sum = 0;
  for (const float one : all) sum += std::exp(static_cast<double>(one) - static_cast<double>(*best));
  return {static_cast<int>(best - all.begin()), 1 / sum};
}

Result<Answers> answer_rows(World& world, const model::TextModel& model,
                            const std::vector<LabelledRow>& rows) {
  const std::vector<std::string>& labels = model.plan().labels;
  const auto threads = tensor::make_threads(2);
  Answers out;
  for (const LabelledRow& row : rows) {
    const auto found = std::find(labels.begin(), labels.end(), row.label);
    if (found == labels.end())
      return fail(Reason::bad_request,
                  fmt::format("the model has no class '{}', which row {} carries", row.label, row.id));
    const auto began = world.clock().now();
    TRY(const token::Encoding encoding, model.encode(row.text, std::nullopt, model::LongText::cut));
    TRY(const model::NamedOutput logits, model.logits(std::span(&encoding, 1), *threads));
    const auto [predicted, confidence] = read_logits(logits);
    measure::EvaluatedRow answered{static_cast<int>(found - labels.begin()), predicted, confidence,
                                   static_cast<double>((world.clock().now() - began).count()), row.others};
    out.lines += codec::to_text(json::object{{"id", row.id},
                                             {"text", row.text},
                                             {"label", row.label},
                                             {"predicted", labels[static_cast<size_t>(predicted)]},
                                             {"confidence", confidence}}) +
                 "\n";
    out.rows.push_back(std::move(answered));
  }
  return out;
}

std::string digest_of(std::string_view text) {
  return "sha256:" + codec::to_hex(codec::sha256(as_bytes(text)));
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
  TRY(const Answers answers, answer_rows(world, model, rows));
  const measure::Evaluation evaluation = measure::evaluate(answers.rows, model.plan().labels.size(), criteria,
                                                           {.seed = static_cast<uint64_t>(seed)});

  json::object result = evaluation_json(evaluation);
  result["model"] = source_json(model_source);
  result["data"] = source_json(data_source);
  result["split"] = split;
  result["seed"] = seed;
  result["criteria_digest"] = digest_of(criteria_text);
  result["rows_digest"] = digest_of(answers.lines);
  result["made_at"] = format_time(world.clock().wall());
  const std::string text = with_digest(std::move(result));
  TRY_DONE(io::publish_text(*out, "rows.jsonl", answers.lines));
  TRY_DONE(io::publish_text(*out, "criteria.json", criteria_text));
  TRY_DONE(io::publish_text(*out, "result.json", text));
  if (arguments.has("--json"))
    world.print(text);
  else
    print_people(world, evaluation);
  return evaluation.verdict == measure::Verdict::passed ? exit_done : exit_failed;
}

int run_evaluate(World& world, std::span<const std::string_view> words) {
  const auto arguments = Arguments::parse({flags, 0, 0}, words);
  if (!arguments.ok()) return report(world, arguments.error());
  const auto outcome = evaluate_command(world, arguments.value());
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
  return {{"eval", "--model MODEL --data DATA --criteria FILE --out FOLDER\n\n" + flags_help(flags),
           "Runs a classifier over labelled rows and judges it by criteria fixed before; exit 0 only when it "
           "passes.",
           "holdfast eval --model demo/intents@main --data demo/support@main --label intent --criteria "
           "criteria.json --out ./evidence",
           run_evaluate},
          {"eval verify", "FOLDER", "Checks an evaluation's result, rows and criteria against its digests.",
           "holdfast eval verify ./evidence", run_verify}};
}

}  // namespace holdfast::cli
