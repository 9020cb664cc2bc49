#pragma once

#include "base/clock.h"
#include "git/repository.h"
#include "identity/caller.h"

namespace holdfast::repo {

// How a caller signs commits made over HTTP: the user's name, and an address that does not reveal the real
// one.
git::Signature signature_of(const identity::Caller& caller, const Clock& clock);

}  // namespace holdfast::repo
