#include "base/reason.h"

#include <fmt/format.h>

#include <array>

#include "base/check.h"

namespace holdfast {
namespace {

using enum Code;
using enum ErrorClass;

constexpr std::array rows = {
    ReasonRow{Reason::bad_request, "bad_request", invalid, 400, "BadRequest", client, false},
    ReasonRow{Reason::bad_path, "bad_path", invalid, 422, "BadPath", client, false},
    ReasonRow{Reason::unauthenticated, "unauthenticated", denied, 401, "Unauthenticated", client, false},
    ReasonRow{Reason::bad_credentials, "bad_credentials", denied, 401, "BadCredentials", client, false},
    ReasonRow{Reason::forbidden, "forbidden", denied, 403, "Forbidden", client, false},
    ReasonRow{Reason::repo_not_found, "repo_not_found", not_found, 404, "RepoNotFound", client, false},
    ReasonRow{Reason::revision_not_found, "revision_not_found", not_found, 404, "RevisionNotFound", client,
              false},
    ReasonRow{Reason::entry_not_found, "entry_not_found", not_found, 404, "EntryNotFound", client, false},
    ReasonRow{Reason::gated, "gated", denied, 403, "GatedRepo", policy, false},
    ReasonRow{Reason::already_exists, "already_exists", conflict, 409, "AlreadyExists", client, false},
    ReasonRow{Reason::stale_parent, "stale_parent", conflict, 412, "StaleParent", client, true},
    ReasonRow{Reason::precondition_failed, "precondition_failed", conflict, 412, "PreconditionFailed", client,
              false},
    ReasonRow{Reason::object_missing, "object_missing", not_found, 404, "ObjectMissing", client, false},
    ReasonRow{Reason::digest_mismatch, "digest_mismatch", invalid, 400, "DigestMismatch", client, true},
    ReasonRow{Reason::length_required, "length_required", invalid, 411, "LengthRequired", client, false},
    ReasonRow{Reason::range_unsatisfiable, "range_unsatisfiable", invalid, 416, "RangeNotSatisfiable", client,
              false},
    ReasonRow{Reason::unsupported_media, "unsupported_media", invalid, 415, "UnsupportedMediaType", client,
              false},
    ReasonRow{Reason::method_not_allowed, "method_not_allowed", invalid, 405, "MethodNotAllowed", client,
              false},
    ReasonRow{Reason::header_too_large, "header_too_large", too_large, 431, "HeaderTooLarge", client, false},
    ReasonRow{Reason::body_too_large, "body_too_large", too_large, 413, "BodyTooLarge", client, false},
    ReasonRow{Reason::quota, "quota", denied, 403, "QuotaExceeded", capacity, false},
    ReasonRow{Reason::disk_full, "disk_full", unavailable, 507, "DiskFull", capacity, true},
    ReasonRow{Reason::queue_full, "queue_full", busy, 429, "QueueFull", capacity, true},
    ReasonRow{Reason::rate_limited, "rate_limited", busy, 429, "RateLimited", capacity, true},
    ReasonRow{Reason::timed_out, "timed_out", unavailable, 504, "Timeout", timeout, true},
    ReasonRow{Reason::client_gone, "client_gone", unavailable, 499, "ClientGone", client, true},
    ReasonRow{Reason::shutting_down, "shutting_down", unavailable, 503, "ShuttingDown", capacity, true},
    ReasonRow{Reason::dependency_failed, "dependency_failed", unavailable, 502, "DependencyFailed",
              dependency, true},
    ReasonRow{Reason::worker_failed, "worker_failed", unavailable, 503, "WorkerFailed", model, true},
    ReasonRow{Reason::model_unsupported, "model_unsupported", invalid, 422, "ModelUnsupported", model, false},
    ReasonRow{Reason::model_loading, "model_loading", unavailable, 503, "ModelLoading", model, true},
    ReasonRow{Reason::tokenization_failed, "tokenization_failed", invalid, 422, "TokenizationFailed",
              tokenization, false},
    ReasonRow{Reason::input_too_long, "input_too_long", too_large, 413, "InputTooLong", tokenization, false},
    ReasonRow{Reason::policy_refused, "policy_refused", denied, 403, "PolicyRefused", policy, false},
    ReasonRow{Reason::not_offered, "not_offered", not_found, 404, "NotOffered", client, false},
    ReasonRow{Reason::data_corrupt, "data_corrupt", corrupt, 500, "DataCorrupt", server, false},
};

// Rows for errors that carry a code and no reason. The order is that of Code.
constexpr std::array by_code = {
    ReasonRow{Reason::none, "invalid", invalid, 400, "BadRequest", client, false},
    ReasonRow{Reason::none, "not_found", not_found, 404, "NotFound", client, false},
    ReasonRow{Reason::none, "conflict", conflict, 409, "Conflict", client, false},
    ReasonRow{Reason::none, "denied", denied, 403, "Forbidden", client, false},
    ReasonRow{Reason::none, "busy", busy, 429, "Busy", capacity, true},
    ReasonRow{Reason::none, "too_large", too_large, 413, "TooLarge", client, false},
    ReasonRow{Reason::none, "corrupt", corrupt, 500, "DataCorrupt", server, false},
    ReasonRow{Reason::none, "unavailable", unavailable, 503, "Unavailable", dependency, true},
    ReasonRow{Reason::none, "internal", internal, 500, "InternalError", server, false},
};

constexpr bool rows_follow_the_enum() {
  for (size_t i = 0; i < rows.size(); ++i)
    if (static_cast<size_t>(rows[i].reason) != i + 1) return false;
  for (size_t i = 0; i < by_code.size(); ++i)
    if (static_cast<size_t>(by_code[i].code) != i) return false;
  return true;
}
static_assert(rows_follow_the_enum());

}  // namespace

std::span<const ReasonRow> reasons() { return rows; }

const ReasonRow& reason_row(Reason reason) {
  CHECK(reason != Reason::none);
  return rows[static_cast<size_t>(reason) - 1];
}

const ReasonRow& reason_row(Code code, Reason reason) {
  return reason == Reason::none ? by_code[static_cast<size_t>(code)] : reason_row(reason);
}

std::string_view error_class_name(ErrorClass error_class) {
  switch (error_class) {
    case client:
      return "client";
    case tokenization:
      return "tokenization";
    case model:
      return "model";
    case capacity:
      return "capacity";
    case timeout:
      return "timeout";
    case dependency:
      return "dependency";
    case policy:
      return "policy";
    case server:
      return "server";
  }
  std::abort();
}

std::string_view code_name(Code code) { return by_code[static_cast<size_t>(code)].name; }

std::string reasons_as_markdown() {
  std::string page =
      "| code | status | X-Error-Code | class | retryable |\n| --- | --- | --- | --- | --- |\n";
  auto add = [&page](const ReasonRow& row) {
    page += fmt::format("| `{}` | {} | `{}` | {} | {} |\n", row.name, row.http_status, row.error_code,
                        error_class_name(row.error_class), row.retryable ? "yes" : "no");
  };
  for (const ReasonRow& row : rows) add(row);
  for (const ReasonRow& row : by_code) add(row);
  return page;
}

}  // namespace holdfast
