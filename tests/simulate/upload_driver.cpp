// Uploads of every kind against a server that is killed meanwhile: small files, large ones by LFS, both in
// one commit, replacements, deletions. Prints one JSON line for each commit that was acknowledged, and goes
// on through refused connections. The journey kill_nine reads the lines and looks whether all of it is there.
// usage: upload_driver URL TOKEN REPO SEED COMMITS
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/random.h"
#include "codec/hex.h"
#include "codec/sha256.h"
#include "exchange/hub_client.h"
#include "net/client.h"

namespace holdfast {
namespace {

constexpr std::chrono::milliseconds pause_after_failure{50};
constexpr int attempts_max = 2000;

std::string random_text(SeededRandom& random, size_t size) {
  std::string text(size, '\0');
  random.fill(std::as_writable_bytes(std::span(text)));
  return text;
}

class TextBody final : public net::BodySource {
 public:
  explicit TextBody(std::string_view text) : rest_(text) {}
  Result<size_t> read(std::span<std::byte> into) override {
    const size_t count = std::min(into.size(), rest_.size());
    std::memcpy(into.data(), rest_.data(), count);
    rest_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view rest_;
};

// One commit's worth of work, tried until it is acknowledged: what a client does that retries.
class Driver {
 public:
  Driver(exchange::HubClient& hub, exchange::RemoteRepo repo, uint64_t seed)
      : hub_(hub), repo_(std::move(repo)), random_(seed) {}

  bool commit(int number) {
    exchange::CommitRequest request{"commit " + std::to_string(number), "", {}, {}};
    std::string told;
    const uint64_t files = 1 + random_.below(3);
    for (uint64_t i = 0; i < files; ++i) {
      const bool large = random_.below(2) == 0;
      const std::string path =
          (large ? "large-" : "small-") + std::to_string(random_.below(12)) + (large ? ".bin" : ".txt");
      std::string content =
          random_text(random_, large ? 20'000 + random_.below(400'000) : 1 + random_.below(4'000));
      if (!large)
        for (char& c : content) c = static_cast<char>('a' + (static_cast<unsigned char>(c) % 26));
      const std::string digest = codec::to_hex(codec::sha256(as_bytes(content)));
      told +=
          std::string(told.empty() ? "" : ",") + "{\"path\":\"" + path + "\",\"sha256\":\"" + digest + "\"}";
      exchange::CommitPart part{
          large ? exchange::CommitPart::Kind::large : exchange::CommitPart::Kind::regular, path,
          large ? "" : content, digest, content.size()};
      std::erase_if(request.parts, [&](const exchange::CommitPart& other) { return other.path == path; });
      request.parts.push_back(std::move(part));
      if (large) contents_[digest] = std::move(content);
    }
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
      const auto oid = attempt_once(request);
      if (oid.ok()) {
        std::printf("{\"commit\":\"%s\",\"files\":[%s]}\n", oid.value().c_str(), told.c_str());
        std::fflush(stdout);
        contents_.clear();
        return true;
      }
      std::fprintf(stderr, "%d: %s\n", number, oid.error().message.c_str());
      std::this_thread::sleep_for(pause_after_failure);
    }
    return false;
  }

 private:
  Result<std::string> attempt_once(const exchange::CommitRequest& request) {
    for (const exchange::CommitPart& part : request.parts) {
      if (part.kind != exchange::CommitPart::Kind::large) continue;
      TextBody body(contents_[part.sha256]);
      TRY([[maybe_unused]] uint64_t sent, hub_.upload_large(repo_, part.sha256, part.size, body, Context{}));
    }
    return hub_.commit(repo_, "main", request, Context{});
  }

  exchange::HubClient& hub_;
  exchange::RemoteRepo repo_;
  SeededRandom random_;
  std::map<std::string, std::string> contents_;  // Of this commit's large files, by digest.
};

}  // namespace
}  // namespace holdfast

int main(int argc, char** argv) {
  using namespace holdfast;
  if (argc != 6) return std::fprintf(stderr, "usage: %s URL TOKEN REPO SEED COMMITS\n", argv[0]), 2;
  SystemClock clock;
  net::ClientOptions options;
  options.addresses = net::AddressPolicy::any;
  const auto client = net::make_client(options, clock);
  exchange::HubClient hub(*client, argv[1], Secret(argv[2]));
  Driver driver(hub, {exchange::RemoteType::model, argv[3]}, std::stoull(argv[4]));
  const int commits = std::stoi(argv[5]);
  for (int number = 0; number < commits; ++number)
    if (!driver.commit(number)) return 1;
  return 0;
}
