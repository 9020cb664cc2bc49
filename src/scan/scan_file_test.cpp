#include "scan/scan_file.h"

#include <gtest/gtest.h>

#include "codec/gzip.h"

namespace holdfast::scan {
namespace {

using namespace std::string_literals;

const std::string evil = "\x80\x02" + "cos\nsystem\nU\x02id\x85R."s;

void append_number(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(i < 8 ? static_cast<char>(value >> (8 * i)) : char{0});
}

struct Packed {
  std::string name, bytes;
  bool deflated = false;
  uint16_t flags = 0;
};
std::string zip(const std::vector<Packed>& members, bool with_directory = true) {
  std::string out, directory;
  for (const Packed& member : members) {
    std::string stored = member.bytes;
    if (member.deflated) stored = as_text(codec::deflate(as_bytes(member.bytes), codec::Deflate::raw));
    const auto common = [&](std::string& to) {
      append_number(to, 20, 2);
      append_number(to, member.flags, 2);
      append_number(to, member.deflated ? 8 : 0, 2);
      append_number(to, 0, 8);  // Time and a wrong CRC.
      append_number(to, stored.size(), 4);
      append_number(to, member.bytes.size(), 4);
      append_number(to, member.name.size(), 2);
      append_number(to, 0, 2);
    };
    const size_t at = out.size();
    out += "PK\x03\x04";
    common(out);
    out += member.name + stored;
    directory += "PK\x01\x02\x14"s + '\0';
    common(directory);
    append_number(directory, 0, 10);
    append_number(directory, at, 4);
    directory += member.name;
  }
  if (!with_directory) return out;
  const size_t at = out.size();
  out += directory + "PK\x05\x06";
  append_number(out, 0, 4);
  append_number(out, members.size(), 2);
  append_number(out, members.size(), 2);
  append_number(out, directory.size(), 4);
  append_number(out, at, 4);
  append_number(out, 0, 2);
  return out;
}

std::string npy(std::string_view descr, std::string_view data) {
  std::string header = "{'descr': " + std::string(descr) + ", 'fortran_order': False, 'shape': (1,), }\n";
  std::string out = "\x93NUMPY\x01"s + '\0';
  append_number(out, header.size(), 2);
  return out + header + std::string(data);
}

FileReport look(std::string_view bytes, std::string_view name, const ScanLimits& limits = {}) {
  const auto source = memory_source(as_bytes(bytes));
  auto report = scan_file(*source, name, limits);
  EXPECT_TRUE(report.ok());
  return std::move(report).value();
}

struct FileCase {
  const char* what;
  std::string name, bytes, rule;  // No rule: nothing dangerous.
};

TEST(ScanFile, FindsAPickleWhereverItHides) {
  const std::string torch_tensor =
      "\x80\x02" + "ctorch._utils\n_rebuild_tensor_v2\n("s + "ctorch\nFloatStorage\nt0N.";
  const FileCase cases[] = {
      {"a torch archive", "model.pt",
       zip({{"archive/data.pkl", torch_tensor}, {"archive/data/0", std::string(400, '\x80')}}), ""},
      {"a torch archive with code", "model.bin", zip({{"archive/data.pkl", evil}}), "pickle.global"},
      {"a deflated member", "model.pt", zip({{"archive/data.pkl", evil, true}}), "pickle.global"},
      {"an odd name within", "model.pt", zip({{"archive/readme.md", evil}}), "pickle.global"},
      {"an odd name outside", "notes.txt", evil, "pickle.global"},
      {"flags of encryption", "model.pt", zip({{"archive/data.pkl", evil, false, 1}}), "pickle.global"},
      {"no directory", "model.pt", zip({{"archive/data.pkl", evil}}, false), "pickle.global"},
      {"an archive in an archive", "all.zip", zip({{"a.zip", zip({{"b.pkl", evil}}, true)}}),
       "pickle.global"},
      {"archives without end", "all.zip",
       zip({{"a.zip", zip({{"b.zip", zip({{"c.zip", zip({{"d.pkl", evil}})}})}})}}), "archive.depth"},
      {"protocol 0 in an archive", "model.pt", zip({{"data.pkl", "cos\nsystem\n(S'id'\ntR."}}),
       "pickle.global"},
      {"an array of objects", "a.npy", npy("'|O'", evil), "pickle.global"},
      {"an array of records with objects", "a.npy", npy("[('a', '<f8'), ('b', 'O')]", evil), "pickle.global"},
      {"an array of numbers", "a.npy", npy("'<f8'", "12345678"), ""},
      {"arrays in an archive", "a.npz", zip({{"x.npy", npy("'|O'", evil), true}}), "pickle.global"},
      {"gzip", "model.pkl.gz", std::string(as_text(codec::deflate(as_bytes(evil), codec::Deflate::gzip))),
       "pickle.global"},
      {"zlib, as joblib packs", "model.joblib",
       std::string(as_text(codec::deflate(as_bytes(evil), codec::Deflate::zlib))), "pickle.global"},
      {"legacy torch", "model.pt",
       "\x80\x02\x8a\nl\xfc\x9c"s + "F\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02" +
           "cos\nsystem\n)R.\x80\x02]." + std::string(64, '\x01'),
       "pickle.global"},
      {"a member that leaves its folder", "a.zip", zip({{"../../etc/cron.d/x", "text"}}),
       "archive.traversal"},
      {"text and images", "a.zip", zip({{"a/b.txt", "text"}, {"c.png", "\x89PNG\r\n"}}), ""},
      {"code before an archive", "model.pt", evil + zip({{"a.txt", "x"}}), "pickle.global"},
  };
  for (const FileCase& each : cases) {
    SCOPED_TRACE(each.what);
    const FileReport report = look(each.bytes, each.name);
    bool found = false;
    for (const Finding& finding : report.findings) found = found || finding.rule == each.rule;
    EXPECT_EQ(found, !each.rule.empty());
    EXPECT_EQ(report.worst() == Severity::dangerous, !each.rule.empty()) << report.findings.size();
  }
}

TEST(ScanFile, ABombIsAFindingAndNotUnpacked) {
  const std::string zeros(80 << 20, '\0');
  const FileReport report = look(zip({{"data.pkl", zeros, true}}), "model.pt");
  ASSERT_EQ(report.findings.size(), 1);
  EXPECT_EQ(report.findings[0].rule, "archive.bomb");
  EXPECT_EQ(report.findings[0].place.member, "data.pkl");
}

TEST(ScanFile, ABrokenSafetensorsHeaderIsSeen) {
  EXPECT_EQ(look("\xff\xff\xff\xff\xff\xff\xff\xff{}", "a.safetensors").findings.at(0).rule,
            "safetensors.header");
}

TEST(ScanFile, DamagedArchivesNeverPassSilently) {
  const std::string whole = zip({{"archive/data.pkl", evil, true}, {"b.txt", "x"}});
  for (size_t cut = 1; cut < whole.size(); ++cut) {
    const FileReport report = look(std::string_view(whole).substr(0, cut), "model.pt");
    EXPECT_FALSE(report.findings.empty()) << cut;
  }
}

}  // namespace
}  // namespace holdfast::scan
