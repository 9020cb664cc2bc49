#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "identity/audit.h"
#include "identity/caller.h"

namespace holdfast::identity {

// Puts on the record that somebody fetched what not everybody may see: "repo.read" of `subject`
// ("model:lab/engine"), with the token and what of it ("main", a commit, "files"). The same by the same token
// counts once an hour, so that a file fetched in ranges is one entry, and after that a read of one row.
Status note_private_read(sql::Database& database, const Audit& audit, const Clock& clock,
                         const Caller& caller, std::string_view subject, std::string_view what);

}  // namespace holdfast::identity
