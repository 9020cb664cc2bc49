#include "govern/measured.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "sql/database.h"

namespace holdfast::govern {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& body, std::string_view key) {
  const json::value* value = body.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// {"accuracy": {"value": 0.9, …}, "ece": 0.03, …}
std::map<std::string, double> metrics_of(const json::object& body) {
  std::map<std::string, double> out;
  const json::value* metrics = body.if_contains("metrics");
  if (metrics == nullptr || !metrics->is_object()) return out;
  for (const auto& [name, figure] : metrics->get_object()) {
    const json::value* value = figure.is_object() ? figure.get_object().if_contains("value") : &figure;
    if (value != nullptr && value->is_number()) out[std::string(name)] = value->to_number<double>();
  }
  return out;
}

}  // namespace

Result<std::vector<MeasuredResult>> measured_results(sql::Database& database, repo::RepoId model) {
  std::vector<MeasuredResult> results;
  std::vector<std::pair<int64_t, std::string>> bodies;
  TRY_DONE(database.read([&](sql::Transaction& tx) {
    return tx.query(
        "SELECT e.id, e.body FROM govern_evidence e "
        "JOIN govern_evaluations v ON v.evidence = e.id AND v.state = 'done' "
        "JOIN govern_releases r ON r.record = e.record AND r.number = e.release "
        "WHERE r.repo = ? ORDER BY e.id DESC LIMIT 100",
        {model.raw}, [&](const sql::Row& row) {
          bodies.emplace_back(row.integer(0), row.text(1));
          return true;
        });
  }));
  for (const auto& [id, text] : bodies) {
    TRY(const json::object body, codec::parse_json_object(text));
    results.push_back({.evaluation = id,
                       .revision = text_of(body, "revision"),
                       .dataset = text_of(body, "dataset"),
                       .dataset_revision = text_of(body, "dataset_revision"),
                       .split = text_of(body, "split"),
                       .metrics = metrics_of(body)});
  }
  return results;
}

}  // namespace holdfast::govern
