#include "govern/requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "sql/database.h"

namespace holdfast::govern {
namespace {

namespace json = boost::json;

constexpr double low_confidence = 0.5;
constexpr int64_t open_items_max = 5000;  // Of one record's review queue; more wait in the log of requests.
constexpr size_t label_bytes_max = 400, feedback_max = 1000;
constexpr std::string_view columns =
    "id, record, release, deployment, repo, model, revision, tokenizer, feature, user_name, door, captures, "
    "content_type, status, took, at, output_digest, data_class";

std::string captures_text(const std::vector<std::pair<std::string, std::string>>& captures) {
  json::object object;
  for (const auto& [name, value] : captures) object[name] = value;
  return codec::to_text(object);
}

KeptRequest request_of(const sql::Row& row) {
  KeptRequest request{.id = row.text(0),
                      .record = row.text(1),
                      .deployment = row.text(3),
                      .model = row.text(5),
                      .revision = row.text(6),
                      .tokenizer = row.text(7),
                      .feature = row.text(8),
                      .user = row.text(9),
                      .door = row.text(10),
                      .content_type = row.text(12),
                      .at = time_of(row.integer(15)),
                      .release = row.integer(2),
                      .repository = row.integer(4),
                      .status = row.integer(13),
                      .took_ms = row.integer(14),
                      .output_digest = row.text(16)};
  const auto captures = codec::parse_json_object(row.text(11));
  if (captures.ok())
    for (const auto& [name, value] : captures.value())
      if (value.is_string()) request.captures.emplace_back(name, value.get_string());
  return request;
}

Status read_predictions(sql::Transaction& tx, KeptRequest& request) {
  return tx.query("SELECT item, label, score, truth FROM govern_predictions WHERE request = ? ORDER BY item",
                  {request.id}, [&](const sql::Row& row) {
                    request.predictions.push_back({row.integer(0), row.text(1), row.real(2), row.text(3)});
                    return true;
                  });
}

// The queue of people: one item a prediction, the first reason stays.
Status queue_for_review(sql::Transaction& tx, const std::string& request, int64_t item, std::string_view why,
                        std::string_view truth, std::string_view reason, WallTime now) {
  TRY_DONE(tx.run(
      "INSERT INTO govern_review (record, request, item, release, why, state, predicted, score, truth, "
      "reason, at) "
      "SELECT record, request, item, release, ?, 'open', label, score, ?, ?, ? FROM govern_predictions p "
      "WHERE request = ? AND item = ? AND (SELECT COUNT(*) FROM govern_review r WHERE r.record = p.record "
      "AND "
      "r.state = 'open') < ? "
      "ON CONFLICT (request, item) DO UPDATE SET why = excluded.why, truth = excluded.truth, reason = "
      "excluded.reason "
      "WHERE govern_review.state = 'open'",
      {why, truth, reason, milliseconds(now), request, item, open_items_max}));
  return Done{};
}

}  // namespace

void Requests::take(serve::ServedCall call) {
  if (call.by.record.empty()) return;
  std::lock_guard lock(mutex_);
  if (waiting_.size() >= waiting_max) {
    ++dropped_;
    return;
  }
  waiting_.emplace_back(std::move(call), parts_.clock.wall());
}

Status Requests::flush() {
  std::lock_guard one(flushing_);
  std::vector<Taken> calls;
  uint64_t dropped = 0;
  {
    std::lock_guard lock(mutex_);
    calls.swap(waiting_);
    std::swap(dropped, dropped_);
  }
  if (dropped > 0) parts_.log.warn("requests_not_kept", {{"requests", dropped}});
  if (calls.empty()) return Done{};
  return write(calls);
}

Status Requests::write(const std::vector<Taken>& calls) {
  std::vector<std::pair<Bytes, Bytes>> sealed;
  std::vector<DataClass> classes;
  for (const auto& [call, at] : calls) {
    DataClass data_class = DataClass::internal;
    const auto stored = parts_.database.read<StoredRecord>(
        [&](sql::Transaction& tx) { return record_named(tx, call.by.record); });
    if (stored.ok()) data_class = stored.value().record.data_class.value_or(DataClass::internal);
    classes.push_back(data_class);
    const bool fits = call.input.size() <= kept_bytes_max && call.output.size() <= kept_bytes_max;
    TRY(Bytes input, parts_.keys.seal(data_class, fits ? std::string_view(call.input) : std::string_view()));
    TRY(Bytes output,
        parts_.keys.seal(data_class, fits ? std::string_view(call.output) : std::string_view()));
    sealed.emplace_back(std::move(input), std::move(output));
  }
  return parts_.database.write([&](sql::Transaction& tx) -> Status {
    for (size_t i = 0; i < calls.size(); ++i) {
      const auto& [call, at] = calls[i];
      const std::string captures = captures_text(call.captures);
      const std::string digest = codec::to_hex(codec::sha256(as_bytes(call.output)));
      TRY_DONE(
          tx.run("INSERT INTO govern_requests (id, at, record, release, deployment, repo, model, revision, "
                 "tokenizer, "
                 "feature, user_name, door, captures, content_type, status, took, data_class, input, output, "
                 "output_digest) "
                 "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                 {call.id,
                  milliseconds(at),
                  call.by.record,
                  call.by.release,
                  call.by.deployment,
                  call.by.model.repository,
                  call.by.model.name,
                  call.by.model.commit,
                  call.by.tokenizer,
                  call.by.feature,
                  call.user,
                  call.door,
                  captures,
                  call.content_type,
                  int64_t{call.status},
                  int64_t{call.took.count()},
                  data_class_name(classes[i]),
                  ByteView(sealed[i].first),
                  ByteView(sealed[i].second),
                  digest}));
      if (call.status != 200) continue;
      int64_t item = 0;
      for (const Prediction& prediction : predictions_of(call.output)) {
        TRY_DONE(
            tx.run("INSERT INTO govern_predictions (request, item, record, release, label, score, at) VALUES "
                   "(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                   {call.id, item, call.by.record, call.by.release, prediction.label, prediction.score,
                    milliseconds(at)}));
        if (prediction.score < low_confidence)
          TRY_DONE(queue_for_review(tx, call.id, item, "low_confidence", "", "", at));
        ++item;
      }
    }
    return Done{};
  });
}

