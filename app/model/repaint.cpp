#include "app/model/repaint.h"

namespace gemwright::app {

RepaintStep RepaintPolicy::drawn(double now) {
  if (frames_left_ > 0) --frames_left_;
  data_waits_ = progress_waits_ = false;
  drawn_at_ = now;
  return {true, 0};
}

}  // namespace gemwright::app
