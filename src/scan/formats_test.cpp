#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "codec/hex.h"
#include "codec/parquet_rewrite.h"
#include "scan/scan_file.h"
#include "scan/template_check.h"

namespace holdfast::scan {
namespace {

using namespace std::string_literals;

const std::string evil = "\x80\x02" + "cos\nsystem\nU\x02id\x85R."s;

FileReport look(std::string_view bytes, std::string_view name) {
  const auto source = memory_source(as_bytes(bytes));
  auto report = scan_file(*source, name);
  EXPECT_TRUE(report.ok());
  return std::move(report).value();
}
bool has(const FileReport& report, std::string_view rule) {
  return std::any_of(report.findings.begin(), report.findings.end(),
                     [&](const Finding& finding) { return finding.rule == rule; });
}

struct Entry {
  std::string name, bytes, link;
};
std::string packed(const char* format, const char* filter, const std::vector<Entry>& entries) {
  std::string out(4 << 20, '\0');
  size_t used = 0;
  archive* made = archive_write_new();
  EXPECT_EQ(archive_write_set_format_by_name(made, format), ARCHIVE_OK);
  if (*filter != 0) EXPECT_EQ(archive_write_add_filter_by_name(made, filter), ARCHIVE_OK);
  EXPECT_EQ(archive_write_open_memory(made, out.data(), out.size(), &used), ARCHIVE_OK);
  for (const Entry& each : entries) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, each.name.c_str());
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_filetype(entry, each.link.empty() ? AE_IFREG : AE_IFLNK);
    if (!each.link.empty()) archive_entry_set_symlink(entry, each.link.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(each.bytes.size()));
    archive_write_header(made, entry);
    archive_write_data(made, each.bytes.data(), each.bytes.size());
    archive_entry_free(entry);
  }
  archive_write_close(made);
  archive_write_free(made);
  return out.substr(0, used);
}

TEST(Formats, PicklesInArchivesOfEveryKindAreFound) {
  const struct {
    const char *format, *filter, *name;
  } cases[] = {{"ustar", "", "a.tar"},           {"pax", "gzip", "a.tar.gz"},
               {"gnutar", "bzip2", "a.tar.bz2"}, {"v7tar", "xz", "a.tar.xz"},
               {"pax", "zstd", "a.tar.zst"},     {"7zip", "", "a.7z"},
               {"v7tar", "", "model.tar"},       {"newc", "", "a.cpio"},
               {"raw", "xz", "model.pkl.xz"},    {"raw", "bzip2", "model.pkl.bz2"},
               {"raw", "zstd", "model.joblib"},  {"ustar", "", "model.pt"}};
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    EXPECT_TRUE(
        has(look(packed(each.format, each.filter, {{"in/data.pkl", evil, ""}}), each.name), "pickle.global"));
    EXPECT_LE(look(packed(each.format, each.filter, {{"in/data.txt", "harmless", ""}}), each.name).worst(),
              Severity::warning);
  }
}

// Made by Python's zipfile with ZIP_BZIP2 and ZIP_LZMA; the member is a pickle of os.system.
TEST(Formats, MembersOfAZipPackedByOtherWaysAreFound) {
  for (const char* hex :
       {"504b03042e0000000c0000002100cd089f2b400000001400000008000000646174612e747874425a6839314159"
        "2653596880eb5600000953c01010000112000e228c2042002000314c00134281a7a8d3d4f28a24860157f14c4d"
        "13f8bb9229c2848344075ab0504b01022e032e0000000c0000002100cd089f2b40000000140000000800000000"
        "00000000000000800100000000646174612e747874504b0506000000000100010036000000660000000000",
        "504b03043f0002000e0000002100cd089f2b290000001400000008000000646174612e747874090405005d0000"
        "80000040008803bc30bd34de2f5e26d069fab23ea319ed68a6d0d1a7ffff9bf40000504b01023f033f0002000e"
        "0000002100cd089f2b2900000014000000080000000000000000000000800100000000646174612e747874504b"
        "05060000000001000100360000004f0000000000"}) {
    const auto bytes = codec::from_hex(hex);
    ASSERT_TRUE(bytes.ok());
    EXPECT_TRUE(has(look(as_text(bytes.value()), "a.zip"), "pickle.global"));
  }
}

TEST(Formats, LinksAndNamesThatLeaveTheirFolderAreFound) {
  EXPECT_TRUE(
      has(look(packed("ustar", "", {{"../../etc/cron.d/x", "a", ""}}), "a.tar"), "archive.traversal"));
  EXPECT_TRUE(has(look(packed("ustar", "", {{"a/link", "", "../../etc"}}), "a.tar"), "archive.link"));
  EXPECT_TRUE(has(look(packed("pax", "gzip", {{"link", "", "/etc/passwd"}}), "a.tgz"), "archive.link"));
  EXPECT_FALSE(has(look(packed("ustar", "", {{"a/b/link", "", "../c"}}), "a.tar"), "archive.link"));
}

