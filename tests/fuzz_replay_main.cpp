// Runs a fuzz target over the files of its corpus, so that inputs which once failed are tried on every build,
// also where there is no libFuzzer. Usage: NAME_fuzz DIRECTORY. Exit 2 when the corpus is missing or empty.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: %s CORPUS_DIRECTORY\n", argv[0]), 2;
  std::error_code error;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1], error)) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::vector<char> bytes((std::istreambuf_iterator<char>(in)), {});
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    ++files;
  }
  if (files == 0) return std::fprintf(stderr, "no corpus in %s\n", argv[1]), 2;
  std::printf("replayed %d inputs of %s\n", files, argv[1]);
  return 0;
}
