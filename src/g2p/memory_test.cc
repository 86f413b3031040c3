// SPDX-License-Identifier: Apache-2.0
// The streaming front end holds a part of the text, never the text's words: counts every allocation of this program.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <string>

#include "g2p/g2p.h"
#include "g2p/testing/small_lexicon.h"

namespace {

std::atomic<size_t> live_bytes{0}, peak_bytes{0};
// Before each block, for its size; keeps the alignment of malloc.
constexpr size_t kHeaderBytes = alignof(std::max_align_t);

}  // namespace

void* operator new(size_t size) {
  auto* block = static_cast<char*>(std::malloc(size + kHeaderBytes));
  if (block == nullptr) throw std::bad_alloc();
  std::memcpy(block, &size, sizeof(size));
  const size_t live = live_bytes += size;
  size_t peak = peak_bytes;
  while (live > peak && !peak_bytes.compare_exchange_weak(peak, live)) {
  }
  return block + kHeaderBytes;
}
void operator delete(void* pointer) noexcept {
  if (pointer == nullptr) return;
  char* block = static_cast<char*>(pointer) - kHeaderBytes;
  size_t size = 0;
  std::memcpy(&size, block, sizeof(size));
  live_bytes -= size;
  std::free(block);
}
void operator delete(void* pointer, size_t) noexcept { operator delete(pointer); }

namespace koe::g2p {
namespace {

constexpr size_t kTextBytes = 10'000'000;
// Ten times what a part of 16 KiB takes where every byte is a token (some 400 bytes for its token, piece and word), and
// less than a tenth of what the words of the text would.
constexpr size_t kMaxGrowthBytes = 8'000'000;

std::string Repeated(const std::string& unit) {
  std::string text;
  text.reserve(kTextBytes);
  while (text.size() + unit.size() <= kTextBytes) text += unit;
  return text;
}

class MemoryTest : public testing::TestWithParam<const char*> {};

TEST_P(MemoryTest, IsThatOfAPart) {
  const auto blob = SmallLexicon();
  ASSERT_TRUE(blob);
  const auto g2p = EnglishG2P::Open(std::as_bytes(std::span(*blob)), Language::kAmericanEnglish);
  ASSERT_TRUE(g2p);
  ASSERT_TRUE(g2p->Phonemize("Tables that are made once: 1999, $5."));
  const std::string text = Repeated(GetParam());
  const size_t before = live_bytes;
  peak_bytes = before;
  size_t num_words = 0, end = 0;
  const auto result = g2p->PhonemizeEach(text, nullptr, [&](const PhonemePart& part) -> Result<void> {
    num_words += part.words.size();
    end = part.words.back().offset + part.words.back().length;
    return {};
  });
  ASSERT_TRUE(result);
  EXPECT_GT(num_words, 0u);
  EXPECT_GE(end, text.size() - 64);
  EXPECT_LE(peak_bytes - before, kMaxGrowthBytes);
  EXPECT_EQ(live_bytes, before);
}

INSTANTIATE_TEST_SUITE_P(OneLine, MemoryTest,
                         testing::Values("The cat walked to one apple, used 25 dollars and \"silver\" zqx. ", "[",
                                         "\x01"
                                         "a "));

}  // namespace
}  // namespace koe::g2p
