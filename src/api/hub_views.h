#pragma once

#include <boost/json/fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "git/refs.h"
#include "git/repository.h"
#include "repo/browser.h"
#include "repo/card.h"
#include "repo/discussions.h"
#include "repo/repository.h"

namespace holdfast::api {

// The JSON forms of hub-protocol.md sections 1.3 to 1.10: what huggingface_hub reads.

// Everything of a repository that listings and info share; `commit` may be empty.
boost::json::object repo_view(const repo::Repository& repository, const repo::Card& card,
                              std::string_view commit);

boost::json::array siblings_view(std::span<const std::string> paths);
// With size, blob and LFS digest of each.
boost::json::array siblings_view(std::span<const repo::FileEntry> files);

// With `expand` properties only id, _id and those; bad_request for a name that is not one of the type's.
// Without any, the object as it is.
Result<boost::json::object> pick_properties(boost::json::object view, repo::RepoType type,
                                            std::span<const std::string_view> expand);
bool knows_property(repo::RepoType type, std::string_view name);

enum class XetLinks : uint8_t { no, yes };
boost::json::object tree_view(const repo::FileEntry& entry, XetLinks xet);
boost::json::object commit_view(const git::Commit& commit);
boost::json::object ref_view(const git::Ref& ref, std::string_view short_name);

boost::json::object discussion_view(const repo::Discussion& discussion, const repo::Repository& repository);
boost::json::object event_view(const repo::DiscussionEvent& event);

// "http://host/datasets/ns/name"
std::string repo_url(std::string_view base_url, const repo::Repository& repository);

}  // namespace holdfast::api
