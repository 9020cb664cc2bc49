#pragma once

/* Tokenizers for C. A tokenizer is immutable: any number of threads may use it at once. Whoever gets an
   object frees it by the function named with it; free functions take NULL. Texts are UTF-8 with a length and
   may hold zeros. Every function that can fail returns a status, and, where `message` is not NULL, a text
   that says what is wrong; on success *message is NULL. What each call does: token/tokenizer.h. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct holdfast_tokenizer holdfast_tokenizer;

typedef enum holdfast_status {
  HOLDFAST_OK = 0,
  HOLDFAST_BAD_REQUEST = 1, /* A malformed file, an argument that is NULL. */
  HOLDFAST_UNSUPPORTED = 2, /* A kind of tokenizer that is not known. */
  HOLDFAST_NOT_FOUND = 3,   /* No such file, no tokenizer in the folder. */
  HOLDFAST_FAILED = 4       /* The text cannot be encoded, the ids cannot be decoded, or it is too long. */
} holdfast_status;

/* Ends with a zero that is not counted. Freed by holdfast_text_free. */
typedef struct holdfast_text {
  char* data;
  size_t bytes;
} holdfast_text;

/* Columns of `size` rows, one a token. Freed, with all columns, by holdfast_encoding_free. */
typedef struct holdfast_encoding {
  size_t size;
  uint32_t* ids;
  uint32_t* type_ids;
  uint32_t* begins; /* Code points of the input; 0, 0 for tokens that stand for none of it. */
  uint32_t* ends;
  int32_t* words; /* Index of the word; -1 for special tokens. */
  uint8_t* mask;
  uint8_t* special;
} holdfast_encoding;

/* From the text of a tokenizer.json. Freed by holdfast_tokenizer_free. */
holdfast_status holdfast_tokenizer_load(const char* json, size_t bytes, holdfast_tokenizer** out,
                                        char** message);
/* From a folder as repositories are, or one file: tokenizer.json, vocab.txt, *.model, *.gguf, … */
holdfast_status holdfast_tokenizer_open(const char* path, holdfast_tokenizer** out, char** message);
void holdfast_tokenizer_free(holdfast_tokenizer* tokenizer);

/* add_special: whether the tokens that the model expects around a text are added. */
holdfast_status holdfast_tokenizer_encode(const holdfast_tokenizer* tokenizer, const char* text, size_t bytes,
                                          int add_special, holdfast_encoding* out, char** message);
void holdfast_encoding_free(holdfast_encoding* encoding);

holdfast_status holdfast_tokenizer_decode(const holdfast_tokenizer* tokenizer, const uint32_t* ids,
                                          size_t count, int skip_special, holdfast_text* out, char** message);
void holdfast_text_free(holdfast_text* text);

/* Added tokens included. */
size_t holdfast_tokenizer_vocabulary_size(const holdfast_tokenizer* tokenizer);
/* -1 where there is no such token. */
int64_t holdfast_tokenizer_id_of(const holdfast_tokenizer* tokenizer, const char* token, size_t bytes);

void holdfast_message_free(char* message);

#ifdef __cplusplus
}
#endif
