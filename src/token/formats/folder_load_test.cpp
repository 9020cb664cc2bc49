// Tokenizers that are loaded without a tree of their vocabulary beside those of the whole document.
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <filesystem>

#include "codec/gguf_write.h"
#include "io/reference_data.h"
#include "token/formats/folder.h"

namespace holdfast::token {
namespace {

constexpr std::string_view texts[] = {"",
                                      "a",
                                      "abc cab",
                                      "Hello world, it is 12:30!",
                                      "<s>a b</s>",
                                      "[CLS] a [MASK]",
                                      "\u00e9\u4e2d\U0001f642 x",
                                      "  two  spaces\n\ttab",
                                      "<new>ab<other>",
                                      "aaaa bbbb abab"};

// Where the whole document gives an error, the same one.
void expect_same(const Result<FolderDocument>& whole, const Result<LoadedTokenizer>& loaded) {
  const Result<Tokenizer> wanted =
      whole.ok() ? Tokenizer::from_document(whole.value().document) : Result<Tokenizer>(whole.error());
  ASSERT_EQ(loaded.ok(), wanted.ok()) << (loaded.ok() ? wanted.error() : loaded.error()).message;
  if (!wanted.ok()) {
    EXPECT_EQ(loaded.error().message, wanted.error().message);
    return;
  }
  const Tokenizer &one = wanted.value(), &other = loaded.value().tokenizer;
  EXPECT_EQ(loaded.value().source, whole.value().source);
  EXPECT_EQ(other.vocabulary_size(), one.vocabulary_size());
  for (size_t id = 0; id < one.vocabulary_size() + 4; ++id)
    ASSERT_EQ(other.token_of(static_cast<uint32_t>(id)), one.token_of(static_cast<uint32_t>(id))) << id;
  for (const std::string_view text : texts) {
    const Input input{.text = text, .words = {}, .pair = {}};
    const auto got = other.encode(input, {}), encoding = one.encode(input, {});
    ASSERT_EQ(got.ok(), encoding.ok()) << text;
    if (!got.ok()) continue;
    EXPECT_EQ(got.value().ids, encoding.value().ids) << text;
    EXPECT_EQ(got.value().tokens, encoding.value().tokens) << text;
    EXPECT_EQ(got.value().offsets, encoding.value().offsets) << text;
  }
  for (const auto& [key, value] : whole.value().document)
    if (key != "model") EXPECT_EQ(loaded.value().document.at(key), value) << key;
}

struct Case {
  std::string_view name, tokenizer, config;
};
constexpr std::string_view adding = R"({"tokenizer_class": "LlamaTokenizer", "add_bos_token": true,
    "bos_token": "<s>", "eos_token": "</s>", "unk_token": "a", "pad_token": "<new>",
    "additional_special_tokens": ["ab", "<other>"]})";
constexpr Case cases[] = {
    {"BPE as it is",
     R"({"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}})", ""},
    {"BPE with tokens of the configuration",
     R"({"added_tokens": [{"id": 3, "content": "<s>", "special": true}],
         "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}})",
     adding},
    {"ids with a gap",
     R"({"model": {"type": "BPE", "vocab": {"a": 0, "b": 7, "ab": 2, "\u0063": 5}, "merges": [["a", "b"]]}})",
     adding},
    {"a key that is there twice",
     R"({"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "a": 2}, "merges": []}})", adding},
    {"a merge of what is no token",
     R"({"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": [["a", "b"]]}})", ""},
    {"Unigram with a piece that is there twice",
     R"({"model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0], ["a", -1], ["b", -2.5], ["a", -3]]}})",
     adding},
    {"WordPiece",
     R"({"model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {"[UNK]": 0, "a": 1, "##b": 2, "[CLS]": 3}}})",
     R"({"cls_token": "[CLS]", "mask_token": "[MASK]"})"},
    {"words", R"({"model": {"type": "WordLevel", "unk_token": "b", "vocab": {"a": 0, "b": 1}}})", adding},
    {"no vocabulary", R"({"model": {"type": "BPE", "merges": []}})", adding},
    {"a vocabulary that is neither", R"({"model": {"type": "BPE", "vocab": 3, "merges": []}})", adding},
    {"no JSON", R"({"model": {"type": "BPE", "vocab": {"a": 0})", ""},
};

