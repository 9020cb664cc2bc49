#include "scan/pickle.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "codec/hex.h"
#include "scan/pickle_rules.h"
#include "scan/scan_file.h"

namespace holdfast::scan {
namespace {

using namespace std::string_literals;

FileReport look(std::string_view bytes, std::string_view name = "model.pkl") {
  const auto source = memory_source(as_bytes(bytes));
  auto report = scan_file(*source, name);
  EXPECT_TRUE(report.ok());
  return std::move(report).value();
}

std::string printable_text(std::string_view bytes) { return codec::to_hex(as_bytes(bytes)); }

std::string short_text(std::string_view text) {
  return "\x8c"s + static_cast<char>(text.size()) + std::string(text);
}

struct PickleCase {
  const char* name;
  std::string bytes;
  Severity worst;
  const char* rule;  // Of a finding that must be there; empty: none.
};

TEST(Pickle, IsJudgedByWhatLoadingItWouldDo) {
  const std::string os_system = short_text("os") + short_text("system");
  const PickleCase cases[] = {
      {"plain data", "\x80\x04]\x94(K\x01K\x02\x8c\x01"s + "a\x94" + "e.", Severity::note, ""},
      {"an ordered dict", "\x80\x04" + short_text("collections") + short_text("OrderedDict") + "\x93)R.",
       Severity::note, ""},
      {"a name of protocol 0", "cos\nsystem\n(S'id'\ntR.", Severity::dangerous, "pickle.global"},
      {"a name by the stack", "\x80\x04" + os_system + "\x93" + short_text("id") + "\x85R.",
       Severity::dangerous, "pickle.global"},
      {"texts by the memo, in the other order",
       "\x80\x04" + short_text("system") + "\x94" + short_text("os") + "\x94" + "0" + "0" +
           "h\x01h\x00\x93"s + short_text("id") + "\x85R.",
       Severity::dangerous, "pickle.global"},
      {"a text duplicated",
       "\x80\x04" + short_text("eval") + "0" + short_text("builtins") + short_text("eval") + "\x93" +
           short_text("1") + "\x85R.",
       Severity::dangerous, "pickle.global"},
      {"a memo key used twice",
       "\x80\x02" + "U\x02osq\x00"s + "0U\x01xq\x00"s + "0X\x02\x00\x00\x00osU\x06system\x93U\x01x\x85R."s,
       Severity::dangerous, "pickle.global"},
      {"escapes within a string", "S'\\x6f\\163'\nS'system'\n\x93(S'id'\ntR.", Severity::dangerous,
       "pickle.global"},
      {"escapes of raw unicode", "V\\u006f\\u0073\nVsystem\n\x93(S'id'\ntR.", Severity::dangerous,
       "pickle.global"},
      {"INST", "(S'id'\nios\nsystem\n.", Severity::dangerous, "pickle.global"},
      {"OBJ", "(cos\nsystem\nS'id'\no.", Severity::dangerous, "pickle.global"},
      {"a name that is computed",
       "\x80\x04" + short_text("os") + "cbuiltins\nstr\n" + short_text("x") + "\x85R\x93.",
       Severity::dangerous, "pickle.unknown-name"},
      {"a name from the registry of extensions", "\x80\x02\x82\x01)R."s, Severity::dangerous,
       "pickle.unknown-name"},
      {"a dotted way out of a harmless module",
       "\x80\x04" + short_text("torch") + short_text("serialization.os.system") + "\x93.",
       Severity::dangerous, "pickle.global"},
      {"a class that we do not know",
       "\x80\x04" + short_text("sklearn.linear_model._base") + short_text("LinearRegression") +
           "\x93)\x81}b.",
       Severity::warning, "pickle.global"},
      {"a call of a call's result", "\x80\x04" + short_text("a") + short_text("b") + "\x93)R)R.",
       Severity::dangerous, "pickle.computed-call"},
      {"state set on a class", "\x80\x04" + short_text("collections") + short_text("OrderedDict") + "\x93}b.",
       Severity::dangerous, "pickle.patch"},
      {"code after a first harmless pickle", "\x80\x02N.\x80\x02" + "cos\nsystem\nU\x02id\x85R."s,
       Severity::dangerous, "pickle.global"},
      {"code, then rubbish", "\x80\x02" + "cos\nsystem\nU\x02id\x85R"s + "\xff\xff", Severity::dangerous,
       "pickle.global"},
      {"rubbish before code can be seen", "\x80\x02N\xff"s + "cos\nsystem\n.", Severity::dangerous,
       "pickle.unreadable"},
      {"a pickle within bytes",
       "\x80\x04" + "C\x16\x80\x04"s + "cos\nsystem\n(S'id'\ntR." + "\x00"s.substr(0, 0) + ".",
       Severity::dangerous, "pickle.global"},
      {"a stack that is empty", "\x80\x02R.", Severity::dangerous, "pickle.unreadable"},
      {"a length past the end", "\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.", Severity::dangerous,
       "pickle.unreadable"},
      {"a known miss: spawnv_passfds", "cmultiprocessing.util\nspawnv_passfds\n(tR.", Severity::dangerous,
       "pickle.global"},
      {"a known miss: mlflow", "cmlflow.projects.backend.local\n_run_entry_point\n(tR.", Severity::dangerous,
       "pickle.global"},
      {"a known miss: read_csv", "cpandas.io.parsers.readers\nread_csv\n(tR.", Severity::dangerous,
       "pickle.global"},
  };
  for (const PickleCase& each : cases) {
    SCOPED_TRACE(each.name);
    const FileReport report = look(each.bytes);
    EXPECT_EQ(severity_name(report.worst()), severity_name(each.worst));
    bool found = *each.rule == '\0';
    for (const Finding& finding : report.findings) found = found || finding.rule == each.rule;
    EXPECT_TRUE(found) << "no " << each.rule;
    if (*each.rule == '\0') EXPECT_TRUE(report.findings.empty());
  }
}

TEST(Pickle, FindingsNameTheOpcode) {
  const FileReport report = look("\x80\x02N0cos\nsystem\n.");
  ASSERT_FALSE(report.findings.empty());
  EXPECT_EQ(report.findings[0].place.offset, 4);
  ASSERT_EQ(report.imports.size(), 1);
  EXPECT_EQ(report.imports[0], (Import{"os", "system", Safety::dangerous}));
}

TEST(Pickle, GrowingWithoutEndIsRefused) {
  std::string bytes = "\x80\x02";
  for (int i = 0; i < 5000; ++i) bytes += "N";
  bytes += ".";
  const auto source = memory_source(as_bytes(bytes));
  PickleLimits limits;
  limits.stack_max = 1000;
  FileReport report;
  EXPECT_EQ(follow_pickle(*source, 0, {}, limits, report).how, PickleEnd::limit);
  limits = {};
  limits.opcodes_max = 1000;
  EXPECT_EQ(follow_pickle(*source, 0, {}, limits, report).how, PickleEnd::limit);
  EXPECT_EQ(follow_pickle(*source, 0, {}, {}, report).how, PickleEnd::stop);
}

TEST(Pickle, OtherBytesAreNoPickle) {
  for (const std::string_view text : {"{\"a\": 1}", "(this is text)\nwith lines\n",
                                      "import os\nos.system('x')\n", "", "c", "]", "MIT License"})
    EXPECT_TRUE(look(text, "a.txt").findings.empty()) << text;
}

TEST(Pickle, BytesByChanceAreNotRefused) {
  // Each was refused by name or by chance once: a registry's name, a name made of numbers, a mark of
  // protocol 2.
  for (const std::string& bytes :
       {"N\x82\x07\xfe\xfe"s, "]}\x93\xfe\xfe"s, "K\x01N\x93."s, "\x80\x02\xfe\xfe\xfe"s}) {
    const FileReport report = look(bytes, "weights.bin");
    EXPECT_NE(report.worst(), Severity::dangerous) << printable_text(bytes);
  }
  SeededRandom random(3);
  int refused = 0;
  std::string bytes(64, '\0');
  for (int i = 0; i < 200'000; ++i) {
    random.fill(std::as_writable_bytes(std::span(bytes)));
    if (look(bytes, "weights.bin").worst() != Severity::dangerous) continue;
    ++refused;
    ADD_FAILURE() << "seed 3, file " << i << ": " << printable_text(bytes);
  }
  EXPECT_EQ(refused, 0);
}

TEST(Pickle, ANameMadeByTheFileIsRefusedUnderAnyName) {
  const std::string computed =
      "cbuiltins\nstr\nN\x85Rq\x00"
      "0h\x00h\x00\x93"s;  // str(None) twice, then what it names.
  EXPECT_EQ(look(computed + "\xfe", "weights.bin").worst(), Severity::dangerous);
  EXPECT_EQ(look("cos\nsystem\n\xfe"s, "weights.bin").worst(), Severity::dangerous);
  EXPECT_EQ(look("N\x82\x07)R."s, "weights.bin").worst(), Severity::dangerous);
  EXPECT_EQ(look("N\x82\x07)R\xfe"s, "model.pkl").worst(), Severity::dangerous);
}

TEST(PickleRules, ListsHold) {
  EXPECT_EQ(safety_of("torch._utils", "_rebuild_tensor_v2"), Safety::innocuous);
  EXPECT_EQ(safety_of("torch", "FloatStorage"), Safety::innocuous);
  EXPECT_EQ(safety_of("os.path", "join"), Safety::dangerous);
  EXPECT_EQ(safety_of("osx", "join"), Safety::suspicious);
  EXPECT_EQ(safety_of("builtins", "eval"), Safety::dangerous);
  EXPECT_EQ(safety_of("builtins", "ValueError"), Safety::suspicious);
  EXPECT_EQ(safety_of("operator", "attrgetter"), Safety::dangerous);
  EXPECT_EQ(safety_of("x", "__class__.__base__"), Safety::dangerous);
}

TEST(Pickle, DenseOnesAreFollowedOverEveryBoundaryOfWhatIsAtHand) {
  SeededRandom random(11);
  std::string bytes = "\x80\x04]\x94("s;
  uint64_t opcodes = 4;
  while (bytes.size() < 3'000'000) {
    const uint64_t kind = random.below(9);
    const std::string noise(random.below(kind == 6 ? 40'000 : 40), 'a');
    if (kind == 0) bytes += "K\x07"s;
    if (kind == 1) bytes += "M\x07\x01"s;
    if (kind == 2) bytes += "J\x07\x01\x02\x03"s;
    if (kind == 3) bytes += "G\x07\x01\x02\x03\x04\x05\x06\x07"s;
    if (kind == 4) bytes += short_text(noise);
    if (kind == 5) bytes += "\x8a"s + static_cast<char>(noise.size()) + noise;
    if (kind == 6)
      bytes +=
          "X"s + static_cast<char>(noise.size()) + static_cast<char>(noise.size() >> 8) + "\0\0"s + noise;
    if (kind == 7) bytes += "]\x94K\x01"s + "a";
    if (kind == 8) bytes += "}(K\x01Nu"s + "h\x00"s + "0";
    opcodes += kind == 7 ? 4 : kind == 8 ? 7 : 1;
  }
  bytes += "e.";
  opcodes += 2;
  FileReport report;
  const auto source = memory_source(as_bytes(bytes));
  const PickleOutcome outcome = follow_pickle(*source, 0, {}, {}, report);
  EXPECT_EQ(outcome.how, PickleEnd::stop) << outcome.detail;
  EXPECT_EQ(outcome.opcodes, opcodes);
  EXPECT_EQ(outcome.end, bytes.size());
  EXPECT_TRUE(report.findings.empty());
  bytes.insert(bytes.size() - 2, "cos\nsystem\n(S'id'\ntR");
  EXPECT_EQ(look(bytes).worst(), Severity::dangerous);
  bytes.resize(bytes.size() - 4);
  EXPECT_EQ(look(bytes).worst(), Severity::dangerous) << "cut off after it ran";
}

// A pickle of opcodes that fit what is on the stack, most of the time.
std::string random_pickle(SeededRandom& random) {
  const auto number = [](uint64_t value, int width) {
    std::string out;
    for (int i = 0; i < width; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
    return out;
  };
  const auto noise = [&](uint64_t most) {
    std::string out(random.below(most), 'g');
    random.fill(std::as_writable_bytes(std::span(out)).first(out.size() / 2));
    return out;
  };
  const std::vector<std::string> whole = {"N",
                                          "\x88",
                                          ")",
                                          "]",
                                          "}",
                                          "\x8f",
                                          "K\x01",
                                          "(",
                                          "(",
                                          "\x94",
                                          "q\x01"s,
                                          "h\x01"s,
                                          "t",
                                          "l",
                                          "d",
                                          "\x91",
                                          "\x85",
                                          "\x86",
                                          "\x87",
                                          "a",
                                          "s",
                                          "b",
                                          "e",
                                          "u",
                                          "\x90",
                                          "R",
                                          "\x81",
                                          "Q",
                                          "0",
                                          "1",
                                          "2",
                                          "\x93",
                                          "o",
                                          "\x92",
                                          "\x98",
                                          "\x97",
                                          "ccollections\nOrderedDict\n",
                                          "cos\nsystem\n",
                                          "S'text'\n",
                                          "Vtext\n",
                                          "I7\n",
                                          "p3\n",
                                          "g3\n",
                                          "icollections\nDeque\n",
                                          "P7\n"};
  std::string bytes = "\x80\x04";
  const uint64_t count = random.below(200);
  for (uint64_t i = 0; i < count; ++i) {
    const std::string text = noise(random.below(20) == 0 ? 300 : 8);
    switch (random.below(14)) {
      case 0:
        bytes += "\x8c" + number(text.size() & 255, 1) + text.substr(0, text.size() & 255);
        break;
      case 1:
        bytes += "X" + number(text.size(), 4) + text;
        break;
      case 2:
        bytes += "C" + number(text.size() & 255, 1) + text.substr(0, text.size() & 255);
        break;
      case 3:
        bytes += "G" + number(random.below(1000), 8);
        break;
      case 4:
        bytes += "r" + number(random.below(6), 4);
        break;
      case 5:
        bytes += "j" + number(random.below(6), 4);
        break;
      case 6:
        bytes += "\x95" + number(random.below(100), 8);
        break;
      case 7:
        bytes += short_text("builtins") + short_text("eval") + "\x93";
        break;
      case 8:
        bytes += "\x8c\x05\x80\x02N0.";
        break;
      default:
        bytes += whole[random.below(whole.size())];
    }
  }
  return bytes + ".";
}

// Outcome and findings of one way, as one text.
std::string told(std::string_view bytes, PickleLimits limits, bool plainly) {
  limits.plainly = plainly;
  const auto source = memory_source(as_bytes(bytes));
  FileReport report;
  const PickleOutcome outcome = follow_pickle(*source, 0, {}, limits, report);
  std::string out = fmt::format("{} at {}, {} opcodes, {} globals: {}", static_cast<int>(outcome.how),
                                outcome.end, outcome.opcodes, outcome.globals, outcome.detail);
  for (const Finding& finding : report.findings)
    out += fmt::format("\n{} {} {} {}", finding.rule, finding.place.offset.value_or(0), finding.place.member,
                       finding.reason);
  for (const Import& import : report.imports) out += fmt::format("\n{}.{}", import.module, import.name);
  return out;
}

TEST(Pickle, TheFastWayTellsWhatTheMachineTells) {
  SeededRandom random(23);
  for (int i = 0; i < 4000; ++i) {
    const std::string bytes = random_pickle(random);
    PickleLimits limits;
    if (random.below(4) == 0) limits.stack_max = random.below(30);
    if (random.below(4) == 0) limits.memo_max = random.below(10);
    if (random.below(4) == 0) limits.opcodes_max = random.below(100);
    const std::string plain = told(bytes, limits, true);
    ASSERT_EQ(told(bytes, limits, false), plain) << "seed 23, pickle " << i << ": " << printable_text(bytes);
  }
}

}  // namespace
}  // namespace holdfast::scan
