#include "govern/sealed.h"

#include <sodium.h>

#include "base/check.h"
#include "codec/hmac.h"
#include "sql/database.h"

namespace holdfast::govern {
namespace {

const unsigned char* raw(ByteView bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
unsigned char* raw(Bytes& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

Bytes wrapping_key(const Secret& instance_key) {
  CHECK(sodium_init() >= 0);
  const auto digest =
      codec::hmac_sha256(as_bytes(instance_key.reveal()), as_bytes(std::string_view("govern data keys")));
  return Bytes(digest.begin(), digest.end());
}

Result<Bytes> open_with(ByteView key, ByteView sealed) {
  constexpr size_t head = crypto_secretbox_NONCEBYTES, tag = crypto_secretbox_MACBYTES;
  if (sealed.size() < head + tag) return fail(Reason::data_corrupt, "a sealed sample is too short");
  Bytes text(sealed.size() - head - tag);
  if (crypto_secretbox_open_easy(raw(text), raw(sealed.subspan(head)), sealed.size() - head, raw(sealed),
                                 raw(key)) != 0)
    return fail(Reason::data_corrupt, "a sealed sample is not what was stored");
  return text;
}

}  // namespace

DataKeys::DataKeys(sql::Database& database, const Secret& instance_key, Random& random)
    : database_(database), wrapping_key_(wrapping_key(instance_key)), random_(random) {}

Bytes DataKeys::seal_with(ByteView key, ByteView text) {
  Bytes sealed(crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + text.size());
  random_.fill(std::span(sealed).first(crypto_secretbox_NONCEBYTES));
  crypto_secretbox_easy(raw(sealed) + crypto_secretbox_NONCEBYTES, raw(text), text.size(), raw(sealed),
                        raw(key));
  return sealed;
}

Result<Bytes> DataKeys::key_of(DataClass data_class) {
  std::lock_guard lock(mutex_);
  if (const auto known = keys_.find(data_class); known != keys_.end()) return known->second;
  Bytes stored;
  const auto read = [&](sql::Transaction& tx) -> Status {
    stored.clear();
    return tx.query("SELECT sealed FROM govern_data_keys WHERE data_class = ?", {data_class_name(data_class)},
                    [&](const sql::Row& row) {
                      stored = row.blob(0);
                      return false;
                    });
  };
  TRY_DONE(database_.read(read));
  if (stored.empty()) {
    Bytes fresh(crypto_secretbox_KEYBYTES);
    random_.fill(fresh);
    const Bytes sealed = seal_with(wrapping_key_, fresh);
    TRY_DONE(database_.write([&](sql::Transaction& tx) -> Status {
      TRY_DONE(
          tx.run("INSERT INTO govern_data_keys (data_class, sealed, created) VALUES (?, ?, 0) "
                 "ON CONFLICT DO NOTHING",
                 {data_class_name(data_class), ByteView(sealed)}));
      return read(tx);
    }));
  }
  TRY(Bytes key, open_with(wrapping_key_, stored));
  keys_[data_class] = key;
  return key;
}

Result<Bytes> DataKeys::seal(DataClass data_class, std::string_view text) {
  TRY(const Bytes key, key_of(data_class));
  return seal_with(key, as_bytes(text));
}

Result<std::string> DataKeys::open(DataClass data_class, ByteView sealed) {
  TRY(const Bytes key, key_of(data_class));
  TRY(const Bytes text, open_with(key, sealed));
  return std::string(as_text(text));
}

Result<Bytes> DataKeys::seal_secret(const Secret& secret) {
  return seal_with(wrapping_key_, as_bytes(secret.reveal()));
}

Result<Secret> DataKeys::open_secret(ByteView sealed) {
  TRY(const Bytes text, open_with(wrapping_key_, sealed));
  return Secret(std::string(as_text(text)));
}

Status DataKeys::destroy(DataClass data_class) {
  std::lock_guard lock(mutex_);
  keys_.erase(data_class);
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(tx.run("DELETE FROM govern_data_keys WHERE data_class = ?", {data_class_name(data_class)}));
    return Done{};
  });
}

}  // namespace holdfast::govern