Result<std::vector<std::string>> Requests::label(const identity::Caller& caller,
                                                 const std::vector<Feedback>& feedback) {
  if (feedback.empty() || feedback.size() > feedback_max)
    return fail(Reason::bad_request, fmt::format("'feedback' has 1 to {} items", feedback_max));
  TRY_DONE(flush());
  for (const Feedback& one : feedback) {
    TRY(const KeptRequest request, find(caller, one.request, Content::without));
    // Labels decide about releases: they come from who asked, or from the record's writers.
    const std::string_view ns = std::string_view(request.record).substr(0, request.record.find('/'));
    if (caller.name != request.user && !parts_.access.may_change(caller, ns))
      return fail(Reason::forbidden, "feedback is given by who asked, and by writers of the record");
  }
  return parts_.database.write<std::vector<std::string>>(
      [&](sql::Transaction& tx) -> Result<std::vector<std::string>> {
        std::vector<std::string> records;
        for (const Feedback& one : feedback) TRY_DONE(write_feedback(tx, caller, one, records));
        return records;
      });
}

Status Requests::write_feedback(sql::Transaction& tx, const identity::Caller& caller,
                                const Feedback& feedback, std::vector<std::string>& records) {
  std::optional<KeptPrediction> found;
  std::string record;
  TRY_DONE(tx.query(
      "SELECT item, label, score, truth, record FROM govern_predictions WHERE request = ? AND item = ?",
      {feedback.request, feedback.item}, [&](const sql::Row& row) {
        found = KeptPrediction{row.integer(0), row.text(1), row.real(2), row.text(3)};
        record = row.text(4);
        return false;
      }));
  if (!found)
    return fail(Code::not_found,
                fmt::format("request {} has no prediction {}", feedback.request, feedback.item));
  if (std::find(records.begin(), records.end(), record) == records.end()) records.push_back(record);
  TRY(const WallTime now, parts_.decisions.now(tx));
  if (feedback.reject)
    return queue_for_review(tx, feedback.request, feedback.item, "rejected", found->truth,
                            std::string_view(*feedback.reject).substr(0, 2000), now);
  const std::optional<std::string>& truth = feedback.label ? feedback.label : feedback.edit;
  if (!truth || truth->empty() || truth->size() > label_bytes_max)
    return fail(Reason::bad_request, "feedback is a 'label', an 'edit' or a 'reject', of 1 to 400 bytes");
  if (found->truth == *truth) return Done{};
  if (!found->truth.empty() && feedback.label)
    return fail(Code::conflict, fmt::format("request {} has another label already", feedback.request));
  TRY_DONE(tx.run("UPDATE govern_state SET labels = labels + 1 WHERE one = 1"));
  TRY_DONE(tx.run(
      "UPDATE govern_predictions SET truth = ?, labelled_by = ?, labelled = CASE WHEN labelled > 0 THEN "
      "labelled ELSE (SELECT labels FROM govern_state WHERE one = 1) END WHERE request = ? AND item = ?",
      {*truth, caller.name, feedback.request, feedback.item}));
  if (feedback.edit) return queue_for_review(tx, feedback.request, feedback.item, "edited", *truth, "", now);
  if (*truth != found->label)
    return queue_for_review(tx, feedback.request, feedback.item, "wrong", *truth, "", now);
  return Done{};
}

