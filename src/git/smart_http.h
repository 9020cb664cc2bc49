#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "git/push.h"
#include "io/disk.h"

namespace holdfast::git {

enum class Service : uint8_t { upload_pack, receive_pack };
std::optional<Service> service_of_name(std::string_view name);  // "git-upload-pack", "git-receive-pack".
std::string_view service_name(Service service);

// Bytes of an answer, pulled. Destroying it early kills the git process behind it.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual Result<size_t> read(std::span<std::byte> into) = 0;  // 0 at the end.
};

// A running exchange with git: the request's body is pushed in, then the answer pulled out. One thread at a
// time. Destroyed early it kills git and leaves nothing behind.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual Status write(ByteView bytes) = 0;
  // The body is complete. The source outlives the exchange.
  virtual Result<std::unique_ptr<ByteSource>> finish() = 0;
};

struct SmartHttpOptions {
  io::Path git_program = "/usr/bin/git";
  io::Path hooks_folder;  // Made by install_hooks (git/git_hook.h).
  std::chrono::milliseconds exchange_timeout{30 * 60'000};
  uint64_t request_bytes_max = uint64_t{2} << 30;  // Of a push: pointers and small files, not weights.
  int exchanges_max = 64;                          // More at once are answered queue_full.
};

// Whether a fetch may ask for any object by its name, or for nothing but what the refs lead to. In version 2
// of the protocol git does not check what is wanted, so `tips` speaks the older ones only, and knows no
// filters, which ask for single objects later.
enum class ShownHistory : uint8_t { whole, tips };

struct GitRequest {
  io::Path repository;
  Service service = Service::upload_pack;
  ShownHistory history = ShownHistory::whole;
  std::string protocol{};  // The Git-Protocol header; only "version=0|1|2" is passed on.
  std::stop_token stop{};
};

class HookServer;

// The smart HTTP protocol through the git binary, run without a shell, with an environment of ours alone, in
// a process group that dies with us. Safe from any thread; an exchange and its source belong to one thread at
// a time and must end before this does.
class SmartHttp {
 public:
  virtual ~SmartHttp() = default;
  // GET info/refs?service=…: the whole body, "# service=…" line included (not in protocol v2).
  virtual Result<std::string> advertise(const GitRequest& request) = 0;
  // POST git-upload-pack.
  virtual Result<std::unique_ptr<Exchange>> upload_pack(const GitRequest& request) = 0;
  // POST git-receive-pack. `pusher` is handed to the gate and the authority.
  virtual Result<std::unique_ptr<Exchange>> receive_pack(const GitRequest& request,
                                                         std::shared_ptr<Pusher> pusher) = 0;
};
std::unique_ptr<SmartHttp> make_smart_http(SmartHttpOptions options, HookServer& hooks, const Clock& clock,
                                           Log& log);

std::string advertisement_type(Service service);  // "application/x-git-upload-pack-advertisement"
std::string request_type(Service service);
std::string result_type(Service service);

}  // namespace holdfast::git
