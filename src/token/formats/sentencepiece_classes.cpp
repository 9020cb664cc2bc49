#include "token/formats/sentencepiece_classes.h"

#include <string>

namespace holdfast::token {
namespace {

using enum SentencePieceClass::Pieces;
using Text = SentencePieceClass::Text;

constexpr std::string_view bert_single = "[CLS]:0 $A:0 [SEP]:0";
constexpr std::string_view bert_pair = "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1";
constexpr std::string_view roberta_single = "<s> $A </s>";
constexpr std::string_view roberta_pair = "<s> $A </s> </s> $B </s>";
constexpr std::string_view t5_single = "$A </s>";
constexpr std::string_view t5_pair = "$A </s> $B </s>";

constexpr std::string_view fairseq_specials =
    "bos:<s> eos:</s> unk:<unk> sep:</s> pad:<pad> cls:<s> <mask:<mask>";
constexpr std::string_view albert_specials =
    "bos:[CLS] eos:[SEP] unk:<unk> sep:[SEP] pad:<pad> cls:[CLS] <mask:[MASK]";
constexpr std::string_view plain_specials = "bos:<s> eos:</s> unk:<unk>";

constexpr std::string_view mbart_tail =
    "ar_AR cs_CZ de_DE en_XX es_XX et_EE fi_FI fr_XX gu_IN hi_IN it_IT ja_XX kk_KZ ko_KR lt_LT lv_LV my_MM "
    "ne_NP nl_XX ro_RO ru_RU si_LK tr_TR vi_VN zh_CN <mask>";
constexpr std::string_view mbart50_tail =
    "ar_AR cs_CZ de_DE en_XX es_XX et_EE fi_FI fr_XX gu_IN hi_IN it_IT ja_XX kk_KZ ko_KR lt_LT lv_LV my_MM "
    "ne_NP nl_XX ro_RO ru_RU si_LK tr_TR vi_VN zh_CN af_ZA az_AZ bn_IN fa_IR he_IL hr_HR id_ID ka_GE km_KH "
    "mk_MK ml_IN mn_MN mr_IN pl_PL ps_AF pt_XX sv_SE sw_KE ta_IN te_IN th_TH tl_XX uk_UA ur_PK xh_ZA gl_ES "
    "sl_SI <mask>";
constexpr std::string_view xglm_tail =
    "<madeupword0> <madeupword1> <madeupword2> <madeupword3> <madeupword4> <madeupword5> <madeupword6>";

constexpr SentencePieceClass rows[] = {
    {.name = "Albert",
     .model_types = " albert ",
     .lower_number_comma = true,
     .text = Text::albert,
     .specials = albert_specials,
     .single = bert_single,
     .pair = bert_pair},
    {.name = "FNet",
     .model_types = " fnet ",
     .lower_number_comma = true,
     .text = Text::albert,
     .specials = "unk:<unk> sep:[SEP] pad:<pad> cls:[CLS] <mask:[MASK]",
     .single = bert_single,
     .pair = bert_pair},
    {.name = "Barthez",
     .unknown_id = 3,
     .specials = fairseq_specials,
     .single = roberta_single,
     .pair = roberta_pair},
    {.name = "BertGeneration",
     .model_types = " bert-generation ",
     .specials = "bos:<s> eos:</s> unk:<unk> sep:<::::> pad:<pad>"},
    {.name = "BigBird",
     .model_types = " big_bird ",
     .specials = "bos:<s> eos:</s> unk:<unk> sep:[SEP] pad:<pad> cls:[CLS] <mask:[MASK]",
     .single = bert_single,
     .pair = bert_pair},
    {.name = "Camembert",
     .model_types = " camembert ",
     .pieces = camembert,
     .tail = "<mask>",
     .unknown_id = 3,
     .specials = fairseq_specials,
     .single = roberta_single,
     .pair = roberta_pair},
    {.name = "DebertaV2",
     .model_types = " deberta-v2 ",
     .text = Text::deberta_v2,
     .specials = "bos:[CLS] eos:[SEP] unk:[UNK] sep:[SEP] pad:[PAD] cls:[CLS] mask:[MASK]",
     .single = bert_single,
     .pair = bert_pair},
    {.name = "MBart",
     .model_types = " mbart ",
     .pieces = fairseq,
     .tail = mbart_tail,
     .unknown_id = 3,
     .specials = fairseq_specials,
     .single = "$A </s> en_XX",
     .pair = "$A $B </s> en_XX"},
    {.name = "MBart50",
     .pieces = fairseq,
     .tail = mbart50_tail,
     .unknown_id = 3,
     .specials = fairseq_specials,
     .single = "en_XX $A </s>",
     .pair = "en_XX $A $B </s>"},
    {.name = "Nllb",
     .model_types = " nllb-moe ",
     .pieces = fairseq,
     .unknown_id = 3,
     .specials = fairseq_specials,
     .single = "eng_Latn $A </s>",
     .pair = "eng_Latn $A $B </s>"},
    {.name = "XLMRoberta",
     .model_types = " xlm-roberta xlm-roberta-xl ",
     .pieces = fairseq,
     .tail = "<mask>",
     .unknown_id = 3,
     .specials = fairseq_specials,
     .single = roberta_single,
     .pair = roberta_pair},
    {.name = "LayoutXLM",
     .model_types = " layoutxlm ",
     .pieces = fairseq,
     .tail = "<mask>",
     .unknown_id = 3,
     .specials = fairseq_specials,
     .single = roberta_single,
     .pair = roberta_pair},
    {.name = "XGLM",
     .model_types = " xglm ",
     .pieces = fairseq,
     .tail = xglm_tail,
     .unknown_id = 3,
     .specials = "bos:<s> eos:</s> unk:<unk> sep:</s> pad:<pad> cls:<s>",
     .single = "</s> $A",
     .pair = "</s> $A </s> </s> $B"},
    {.name = "XLNet",
     .model_types = " xlnet ",
     .lower_number_comma = true,
     .text = Text::albert,
     .specials = "bos:<s> eos:</s> unk:<unk> sep:<sep> pad:<pad> cls:<cls> <mask:<mask>",
     .single = "$A:0 <sep>:0 <cls>:2",
     .pair = "$A:0 <sep>:0 $B:1 <sep>:1 <cls>:2"},
    {.name = "Reformer", .model_types = " reformer ", .specials = "eos:</s> unk:<unk>"},
    {.name = "RemBert",
     .model_types = " rembert ",
     .text = Text::rembert,
     .specials = "bos:[CLS] eos:[SEP] unk:<unk> sep:[SEP] pad:<pad> cls:[CLS] <mask:[MASK]",
     .single = bert_single,
     .pair = bert_pair},
    {.name = "Pegasus",
     .model_types = " pegasus ",
     .pieces = pegasus,
     .specials = "eos:</s> unk:<unk> pad:<pad> mask:<mask_2>",
     .single = t5_single,
     .pair = "$A $B </s>"},
    {.name = "T5",
     .model_types = " t5 mt5 umt5 longt5 switch_transformers ",
     .pieces = t5,
     .specials = "eos:</s> unk:<unk> pad:<pad>",
     .single = t5_single,
     .pair = t5_pair},
    {.name = "Udop",
     .model_types = " udop ",
     .specials = "eos:</s> unk:<unk> sep:</s> pad:<pad>",
     .single = t5_single,
     .pair = t5_pair},
    {.name = "Llama",
     .model_types = " llama mistral mixtral phi3 ",
     .pieces = llama,
     .unknown_id = 0,
     .text = Text::llama,
     .specials = plain_specials},
    {.name = "CodeLlama", .pieces = llama, .unknown_id = 0, .text = Text::llama, .specials = plain_specials},
    {.name = "Phi3", .pieces = llama, .unknown_id = 0, .text = Text::llama, .specials = plain_specials},
    {.name = "Gemma",
     .model_types = " gemma gemma2 gemma3 gemma3_text ",
     .pieces = gemma,
     .unknown_id = 3,
     .text = Text::gemma,
     .specials = "bos:<bos> eos:<eos> unk:<unk> pad:<pad>"},
};

}  // namespace

const SentencePieceClass* find_sentencepiece_class(std::string_view class_name, std::string_view model_type) {
  for (const SentencePieceClass& row : rows)
    if (class_name == std::string(row.name) + "Tokenizer") return &row;
  if (class_name.empty() && !model_type.empty())
    for (const SentencePieceClass& row : rows)
      if (row.model_types.find(" " + std::string(model_type) + " ") != std::string_view::npos) return &row;
  return nullptr;
}

}  // namespace holdfast::token