TEST(Formats, AStreamThatGrowsIsABomb) {
  ScanLimits limits;
  limits.member_bytes_max = 1 << 20;
  const std::string bytes = packed("ustar", "xz", {{"zeros", std::string(3 << 20, '\0'), ""}});
  const auto source = memory_source(as_bytes(bytes));
  const auto report = scan_file(*source, "a.tar.xz", limits);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(has(report.value(), "archive.bomb"));
}

TEST(Formats, TemplatesThatReachOutOfTheirEngineAreFound) {
  const struct {
    const char* text;
    const char* rule;  // Empty: none.
  } cases[] = {
      {"{{ ''.__class__.__mro__[1].__subclasses__() }}", "template.escape"},
      {"{% for x in ().__class__.__base__.__subclasses__() %}{% endfor %}", "template.escape"},
      {"{{ ''|attr('\\x5f\\x5fclass\\x5f\\x5f') }}", "template.escape"},
      {"{{ cycler.__init__.__globals__.os.popen('id').read() }}", "template.code"},
      {"{{ lipsum['__glob' ~ 'als__'] }}", "template.object"},
      {"{{ messages | map(attribute='__init__') }}", "template.escape"},
      {"{% include '/etc/passwd' %}", "template.include"},
      {"{{ x }}\xe2\x80\xae{{ y }}", "template.hidden-text"},
      {"{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] | trim }}<|im_end|>{% endfor %}",
       ""},
      {"{{ raise_exception('no os.system here') if false }}", "template.code"},
      {"Do not write __class__ here, or open( a file.{{ bos_token }}", ""},
      {"{%- set ns = namespace(found=false) %}{{ messages[0]['content'].split('</think>')[-1].lstrip('\\n') "
       "}}",
       ""},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.text);
    FileReport report;
    check_template(each.text, Place{.file = "chat_template.jinja"}, report);
    if (*each.rule == 0)
      EXPECT_TRUE(report.findings.empty()) << report.findings[0].rule;
    else
      EXPECT_TRUE(has(report, each.rule));
  }
  EXPECT_TRUE(
      has(look(R"({"chat_template": "{{ ''.__class__ }}"})", "tokenizer_config.json"), "template.escape"));
  EXPECT_TRUE(has(look(R"({"chat_template": [{"name": "a", "template": "{{ ''.__class__ }}"}]})",
                       "sub/tokenizer_config.json"),
                  "template.escape"));
}

std::string number(uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}
std::string text(std::string_view value) { return number(value.size(), 8) + std::string(value); }

TEST(Formats, AGgufsTemplateAndLengthsAreChecked) {
  const std::string key = text("tokenizer.chat_template") + number(8, 4);
  const std::string head = "GGUF" + number(3, 4) + number(0, 8) + number(1, 8);
  EXPECT_TRUE(has(look(head + key + text("{{ ''.__class__ }}"), "a.gguf"), "template.escape"));
  EXPECT_EQ(look(head + key + text("{{ bos_token }}"), "a.gguf").findings.size(), 0);
  EXPECT_TRUE(has(look(head + key + number(uint64_t{1} << 62, 8) + "x", "a.gguf"), "gguf.header"));
  EXPECT_TRUE(has(look("GGUF" + number(3, 4) + number(~uint64_t{0}, 8) + number(~uint64_t{0}, 8), "a.gguf"),
                  "gguf.header"));
}

std::string field(int tag, const std::string& bytes) {
  return std::string(1, static_cast<char>(tag << 3 | 2)) + static_cast<char>(bytes.size()) + bytes;
}

TEST(Formats, TensorsOfOnnxElsewhereAreFound) {
  const auto model = [](const std::string& location) {
    const std::string entry = field(1, "location") + field(2, location);
    return field(7, field(5, field(8, "weight") + field(13, entry)));
  };
  EXPECT_TRUE(has(look(model("../../etc/passwd"), "model.onnx"), "onnx.external-data"));
  EXPECT_TRUE(has(look(model("/etc/passwd"), "model.onnx"), "onnx.external-data"));
  EXPECT_TRUE(has(look(model("C:\\secret"), "model.onnx"), "onnx.external-data"));
  EXPECT_TRUE(look(model("model.onnx_data"), "model.onnx").findings.empty());
  EXPECT_TRUE(has(look(model("x").substr(0, 20), "model.onnx"), "onnx.damaged"));
}

