#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace holdfast {

// What kind of failure it is, as code that reacts to it needs to know. Closed: switch over it without
// default.
enum class Code : uint8_t {
  invalid,
  not_found,
  conflict,
  denied,
  busy,
  too_large,
  corrupt,
  unavailable,
  internal
};

// Why, in the product's words. Each has one row in reasons(), from which status, X-Error-Code, class and
// retryable follow (docs/errors.md is printed from the same table). `none` falls back to the code's own row.
enum class Reason : uint8_t {
  none,
  bad_request,      // Malformed input: JSON, names, numbers, digests.
  bad_path,         // A file's path that no repository may hold.
  unauthenticated,  // No credentials where some are needed.
  bad_credentials,  // Credentials given and wrong, expired or revoked.
  forbidden,        // Known caller, visible resource, missing right.
  repo_not_found,   // Missing, or hidden from this caller: the two must not differ.
  revision_not_found,
  entry_not_found,
  gated,
  already_exists,
  stale_parent,  // The branch moved since the caller looked.
  precondition_failed,
  object_missing,   // An LFS object, xorb or chunk that this caller has not uploaded and cannot read.
  digest_mismatch,  // Bytes are not what their name says.
  length_required,
  range_unsatisfiable,
  unsupported_media,
  method_not_allowed,
  header_too_large,
  body_too_large,
  quota,
  disk_full,
  queue_full,
  rate_limited,
  timed_out,
  client_gone,
  shutting_down,
  dependency_failed,  // Something outside: database, object store, upstream, git binary.
  worker_failed,
  model_unsupported,
  model_loading,
  tokenization_failed,
  input_too_long,
  policy_refused,  // A check or gate said no: secrets, pickle, licence, release.
  not_offered,     // This server does not have the feature.
  data_corrupt,    // What we stored no longer matches its digest.
};

// Who has to act (SRV-25).
enum class ErrorClass : uint8_t {
  client,
  tokenization,
  model,
  capacity,
  timeout,
  dependency,
  policy,
  server
};

struct ReasonRow {
  Reason reason;
  std::string_view name;  // Machine code in JSON bodies and metric labels: "stale_parent".
  Code code;              // The code an error with this reason carries.
  int http_status;
  std::string_view error_code;  // X-Error-Code as huggingface_hub knows it, or our own in the same spelling.
  ErrorClass error_class;
  bool retryable;
};

std::span<const ReasonRow> reasons();
const ReasonRow& reason_row(Reason reason);             // `none` is not allowed here.
const ReasonRow& reason_row(Code code, Reason reason);  // The row to answer with; falls back by code.
std::string_view error_class_name(ErrorClass error_class);
std::string_view code_name(Code code);
// The table of docs/errors.md; a test holds the page to it.
std::string reasons_as_markdown();

}  // namespace holdfast
