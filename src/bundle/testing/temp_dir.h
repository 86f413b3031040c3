// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_BUNDLE_TESTING_TEMP_DIR_H_
#define KOE_BUNDLE_TESTING_TEMP_DIR_H_

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

namespace koe::bundle::testing {

// A directory for one test, gone with the object. In memory where the machine has such a place: bundles are synced.
class TempDir {
 public:
  TempDir() {
    const char* root = std::getenv("TMPDIR");
    std::string path = (root != nullptr                 ? std::string(root)
                        : access("/dev/shm", W_OK) == 0 ? "/dev/shm"
                                                        : "/tmp") +
                       "/koe-XXXXXX";
    if (mkdtemp(path.data()) == nullptr) std::abort();
    path_ = path;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }
  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) names.insert(entry.path().filename().string());
    return names;
  }

 private:
  std::string path_;
};

inline void WriteFile(const std::string& path, const std::string& bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace koe::bundle::testing

#endif  // KOE_BUNDLE_TESTING_TEMP_DIR_H_
