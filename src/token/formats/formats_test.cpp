#include <gtest/gtest.h>

#include <bit>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "codec/json.h"
#include "token/formats/folder.h"
#include "token/formats/merges_of_vocabulary.h"
#include "token/formats/sentencepiece_model.h"
#include "token/save.h"

namespace holdfast::token {
namespace {

// --- a SentencePiece model, written field by field ---

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7U) out += static_cast<char>(value | 0x80U);
  out += static_cast<char>(value);
}
void put_bytes(std::string& out, uint32_t field, std::string_view bytes) {
  put_varint(out, field << 3U | 2U);
  put_varint(out, bytes.size());
  out += bytes;
}
void put_number(std::string& out, uint32_t field, uint64_t value) {
  put_varint(out, field << 3U);
  put_varint(out, value);
}

std::string piece(std::string_view text, float score, uint64_t kind = 1) {
  std::string out;
  put_bytes(out, 1, text);
  put_varint(out, 2U << 3U | 5U);
  const auto bits = std::bit_cast<uint32_t>(score);
  for (int i = 0; i < 4; ++i) out += static_cast<char>(bits >> (8 * i));
  if (kind != 1) put_number(out, 3, kind);
  return out;
}

std::string model_file(uint64_t kind) {
  std::string out;
  put_bytes(out, 1, piece("<unk>", 0, 2));
  put_bytes(out, 1, piece("<s>", 0, 3));
  put_bytes(out, 1, piece("</s>", 0, 3));
  put_bytes(out, 1, piece("▁a", -1));
  put_bytes(out, 1, piece("▁ab", -2));
  put_bytes(out, 1, piece("▁", -3));
  put_bytes(out, 1, piece("a", -4));
  put_bytes(out, 1, piece("b", -5));
  put_bytes(out, 1, piece("<0x41>", 0, 6));
  std::string trainer;
  put_number(trainer, 3, kind);
  put_number(trainer, 35, 1);
  put_bytes(out, 2, trainer);
  std::string normalizer;
  put_bytes(normalizer, 1, "identity");
  put_number(normalizer, 4, 0);
  put_bytes(out, 3, normalizer);
  put_bytes(out, 9, "a field nobody knows");
  return out;
}

std::unique_ptr<io::Disk> disk_with(const std::vector<std::pair<std::string, std::string>>& files) {
  auto disk = io::make_memory_disk();
  EXPECT_TRUE(disk->make_directories("m").ok());
  for (const auto& [name, text] : files)
    EXPECT_TRUE(io::publish_text(*disk, io::Path("m") / name, text).ok());
  return disk;
}

std::vector<std::string> tokens_of(const Tokenizer& tokenizer, std::string_view text) {
  Input input;
  input.text = text;
  const auto encoding = tokenizer.encode(input, EncodeOptions());
  EXPECT_TRUE(encoding.ok());
  return encoding.ok() ? encoding.value().tokens : std::vector<std::string>();
}

using Tokens = std::vector<std::string>;

TEST(SentencePiece, a_model_is_read_with_its_defaults) {
  const auto model = parse_sentencepiece_model(as_bytes(model_file(2)));
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model.value().kind, SentencePieceModel::Kind::bpe);
  EXPECT_TRUE(model.value().byte_fallback);
  EXPECT_FALSE(model.value().remove_extra_whitespaces);
  EXPECT_TRUE(model.value().add_dummy_prefix);
  EXPECT_EQ(model.value().unknown_piece, "<unk>");
  ASSERT_EQ(model.value().pieces.size(), 9U);
  EXPECT_EQ(model.value().pieces[4].text, "▁ab");
  EXPECT_EQ(model.value().pieces[4].score, -2);
  EXPECT_EQ(model.value().pieces[1].kind, SentencePieceModel::PieceKind::control);
}

TEST(SentencePiece, what_is_cut_short_or_no_model_is_refused) {
  const std::string file = model_file(1);
  size_t refused = 0;
  for (size_t size = 0; size < file.size(); ++size)
    refused += parse_sentencepiece_model(as_bytes(std::string_view(file).substr(0, size))).ok() ? 0 : 1;
  EXPECT_GT(refused, file.size() / 2);  // At the ends of fields a shorter file is a model too.
  EXPECT_FALSE(parse_sentencepiece_model(as_bytes("")).ok());
  EXPECT_FALSE(parse_sentencepiece_model(as_bytes("{\"a\": 1}")).ok());
  std::string bad = file;
  put_bytes(bad, 1, piece("\xff", 0));
  EXPECT_FALSE(parse_sentencepiece_model(as_bytes(bad)).ok());
}

