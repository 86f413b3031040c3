// SPDX-License-Identifier: Apache-2.0
// Damage to files: truncation, bit flips, length fields, wrong numbers in text. The same seed damages in the same way.
#ifndef KOE_BUNDLE_TESTING_MUTATOR_H_
#define KOE_BUNDLE_TESTING_MUTATOR_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace koe::bundle::testing {

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : state_(seed) {}

  // Uniform in [0, bound).
  size_t Below(size_t bound);
  // One to three of the operations; *what tells which.
  std::string Mutate(std::string bytes, std::string* what);

 private:
  uint64_t Next();
  void MutateOnce(std::string* bytes, std::string* what);
  // A value that sits on a border: 0, 1, 2^31, 2^32, 2^63, all ones, the file's size and around it.
  uint64_t BorderValue(size_t file_size);

  uint64_t state_;
};

}  // namespace koe::bundle::testing

#endif  // KOE_BUNDLE_TESTING_MUTATOR_H_
