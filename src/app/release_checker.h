#pragma once

#include <memory>

#include "govern/checker.h"

namespace holdfast::content {
class Store;
}
namespace holdfast::repo {
struct Hub;
}

namespace holdfast::app {

// Looks at a release's card, at the licences of its model, base models and data sets, and at its files' bytes
// (scan/). Borrows both.
std::unique_ptr<govern::Checker> make_release_checker(repo::Hub& hub, content::Store& content);

}  // namespace holdfast::app