// Checked against transformers' EsmTokenizer.
TEST(VocabTxt, letters_of_proteins_are_tokens_wherever_they_stand) {
  const auto disk =
      disk_with({{"vocab.txt", "<cls>\n<pad>\n<eos>\n<unk>\nL\nA\nG\nV\n.\n-\n<null_1>\n<mask>\n"},
                 {"tokenizer_config.json", R"({"tokenizer_class": "EsmTokenizer"})"}});
  const auto loaded = load_from_folder(*disk, "m");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(tokens_of(loaded.value().tokenizer, "LAG<mask>V"),
            (Tokens{"<cls>", "L", "A", "G", "<mask>", "V", "<eos>"}));
  EXPECT_EQ(tokens_of(loaded.value().tokenizer, " L xyz A- q"),
            (Tokens{"<cls>", "L", "<unk>", "A", "-", "<unk>", "<eos>"}));
}

TEST(Folder, a_class_with_rules_of_its_own_is_not_taken_for_another_one) {
  for (const char* name : {"XLMTokenizer", "FlaubertTokenizer", "BlenderbotSmallTokenizer"}) {
    const auto disk =
        disk_with({{"vocab.json", R"({"a": 0, "b</w>": 1})"},
                   {"merges.txt", "a b</w>\n"},
                   {"tokenizer_config.json", std::string(R"({"tokenizer_class": ")") + name + R"("})"}});
    const auto loaded = load_from_folder(*disk, "m");
    ASSERT_FALSE(loaded.ok()) << name;
    EXPECT_NE(loaded.error().message.find(name), std::string::npos) << loaded.error().message;
  }
  const auto by_model =
      disk_with({{"vocab.json", "{}"}, {"merges.txt", ""}, {"config.json", R"({"model_type": "xlm"})"}});
  EXPECT_FALSE(load_from_folder(*by_model, "m").ok());
  const auto words = disk_with(
      {{"vocab.txt", "a\nb\n"}, {"tokenizer_config.json", R"({"tokenizer_class": "PhobertTokenizer"})"}});
  EXPECT_FALSE(load_from_folder(*words, "m").ok());
}

TEST(Merges, better_scores_first_then_longer_parts) {
  const std::vector<std::string> tokens = {"a", "b", "ab", "abb", "bb"};
  const std::vector<double> scores = {0, 0, -1, -2, -2};
  const Merges merges = merges_of_vocabulary(tokens, scores);
  ASSERT_EQ(merges.size(), 4U);
  EXPECT_EQ(merges[0], (std::pair<std::string_view, std::string_view>("a", "b")));
  EXPECT_EQ(merges[1], (std::pair<std::string_view, std::string_view>("ab", "b")));
  EXPECT_EQ(merges[2], (std::pair<std::string_view, std::string_view>("a", "bb")));
  EXPECT_EQ(merges[3], (std::pair<std::string_view, std::string_view>("b", "b")));
}

TEST(Folder, a_sentencepiece_bpe_model_is_read_as_llama_and_as_itself) {
  auto disk = disk_with({{"tokenizer.model", model_file(2)},
                         {"tokenizer_config.json", R"({"tokenizer_class": "LlamaTokenizer", "legacy": false,
                           "chat_template": [{"name": "default", "template": "{{ x }}"}], "model_max_length": 1e30})"}});
  auto loaded = load_from_folder(*disk, "m");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded.value().source, "tokenizer.model");
  EXPECT_EQ(tokens_of(loaded.value().tokenizer, "ab a"), (Tokens{"<s>", "▁ab", "▁a"}));
  EXPECT_EQ(tokens_of(loaded.value().tokenizer, "A"), (Tokens{"<s>", "▁", "<0x41>"}));
  EXPECT_EQ(*loaded.value().config.chat_template(), "{{ x }}");
  EXPECT_FALSE(loaded.value().config.model_max_length);

  auto plain = disk_with({{"spiece.model", model_file(2)}});
  auto as_itself = load_from_folder(*plain, "m");
  ASSERT_TRUE(as_itself.ok()) << as_itself.error().message;
  EXPECT_EQ(tokens_of(as_itself.value().tokenizer, "ab a"), (Tokens{"▁ab", "▁a"}));
}

TEST(Folder, a_unigram_model_is_read_as_xlm_roberta) {
  auto disk = disk_with(
      {{"sentencepiece.bpe.model", model_file(1)}, {"config.json", R"({"model_type": "xlm-roberta"})"}});
  auto loaded = load_from_folder(*disk, "m");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(tokens_of(loaded.value().tokenizer, "ab"), (Tokens{"<s>", "▁ab", "</s>"}));
  EXPECT_EQ(loaded.value().tokenizer.id_of("▁a"), 4U);
  EXPECT_EQ(loaded.value().tokenizer.id_of("<mask>"), 10U);
}

TEST(Folder, type_ids_go_to_the_models_whose_tokenizer_class_gives_them) {
  const auto gives = [](std::string_view tokenizer, std::string_view model) {
    auto disk =
        disk_with({{"tokenizer_config.json", std::string(tokenizer)}, {"config.json", std::string(model)}});
    auto config = read_tokenizer_config(*disk, "m");
    EXPECT_TRUE(config.ok());
    return config.value().gives_type_ids();
  };
  const char* bert = R"({"model_type": "bert"})";
  EXPECT_TRUE(gives("{}", bert));
  EXPECT_TRUE(gives(R"({"tokenizer_class": "BertTokenizerFast"})", bert));
  EXPECT_TRUE(gives(R"({"tokenizer_class": "DebertaV2Tokenizer"})", "{}"));
  EXPECT_FALSE(gives(R"({"tokenizer_class": "PreTrainedTokenizerFast"})", bert));
  EXPECT_FALSE(gives(R"({"tokenizer_class": "AlbertTokenizer"})", R"({"model_type": "albert"})"));
  EXPECT_FALSE(gives("{}", R"({"model_type": "roberta"})"));
  EXPECT_TRUE(gives(
      R"({"tokenizer_class": "TokenizersBackend", "model_input_names": ["input_ids", "token_type_ids"]})",
      bert));
  EXPECT_FALSE(gives(
      R"({"tokenizer_class": "BertTokenizer", "model_input_names": ["input_ids", "attention_mask"]})", bert));
}

TEST(Folder, vocab_txt_is_bert_with_the_flags_of_its_configuration) {
  const std::string vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\r\nworld\n##s\nHELLO\n";
  auto disk = disk_with({{"vocab.txt", vocabulary}});
  auto loaded = load_from_folder(*disk, "m");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(tokens_of(loaded.value().tokenizer, "HELLO worlds"),
            (Tokens{"[CLS]", "hello", "world", "##s", "[SEP]"}));
  auto cased = disk_with({{"vocab.txt", vocabulary},
                          {"tokenizer_config.json", R"({"do_lower_case": false, "model_max_length": 512})"}});
  auto other = load_from_folder(*cased, "m");
  ASSERT_TRUE(other.ok()) << other.error().message;
  EXPECT_EQ(tokens_of(other.value().tokenizer, "HELLO"), (Tokens{"[CLS]", "HELLO", "[SEP]"}));
  EXPECT_EQ(other.value().config.model_max_length, 512U);
}

TEST(Folder, vocab_and_merges_are_gpt2_or_roberta_by_class) {
  const std::string vocabulary =
      R"({"a": 0, "b": 1, "ab": 2, "Ġ": 3, "<s>": 4, "</s>": 5, "<unk>": 6, "<pad>": 7,
    "<mask>": 8, "<|endoftext|>": 9})";
  auto disk = disk_with({{"vocab.json", vocabulary}, {"merges.txt", "#version: 0.2\na b\n"}});
  auto loaded = load_from_folder(*disk, "m");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(tokens_of(loaded.value().tokenizer, "ab b"), (Tokens{"ab", "Ġ", "b"}));
  auto roberta = disk_with({{"vocab.json", vocabulary},
                            {"merges.txt", "a b\n"},
                            {"tokenizer_config.json", R"({"tokenizer_class": "RobertaTokenizerFast"})"}});
  auto other = load_from_folder(*roberta, "m");
  ASSERT_TRUE(other.ok()) << other.error().message;
  EXPECT_EQ(tokens_of(other.value().tokenizer, "ab <mask>"), (Tokens{"<s>", "ab", " <mask>", "</s>"}));
  auto broken = disk_with({{"vocab.json", vocabulary}, {"merges.txt", "a b\nabc\n"}});
  EXPECT_NE(document_of_folder(*broken, "m").error().message.find("line 2"), std::string::npos);
}

