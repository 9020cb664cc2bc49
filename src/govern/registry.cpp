#include "govern/registry.h"

#include "repo/hub.h"

namespace holdfast::govern {

Registry::Registry(const RegistryParts& parts)
    : decisions(parts.database, parts.audit, parts.clock),
      access(parts.permission, parts.hub.rights, parts.hub.repositories),
      keys(parts.database, parts.instance_key, parts.random),
      records(parts.database, access, parts.hub.repositories, parts.hub.rights, decisions),
      roles(parts.database, parts.permission, parts.accounts, decisions),
      release_parts(parts.hub, parts.database, parts.program_version),
      releases({parts.database, access, decisions, release_parts, parts.checker}),
      exceptions(parts.database, access, decisions, releases),
      live(parts.database),
      requests({parts.database, access, decisions, keys, parts.clock, parts.log}),
      gatekeeper({live, parts.hub, release_parts, requests}),
      watch({parts.database, access, decisions, records, releases, exceptions, live, requests, parts.clock,
             parts.log}),
      review({parts.database, access, decisions, keys, requests, parts.hub}),
      endpoints({parts.database, access, decisions, keys, parts.hub, parts.permission}) {}

}  // namespace holdfast::govern
