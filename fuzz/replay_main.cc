// SPDX-License-Identifier: Apache-2.0
// Stands in for libFuzzer's main where the compiler has none: runs the target once over every file given, or in every
// folder given. Fails where a folder holds nothing, so that a lost corpus is seen.
//
// -mutate=BYTES goes on with so many bytes of mutated files (default 0), -seed=N other ones: without coverage to guide
// it, but at full speed, over a corpus that a guided search has left. The input that fails is in ./failing_input.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr size_t kMaxInputBytes = 4096;

void Run(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A few random edits: bytes changed, cut out, doubled, and pieces of another file put in. The first byte often stays:
// it chooses what a target does.
std::string Mutate(const std::vector<std::string>& inputs, std::mt19937_64* random) {
  const auto below = [random](size_t end) { return end == 0 ? 0 : static_cast<size_t>((*random)() % end); };
  std::string bytes = inputs[below(inputs.size())];
  for (size_t edits = 1 + below(6); edits > 0; --edits) {
    const size_t at = below(bytes.size() + 1), length = 1 + below(below(4) == 0 ? 256 : 8);
    switch (below(5)) {
      case 0:
        if (at < bytes.size()) bytes[at] = static_cast<char>(below(256));
        break;
      case 1:
        if (at > 0) bytes.erase(at, length);
        break;
      case 2: {
        const std::string piece = bytes.substr(at, length);
        for (size_t n = 1 + below(8); n > 0; --n) bytes.insert(at, piece);
        break;
      }
      case 3: {
        const std::string& other = inputs[below(inputs.size())];
        bytes.insert(at, other.substr(below(other.size() + 1), length));
        break;
      }
      default:
        if (!bytes.empty() && below(4) == 0) bytes[0] = static_cast<char>(below(256));
        break;
    }
  }
  bytes.resize(std::min(bytes.size(), kMaxInputBytes));
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t mutated_bytes = 0, seed = 0;
  std::vector<std::filesystem::path> paths;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with("-mutate=")) mutated_bytes = std::strtoull(argv[i] + 8, nullptr, 10);
    if (argument.starts_with("-seed=")) seed = std::strtoull(argv[i] + 6, nullptr, 10);
    if (argument.starts_with("-")) continue;  // and libFuzzer's options
    if (!std::filesystem::is_directory(argument)) {
      paths.emplace_back(argument);
      continue;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argument)) {
      if (entry.is_regular_file()) paths.push_back(entry.path());
    }
  }
  Run("");  // as libFuzzer does first
  std::vector<std::string> inputs;
  for (const auto& path : paths) {
    inputs.push_back(ReadFile(path));
    Run(inputs.back());
  }
  std::printf("%zu files\n", inputs.size());
  if (inputs.empty()) return 1;
  std::mt19937_64 random(seed);
  uint64_t done = 0, num_runs = 0;
  for (uint64_t reported = 0; done < mutated_bytes; ++num_runs) {
    const std::string bytes = Mutate(inputs, &random);
    std::ofstream("failing_input", std::ios::binary) << bytes;  // removed again where all goes well
    Run(bytes);
    done += bytes.size();
    if (done - reported < 10'000'000) continue;
    reported = done;
    std::printf("%llu bytes in %llu runs\n", static_cast<unsigned long long>(done),
                static_cast<unsigned long long>(num_runs));
    std::fflush(stdout);
  }
  if (num_runs > 0) {
    std::filesystem::remove("failing_input");
    std::printf("%llu bytes in %llu runs without a finding\n", static_cast<unsigned long long>(done),
                static_cast<unsigned long long>(num_runs));
  }
  return 0;
}