TEST(Folder, tiktoken_ranks_are_merged_by_rank) {
  // a, b, c, "ab", "bc": "bc" has the lower rank.
  const std::string ranks = "YQ== 0\nYg== 1\nYw== 2\nYmM= 3\nYWI= 4\n";
  auto disk = disk_with({{"tokenizer.model", ranks}});
  auto loaded = load_from_folder(*disk, "m");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(tokens_of(loaded.value().tokenizer, "abc"), (Tokens{"a", "bc"}));
  auto broken = disk_with({{"x.tiktoken", "YQ== 0\nYQ== 1\n"}});
  EXPECT_NE(document_of_folder(*broken, "m").error().message.find("line 2"), std::string::npos);
}

TEST(Folder, without_a_known_file_it_is_not_found) {
  auto disk = disk_with({{"README.md", "# nothing"}});
  const auto found = document_of_folder(*disk, "m");
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().reason, Reason::entry_not_found);
}

TEST(Folder, a_tokenizer_json_gets_the_tokens_that_its_configuration_adds) {
  const std::string json =
      R"({"model": {"type": "WordLevel", "vocab": {"a": 0, "[UNK]": 1}, "unk_token": "[UNK]"},
    "added_tokens": []})";
  auto disk = disk_with(
      {{"tokenizer.json", json},
       {"tokenizer_config.json", R"({"added_tokens_decoder": {"2": {"content": "<x>", "special": true}},
                           "pad_token": "<p>", "chat_template": "old"})"},
       {"chat_template.jinja", "new"}});
  auto loaded = load_from_folder(*disk, "m");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded.value().tokenizer.id_of("<x>"), 2U);
  EXPECT_EQ(loaded.value().tokenizer.id_of("<p>"), 3U);
  EXPECT_EQ(*loaded.value().config.chat_template(), "new");
}

