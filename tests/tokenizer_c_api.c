/* The C API used from C: loads, encodes, decodes, refuses. Exits 0 when all is as it should be. */
#include "token/c_api.h"

#include <stdio.h>
#include <string.h>

static int failures = 0;

static void expect(int holds, const char* what) {
  if (holds) return;
  fprintf(stderr, "not so: %s\n", what);
  ++failures;
}

static const char json[] =
    "{\"model\": {\"type\": \"WordLevel\", \"vocab\": {\"hello\": 0, \"world\": 1, \"[UNK]\": 2}, \"unk_token\": \"[UNK]\"},"
    " \"pre_tokenizer\": {\"type\": \"Whitespace\"}, \"added_tokens\": [{\"id\": 3, \"content\": \"<s>\", \"special\": true}]}";

int main(void) {
  holdfast_tokenizer* tokenizer = NULL;
  char* message = NULL;
  expect(holdfast_tokenizer_load("{", 1, &tokenizer, &message) == HOLDFAST_BAD_REQUEST, "half a file is refused");
  expect(tokenizer == NULL && message != NULL && strlen(message) > 0, "and the message says why");
  holdfast_message_free(message);
  expect(holdfast_tokenizer_load(NULL, 0, &tokenizer, NULL) == HOLDFAST_BAD_REQUEST, "NULL is refused");
  expect(holdfast_tokenizer_open("/no/such/folder", &tokenizer, NULL) == HOLDFAST_NOT_FOUND, "a missing folder is not found");

  expect(holdfast_tokenizer_load(json, sizeof json - 1, &tokenizer, &message) == HOLDFAST_OK, "a file is loaded");
  expect(message == NULL, "without a message");
  expect(holdfast_tokenizer_vocabulary_size(tokenizer) == 4, "the vocabulary has four tokens");
  expect(holdfast_tokenizer_id_of(tokenizer, "world", 5) == 1, "world is 1");
  expect(holdfast_tokenizer_id_of(tokenizer, "nothing", 7) == -1, "nothing is -1");

  holdfast_encoding encoding;
  const char text[] = "hello <s>w\xc3\xb6rld";
  expect(holdfast_tokenizer_encode(tokenizer, text, sizeof text - 1, 1, &encoding, &message) == HOLDFAST_OK, "a text is encoded");
  expect(encoding.size == 3, "into three tokens");
  if (encoding.size == 3) {
    expect(encoding.ids[0] == 0 && encoding.ids[1] == 3 && encoding.ids[2] == 2, "with these ids");
    expect(encoding.begins[2] == 9 && encoding.ends[2] == 14, "whose offsets are code points");
    expect(encoding.mask[0] == 1 && encoding.words[0] == 0, "with masks and words");
  }
  holdfast_encoding_free(&encoding);
  expect(encoding.ids == NULL, "freed columns are NULL");
  holdfast_encoding_free(NULL);
  expect(holdfast_tokenizer_encode(tokenizer, "\xff", 1, 1, &encoding, &message) == HOLDFAST_FAILED, "what is not UTF-8 fails");
  holdfast_message_free(message);

  const uint32_t ids[] = {0, 3, 1};
  holdfast_text decoded;
  expect(holdfast_tokenizer_decode(tokenizer, ids, 3, 1, &decoded, NULL) == HOLDFAST_OK, "ids are decoded");
  expect(decoded.data != NULL && strcmp(decoded.data, "hello world") == 0 && decoded.bytes == 11, "without the special token");
  holdfast_text_free(&decoded);
  holdfast_tokenizer_free(tokenizer);
  holdfast_tokenizer_free(NULL);
  return failures == 0 ? 0 : 1;
}
