#include "cli/evaluate_release.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/option_value.h"
#include "cli/answered_rows.h"
#include "cli/connection.h"
#include "cli/evaluate_on_server.h"
#include "cli/labelled_rows.h"
#include "cli/model_source.h"
#include "cli/version.h"
#include "codec/json.h"
#include "govern/evaluation_result.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

// What the registry says about the run that is wanted.
struct Wish {
  std::string record, number;
  std::string model, revision;  // Of the release.
  std::string dataset, split;
  RowColumns columns;
  int64_t criteria = 0;
  std::string began;  // By the registry's clock: criteria that are younger do not count.

  std::string path() const { return fmt::format("/api/registry/records/{}", record); }
  std::string release_path() const { return fmt::format("{}/releases/{}", path(), number); }
};

std::string text_or(const json::object& object, std::string_view key, std::string_view otherwise) {
  const auto text = codec::json_text_if(object, key);
  const std::string_view found = text.ok() ? text.value().value_or("") : std::string_view();
  return std::string(found.empty() ? otherwise : found);
}

Result<Wish> find_wish(World& world, const Arguments& arguments) {
  Wish wish;
  wish.record = arguments.positionals()[0];
  wish.number = arguments.value_or("--release", "");
  if (wish.number.empty()) return fail(Reason::bad_request, "eval RECORD needs --release NUMBER");
  TRY(const json::value release, ask_json(world, arguments, {.path = wish.release_path()}));
  TRY(const std::string_view model, codec::json_text(release.get_object(), "model"));
  TRY(const std::string_view revision, codec::json_text(release.get_object(), "revision"));
  wish.model = model;
  wish.revision = revision;
  TRY(const json::value record, ask_json(world, arguments, {.path = wish.path()}));
  TRY(const json::object* evaluation, codec::json_object(record.get_object(), "evaluation"));
  wish.dataset = text_or(*evaluation, "dataset", "");
  if (wish.dataset.empty())
    return fail(Reason::bad_request,
                fmt::format("the record {} names no data for its evaluation", wish.record));
  wish.split = text_or(*evaluation, "split", "test");
  wish.columns = {arguments.value("--text") ? std::string(*arguments.value("--text"))
                                            : text_or(*evaluation, "text", "text"),
                  arguments.value("--label") ? std::string(*arguments.value("--label"))
                                             : text_or(*evaluation, "label", "label")};
  TRY(const json::value criteria, ask_json(world, arguments, {.path = wish.path() + "/criteria"}));
  TRY(const json::array* all, codec::json_array(criteria.get_object(), "criteria"));
  if (all->empty())
    return fail(Reason::precondition_failed,
                fmt::format("{} has no criteria yet: what is asked is fixed before the rows are seen "
                            "(holdfast release criteria {} FILE.json)",
                            wish.record, wish.record));
  TRY(wish.criteria, codec::json_integer(all->back().get_object(), "number"));
  TRY(const json::value clock, ask_json(world, arguments, {.path = "/api/registry/clock"}));
  TRY(const std::string_view now, codec::json_text(clock.get_object(), "now"));
  wish.began = now;
  return wish;
}

Result<Source> open_data(World& world, const Arguments& arguments, const Wish& wish) {
  const std::string named(arguments.value_or("--data", wish.dataset));
  if (named.substr(0, named.find('@')) != wish.dataset)
    return fail(Reason::bad_request,
                fmt::format("the record is evaluated on {}, not on {}", wish.dataset, named));
  return open_source(world, arguments, named, RemoteType::dataset);
}

// The gate's word on what was handed in.
Result<int> say_outcome(World& world, const Arguments& arguments, const Wish& wish,
                        const json::value& evidence) {
  TRY(const json::value release, ask_json(world, arguments, {.path = wish.release_path()}));
  TRY(const json::array* gates, codec::json_array(release.get_object(), "gates"));
  for (const json::value& gate : *gates) {
    TRY(const std::string_view name, codec::json_text(gate.get_object(), "gate"));
    if (name != "evaluation") continue;
    TRY(const std::string_view state, codec::json_text(gate.get_object(), "state"));
    TRY(const std::string_view reason, codec::json_text(gate.get_object(), "reason"));
    if (arguments.has("--json"))
      world.print(codec::to_text(json::object{{"evidence", evidence}, {"gate", gate}}) + "\n");
    else
      world.print(fmt::format("evidence {}, sha256 {}\n{}{}{}\n",
                              codec::to_text(evidence.get_object().at("id")),
                              std::string(evidence.get_object().at("digest").get_string()), state,
                              reason.empty() ? "" : ": ", reason));
    return state == "passed" ? exit_done : exit_failed;
  }
  world.print("evidence is kept; a prototype asks for none\n");
  return exit_done;
}

}  // namespace

Result<int> evaluate_release(World& world, const Arguments& arguments) {
  for (const char* other : {"--model", "--criteria", "--out", "--split"})
    if (arguments.value(other))
      return fail(Reason::bad_request, fmt::format("with a record, {} is not said: the record does", other));
  TRY(const int64_t seed, parse_count(arguments.value_or("--seed", "0")));
  if (arguments.has("--on-server")) {
    for (const char* other : {"--text", "--label"})
      if (arguments.value(other))
        return fail(Reason::bad_request,
                    fmt::format("on the server, {} is not said: the record does", other));
    Wish wish;
    wish.record = arguments.positionals()[0];
    wish.number = arguments.value_or("--release", "");
    if (wish.number.empty()) return fail(Reason::bad_request, "eval RECORD needs --release NUMBER");
    TRY(const json::value made, evaluate_on_server(world, arguments, wish.release_path(), seed));
    return say_outcome(world, arguments, wish, made);
  }
  TRY(const Wish wish, find_wish(world, arguments));
  TRY(const Source data, open_data(world, arguments, wish));
  TRY(const Source source,
      open_source(world, arguments, wish.model + "@" + wish.revision, RemoteType::model));
  TRY(const auto data_disk, io::open_posix_disk(data.folder));
  TRY(const auto rows, read_rows(*data_disk, wish.split, wish.columns));
  TRY(const auto model_disk, io::open_posix_disk(source.folder));
  TRY(const model::TextModel model, model::TextModel::open(*model_disk, "."));
  TRY_DONE(model.expect_head(model::Head::sequence_classification, "eval"));
  TRY(const measure::AnsweredRows answers, answer_rows(world.clock(), model, rows));
  const govern::NewEvidence found =
      govern::evaluation_evidence({.model = wish.model,
                                   .revision = wish.revision,
                                   .dataset = wish.dataset,
                                   .dataset_revision = data.revision,
                                   .split = wish.split,
                                   .criteria = wish.criteria,
                                   .seed = seed,
                                   .began = wish.began,
                                   .metric_code = fmt::format("holdfast {}", program_version())},
                                  rows, answers);
  json::array kept;
  for (const json::object& row : found.rows) kept.emplace_back(row);
  const json::object evidence{{"kind", found.kind}, {"body", found.body}, {"rows", std::move(kept)}};
  TRY(const json::value made,
      ask_json(world, arguments, {"POST", wish.release_path() + "/evidence", codec::to_text(evidence)}));
  return say_outcome(world, arguments, wish, made);
}

}  // namespace holdfast::cli