// --- saving ---

boost::json::object parsed(std::string_view text) {
  auto json = codec::parse_json_object(text);
  EXPECT_TRUE(json.ok());
  return std::move(json).value();
}

TEST(Save, the_digest_sees_content_and_not_spelling) {
  const std::string base =
      R"({"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]},
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}})";
  const std::string same =
      R"({"pre_tokenizer": {"use_regex": true, "add_prefix_space": false, "type": "ByteLevel",
    "trim_offsets": true}, "version": "1.0", "added_tokens": [], "padding": null,
    "model": {"merges": [["a", "b"]], "vocab": {"ab": 2, "b": 1, "a": 0}, "type": "BPE", "dropout": null}})";
  const std::string other =
      R"({"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]},
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": true}})";
  const auto one = tokenizer_digest(parsed(base)), two = tokenizer_digest(parsed(same)),
             three = tokenizer_digest(parsed(other));
  ASSERT_TRUE(one.ok() && two.ok() && three.ok());
  EXPECT_EQ(one.value(), two.value());
  EXPECT_NE(one.value(), three.value());
  EXPECT_EQ(one.value().size(), 64U);
}

// As the reference library 0.23.3 reads them: fields go before the type of a post-processor, and stand for a
// type that is unknown.
TEST(Save, a_part_is_what_its_fields_say_where_its_type_does_not) {
  const auto saved_with = [](const std::string& part) {
    const auto text = saved_tokenizer_json(parsed(
        R"({"model": {"type": "WordLevel", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"}, )" + part + "}"));
    return text.ok() ? text.value() : text.error().message;
  };
  const std::pair<const char*, const char*> rows[] = {
      {R"("post_processor": {"type": "RobertaProcessing", "sep": ["a", 0], "cls": ["b", 0]})",
       R"("BertProcessing")"},
      {R"("post_processor": {"type": "BertProcessing", "sep": ["a", 0], "cls": ["b", 0], "trim_offsets": true,
          "add_prefix_space": false})",
       R"("RobertaProcessing")"},
      {R"("normalizer": {"type": "Unheard", "prepend": "x"})", R"("Prepend")"},
      {R"("normalizer": {"type": 5, "normalizers": []})", R"("normalizers")"},
      {R"("decoder": {"type": "Unheard", "suffix": "x"})", R"("BPEDecoder")"}};
  for (const auto& [part, kind] : rows) {
    const std::string text = saved_with(part);
    EXPECT_NE(text.find(kind), std::string::npos) << part << text;
    const auto read =
        Tokenizer::load(R"({"model": {"type": "WordLevel", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"}, )" +
                        std::string(part) + "}");
    EXPECT_TRUE(read.ok()) << part << read.error().message;
  }
}

TEST(Save, what_is_saved_is_saved_the_same_again) {
  auto disk = disk_with({{"tokenizer.model", model_file(1)}});
  auto found = document_of_folder(*disk, "m");
  ASSERT_TRUE(found.ok());
  const auto first = saved_tokenizer_json(found.value().document);
  ASSERT_TRUE(first.ok());
  const auto second = saved_tokenizer_json(parsed(first.value()));
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(first.value(), second.value());
}

TEST(Save, parts_that_are_none_are_refused) {
  for (const char* text :
       {R"({})", R"({"model": []})", R"({"model": {"type": "BPE", "vocab": {"a": "x"}}})",
        R"({"model": {"vocab": {}}, "normalizer": 3})", R"({"model": {"vocab": {}}, "added_tokens": [1]})",
        R"({"model": {"type": "BPE", "vocab": {}, "merges": ["a b c"]}})",
        R"({"model": {"vocab": {}}, "decoder": {"type": "Sequence", "decoders": 1}})"})
    EXPECT_FALSE(canonical_document(parsed(text)).ok()) << text;
}

}  // namespace
}  // namespace holdfast::token
