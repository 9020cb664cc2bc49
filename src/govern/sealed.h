#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "govern/record.h"

namespace holdfast::sql {
class Database;
class Transaction;
}  // namespace holdfast::sql

namespace holdfast::govern {

// Seals samples by the key of their data class (design decision 16): XSalsa20-Poly1305, a nonce of 24 bytes
// in front. The keys lie in the database under the instance's key; destroying one makes all it sealed
// unreadable. Safe from any thread.
class DataKeys {
 public:
  DataKeys(sql::Database& database, const Secret& instance_key, Random& random);

  // Makes the class's key at first use: not inside of a transaction.
  Result<Bytes> seal(DataClass data_class, std::string_view text);
  // data_corrupt when it was changed, not_found when its key was destroyed.
  Result<std::string> open(DataClass data_class, ByteView sealed);
  // A sealed secret of the server itself, of no data class.
  Result<Bytes> seal_secret(const Secret& secret);
  Result<Secret> open_secret(ByteView sealed);
  Status destroy(DataClass data_class);

 private:
  Result<Bytes> key_of(DataClass data_class);
  Bytes seal_with(ByteView key, ByteView text);

  sql::Database& database_;
  const Bytes wrapping_key_;
  Random& random_;
  std::mutex mutex_;  // Guards keys_.
  std::map<DataClass, Bytes> keys_;
};

}  // namespace holdfast::govern
