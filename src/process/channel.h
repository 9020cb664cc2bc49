#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "process/channel_format.h"
#include "process/descriptor.h"

namespace holdfast::process {

struct Frame {
  uint8_t kind = 0;
  Bytes payload;
};

// Cuts a stream of bytes into frames. corrupt for a frame longer than `payload_bytes_max`, and from then on.
// Holds at most one frame and what was pushed last.
class FrameParser {
 public:
  explicit FrameParser(size_t payload_bytes_max = frame_payload_bytes_max) : bytes_max_(payload_bytes_max) {}
  void push(ByteView bytes);
  Result<std::optional<Frame>> next();  // nullopt: needs more bytes.
  bool empty() const { return at_ == buffer_.size(); }

 private:
  size_t bytes_max_;
  Bytes buffer_;
  size_t at_ = 0;
};

Bytes format_frame(uint8_t kind, ByteView payload);

// Frames over a connected unix socket. One thread sends and one may receive at the same time. Owns its end.
class Channel {
 public:
  // `end` is a connected stream socket; it is set not to block.
  explicit Channel(Descriptor end, size_t payload_bytes_max = frame_payload_bytes_max);
  // Two ends of one connection: keep one, hand the other to a child (SpawnOptions::passed).
  static Result<std::pair<Descriptor, Descriptor>> make_pair();
  // To a named socket. unavailable when nobody listens.
  static Result<Channel> connect(const std::string& path, size_t payload_bytes_max = frame_payload_bytes_max);

  // too_large beyond the bound; client_gone when the peer has closed; timed_out at the deadline, after which
  // the channel is of no more use.
  Status send(uint8_t kind, ByteView payload, const Clock& clock, std::chrono::milliseconds deadline);
  // Several at once, so that the peer wakes up once: `frames` is what format_frame made, one after the other.
  Status send_formatted(ByteView frames, const Clock& clock, std::chrono::milliseconds deadline);
  // nullopt when the peer closed between two frames; corrupt when within one.
  Result<std::optional<Frame>> receive(const Clock& clock, std::chrono::milliseconds deadline);

  // Whether receive would find something, a frame or the peer's end, within the time.
  Result<bool> readable(const Clock& clock, std::chrono::milliseconds deadline) const;

  int raw() const { return end_.raw(); }
  void close() { end_.close(); }

 private:
  Descriptor end_;
  size_t bytes_max_;
  FrameParser parser_;
};

// A named socket that only this user may open. Removes its name on destruction. One thread.
class Listener {
 public:
  // Replaces a name left over from an earlier run. `path` is at most 100 bytes.
  static Result<Listener> open(const std::string& path);
  Listener(Listener&&) noexcept = default;
  Listener& operator=(Listener&&) = delete;
  ~Listener();

  // nullopt at the deadline. Connections of other users are closed unseen.
  Result<std::optional<Descriptor>> accept(const Clock& clock, std::chrono::milliseconds deadline);

 private:
  Listener(Descriptor socket, std::string path) : socket_(std::move(socket)), path_(std::move(path)) {}
  Descriptor socket_;
  std::string path_;
};

}  // namespace holdfast::process
