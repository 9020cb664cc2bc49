#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "govern/facts.h"
#include "identity/caller.h"
#include "measure/answered_rows.h"

namespace holdfast::govern {

struct AskedRow {
  measure::RowAnswer answer;
  std::vector<std::string> labels{};  // All classes of the model; empty where it does not say.
};

// Puts texts to the pinned version of one release, one at a time. Used by one thread.
class ReleaseAsker {
 public:
  virtual ~ReleaseAsker() = default;
  virtual Result<AskedRow> ask(const Context& context, std::string_view text) = 0;
};

// Opens an asker of a release: our own worker, or the outside engine that is attached for its revision. What
// is asked this way is no traffic and passes no gate. api/ gives the implementation. Safe from any thread.
class ReleaseAskers {
 public:
  virtual ~ReleaseAskers() = default;
  virtual Result<std::unique_ptr<ReleaseAsker>> open(const Release& release,
                                                     const identity::Caller& caller) = 0;
};

}  // namespace holdfast::govern
