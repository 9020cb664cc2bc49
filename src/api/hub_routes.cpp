#include "api/hub_routes.h"

namespace holdfast::api {

void add_hub_routes(RouteTable& table, Services& services) {
  add_hub_identity_routes(table, services);
  add_hub_repo_routes(table, services);
  add_hub_info_routes(table, services);
  add_hub_tree_routes(table, services);
  add_hub_branch_routes(table, services);
  add_hub_commit_routes(table, services);
  add_hub_resolve_routes(table, services);
  add_hub_discussion_routes(table, services);
  add_hub_audience_routes(table, services);
  add_hub_collection_routes(table, services);
  add_hub_duplicate_routes(table, services);
  add_hub_check_routes(table, services);
  add_hub_compare_routes(table, services);
}

}  // namespace holdfast::api
