#pragma once

#include <memory>

#include "app/card_demand.h"
#include "govern/checker.h"
#include "observe/standing.h"

namespace holdfast::content {
class Store;
}
namespace holdfast::repo {
struct Hub;
}

namespace holdfast::app {

// Looks at a release's card, at the licences of its model, base models and data sets, and at its files' bytes
// (scan/). Borrows both.
std::unique_ptr<govern::Checker> make_release_checker(repo::Hub& hub, content::Store& content,
                                                      CardDemand demand);
// The licences alone, as they are now.
std::unique_ptr<observe::LicenceAuditor> make_licence_auditor(repo::Hub& hub, content::Store& content);

}  // namespace holdfast::app
