// SPDX-License-Identifier: Apache-2.0
// Stands in for libFuzzer's main where the compiler has none: runs the target once over every file given, or in every
// folder given. Fails where a folder holds nothing, so that a lost corpus is seen.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

void Replay(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
  size_t num_files = 0;
  for (int i = 1; i < argc; ++i) {
    if (argv[i][0] == '-') continue;  // libFuzzer's options
    if (!std::filesystem::is_directory(argv[i])) {
      Replay(argv[i]);
      ++num_files;
      continue;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (!entry.is_regular_file()) continue;
      Replay(entry.path());
      ++num_files;
    }
  }
  std::printf("%zu files\n", num_files);
  return num_files == 0 ? 1 : 0;
}
