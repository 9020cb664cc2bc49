#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/context.h"
#include "exchange/arrival.h"
#include "exchange/mirror.h"

namespace holdfast::exchange {

// How the detail begins of what a person let in all the same.
inline constexpr std::string_view released_mark = "released by ";

// What the mirror's threads share: revisions on their way, and who waits for them. Everything is guarded by
// `mutex`, a leaf; `changed` is told of every change, `arrived` of those and of bytes.
class MirrorCore {
 public:
  MirrorCore(const MirrorParts& given, repo::Checks::IsLiveToken is_live)
      : parts(given), is_live_token(std::move(is_live)) {}

  // Reads what a stopped server left on its way.
  Status resume();
  // The row of a revision, laid out and on its way; one that is on its way already is returned.
  enum class Main : uint8_t { stays, moves };  // Where it is somewhere already.
  Result<std::shared_ptr<Arrival>> bring(int64_t id, Main main = Main::stays);
  Result<int64_t> note(const UpstreamPlace& place, repo::RepoType type, std::string_view ns,
                       std::string_view name, std::string_view asked, const RemoteRevision& remote);
  std::shared_ptr<Arrival> find(int64_t id);
  // Of this place, as it was asked for, at this commit: done, and still answered from memory.
  std::optional<int64_t> just_published(const IncomingRevision& like);
  // The rows of a place that are not done, newest first, as the door's answer when the upstream is silent.
  Result<std::vector<IncomingRevision>> rows(std::string_view where, std::string_view text, int64_t number);
  Status forget(int64_t id);  // What was staged.

  // The work of the threads: each does one step and says whether there was any.
  bool fetch_something();
  bool push_something();

  // Waits until `size` bytes from `offset` are here, or the whole of it is known; for at most `span`.
  Status wait_for(const std::shared_ptr<Arrival>& arrival, size_t file, uint64_t offset, uint64_t count,
                  std::chrono::milliseconds span);
  void add_stream(const std::shared_ptr<Arrival>& arrival, size_t file, uint64_t offset, uint64_t length,
                  std::shared_ptr<net::PushedBody> body);
  void drop(int64_t id);  // Out of memory; its row and what was staged stay.
  void stop();
  bool wait_for_change(std::chrono::milliseconds span);  // False when stopping.

  Result<HubClient> open_hub(const Upstream& upstream) const;

  Status set_state(const Arrival& arrival, std::string_view state, std::string_view detail);

  const MirrorParts parts;
  const repo::Checks::IsLiveToken is_live_token;
  std::mutex mutex;
  std::condition_variable changed, arrived;
  void tell();  // Both.
  // What calls to upstreams carry: they end when the mirror does.
  Context context() const;

 private:
  struct Step {
    enum class Kind : uint8_t { fetch, check, publish } kind = Kind::fetch;
    std::shared_ptr<Arrival> arrival;
    size_t file = 0, piece = 0;
  };
  struct Stream {
    std::shared_ptr<Arrival> arrival;
    size_t file = 0;
    uint64_t at = 0, end = 0;
    std::shared_ptr<net::PushedBody> body;
    std::unique_ptr<scan::Source> source;
    std::chrono::milliseconds moved{};  // When bytes last went out.
  };
  std::optional<Step> next_step();  // Under mutex.
  void fetch(const Step& step);
  void check(const Step& step);
  void publish_all(const Step& step);
  // Under mutex. Tried again after a while that grows, and not before the upstream asked to be left alone.
  void note_failure(Arrival& arrival, const Error& error, std::chrono::seconds asked_to_wait = {});
  void settle(const std::shared_ptr<Arrival>& arrival, Arrival::State state, std::string_view detail);
  Status push(Stream& stream, uint64_t ready, bool& ended);
  io::Path folder(int64_t id) const;

  std::map<int64_t, std::shared_ptr<Arrival>>
      active_;  // Fetching, publishing or quarantined since the start.
  std::list<Stream> streams_;
  bool stopping_ = false;
  std::stop_source stop_;
};

}  // namespace holdfast::exchange
