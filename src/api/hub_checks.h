#pragma once

#include <boost/json/object.hpp>

#include "base/result.h"

namespace holdfast::git {
class Repository;
class ObjectId;
}  // namespace holdfast::git
namespace holdfast::repo {
struct Repository;
}

namespace holdfast::api {

struct Services;

// What `securityStatus=true` adds to a repository's info as `securityRepoStatus`.
Result<boost::json::object> security_status(Services& services, const repo::Repository& repository,
                                            const git::Repository& objects, const git::ObjectId& commit);

// What `expand=true` adds to each file of a listing as `securityFileStatus`, by path, for files that the
// checks found something in or that hold pickles; all others are safe_file_status().
Result<boost::json::object> file_statuses(Services& services, const repo::Repository& repository,
                                          const git::Repository& objects, const git::ObjectId& commit);
boost::json::object safe_file_status();

}  // namespace holdfast::api
