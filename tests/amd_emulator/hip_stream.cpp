// SPDX-License-Identifier: Apache-2.0
// Streams and events. What is enqueued runs when something waits for it, not before: a missing wait
// shows every time.
#include <algorithm>
#include <chrono>
#include <limits>

#include "tests/amd_emulator/runtime.h"

struct ihipEvent_t {
  hipStream_t stream = nullptr;  // where it was last recorded; null before
  std::uint64_t number = 0;      // the item that records it
  bool reached = false;
  std::chrono::steady_clock::time_point time;
};

namespace amd_emulator {
namespace {

constexpr std::uint64_t everything = std::numeric_limits<std::uint64_t>::max();

hipStream_t resolve(hipStream_t stream) {
  return stream == nullptr ? runtime().null_stream.get() : stream;
}
bool exists(hipStream_t stream) {
  return stream == runtime().null_stream.get() ||
         std::ranges::any_of(runtime().streams,
                             [=](const auto& one) { return one.get() == stream; });
}

// Does the items of `stream` up to `number`, and before each what it must wait for.
hipError_t run_until(hipStream_t stream, std::uint64_t number) {
  Runtime& state = runtime();
  while (!stream->queue.empty() && stream->queue.front().number <= number) {
    if (state.lost != hipSuccess) return state.lost;
    const ihipStream_t::Item item = std::move(stream->queue.front());
    stream->queue.pop_front();
    if (stream == state.null_stream.get()) {
      for (const auto& other : state.streams)
        if (other->blocking) (void)run_until(other.get(), item.number);
    } else if (stream->blocking) {
      (void)run_until(state.null_stream.get(), item.number);
    }
    try {
      item.work();
    } catch (const std::exception& fault) {
      complain(fault.what());
      state.lost = hipErrorLaunchFailure;
    }
  }
  return state.lost;
}

hipError_t record(hipEvent_t event, hipStream_t named) {
  const hipStream_t stream = resolve(named);
  if (event == nullptr || !exists(stream)) return hipErrorInvalidHandle;
  if (stream->capture) return hipSuccess;  // nothing of a graph can be timed
  event->stream = stream;
  event->reached = false;
  const hipError_t error = enqueue(stream, [event] {
    event->reached = true;
    event->time = std::chrono::steady_clock::now();
  });
  event->number = runtime().enqueued;
  return error;
}

}  // namespace

hipError_t enqueue(hipStream_t named, Work work) {
  const hipStream_t stream = resolve(named);
  if (!exists(stream)) return hipErrorInvalidHandle;
  if (stream->capture)
    stream->capture->nodes.push_back(std::move(work));
  else
    stream->queue.push_back({++runtime().enqueued, std::move(work)});
  return hipSuccess;
}

hipError_t finish(hipStream_t named) {
  const hipStream_t stream = resolve(named);
  return exists(stream) ? run_until(stream, everything) : hipErrorInvalidHandle;
}

hipError_t finish_all() {
  for (const auto& stream : runtime().streams) (void)run_until(stream.get(), everything);
  return finish(nullptr);
}

hipError_t forbid_while_capturing() {
  for (const auto& stream : runtime().streams) {
    if (!stream->capture) continue;
    stream->capture->valid = false;
    return hipErrorStreamCaptureUnsupported;
  }
  return hipSuccess;
}

}  // namespace amd_emulator

using namespace amd_emulator;

extern "C" {

hipError_t hipStreamCreateWithFlags(hipStream_t* stream, unsigned flags) {
  return call([=] {
    auto created = std::make_unique<ihipStream_t>();
    created->blocking = (flags & hipStreamNonBlocking) == 0;
    *stream = runtime().streams.emplace_back(std::move(created)).get();
    return hipSuccess;
  });
}
hipError_t hipStreamCreate(hipStream_t* stream) {
  return hipStreamCreateWithFlags(stream, hipStreamDefault);
}
hipError_t hipStreamDestroy(hipStream_t stream) {
  return call([=] {
    if (stream == nullptr || !exists(stream)) return hipErrorInvalidHandle;
    const hipError_t error = finish(stream);
    std::erase_if(runtime().streams, [=](const auto& one) { return one.get() == stream; });
    return error;
  });
}
hipError_t hipStreamSynchronize(hipStream_t stream) {
  return call([=] {
    if (!exists(resolve(stream))) return hipErrorInvalidHandle;
    return resolve(stream)->capture ? forbid_while_capturing() : finish(stream);
  });
}

hipError_t hipEventCreate(hipEvent_t* event) {
  return call([=] {
    *event = new ihipEvent_t;
    return hipSuccess;
  });
}
hipError_t hipEventDestroy(hipEvent_t event) {
  const std::lock_guard lock(runtime().mutex);
  if (event == nullptr) return remember(hipErrorInvalidHandle);
  // What records it must not outlive it.
  if (!event->reached && event->stream != nullptr && exists(event->stream))
    (void)run_until(event->stream, event->number);
  delete event;
  return hipSuccess;
}
hipError_t hipEventRecord(hipEvent_t event, hipStream_t stream) {
  return call([=] { return record(event, stream); });
}
hipError_t hipEventSynchronize(hipEvent_t event) {
  return call([=] {
    if (event == nullptr) return hipErrorInvalidHandle;
    if (event->reached || event->stream == nullptr) return hipSuccess;
    return run_until(event->stream, event->number);
  });
}
hipError_t hipEventElapsedTime(float* milliseconds, hipEvent_t start, hipEvent_t stop) {
  return call([=] {
    if (start == nullptr || stop == nullptr || start->stream == nullptr || stop->stream == nullptr)
      return hipErrorInvalidHandle;
    if (!start->reached || !stop->reached) return hipErrorNotReady;
    *milliseconds = std::chrono::duration<float, std::milli>(stop->time - start->time).count();
    return hipSuccess;
  });
}

}  // extern "C"
