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

}  // namespace holdfast::api
