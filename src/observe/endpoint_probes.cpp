#include "observe/endpoint_probes.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "codec/json.h"

namespace holdfast::observe {
namespace {

namespace json = boost::json;

constexpr size_t endpoints_max = 10'000;
constexpr double number_slack = 1e-3;
constexpr std::string_view of_its_own[] = {"id",      "created", "created_at",         "completed_at",
                                           "timings", "model",   "system_fingerprint", "holdfast"};

bool same(const json::value& wanted, bool stated, const json::value& answer);

bool same_object(const json::object& wanted, bool stated, const json::object& answer) {
  const auto own = [](std::string_view key) {
    return std::find(std::begin(of_its_own), std::end(of_its_own), key) != std::end(of_its_own);
  };
  for (const auto& [key, value] : wanted) {
    const json::value* found = answer.if_contains(key);
    if (!stated && own(key)) continue;
    if (found == nullptr || !same(value, stated, *found)) return false;
  }
  return stated || std::all_of(answer.begin(), answer.end(), [&](const auto& member) {
           return own(member.key()) || wanted.contains(member.key());
         });
}

bool same(const json::value& wanted, bool stated, const json::value& answer) {
  if (wanted.is_number() && answer.is_number()) {
    const auto a = wanted.to_number<double>(), b = answer.to_number<double>();
    return std::abs(a - b) <= number_slack * std::max({1.0, std::abs(a), std::abs(b)});
  }
  if (wanted.is_object() && answer.is_object())
    return same_object(wanted.get_object(), stated, answer.get_object());
  if (!wanted.is_array() || !answer.is_array()) return wanted == answer;
  const json::array &a = wanted.get_array(), &b = answer.get_array();
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [&](const auto& x, const auto& y) { return same(x, stated, y); });
}

}  // namespace

bool says_the_same(std::string_view wanted, bool stated, std::string_view answer) {
  const auto right = codec::parse_json(wanted), said = codec::parse_json(answer);
  if (!right.ok() || !said.ok()) return wanted == answer;
  return same(right.value(), stated, said.value());
}

Result<std::vector<EndpointProbe>> read_probes(sql::Database& database, const std::string& endpoint) {
  return database.read<std::vector<EndpointProbe>>(
      [&](sql::Transaction& tx) -> Result<std::vector<EndpointProbe>> {
        std::vector<EndpointProbe> out;
        TRY_DONE(
            tx.query("SELECT path, body, stated, revision, answer FROM observe_endpoint_probes WHERE "
                     "endpoint = ? ORDER BY position",
                     {endpoint}, [&](const sql::Row& row) {
                       out.push_back({.path = row.text(0),
                                      .body = row.text(1),
                                      .stated = row.integer(2) != 0,
                                      .revision = row.text(3),
                                      .answer = row.text(4)});
                       return out.size() < endpoint_probes_max;
                     }));
        return out;
      });
}

Status set_probes(sql::Database& database, const std::string& endpoint,
                  const std::vector<EndpointProbe>& probes) {
  return database.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(tx.run("DELETE FROM observe_endpoint_probes WHERE endpoint = ?", {endpoint}));
    for (size_t i = 0; i < probes.size(); ++i)
      TRY_DONE(
          tx.run("INSERT INTO observe_endpoint_probes (endpoint, position, path, body, stated, revision, "
                 "answer) VALUES (?, ?, ?, ?, ?, ?, ?)",
                 {endpoint, static_cast<int64_t>(i), probes[i].path, probes[i].body,
                  int64_t{probes[i].stated ? 1 : 0}, probes[i].revision, probes[i].answer}));
    return Done{};
  });
}

Status learn_answer(sql::Database& database, const std::string& endpoint, size_t position,
                    const EndpointProbe& probe) {
  return database.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(tx.run(
        "UPDATE observe_endpoint_probes SET revision = ?, answer = ? WHERE endpoint = ? AND "
        "position = ? AND path = ? AND body = ? AND stated = 0",
        {probe.revision, probe.answer, endpoint, static_cast<int64_t>(position), probe.path, probe.body}));
    return Done{};
  });
}

Result<std::vector<std::string>> probed_endpoints(sql::Database& database) {
  return database.read<std::vector<std::string>>(
      [&](sql::Transaction& tx) -> Result<std::vector<std::string>> {
        std::vector<std::string> out;
        TRY_DONE(tx.query("SELECT DISTINCT endpoint FROM observe_endpoint_probes ORDER BY endpoint", {},
                          [&](const sql::Row& row) {
                            out.push_back(row.text(0));
                            return out.size() < endpoints_max;
                          }));
        return out;
      });
}

}  // namespace holdfast::observe
