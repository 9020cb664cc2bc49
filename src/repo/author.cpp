#include "repo/author.h"

namespace holdfast::repo {

git::Signature signature_of(const identity::Caller& caller, const Clock& clock) {
  const std::string name = caller.anonymous() ? "unknown" : caller.name;
  return {.name = name, .email = name + "@users.noreply.holdfast", .time = clock.wall(), .offset_minutes = 0};
}

}  // namespace holdfast::repo
