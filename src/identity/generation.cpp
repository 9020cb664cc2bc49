#include "identity/generation.h"

#include "sql/database.h"

namespace holdfast::identity {

Status raise_generation(sql::Transaction& tx) {
  TRY_DONE(tx.run("UPDATE identity_generation SET value = value + 1"));
  return Done{};
}

Result<int64_t> read_generation(sql::Transaction& tx) {
  int64_t generation = 0;
  TRY_DONE(tx.query("SELECT value FROM identity_generation", {}, [&](const sql::Row& row) {
    generation = row.integer(0);
    return true;
  }));
  return generation;
}

}  // namespace holdfast::identity
