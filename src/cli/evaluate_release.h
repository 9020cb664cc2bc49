#pragma once

#include "base/arguments.h"
#include "cli/command.h"

namespace holdfast::cli {

// eval RECORD --release NUMBER: runs the release's pinned revision over the split that its record names,
// judges it by the criteria that stand in the registry, hands rows and figures in as evidence, and says what
// the gate makes of them. The data's revision is main's, or the one of --data REPO@REVISION. With --on-server
// the server runs it, and this side fetches neither model nor data.
Result<int> evaluate_release(World& world, const Arguments& arguments);

}  // namespace holdfast::cli
