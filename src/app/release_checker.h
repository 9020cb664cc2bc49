#pragma once

#include <memory>

#include "govern/checker.h"

namespace holdfast::repo {
struct Hub;
}

namespace holdfast::app {

// Looks at a release's card, licences and files. Borrows the hub.
std::unique_ptr<govern::Checker> make_release_checker(repo::Hub& hub);

}  // namespace holdfast::app
