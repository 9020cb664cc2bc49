#include "govern/review.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "govern/records.h"
#include "repo/hub.h"

namespace holdfast::govern {
namespace {

constexpr std::string_view columns =
    "id, item, release, record, request, why, state, predicted, truth, reason, reviewer, score, at";
constexpr size_t label_bytes_max = 400;

ReviewItem item_of(const sql::Row& row) {
  return {.id = row.integer(0),
          .item = row.integer(1),
          .release = row.integer(2),
          .record = row.text(3),
          .request = row.text(4),
          .why = row.text(5),
          .state = row.text(6),
          .predicted = row.text(7),
          .truth = row.text(8),
          .reason = row.text(9),
          .reviewer = row.text(10),
          .score = row.real(11),
          .at = time_of(row.integer(12))};
}

}  // namespace

Result<std::vector<ReviewItem>> Review::select(std::string_view where,
                                               std::initializer_list<sql::Value> values) {
  std::vector<ReviewItem> items;
  TRY_DONE(parts_.database.read([&](sql::Transaction& tx) {
    items.clear();
    return tx.query(
        fmt::format("SELECT {} FROM govern_review WHERE {} ORDER BY id LIMIT 1000", columns, where), values,
        [&](const sql::Row& row) {
          items.push_back(item_of(row));
          return true;
        });
  }));
  for (ReviewItem& item : items) {
    auto input = parts_.requests.input_text(item.request, item.item);
    if (input.ok()) item.input = std::move(input).value();
  }
  return items;
}

Result<std::vector<ReviewItem>> Review::list(const identity::Caller& caller, const std::string& record,
                                             const std::string& state) {
  TRY_DONE(parts_.access.changeable(parts_.database, caller, record));
  TRY_DONE(parts_.requests.flush());
  return select("record = ? AND (? = '' OR state = ?)", {record, state, state});
}

Status Review::add_golden(sql::Transaction& tx, const ReviewItem& item, DataClass data_class, ByteView sealed,
                          WallTime now) const {
  TRY_DONE(tx.run(
      "INSERT INTO govern_golden (record, request, item, data_class, input, label, at) VALUES (?, ?, ?, ?, "
      "?, ?, ?) ON CONFLICT (record, request, item) DO UPDATE SET label = excluded.label",
      {item.record, item.request, item.item, data_class_name(data_class), sealed, item.truth,
       milliseconds(now)}));
  return Done{};
}

Result<ReviewItem> Review::judge(const identity::Caller& caller, int64_t id, std::string_view action,
                                 std::string_view label, std::string_view reason) {
  TRY(std::vector<ReviewItem> found, select("id = ?", {id}));
  const Error missing = fail(Code::not_found, fmt::format("there is no item {}", id));
  if (found.empty() || !parts_.access.seen(parts_.database, caller, found.front().record).ok())
    return missing;
  ReviewItem& item = found.front();
  TRY_DONE(parts_.access.changeable(parts_.database, caller, item.record));
  std::string_view state;
  if (action == "accept") {
    state = "accepted";
    if (item.truth.empty()) item.truth = item.predicted;
  } else if (action == "edit") {
    state = "edited";
    if (label.empty() || label.size() > label_bytes_max)
      return fail(Reason::bad_request, "'label' is the right answer, 1 to 400 bytes");
    item.truth = label;
  } else if (action == "reject") {
    state = "rejected";
    TRY_DONE(check_reason(reason));
  } else {
    return fail(Reason::bad_request, "'action' is accept, edit or reject");
  }
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY(const WallTime now, parts_.decisions.now(tx));
    TRY(const int64_t changed, tx.run("UPDATE govern_review SET state = ?, truth = ?, reason = ?, reviewer = "
                                      "?, at = ? WHERE id = ? AND state "
                                      "IN ('open', 'accepted', 'edited', 'rejected')",
                                      {state, item.truth, reason, caller.name, milliseconds(now), id}));
    if (changed == 0) return fail(Code::conflict, "the item is exported already");
    return Done{};
  }));
  TRY(found, select("id = ?", {id}));
  return std::move(found.front());
}