Result<KeptRequest> Requests::find(const identity::Caller& caller, const std::string& id, Content content) {
  TRY_DONE(flush());
  const Error missing = fail(Code::not_found, "there is no such request");
  std::optional<KeptRequest> found;
  Bytes input, output;
  std::string data_class;
  TRY_DONE(parts_.database.read([&](sql::Transaction& tx) -> Status {
    found.reset();
    TRY_DONE(tx.query(fmt::format("SELECT {}, input, output FROM govern_requests WHERE id = ?", columns),
                      {id}, [&](const sql::Row& row) {
                        found = request_of(row);
                        data_class = row.text(17);
                        input = row.blob(18);
                        output = row.blob(19);
                        return false;
                      }));
    return found ? read_predictions(tx, *found) : Status(Done{});
  }));
  if (!found) return missing;
  const auto stored = parts_.access.seen(parts_.database, caller, found->record);
  if (!stored.ok()) return missing;
  if (content == Content::without) return std::move(*found);
  if (!parts_.access.may_change(caller, stored.value().record.ns()) && caller.name != found->user)
    return fail(Reason::forbidden, "inputs and outputs are for writers of the record");
  const DataClass kept_as = data_class_of(data_class).value_or(DataClass::restricted);
  TRY(found->input, parts_.keys.open(kept_as, input));
  TRY(found->output, parts_.keys.open(kept_as, output));
  return std::move(*found);
}

Result<std::vector<KeptRequest>> Requests::list(const identity::Caller& caller, const std::string& record,
                                                int64_t count_max) {
  TRY_DONE(parts_.access.seen(parts_.database, caller, record));
  TRY_DONE(flush());
  std::vector<KeptRequest> requests;
  TRY_DONE(parts_.database.read([&](sql::Transaction& tx) -> Status {
    requests.clear();
    TRY_DONE(tx.query(
        fmt::format("SELECT {} FROM govern_requests WHERE record = ? ORDER BY at DESC, id LIMIT ?", columns),
        {record, std::clamp<int64_t>(count_max, 1, 1000)}, [&](const sql::Row& row) {
          requests.push_back(request_of(row));
          return true;
        }));
    for (KeptRequest& request : requests) TRY_DONE(read_predictions(tx, request));
    return Done{};
  }));
  return requests;
}

Result<Requests::Input> Requests::input_of(const std::string& request, int64_t item) {
  Bytes sealed;
  std::string data_class;
  TRY_DONE(parts_.database.read([&](sql::Transaction& tx) {
    return tx.query("SELECT input, data_class FROM govern_requests WHERE id = ?", {request},
                    [&](const sql::Row& row) {
                      sealed = row.blob(0);
                      data_class = row.text(1);
                      return false;
                    });
  }));
  const DataClass kept_as = data_class_of(data_class).value_or(DataClass::restricted);
  TRY(const std::string body, parts_.keys.open(kept_as, sealed));
  TRY(std::string text, input_item(body, item));
  return Input{std::move(text), kept_as};
}

Result<std::string> Requests::input_text(const std::string& request, int64_t item) {
  TRY(Input input, input_of(request, item));
  return std::move(input.text);
}

}  // namespace holdfast::govern
