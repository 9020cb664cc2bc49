#include "api/govern_golden.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/endpoint_call.h"
#include "api/services.h"
#include "codec/json.h"
#include "govern/gates.h"
#include "govern/prediction.h"
#include "govern/registry.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

constexpr size_t batch_examples = 32;

using Examples = std::span<const govern::GoldenExample>;

Result<std::vector<std::string>> labels_in(const net::Response& answer, size_t wanted) {
  const auto* body = std::get_if<std::string>(&answer.body);
  const auto predictions = answer.status == 200 && body != nullptr ? govern::predictions_of(*body)
                                                                   : std::vector<govern::Prediction>();
  if (predictions.size() != wanted)
    return fail(Reason::dependency_failed, "the model does not answer the golden examples with classes");
  std::vector<std::string> labels;
  for (const govern::Prediction& one : predictions) labels.push_back(one.label);
  return labels;
}

// Our own worker, several at once.
Result<std::vector<std::string>> ask_worker(const RouteTable& table, Services& services, const Call& call,
                                            const govern::Release& release, Examples examples) {
  const ApiRoute* row = route_named(table, "task_predict");
  if (row == nullptr) return fail(Code::internal, "there is no door for predictions");
  const size_t slash = release.model.find('/');
  json::array inputs;
  for (const govern::GoldenExample& one : examples) inputs.push_back(json::array{one.input});
  const InnerRequest inner{
      .target = fmt::format("/models/{}/predict", release.model),
      .content_type = "application/json",
      .body = codec::to_text(json::object{{"inputs", std::move(inputs)}}),
      .captures = {{"ns", release.model.substr(0, slash)}, {"name", release.model.substr(slash + 1)}}};
  const serve::ReleaseAnswer by{.model = {release.repository, release.model, release.revision},
                                .deployment = fmt::format("{}/{}/golden", release.record, release.number),
                                .tokenizer = {},
                                .record = release.record,
                                .feature = {},
                                .release = release.number};
  TRY(const net::Response answer, run_inner(services, *row, call, inner, by, Telling::keep_quiet));
  return labels_in(answer, examples.size());
}

Result<std::vector<std::string>> ask_engine(Services& services, const GovernDoor& door, const Call& call,
                                            const AttachedEngine& engine, Examples examples) {
  std::vector<std::string> labels;
  for (const govern::GoldenExample& one : examples) {
    const InnerRequest inner{.target = {},
                             .content_type = "application/json",
                             .body = codec::to_text(json::object{{"inputs", one.input}}),
                             .captures = {}};
    TRY(const net::Response answer,
        forward(services, door, engine.endpoint, *engine.attachment, call, inner, "predict"));
    TRY(std::vector<std::string> label, labels_in(answer, 1));
    labels.push_back(std::move(label.front()));
  }
  return labels;
}

}  // namespace

Result<govern::Evidence> run_golden(const RouteTable& table, Services& services, const GovernDoor& door,
                                    const Call& call, const std::string& record, int64_t number) {
  TRY(const std::vector<govern::GoldenExample> examples, door.registry.review.golden(call.caller, record));
  if (examples.empty()) return fail(Code::conflict, fmt::format("{} has no golden examples", record));
  TRY(const govern::Facts facts, door.registry.releases.facts(call.caller, record, number));
  TRY(const AttachedEngine engine, engine_of(door, call.caller, facts.release));
  json::array failed, rows;
  for (size_t at = 0; at < examples.size(); at += batch_examples) {
    const Examples some = Examples(examples).subspan(at, std::min(batch_examples, examples.size() - at));
    TRY(const std::vector<std::string> labels, engine.attachment == nullptr
                                                   ? ask_worker(table, services, call, facts.release, some)
                                                   : ask_engine(services, door, call, engine, some));
    for (size_t i = 0; i < some.size(); ++i) {
      if (labels[i] != some[i].label) failed.emplace_back(some[i].id);
      rows.push_back(json::object{
          {"id", std::to_string(some[i].id)}, {"label", some[i].label}, {"predicted", labels[i]}});
    }
  }
  const bool passed = failed.empty();
  const json::object body{{"verdict", passed ? "pass" : "fail"},
                          {"examples", examples.size()},
                          {"failed", std::move(failed)},
                          {"revision", facts.release.revision},
                          {"asked_by", call.caller.name}};
  return door.registry.releases.add_golden_run(record, number, body, rows, "(server)");
}

Status run_missing_golden(const RouteTable& table, Services& services, const GovernDoor& door,
                          const Call& call, const std::string& record, int64_t number) {
  TRY(const govern::Facts facts, door.registry.releases.facts(call.caller, record, number));
  if (govern::golden_gate(facts).state != govern::GateState::waiting) return Done{};
  TRY_DONE(run_golden(table, services, door, call, record, number));
  return Done{};
}

}  // namespace holdfast::api
