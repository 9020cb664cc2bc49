#include "observe/drift.h"

#include <boost/json/object.hpp>
#include <vector>

#include "codec/json.h"
#include "sql/database.h"

namespace holdfast::observe {

Drift::Drift(const Parts& parts, DriftBook::Options options)
    : parts_(parts),
      options_(options),
      dropped_(parts.metrics.counter("holdfast_drift_dropped_total",
                                     "Requests whose inputs were not looked at: too long or too many.")) {}

void Drift::offer(const serve::ServedCall& call) {
  if (call.by.record.empty() || call.status != 200) return;
  const size_t bytes = call.input.size() + call.output.size();
  std::lock_guard lock(mutex_);
  if (bytes > call_bytes_max || waiting_.size() >= waiting_max || waiting_bytes_ + bytes > waiting_bytes_max)
    return dropped_.add();
  waiting_bytes_ += bytes;
  waiting_.push_back({call.by.record, call.input, call.output});
}

Status Drift::load(sql::Database& database) {
  std::vector<std::pair<std::string, std::string>> rows;
  TRY_DONE(database.read([&](sql::Transaction& tx) {
    rows.clear();
    return tx.query("SELECT record, body FROM observe_drift", {}, [&](const sql::Row& row) {
      rows.emplace_back(row.text(0), row.text(1));
      return true;
    });
  }));
  std::lock_guard lock(mutex_);
  for (const auto& [record, body] : rows) {
    auto state = codec::parse_json_object(body);
    auto book = state.ok() ? DriftBook::restore(state.value(), options_)
                           : Result<DriftBook>(std::move(state).error());
    if (book.ok() && books_.size() < records_max)
      books_.insert_or_assign(record, std::move(book).value());
    else if (!book.ok())
      parts_.log.failure("drift_reference_lost", book.error(), {{"record", record}});
  }
  loaded_ = true;
  return Done{};
}

Status Drift::save(sql::Database& database, const std::string& record, const std::string& body) const {
  return database.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(
        tx.run("INSERT INTO observe_drift (record, body) VALUES (?, ?) ON CONFLICT (record) DO UPDATE "
               "SET body = excluded.body",
               {record, body}));
    return Done{};
  });
}

void Drift::show(const std::string& record, const DriftBook::Figures& figures) {
  const MetricLabels labels{{"endpoint", parts_.names.endpoint_of(record)}};
  for (const DriftBook::Moved& moved : figures.features) {
    MetricLabels more = labels;
    more.emplace_back("feature", moved.feature);
    parts_.metrics
        .gauge("holdfast_drift_psi",
               "Population stability index of the newest inputs against the reference; above 0.25 act.", more)
        .set(moved.psi);
  }
  parts_.metrics
      .gauge("holdfast_drift_confidence_shift", "Mean confidence of the newest answers less the reference's.",
             labels)
      .set(figures.confidence_shift);
  parts_.metrics
      .gauge("holdfast_drift_unseen_words_ratio", "Share of the newest inputs' words not seen before.",
             labels)
      .set(figures.unseen_words);
}

Status Drift::tick(sql::Database& database) {
  if (!loaded_) TRY_DONE(load(database));
  std::deque<Waiting> taken;
  {
    std::lock_guard lock(mutex_);
    taken.swap(waiting_);
    waiting_bytes_ = 0;
  }
  std::map<std::string, std::vector<InputFeatures>> seen;
  for (const Waiting& one : taken)
    for (InputFeatures& input : features_of(one.input, one.output, parts_.instance_key))
      seen[one.record].push_back(std::move(input));
  for (const auto& [record, inputs] : seen) {
    std::string changed;
    {
      std::lock_guard lock(mutex_);
      auto book = books_.find(record);
      if (book == books_.end() && books_.size() < records_max)
        book = books_.emplace(record, DriftBook(options_)).first;
      if (book == books_.end()) continue;
      for (const InputFeatures& input : inputs) book->second.add(input);
      if (book->second.take_changed()) changed = codec::to_text(book->second.state());
      const DriftBook::Figures figures = book->second.figures();
      if (figures.phase == DriftBook::Phase::watching) show(record, figures);
    }
    if (!changed.empty()) TRY_DONE(save(database, record, changed));
  }
  return Done{};
}

DriftBook::Figures Drift::figures(const std::string& record) const {
  std::lock_guard lock(mutex_);
  const auto book = books_.find(record);
  return book == books_.end() ? DriftBook::Figures{} : book->second.figures();
}

Status Drift::begin_again(sql::Database& database, const std::string& record) {
  TRY_DONE(database.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(tx.run("DELETE FROM observe_drift WHERE record = ?", {record}));
    return Done{};
  }));
  std::lock_guard lock(mutex_);
  books_.erase(record);
  return Done{};
}

}  // namespace holdfast::observe