Result<Review::Exported> Review::export_rows(const identity::Caller& caller, const std::string& record,
                                             std::string_view dataset) {
  TRY_DONE(parts_.access.changeable(parts_.database, caller, record));
  TRY(const repo::RepoName name, repo::parse_repo_name(repo::RepoType::dataset, dataset));
  TRY(const auto target, parts_.hub.repositories.find(repo::RepoType::dataset, name.ns, name.name));
  if (!target || !parts_.hub.rights.may_see(caller, *target))
    return fail(Reason::repo_not_found, fmt::format("there is no data set {}", dataset));
  TRY(const std::vector<ReviewItem> items,
      select("record = ? AND state IN ('edited', 'rejected')", {record}));
  if (items.empty()) return fail(Code::conflict, "nothing was edited or rejected since the last time");
  std::string lines;
  for (const ReviewItem& item : items)
    lines += codec::to_text(boost::json::object{{"text", item.input},
                                                {"label", item.truth},
                                                {"predicted", item.predicted},
                                                {"review", item.state},
                                                {"reason", item.reason},
                                                {"request", item.request},
                                                {"item", item.item},
                                                {"release", item.release}}) +
             "\n";
  Exported exported{.dataset = target->full_name(),
                    .revision = {},
                    .path = fmt::format("data/review-{}.jsonl", items.back().id),
                    .rows = static_cast<int64_t>(items.size())};
  TRY(auto draft, parts_.hub.commits.begin(caller, *target));
  TRY_DONE(draft->put_file(exported.path, as_bytes(lines)));
  TRY(const repo::CommitDone done,
      draft->finish({.revision = "main",
                     .parent_commit = {},
                     .summary = fmt::format("{} reviewed rows of {}", items.size(), record),
                     .description = {}}));
  exported.revision = done.commit.hex();
  struct Golden {
    const ReviewItem& item;
    DataClass data_class;
    Bytes sealed;
  };
  std::vector<Golden> golden;
  for (const ReviewItem& item : items) {
    if (item.state != "edited" || item.input.empty()) continue;
    TRY(const Requests::Input input, parts_.requests.input_of(item.request, item.item));
    TRY(Bytes sealed, parts_.keys.seal(input.data_class, input.text));
    golden.push_back({item, input.data_class, std::move(sealed)});
  }
  exported.golden = static_cast<int64_t>(golden.size());
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY(const WallTime now, parts_.decisions.now(tx));
    for (const Golden& one : golden) TRY_DONE(add_golden(tx, one.item, one.data_class, one.sealed, now));
    for (const ReviewItem& item : items)
      TRY_DONE(tx.run("UPDATE govern_review SET state = 'exported' WHERE id = ?", {item.id}));
    return parts_.decisions.append(tx, {.actor = caller.name,
                                        .action = "review.exported",
                                        .record = record,
                                        .details = {{"dataset", exported.dataset},
                                                    {"revision", exported.revision},
                                                    {"rows", std::to_string(exported.rows)},
                                                    {"golden", std::to_string(exported.golden)}}});
  }));
  return exported;
}

Result<std::vector<GoldenExample>> Review::golden(const identity::Caller& caller, const std::string& record) {
  TRY_DONE(parts_.access.changeable(parts_.database, caller, record));
  struct Row {
    GoldenExample example;
    DataClass data_class;
    Bytes sealed;
  };
  std::vector<Row> rows;
  TRY_DONE(parts_.database.read([&](sql::Transaction& tx) {
    rows.clear();
    return tx.query(
        "SELECT id, request, label, at, data_class, input FROM govern_golden WHERE record = ? ORDER BY id "
        "LIMIT 10000",
        {record}, [&](const sql::Row& row) {
          rows.push_back({{.id = row.integer(0),
                           .request = row.text(1),
                           .label = row.text(2),
                           .at = time_of(row.integer(3))},
                          data_class_of(row.text(4)).value_or(DataClass::restricted),
                          row.blob(5)});
          return true;
        });
  }));
  std::vector<GoldenExample> examples;
  for (Row& row : rows) {
    TRY(row.example.input, parts_.keys.open(row.data_class, row.sealed));
    examples.push_back(std::move(row.example));
  }
  return examples;
}

}  // namespace holdfast::govern
