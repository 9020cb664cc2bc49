#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/context.h"
#include "identity/caller.h"
#include "net/message.h"
#include "repo/repository.h"

namespace holdfast::api {

struct ServedNote;

// One request whose caller is known, whose repository (on routes with {id}) is found and whose right is
// checked: what a handler gets. Sinks and sources that need it later keep a copy; the request outlives them.
struct Call {
  const net::Request& request;
  Context context;
  identity::Caller caller;
  std::optional<repo::RepoType> type;     // On routes whose pattern has {T} or {id}.
  std::optional<repo::Repository> found;  // On routes whose pattern has {id}.
  std::string base_url;      // "http://host:port" without a last slash: what addresses in answers start with.
  bool may_be_late = false;  // Whether a net::LateAnswer will do: the call lives until it is made.
  std::shared_ptr<ServedNote> served{};  // served_note.h; null: nobody asks what it was served by.

  const repo::Repository& repo() const { return *found; }
  std::string_view capture(std::string_view name) const { return request.capture(name); }
  net::Query query() const { return request.query(); }
};

}  // namespace holdfast::api
