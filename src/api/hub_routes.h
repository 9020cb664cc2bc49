#pragma once

#include "api/route.h"

namespace holdfast::api {

// The Hub's own protocol (hub-protocol.md 1.1 to 1.12), one function and one file a group.
void add_hub_identity_routes(RouteTable& table, Services& services);    // whoami, users, organisations
void add_hub_repo_routes(RouteTable& table, Services& services);        // create, delete, move, settings
void add_hub_info_routes(RouteTable& table, Services& services);        // info, listing, search
void add_hub_tree_routes(RouteTable& table, Services& services);        // tree, paths-info, commits, refs
void add_hub_branch_routes(RouteTable& table, Services& services);      // branches, tags, squash
void add_hub_commit_routes(RouteTable& table, Services& services);      // preupload, commit
void add_hub_resolve_routes(RouteTable& table, Services& services);     // resolve, raw
void add_hub_discussion_routes(RouteTable& table, Services& services);  // discussions, pull requests
void add_hub_audience_routes(RouteTable& table, Services& services);    // likes, access requests, auth-check

void add_hub_collection_routes(RouteTable& table, Services& services);  // collections
void add_hub_duplicate_routes(RouteTable& table, Services& services);   // duplicate
void add_hub_check_routes(RouteTable& table, Services& services);       // findings and licence of a revision
void add_hub_compare_routes(RouteTable& table, Services& services);     // what differs between two revisions

// All of the above.
void add_hub_routes(RouteTable& table, Services& services);

}  // namespace holdfast::api
