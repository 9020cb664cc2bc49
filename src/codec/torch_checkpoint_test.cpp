#include "codec/torch_checkpoint.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "codec/pickle.h"
#include "codec/safetensors.h"
#include "codec/stored_zip.h"

namespace holdfast::codec {
namespace {

Bytes golden(const std::string& name) {
  std::ifstream file("tests/golden/torch/" + name, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_FALSE(text.empty()) << name;
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}

// What torch.save wrote in each of its forms, against the same tensors as safetensors.
TEST(TorchCheckpoint, HasTheTensorsThatTorchSaved) {
  const Bytes expected = golden("expected.safetensors");
  const auto header = parse_safetensors_header(expected, expected.size()).value();
  for (const char* name : {"zip.bin", "protocol4.bin", "legacy.bin", "nested.pt"}) {
    const Bytes file = golden(name);
    EXPECT_TRUE(is_torch_checkpoint(file)) << name;
    const auto tensors = read_torch_checkpoint(file);
    ASSERT_TRUE(tensors.ok()) << name << ": " << tensors.error().message;
    EXPECT_EQ(tensors.value().size(), header.entries.size());
    for (const TorchTensor& tensor : tensors.value()) {
      const SafetensorsEntry* wanted = header.find(tensor.name);
      ASSERT_NE(wanted, nullptr) << tensor.name;
      EXPECT_EQ(tensor.dtype, wanted->dtype) << tensor.name;
      EXPECT_EQ(tensor.shape, wanted->shape) << tensor.name;
      Bytes owned;
      const ByteView got = tensor.row_major(owned);
      const ByteView want =
          ByteView(expected).subspan(header.data_offset + wanted->begin, wanted->end - wanted->begin);
      EXPECT_TRUE(std::equal(got.begin(), got.end(), want.begin(), want.end())) << name << " " << tensor.name;
    }
  }
}

TEST(TorchCheckpoint, ThatWouldRunCodeIsRefusedByItsOpcode) {
  for (const char* name : {"hostile.bin", "hostile-legacy.bin"}) {
    const auto tensors = read_torch_checkpoint(golden(name));
    ASSERT_FALSE(tensors.ok()) << name;
    EXPECT_EQ(tensors.error().reason, Reason::bad_request);
    EXPECT_NE(tensors.error().message.find("GLOBAL at byte"), std::string::npos) << tensors.error().message;
    EXPECT_NE(tensors.error().message.find("posix.system"), std::string::npos) << tensors.error().message;
  }
}

TEST(TorchCheckpoint, CutOrChangedAnywhereIsRefusedOrWithinItself) {
  for (const char* name : {"zip.bin", "legacy.bin"}) {
    const Bytes file = golden(name);
    for (size_t length = 0; length < file.size(); length += 7)
      EXPECT_FALSE(read_torch_checkpoint(ByteView(file).first(length)).ok()) << name << " cut at " << length;
    for (size_t at = 0; at < file.size(); at += 7) {
      Bytes changed = file;
      changed[at] ^= std::byte{0x55};
      const auto tensors = read_torch_checkpoint(changed);
      if (!tensors.ok()) continue;
      for (const TorchTensor& tensor : tensors.value()) {
        Bytes owned;
        EXPECT_EQ(tensor.row_major(owned).size(), tensor.row_major_bytes());
      }
    }
  }
}

constexpr PickleName names[] = {{"collections", "OrderedDict"}};

std::string bytes(std::initializer_list<int> codes) { return {codes.begin(), codes.end()}; }

TEST(Pickle, RefusesWhatIsNotDataByNameAndPlace) {
  struct Row {
    std::string_view name;
    std::string pickle;
    std::string_view says;
  };
  using namespace std::string_literals;
  const Row rows[] = {
      {"nothing", "", "ends before its STOP"},
      {"an import", "\x80\x02"s + "cos\nsystem\n.", "GLOBAL at byte 2: looks up 'os.system'"},
      {"an import from the stack", "\x80\x04\x8c\x02os\x8c\x06system\x93."s,
       "STACK_GLOBAL at byte 14: looks up 'os.system'"},
      {"a name that is no text", "\x80\x04K\x01K\x02\x93."s,
       "STACK_GLOBAL at byte 6: a name that is no text"},
      {"a name that is nearly on the list", "\x80\x02"s + "ccollections\nOrderedDict2\n.",
       "GLOBAL at byte 2"},
      {"a module with an attribute", "\x80\x02"s + "ccollections\nOrderedDict.__init__\n.",
       "GLOBAL at byte 2"},
      {"an instance by lines", "\x80\x02("s + "ios\nsystem\n.", "INST at byte 3"},
      {"an instance from the stack", "\x80\x02(o."s, "OBJ at byte 3"},
      {"an extension", "\x80\x02\x82\x01."s, "EXT1 at byte 2"},
      {"arguments with names", "\x80\x04NNN\x92."s, "NEWOBJ_EX at byte 5"},
      {"a call of a text", "\x80\x02U\x01x)R."s, "REDUCE at byte 6: calls what is no name"},
      {"a call of what a call made", "\x80\x02"s + "ccollections\nOrderedDict\n)R)R.",
       "calls what is no name"},
      {"arguments that are none", "\x80\x02"s + "ccollections\nOrderedDict\nNR.", "calls without arguments"},
      {"state into a list", "\x80\x02]}b."s, "BUILD at byte 4: changes what was not made"},
      {"state into a class", "\x80\x02"s + "ccollections\nOrderedDict\n}b.", "BUILD at byte"},
      {"items into a class", "\x80\x02"s + "ccollections\nOrderedDict\nU\x01xNs.", "SETITEM at byte"},
      {"items into a number", "\x80\x02K\x01Na."s, "APPEND at byte 5"},
      {"a key without a value", "\x80\x02}(K\x01u."s, "SETITEMS at byte 6: a key without a value"},
      {"an id by line", "\x80\x02Pos\n."s, "PERSID at byte 2"},
      {"text numbers", "\x80\x02I1\n."s, "INT at byte 2"},
      {"a set", "\x80\x04\x8f."s, "EMPTY_SET at byte 2"},
      {"a buffer from outside", "\x80\x05\x97."s, "NEXT_BUFFER at byte 2"},
      {"a copy of the top", "\x80\x02K\x01\x32."s, "DUP at byte 4"},
      {"no opcode", bytes({0x80, 2, 0xff}), "0xff at byte 2: this is no opcode"},
      {"an old protocol", "\x80\x01N."s, "PROTO at byte 0"},
      {"a new protocol", "\x80\x06N."s, "PROTO at byte 0"},
      {"an empty stack", "\x80\x02."s, "STOP at byte 2"},
      {"two values", "\x80\x02NN."s, "STOP at byte 4"},
      {"below a mark", "\x80\x02N(\x85."s, "TUPLE1 at byte 4: nothing lies on the stack"},
      {"no mark", "\x80\x02Nt."s, "TUPLE at byte 3: there is no mark"},
      {"what was not remembered", "\x80\x02h\x05."s, "BINGET at byte 2"},
      {"a text past the end", "\x80\x02X\xff\xff\xff\x7f."s, "BINUNICODE at byte 2: its length goes past"},
      {"a text of absurd length", "\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff."s, "BINUNICODE8 at byte 2"},
      {"a number past the end", "\x80\x02\x8b\xff\xff\xff\xff."s, "LONG4 at byte 2"},
      {"a line without end", "\x80\x02"s + "c" + std::string(2000, 'a'),
       "GLOBAL at byte 2: a line does not end"},
  };
  for (const Row& row : rows) {
    const auto pickle = read_pickle(as_bytes(row.pickle), names);
    ASSERT_FALSE(pickle.ok()) << row.name;
    EXPECT_EQ(pickle.error().reason, Reason::bad_request) << row.name;
    EXPECT_NE(pickle.error().message.find(row.says), std::string::npos)
        << row.name << ": " << pickle.error().message;
  }
}

TEST(Pickle, HasALimitForEverythingThatGrows) {
  using namespace std::string_literals;
  const auto says = [](const std::string& pickle, PickleLimits limits) {
    const auto read = read_pickle(as_bytes(pickle), names, limits);
    return read.ok() ? std::string("read") : read.error().message;
  };
  EXPECT_NE(says("\x80\x02"s + std::string(50, ']') + ".", {.values_max = 40}).find("too many values"),
            std::string::npos);
  EXPECT_NE(says("\x80\x02"s + std::string(50, '(') + ".", {.stack_max = 40}).find("too deep"),
            std::string::npos);
  EXPECT_NE(
      says("\x80\x02]q\x00"s + std::string("h\x00", 2) + ".", {.text_bytes_max = 0}).find("no single value"),
      std::string::npos);
  EXPECT_NE(says("\x80\x02U\x05"s + "hello.", {.text_bytes_max = 4}).find("too many texts"),
            std::string::npos);
}

TEST(Pickle, ReadsNumbersOfEveryWidth) {
  using namespace std::string_literals;
  struct Row {
    std::string pickle;
    int64_t value;
  };
  for (const Row& row : {Row{"K\xff"s, 255},
                         {"M\xff\xff"s, 65535},
                         {"J\xff\xff\xff\xff"s, -1},
                         {"\x8a\x00"s, 0},
                         {"\x8a\x01\xff"s, -1},
                         {"\x8a\x02\xff\x00"s, 255},
                         {"\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80"s, INT64_MIN},
                         {"\x8b\x01\x00\x00\x00\x80"s, -128}}) {
    const auto read = read_pickle(as_bytes("\x80\x02"s + row.pickle + "."), names);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(read.value().at(read.value().root).integer, row.value);
  }
  const auto real = read_pickle(as_bytes("\x80\x02G\x3f\xf8\x00\x00\x00\x00\x00\x00."s), names).value();
  EXPECT_EQ(real.at(real.root).real, 1.5);
}

}  // namespace
}  // namespace holdfast::codec
