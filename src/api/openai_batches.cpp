#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/job_routes.h"
#include "api/job_views.h"
#include "codec/json.h"
#include "job/batches.h"
#include "job/request_asker.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using job::BatchState;
using net::Response;

constexpr uint64_t body_bytes_max = 64 << 10;
constexpr size_t metadata_pairs_max = 16, metadata_bytes_max = 512;

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

// What it took by now, how fast it goes, and what the rest will take at that rate.
json::object progress_view(const job::Batch& batch) {
  const double cost = static_cast<double>(batch.cost_nano) * 1e-9;
  const auto done = static_cast<double>(batch.answered + batch.failed);
  json::object out{{"cost", cost},
                   {"worker_seconds", static_cast<double>(batch.worker_us) * 1e-6},
                   {"requests_per_second", nullptr},
                   {"seconds_left", batch.over() ? json::value(0) : json::value(nullptr)},
                   {"cost_expected", batch.over() ? json::value(cost) : json::value(nullptr)}};
  if (batch.began.time_since_epoch().count() == 0 || done == 0) return out;
  const double seconds =
      std::chrono::duration<double>((batch.over() ? batch.ended : batch.looked) - batch.began).count();
  if (!(seconds > 0)) return out;
  out["requests_per_second"] = done / seconds;
  if (batch.over()) return out;
  out["seconds_left"] = (static_cast<double>(batch.total) - done) * seconds / done;
  out["cost_expected"] = cost * static_cast<double>(batch.total) / done;
  return out;
}

Result<json::object> view(const job::Batch& batch) {
  const auto at = [](WallTime time) {
    return time.time_since_epoch().count() == 0 ? json::value(nullptr) : json::value(seconds_of(time));
  };
  const auto ended = [&](BatchState as) {
    return batch.state == as ? at(batch.ended) : json::value(nullptr);
  };
  json::value errors, metadata;
  if (!batch.errors.empty()) {
    TRY(json::value list, codec::parse_json(batch.errors));
    errors = json::object{{"object", "list"}, {"data", std::move(list)}};
  }
  if (!batch.metadata.empty()) {
    TRY(metadata, codec::parse_json(batch.metadata));
  }
  return json::object{
      {"id", batch.id},
      {"object", "batch"},
      {"endpoint", batch.endpoint},
      {"errors", std::move(errors)},
      {"input_file_id", batch.input},
      {"completion_window", "24h"},
      {"status", job::state_name(batch.state)},
      {"output_file_id", text_or_null(batch.output_file)},
      {"error_file_id", text_or_null(batch.error_file)},
      {"created_at", at(batch.created)},
      {"in_progress_at", at(batch.began)},
      {"expires_at", at(batch.expires)},
      {"finalizing_at", ended(BatchState::completed)},
      {"completed_at", ended(BatchState::completed)},
      {"failed_at", ended(BatchState::failed)},
      {"expired_at", ended(BatchState::expired)},
      {"cancelling_at", at(batch.cancelled)},
      {"cancelled_at", ended(BatchState::cancelled)},
      {"request_counts",
       json::object{{"total", batch.total}, {"completed", batch.answered}, {"failed", batch.failed}}},
      {"usage", json::object{{"input_tokens", batch.tokens_read},
                             {"input_tokens_details", json::object{{"cached_tokens", 0}}},
                             {"output_tokens", batch.tokens_written},
                             {"output_tokens_details", json::object{{"reasoning_tokens", 0}}},
                             {"total_tokens", batch.tokens_read + batch.tokens_written}}},
      {"holdfast", progress_view(batch)},
      {"metadata", std::move(metadata)}};
}

Result<Response> told(Result<job::Batch> batch) {
  if (!batch.ok()) return batch.error();
  TRY(const json::object out, view(batch.value()));
  return json_answer(out);
}

Result<std::string> read_metadata(const json::object& body) {
  TRY(const json::object* metadata, codec::json_object_if(body, "metadata"));
  if (metadata == nullptr) return std::string();
  if (metadata->size() > metadata_pairs_max)
    return fail(Reason::bad_request, fmt::format("'metadata' has up to {} pairs", metadata_pairs_max));
  for (const auto& [key, value] : *metadata)
    if (!value.is_string() || value.get_string().size() > metadata_bytes_max)
      return fail(Reason::bad_request,
                  fmt::format("'metadata' has texts of up to {} bytes as values", metadata_bytes_max));
  return codec::to_text(*metadata);
}

Result<Response> create(const JobDoor& door, const job::RequestAsker& asker, const Call& call) {
  TRY_DONE(check_may_keep(call));
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  job::NewBatch wish;
  TRY(wish.endpoint, codec::json_text(body, "endpoint"));
  TRY(wish.input, codec::json_text(body, "input_file_id"));
  TRY(const std::string_view window, codec::json_text(body, "completion_window"));
  if (window != "24h") return fail(Reason::bad_request, "'completion_window' is 24h");
  if (!asker.answers(wish.endpoint))
    return fail(Reason::bad_request,
                "'endpoint' is none that batches may ask: /v1/chat/completions, "
                "/v1/completions, /v1/embeddings, /v1/responses, /v1/moderations, "
                "/v1/rerank, /models/NAMESPACE/NAME");
  if (const json::value* after = body.if_contains("output_expires_after");
      after != nullptr && !after->is_null())
    return fail(Reason::not_offered, "'output_expires_after' is not offered here: delete the files");
  TRY(wish.metadata, read_metadata(body));
  return told(door.batches.create(call.caller, wish));
}

Result<Response> list(const JobDoor& door, const Call& call) {
  TRY(const job::PageWish wish, page_wish(call, 20, 100));
  TRY(const job::Page<job::Batch> page, door.batches.list(call.caller, wish));
  json::array data;
  for (const job::Batch& batch : page.items) {
    TRY(json::object one, view(batch));
    data.push_back(std::move(one));
  }
  return json_answer(page_view(std::move(data), page.more));
}

Result<Response> show(const JobDoor& door, const Call& call) {
  return told(door.batches.find(call.caller, std::string(call.capture("batch"))));
}

Result<Response> cancel(const JobDoor& door, const Call& call) {
  return told(door.batches.cancel(call.caller, std::string(call.capture("batch"))));
}

}  // namespace

void add_batch_routes(RouteTable& table, Services& services, const JobDoor& door) {
  const std::shared_ptr<job::RequestAsker> asker =
      make_request_asker(table, services);  // Shared by copies of the handler.
  const auto row = [&](const char* method, const char* pattern, const char* name, CallHandler handler,
                       uint64_t bytes_max = 0) {
    table.add({method, pattern, name, Access::signed_in, bytes_max, std::move(handler), Dialect::openai});
  };
  row(
      "POST", "/v1/batches", "openai_batch_create",
      [door, asker](const Call& call) { return create(door, *asker, call); }, body_bytes_max);
  row("GET", "/v1/batches", "openai_batches", job_handler(door, list));
  row("GET", "/v1/batches/{batch}", "openai_batch", job_handler(door, show));
  row("POST", "/v1/batches/{batch}/cancel", "openai_batch_cancel", job_handler(door, cancel), body_bytes_max);
}

}  // namespace holdfast::api
