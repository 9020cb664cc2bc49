#include "identity/instance_key.h"

#include <string>

#include "base/data_layout.h"
#include "codec/hex.h"
#include "io/disk.h"

namespace holdfast::identity {
namespace {

constexpr size_t key_bytes = 32;

Result<std::string> read_key(io::Disk& data) {
  TRY(std::string text, io::read_text(data, data_layout::instance_key, 4096));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  if (!codec::is_lower_hex(text, 2 * key_bytes))
    return fail(Reason::data_corrupt, "the instance's key file does not hold 64 hexadecimal digits");
  return text;
}

}  // namespace

Result<Secret> open_instance_key(io::Disk& data, Random& random) {
  auto found = read_key(data);
  if (!found.ok() && found.error().code == Code::not_found) {
    TRY_DONE(data.make_directories(data_layout::keys));
    TRY_DONE(data.restrict_to_owner(data_layout::keys));  // Before there is anything to read in it.
    TRY_DONE(io::publish_text(data, data_layout::instance_key, random.hex(key_bytes) + "\n"));
    TRY_DONE(data.restrict_to_owner(data_layout::instance_key));
    found = read_key(data);  // Another process may have been first by a hair: then its key is the one.
  }
  if (!found.ok()) return std::move(found).error();
  return Secret(std::move(found).value());
}

}  // namespace holdfast::identity
