// Floats that end exactly where an unreadable page begins, with another one before their first page: a read or write
// outside crashes, and the slack in front of them is filled with a pattern that can be compared.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gemwright::test {

// A quiet NaN: read by mistake it shows in the result, written over it shows in the comparison.
constexpr std::uint32_t kPoison = 0x7fc0dead;
float poison();
bool is_poison(float v);

class GuardedBuffer {
 public:
  explicit GuardedBuffer(std::size_t count);  // all poison
  ~GuardedBuffer();
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;

  float* data() const { return data_; }
  std::size_t size() const { return count_; }
  float& operator[](std::int64_t i) const { return data_[i]; }
  bool slack_untouched() const;

 private:
  char* map_ = nullptr;
  std::size_t map_bytes_ = 0;
  float* readable_ = nullptr;  // first readable float
  float* data_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace gemwright::test