TEST(FolderLoad, GivesWhatTheWholeDocumentGives) {
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    const auto disk = io::make_memory_disk();
    ASSERT_TRUE(disk->make_directories("m").ok());
    ASSERT_TRUE(io::publish_text(*disk, "m/tokenizer.json", std::string(one.tokenizer)).ok());
    if (!one.config.empty())
      ASSERT_TRUE(io::publish_text(*disk, "m/tokenizer_config.json", std::string(one.config)).ok());
    expect_same(document_of_folder(*disk, "m"), load_from_folder(*disk, "m"));
    expect_same(document_of_file(*disk, "m/tokenizer.json"), load_from_file(*disk, "m/tokenizer.json"));
  }
}

codec::GgufValue texts_of(const std::vector<std::string_view>& list) {
  codec::GgufArray out;
  out.type = codec::GgufValueType::text;
  out.texts = list;
  out.count = list.size();
  return out;
}

struct FileCase {
  std::string_view name, model;
  std::vector<std::string_view> tokens;
  std::optional<std::vector<std::string_view>> merges;
};

TEST(FolderLoad, OfAGgufFileToo) {
  const FileCase files[] = {
      {"bytes", "gpt2", {"a", "b", "c", "ab", "\u0120", "<s>", "H"}, {{"a b"}}},
      {"bytes that are not spelt yet", "gpt2", {"a", "b", " ", "ab", "\u4e2d"}, {{"a b"}}},
      {"a token that is there twice", "gpt2", {"a", "b", "ab", "a"}, {{"a b"}}},
      {"a merge of what is no token", "gpt2", {"a", "b"}, {{"a b"}}},
      {"a merge that is none", "gpt2", {"a", "b"}, {{"ab"}}},
      {"no merges", "gpt2", {"a", "b"}, std::nullopt},
      {"SentencePiece", "llama", {"<unk>", "<s>", "</s>", "\u2581", "a", "b", "ab", "\u2581a"}, std::nullopt},
      {"a kind that nobody knows", "kind", {"a"}, std::nullopt},
  };
  for (const FileCase& one : files) {
    SCOPED_TRACE(one.name);
    std::vector<codec::GgufEntry> entries = {{"general.architecture", std::string_view("llama")},
                                             {"tokenizer.ggml.model", one.model},
                                             {"tokenizer.ggml.tokens", texts_of(one.tokens)}};
    if (one.merges) entries.push_back({"tokenizer.ggml.merges", texts_of(*one.merges)});
    const auto head = codec::write_gguf_head(entries, {});
    ASSERT_TRUE(head.ok()) << head.error().message;
    const auto disk = io::make_memory_disk();
    ASSERT_TRUE(disk->make_directories("m").ok());
    ASSERT_TRUE(io::publish_text(*disk, "m/m.gguf", std::string(as_text(head.value().bytes))).ok());
    expect_same(document_of_folder(*disk, "m"), load_from_folder(*disk, "m"));
  }
}

TEST(FolderLoad, OfTheReferenceTokenizers) {
  const auto root = io::reference_data("tokenizers");
  if (!root) GTEST_SKIP() << io::reference_data_missing;
  const auto disk = std::move(io::open_posix_disk(root->string())).value();
  size_t seen = 0;
  for (const char* name : {"bert-uncased-minilm", "gpt2", "mistral-v1-spm", "pegasus-unigram"}) {
    SCOPED_TRACE(name);
    expect_same(document_of_folder(*disk, name), load_from_folder(*disk, name));
    ++seen;
  }
  EXPECT_EQ(seen, 4U);
}

}  // namespace
}  // namespace holdfast::token
