#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "content/store.h"
#include "identity/audit.h"
#include "identity/permission.h"
#include "io/disk.h"
#include "repo/adapter_bases.h"
#include "repo/audience.h"
#include "repo/branches.h"
#include "repo/browser.h"
#include "repo/card_index.h"
#include "repo/checks.h"
#include "repo/collections.h"
#include "repo/commits.h"
#include "repo/discussions.h"
#include "repo/publisher.h"
#include "repo/push_rules.h"
#include "repo/repositories.h"
#include "repo/revisions.h"
#include "repo/rights.h"
#include "repo/search.h"
#include "repo/storage.h"
#include "repo/uploads.h"
#include "sql/database.h"

namespace holdfast::repo {

struct HubParts {
  sql::Database& database;
  io::Disk& disk;  // The data folder; repositories go to git/ in it.
  content::Store& content;
  const identity::Permission& permission;
  identity::Audit& audit;
  const Clock& clock;
  Random& random;
  Log& log;
};

// The services of this room, opened in the order in which they need each other. app/ owns the one Hub; doors
// borrow the services. Everything in it is safe from any thread.
struct Hub {
  explicit Hub(const HubParts& parts);

  Rights rights;
  Storage storage;
  CardIndex cards;
  Publisher publisher;
  Revisions revisions;
  Repositories repositories;
  Uploads uploads;
  Browser browser;
  Checks checks;
  Discussions discussions;
  Commits commits;
  Branches branches;
  Search search;
  Audience audience;
  Collections collections;
  PushRules push_rules;
  AdapterBases adapter_bases;
};

}  // namespace holdfast::repo
