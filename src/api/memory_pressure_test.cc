// SPDX-License-Identifier: Apache-2.0
// Memory that others take: speak, let the rest of the memory be taken to the edge, release it, speak again. The edge is
// a limit on this process's address space (RLIMIT_AS); with $KOE_TEST_CGROUP, a folder of the memory controller in
// which this process may make a group, it is that group's, and the kernel takes back what it can.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "koe/koe.h"
#include "support/model.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KOE_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KOE_TEST_SANITIZED 1
#endif
#endif

namespace koe {
namespace {

constexpr char kText[] = "It was the best of times, it was the worst of times.";
constexpr size_t kMiB = size_t{1} << 20;

size_t StatusBytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field + ":")) return std::stoul(line.substr(field.size() + 1)) * 1024;
  }
  return 0;
}

// Pages that nobody else wants to give: touched, never swapped by us. Bookkeeping lies in the pages themselves.
class Hog {
 public:
  ~Hog() { Release(); }
  // False where there is none.
  bool Take(size_t bytes) {
    void* block = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) return false;
    std::memset(block, 0x5A, bytes);
    *static_cast<Header*>(block) = {first_, bytes};
    first_ = static_cast<Header*>(block);
    held_ += bytes;
    return true;
  }
  void Release() {
    while (first_ != nullptr) {
      const Header header = *first_;
      munmap(first_, header.bytes);
      first_ = header.next;
    }
    held_ = 0;
  }
  size_t held() const { return held_; }

 private:
  struct Header {
    Header* next;
    size_t bytes;
  };
  Header* first_ = nullptr;
  size_t held_ = 0;
};

// Asks the kernel to drop what it can read again from files, as it does under pressure.
void PageOutFiles() {
#ifdef MADV_PAGEOUT
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    unsigned long first = 0, last = 0;  // NOLINT(google-runtime-int): scanf's
    char access[5] = {};
    if (line.find(" /") == std::string::npos) continue;
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &first, &last, access) != 3) continue;
    madvise(reinterpret_cast<void*>(first), last - first, MADV_PAGEOUT);  // NOLINT(performance-no-int-to-ptr)
  }
#endif
}

class MemoryPressureTest : public testing::TestWithParam<Precision> {
 protected:
  void SetUp() override {
#ifdef KOE_TEST_SANITIZED
    GTEST_SKIP() << "a sanitizer's memory is not limited so";
#endif
    EngineOptions options;
    options.num_threads = 2;
    options.precision = GetParam();
    auto engine = Engine::Open(test_support::BundlePath(), options);
    if (!engine) GTEST_SKIP() << "no bundle at " << test_support::BundlePath();
    engine_.emplace(std::move(*engine));
    speech_.speed = 2;
  }
  std::optional<Engine> engine_;
  SynthesisOptions speech_;
};

TEST_P(MemoryPressureTest, SpeaksBeforeAndAfterTheEdge) {
  const auto before = engine_->Synthesize(kText, speech_);
  ASSERT_TRUE(before.has_value()) << before.error().message();
  struct rlimit old;
  ASSERT_EQ(getrlimit(RLIMIT_AS, &old), 0);
  for (const bool unloads : {false, true}) {
    if (unloads) {
      ASSERT_TRUE(engine_->Unload());
    }
    struct rlimit limit = old;
    limit.rlim_cur = StatusBytes("VmSize") + 96 * kMiB;
    ASSERT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
    Hog hog;
    for (size_t block = 16 * kMiB; block >= 4096; block /= 4) {
      while (hog.Take(block)) {
      }
    }
    const size_t held = hog.held();
    PageOutFiles();
    // At the edge: an error or the right samples. Nothing is printed or checked there, for that needs memory too.
    std::optional<ErrorCode> code;
    bool is_right = false;
    for (int i = 0; i < 3; ++i) {
      const auto at_edge = engine_->Synthesize(kText, speech_);
      if (at_edge) {
        is_right = at_edge->samples == before->samples;
      } else {
        code = at_edge.error().code();
      }
    }
    hog.Release();
    ASSERT_EQ(setrlimit(RLIMIT_AS, &old), 0);
    std::printf("%zu MiB taken; at the edge: %s\n", held / kMiB, code ? ErrorCodeName(*code) : "speech");
    EXPECT_GE(held, 90 * kMiB);
    EXPECT_TRUE(code ? *code == ErrorCode::kOutOfMemory : is_right);
    if (unloads) {
      EXPECT_EQ(code, ErrorCode::kOutOfMemory);  // the model alone is more than was left
    }
    const auto after = engine_->Synthesize(kText, speech_);
    ASSERT_TRUE(after.has_value()) << after.error().message();
    EXPECT_EQ(after->samples, before->samples);
  }
}

// The same where memory is what a group of processes may have. A process at its group's edge is not told: pages of
// files are taken from it, and then it is killed; so nothing is spoken there.
TEST_P(MemoryPressureTest, SpeaksAfterItsGroupWasFull) {
  const char* parent = std::getenv("KOE_TEST_CGROUP");
  if (parent == nullptr) GTEST_SKIP() << "KOE_TEST_CGROUP names no group";
  const std::string group = std::string(parent) + "/koe_test_" + std::to_string(getpid());
  const auto write = [](const std::string& path, const std::string& value) {
    std::ofstream file(path);
    file << value << std::flush;
    return file.good();
  };
  const auto read = [](const std::string& path) {
    size_t value = 0;
    std::ifstream(path) >> value;
    return value;
  };
  const bool is_v2 = access((std::string(parent) + "/memory.current").c_str(), F_OK) == 0;
  ASSERT_EQ(mkdir(group.c_str(), 0700), 0);
  constexpr size_t kLimit = 800 * kMiB;
  const bool limited = write(group + (is_v2 ? "/memory.max" : "/memory.limit_in_bytes"), std::to_string(kLimit));
  const bool joined = limited && write(group + "/cgroup.procs", "0");
  if (joined) {
    const auto used = [&] { return read(group + (is_v2 ? "/memory.current" : "/memory.usage_in_bytes")); };
    const auto before = engine_->Synthesize(kText, speech_);
    Hog hog;
    while (used() + 24 * kMiB < kLimit && hog.Take(4 * kMiB)) {
    }
    PageOutFiles();
    std::printf("%zu MiB taken, the group has %zu of %zu MiB\n", hog.held() / kMiB, used() / kMiB, kLimit / kMiB);
    EXPECT_GE(used() + 64 * kMiB, kLimit);
    hog.Release();
    const auto after = engine_->Synthesize(kText, speech_);
    EXPECT_TRUE(before.has_value() && after.has_value() && after->samples == before->samples);
    EXPECT_TRUE(write(std::string(parent) + "/cgroup.procs", "0"));
  }
  rmdir(group.c_str());
  if (!joined) GTEST_SKIP() << group << ": this process may not join it";
}

INSTANTIATE_TEST_SUITE_P(Precisions, MemoryPressureTest, testing::Values(Precision::kExact, Precision::kLowMemory),
                         [](const auto& instance) {
                           return instance.param == Precision::kExact ? std::string("Exact") : std::string("LowMemory");
                         });

}  // namespace
}  // namespace koe
