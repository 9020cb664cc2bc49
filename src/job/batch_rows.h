#pragma once

#include <optional>
#include <string>

#include "job/batches.h"

namespace holdfast::job {

inline constexpr std::string_view batch_columns =
    "number, id, owner, user_name, token, endpoint, input, metadata, state, errors, output_file, error_file, "
    "total, answered, failed, created, expires, began, cancelled, ended, tokens_read, tokens_written, "
    "worker_us, cost_nano";
Batch batch_of(const sql::Row& row);
inline constexpr std::string_view unfinished_states = "('validating', 'in_progress', 'cancelling')";

// How many of an unfinished one are answered by now, in place of the counts of its row.
Status count_answers(sql::Transaction& tx, Batch& batch);

inline int64_t milliseconds(WallTime time) { return time.time_since_epoch().count(); }

}  // namespace holdfast::job
