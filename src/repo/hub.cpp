#include "repo/hub.h"

namespace holdfast::repo {

Hub::Hub(const HubParts& parts)
    : rights(parts.permission, parts.database),
      storage(parts.disk),
      cards(parts.database, parts.content),
      publisher(parts.database, storage, cards, parts.audit, parts.clock, parts.log),
      revisions(publisher, storage),
      repositories(parts.database, storage, publisher, rights, parts.audit, parts.clock),
      uploads(parts.database, parts.content, rights, parts.clock),
      browser(parts.database),
      checks(
          {.database = parts.database, .content = parts.content, .browser = browser, .clock = parts.clock}),
      discussions(parts.database, storage, publisher, rights, checks, parts.clock, parts.random),
      commits({.storage = storage,
               .publisher = publisher,
               .browser = browser,
               .uploads = uploads,
               .rights = rights,
               .content = parts.content,
               .discussions = discussions,
               .checks = checks,
               .clock = parts.clock}),
      branches(storage, publisher, parts.clock),
      search(parts.database, rights),
      audience(parts.database, parts.clock),
      collections(parts.database, parts.permission, rights, parts.clock, parts.random),
      push_rules(storage, publisher, uploads, rights, parts.content, discussions, checks),
      adapter_bases({.database = parts.database,
                     .storage = storage,
                     .browser = browser,
                     .repositories = repositories,
                     .revisions = revisions,
                     .clock = parts.clock}) {}

}  // namespace holdfast::repo
