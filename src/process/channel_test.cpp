#include "process/channel.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "base/random.h"

namespace holdfast::process {
namespace {

using namespace std::chrono_literals;

struct Pair {
  Channel left, right;
};
Pair make_channels(size_t bytes_max = 1 << 20) {
  auto ends = Channel::make_pair();
  return {Channel(std::move(ends.value().first), bytes_max),
          Channel(std::move(ends.value().second), bytes_max)};
}

const SystemClock system_clock;
std::chrono::milliseconds soon() { return system_clock.now() + 5s; }

TEST(Channel, CarriesFramesOfAllSizesInOrder) {
  Pair pair = make_channels();
  std::thread sender([&] {
    for (const size_t size : {0, 1, 5, 70'000, 1 << 20})
      ASSERT_TRUE(
          pair.left.send(static_cast<uint8_t>(size % 251), Bytes(size, std::byte{7}), system_clock, soon())
              .ok());
  });
  for (const size_t size : {0, 1, 5, 70'000, 1 << 20}) {
    auto frame = pair.right.receive(system_clock, soon());
    ASSERT_TRUE(frame.ok() && frame.value());
    EXPECT_EQ(frame.value()->kind, size % 251);
    EXPECT_EQ(frame.value()->payload, Bytes(size, std::byte{7}));
  }
  sender.join();
}

TEST(Channel, VanishedPeerIsAnEndBetweenFramesAndAnErrorWithin) {
  Pair pair = make_channels();
  ASSERT_TRUE(pair.left.send(1, {}, system_clock, soon()).ok());
  pair.left.close();
  EXPECT_TRUE(pair.right.receive(system_clock, soon()).value().has_value());
  EXPECT_FALSE(pair.right.receive(system_clock, soon()).value().has_value());
  EXPECT_EQ(pair.right.send(1, Bytes(10), system_clock, soon()).error().reason, Reason::client_gone);

  auto ends = Channel::make_pair();
  Channel reader(std::move(ends.value().first));
  ASSERT_TRUE(write_all(ends.value().second.raw(), as_bytes(std::string_view("\5\0\0\0\1ab", 7)),
                        system_clock, soon())
                  .ok());
  ends.value().second.close();
  EXPECT_EQ(reader.receive(system_clock, soon()).error().code, Code::corrupt);
}

TEST(Channel, BoundsHoldBothWays) {
  Pair pair = make_channels(100);
  EXPECT_EQ(pair.left.send(1, Bytes(101), system_clock, soon()).error().code, Code::too_large);
  auto ends = Channel::make_pair();
  Channel small(std::move(ends.value().first), 100);
  Channel large(std::move(ends.value().second), 1000);
  ASSERT_TRUE(large.send(1, Bytes(101), system_clock, soon()).ok());
  EXPECT_EQ(small.receive(system_clock, soon()).error().code, Code::corrupt);
}

TEST(Channel, ALookWithoutPatienceSeesWhatIsThere) {
  Pair pair = make_channels(100);
  EXPECT_FALSE(pair.right.readable(system_clock, system_clock.now()).value());
  ASSERT_TRUE(pair.left.send(1, Bytes(10), system_clock, soon()).ok());
  EXPECT_TRUE(pair.right.readable(system_clock, system_clock.now()).value());
  EXPECT_TRUE(pair.right.receive(system_clock, system_clock.now()).value().has_value());
  EXPECT_FALSE(pair.right.readable(system_clock, system_clock.now()).value());
}

TEST(Channel, SlowPeerMeetsTheDeadline) {
  Pair pair = make_channels(16 << 20);
  EXPECT_EQ(pair.left.receive(system_clock, system_clock.now() + 50ms).error().reason, Reason::timed_out);
  EXPECT_EQ(pair.left.send(1, Bytes(16 << 20), system_clock, system_clock.now() + 50ms).error().reason,
            Reason::timed_out);
}

TEST(FrameParser, AnySplitGivesTheSameFrames) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SeededRandom random(seed);
    Bytes stream;
    std::vector<Frame> sent;
    for (uint64_t i = random.below(8); i > 0; --i) {
      Bytes payload(random.below(300));
      random.fill(payload);
      sent.push_back({static_cast<uint8_t>(random.below(256)), payload});
      const Bytes text = format_frame(sent.back().kind, payload);
      stream.insert(stream.end(), text.begin(), text.end());
    }
    FrameParser parser(300);
    std::vector<Frame> got;
    for (size_t at = 0; at < stream.size();) {
      const size_t step = std::min(stream.size() - at, size_t{1} + random.below(40));
      parser.push(ByteView(stream).subspan(at, step));
      at += step;
      while (auto frame = parser.next().value()) got.push_back(*frame);
    }
    ASSERT_EQ(got.size(), sent.size()) << "seed " << seed;
    for (size_t i = 0; i < got.size(); ++i) {
      EXPECT_EQ(got[i].kind, sent[i].kind) << "seed " << seed;
      EXPECT_EQ(got[i].payload, sent[i].payload) << "seed " << seed;
    }
    EXPECT_TRUE(parser.empty());
  }
}

TEST(Listener, IsPrivateReplacesALeftoverAndCleansUp) {
  char pattern[] = "/tmp/holdfast_listener_XXXXXX";
  const std::string folder = ::mkdtemp(pattern), path = folder + "/s";
  {
    auto leftover = Listener::open(path);
    ASSERT_TRUE(leftover.ok());
    auto listener = Listener::open(path);
    ASSERT_TRUE(listener.ok()) << listener.error().message;
    struct stat info{};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U);
    EXPECT_FALSE(listener.value().accept(system_clock, system_clock.now() + 20ms).value().has_value());
    auto client = Channel::connect(path);
    ASSERT_TRUE(client.ok());
    auto accepted = listener.value().accept(system_clock, soon());
    ASSERT_TRUE(accepted.ok() && accepted.value());
    Channel server(std::move(*accepted.value()));
    ASSERT_TRUE(client.value().send(4, as_bytes("hi"), system_clock, soon()).ok());
    EXPECT_EQ(as_text(server.receive(system_clock, soon()).value()->payload), "hi");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(Channel::connect(path).error().code, Code::unavailable);
  EXPECT_EQ(Listener::open(std::string(101, 'x')).error().code, Code::invalid);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace holdfast::process