TEST(Formats, GraphsAndLayersThatRunCodeAreFound) {
  EXPECT_TRUE(has(look("\x0a\x14\x0a\x02op\x12\x08ReadFile", "saved_model.pb"), "tensorflow.operation"));
  EXPECT_TRUE(look("\x0a\x14\x0a\x02op\x12\x06MatMul", "saved_model.pb").findings.empty());
  EXPECT_TRUE(has(look("\x89HDF\r\n\x1a\n....{\"class_name\": \"Lambda\"}", "model.h5"), "keras.lambda"));
  EXPECT_TRUE(
      has(look(R"({"auto_map": {"AutoModel": "modeling_x.X"}})", "config.json"), "config.remote-code"));
}

TEST(Formats, SecretsInANotebooksOutputsAreFound) {
  const std::string token = std::string("hf") + "_QbTzRkWmXvLpYcNdFsGhJqAeUiOwMnBvCx";
  const std::string book =
      "{\"cells\": [{\"cell_type\": \"code\", \"outputs\": [{\"text\": [\n\"api_key=\\\"q8Zr2LwX0pVt7"
      "Yb4Nc9MfKd3\\\"\\n\",\n\"" +
      token + "\\n\"]}]}]}";
  const FileReport report = look(book, "a.ipynb");
  EXPECT_TRUE(has(report, "secret.generic-api-key"));
  EXPECT_TRUE(has(report, "secret.huggingface-access-token"));
}

TEST(Formats, ColumnsOfParquetAreLookedThroughWithTheirRows) {
  std::ifstream file("tests/golden/parquet/plain.parquet", std::ios::binary);
  const std::string plain{std::istreambuf_iterator<char>(file), {}};
  const std::string key = "AK" + std::string("IAZ7QWERTYPLMNBVCX");
  const auto planted = codec::rewrite_parquet(as_bytes(plain), [&](codec::ParquetLeafValues& column) {
    if (auto* text = std::get_if<std::string>(&column.values[6])) *text = "write to ada@example.org\nor call";
    if (auto* text = std::get_if<std::string>(&column.values[8])) *text = "key=" + key;
    if (column.path == "label") column.values[4] = int64_t{4111111111111111};  // A card, as a number.
    return column.kind != codec::ParquetKind::truth;
  });
  ASSERT_TRUE(planted.ok());
  const auto look = [](std::string_view bytes) {
    const auto source = memory_source(as_bytes(bytes));
    return scan_file(*source, "rows.parquet").value();
  };
  EXPECT_TRUE(look(plain).findings.empty());
  const FileReport report = look(planted.value().file);
  std::string told;
  for (const Finding& each : report.findings)
    told += each.rule + "@" + std::to_string(each.place.line.value_or(0)) + " ";
  EXPECT_NE(told.find("personal.email-address@7 "), std::string::npos) << told;
  EXPECT_NE(told.find("secret.aws-access-token@9 "), std::string::npos) << told;
  EXPECT_NE(told.find("personal.credit-card@5 "), std::string::npos) << told;
  EXPECT_FALSE(report.findings[0].place.member.empty());
  // In a list the place is the row that holds it; what is within a structure is named by its path.
  std::ifstream nested_file("tests/golden/parquet/nested.parquet", std::ios::binary);
  const std::string nested{std::istreambuf_iterator<char>(nested_file), {}};
  const auto within = codec::rewrite_parquet(as_bytes(nested), [&](codec::ParquetLeafValues& column) {
    if (column.path == "tags") column.values[0] = "ada@example.org";
    if (column.path == "inner.k") column.values[1] = int64_t{4111111111111111};
    return column.path == "tags" || column.path == "inner.k";
  });
  ASSERT_TRUE(within.ok()) << within.error().message;
  std::string places;
  for (const Finding& each : look(within.value().file).findings)
    places += each.rule + "@" + each.place.member + ":" + std::to_string(each.place.line.value_or(0)) + " ";
  EXPECT_EQ(places, "personal.email-address@tags:1 personal.credit-card@inner.k:2 ");
  EXPECT_EQ(look(plain.substr(0, plain.size() - 9)).worst(), Severity::note) << "what is cut off is a note";
}

TEST(Formats, DecimalsOldMomentsAndBytesOfOneLengthAreLookedThrough) {
  std::ifstream file("tests/golden/parquet/odd.parquet", std::ios::binary);
  const std::string odd{std::istreambuf_iterator<char>(file), {}};
  const auto source = memory_source(as_bytes(odd));
  const FileReport report = scan_file(*source, "rows.parquet").value();
  std::set<std::string> found;
  for (const Finding& each : report.findings) {
    EXPECT_NE(each.rule, "personal.unread") << each.place.member << ": " << each.reason;
    found.insert(each.place.member + " " + each.rule);
  }
  EXPECT_TRUE(found.contains("number personal.credit-card")) << "a card's number as a decimal";
  EXPECT_TRUE(found.contains("long personal.credit-card")) << "with nothing behind its point";
  EXPECT_TRUE(found.contains("code personal.email-address"));
}

}  // namespace
}  // namespace holdfast::scan
