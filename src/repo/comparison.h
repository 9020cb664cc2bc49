#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "git/repository.h"
#include "git/tree_diff.h"
#include "scan/card_diff.h"

namespace holdfast::repo {

// What differs between two revisions of one repository, for people who rely on it.
struct RevisionChanges {
  git::DiffList files;
  std::vector<scan::CardDifference> card;
  // Of "card", "license", "tokenizer", "evaluation", "weights", "configuration", "code", in this order.
  std::vector<std::string> flags;
};

bool is_tokenizer_file(std::string_view path);

// `objects` holds both commits; a zero `before` is the empty tree.
Result<RevisionChanges> compare_revisions(const git::Repository& objects, const git::ObjectId& before,
                                          const git::ObjectId& after);

}  // namespace holdfast::repo
