#include "tests/kernels/guarded_buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace gemwright::test {

float poison() {
  float v = 0;
  std::memcpy(&v, &kPoison, sizeof v);
  return v;
}

bool is_poison(float v) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &v, sizeof bits);
  return bits == kPoison;
}

GuardedBuffer::GuardedBuffer(std::size_t count) : count_(count) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  // One page at least, so that there is slack in front even of nothing.
  const std::size_t readable = (count * sizeof(float) + 256 + page - 1) / page * page;
  map_bytes_ = readable + 2 * page;
  void* const map = mmap(nullptr, map_bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED) throw std::bad_alloc();
  map_ = static_cast<char*>(map);
  if (mprotect(map_ + page, readable, PROT_READ | PROT_WRITE) != 0) {
    munmap(map_, map_bytes_);
    throw std::bad_alloc();
  }
  readable_ = reinterpret_cast<float*>(map_ + page);
  data_ = reinterpret_cast<float*>(map_ + page + readable) - count;
  std::fill(readable_, data_ + count, poison());
}

GuardedBuffer::~GuardedBuffer() { munmap(map_, map_bytes_); }

bool GuardedBuffer::slack_untouched() const { return std::all_of(readable_, data_, is_poison); }

}  // namespace gemwright::test
