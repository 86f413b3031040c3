// SPDX-License-Identifier: Apache-2.0
// Views and owning buffers of trivially copyable numbers. Matrices are row-major with a row stride in elements.
#ifndef KOE_BASE_ARRAY_H_
#define KOE_BASE_ARRAY_H_

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

#include "base/aligned_memory.h"

namespace koe {

// Non-owning [rows][cols]. Time-major activations are [T][C]: a row is one time step.
template <typename T>
struct MatrixView {
  T* data = nullptr;
  size_t rows = 0;
  size_t cols = 0;
  size_t stride = 0;  // elements from one row to the next, >= cols

  MatrixView() = default;
  MatrixView(T* d, size_t r, size_t c) : data(d), rows(r), cols(c), stride(c) {}
  MatrixView(T* d, size_t r, size_t c, size_t s) : data(d), rows(r), cols(c), stride(s) {}
  // const views of mutable matrices
  template <typename U>
  requires(std::is_same_v<const U, T>) MatrixView(const MatrixView<U>& other)  // NOLINT(google-explicit-constructor)
      : data(other.data), rows(other.rows), cols(other.cols), stride(other.stride) {}

  T* Row(size_t r) const { return data + r * stride; }
  std::span<T> RowSpan(size_t r) const { return {Row(r), cols}; }
  MatrixView Rows(size_t first, size_t count) const { return {Row(first), count, cols, stride}; }
  MatrixView Cols(size_t first, size_t count) const { return {data + first, rows, count, stride}; }
  bool empty() const { return rows == 0 || cols == 0; }
};

using Matrix = MatrixView<float>;
using ConstMatrix = MatrixView<const float>;

// Owning, 64-byte aligned, uninitialised. Throws std::bad_alloc (caught in api/ and by the thread pool).
template <typename T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t size) : size_(size) {
    if (size == 0) return;
    if (size > (~size_t{0} - kCacheLineBytes) / sizeof(T)) throw std::bad_alloc();
    data_ = std::unique_ptr<T, Free>(static_cast<T*>(AllocateAligned(size * sizeof(T))), Free{size * sizeof(T)});
    if (data_ == nullptr) throw std::bad_alloc();
  }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](size_t i) { return data_.get()[i]; }
  const T& operator[](size_t i) const { return data_.get()[i]; }
  std::span<T> span() { return {data(), size_}; }
  std::span<const T> span() const { return {data(), size_}; }

 private:
  struct Free {
    size_t bytes = 0;
    void operator()(T* p) const { FreeAligned(p, bytes); }
  };
  std::unique_ptr<T, Free> data_;
  size_t size_ = 0;
};

inline constexpr size_t RoundUp(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }
inline constexpr size_t CeilDiv(size_t a, size_t b) { return (a + b - 1) / b; }

}  // namespace koe

#endif  // KOE_BASE_ARRAY_H_
