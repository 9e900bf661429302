// SPDX-License-Identifier: Apache-2.0
// Streams and events. What is enqueued runs when something waits for it, not before: a missing wait
// shows every time.
#include <algorithm>
#include <chrono>
#include <limits>

#include "tests/emulated_cuda/runtime_state.h"

struct CUevent_st {
  bool timing = true;
  cudaStream_t stream = nullptr;  // where it was last recorded; null before
  std::uint64_t number = 0;       // the item that records it
  bool reached = true;
  std::chrono::steady_clock::time_point time;
  std::shared_ptr<emulated_cuda::Capture> capture;  // the graph it was recorded into
};

namespace emulated_cuda {
namespace {

constexpr std::uint64_t everything = std::numeric_limits<std::uint64_t>::max();

CUstream_st& default_stream(int device) {
  return *runtime().default_streams[static_cast<std::size_t>(device)];
}

bool exists(cudaStream_t stream) {
  const auto is_it = [=](const auto& one) { return one.get() == stream; };
  return std::ranges::any_of(runtime().streams, is_it) ||
         std::ranges::any_of(runtime().default_streams, is_it);
}

cudaStream_t resolve(cudaStream_t stream) {
  return stream == nullptr ? &default_stream(current_device()) : stream;
}

// Does the items of `stream` up to `number`, and before each what it must wait for.
cudaError_t run_until(CUstream_st& stream, std::uint64_t number) {
  Runtime& state = runtime();
  const bool is_default = &stream == &default_stream(stream.device);
  while (!stream.queue.empty() && stream.queue.front().number <= number) {
    if (state.lost != cudaSuccess) return state.lost;
    const CUstream_st::Item item = std::move(stream.queue.front());
    stream.queue.pop_front();
    if (is_default) {
      for (const auto& other : state.streams)
        if (other->blocking && other->device == stream.device) run_until(*other, item.number);
    } else if (stream.blocking) {
      run_until(default_stream(stream.device), item.number);
    }
    const MemoryAccess access;
    if (const cudaError_t error = item.work(); error != cudaSuccess) state.lost = error;
  }
  return state.lost;
}

// Does one item, as if time passed between two questions.
cudaError_t query(CUstream_st& stream, std::uint64_t number) {
  if (stream.queue.empty() || stream.queue.front().number > number) return cudaSuccess;
  const cudaError_t error = run_until(stream, stream.queue.front().number);
  return error != cudaSuccess ? error : cudaErrorNotReady;
}

cudaError_t create_stream(cudaStream_t* stream, unsigned flags) {
  auto created = std::make_unique<CUstream_st>();
  created->device = current_device();
  created->blocking = !(flags & cudaStreamNonBlocking);
  *stream = runtime().streams.emplace_back(std::move(created)).get();
  return cudaSuccess;
}

cudaError_t record(cudaEvent_t event, cudaStream_t named) {
  const cudaStream_t stream = resolve(named);
  event->capture = stream->capture;
  if (stream->capture) return cudaSuccess;
  event->stream = stream;
  event->reached = false;
  const cudaError_t error = enqueue(stream, [event] {
    event->reached = true;
    event->time = std::chrono::steady_clock::now();
    return cudaSuccess;
  });
  event->number = runtime().enqueued;
  return error;
}

// In a capture the streams take turns in the order of the calls, which respects every event.
cudaError_t wait_in_stream(cudaStream_t named, cudaEvent_t event) {
  const cudaStream_t stream = resolve(named);
  if (event->capture) {
    stream->capture = event->capture;
    return cudaSuccess;
  }
  if (event->reached) return cudaSuccess;
  return enqueue(stream, [from = event->stream, number = event->number] {
    return exists(from) ? run_until(*from, number) : cudaSuccess;
  });
}

}  // namespace

cudaError_t enqueue(cudaStream_t named, Work work) {
  const cudaStream_t stream = resolve(named);
  if (!exists(stream)) return cudaErrorInvalidResourceHandle;
  if (stream->capture)
    stream->capture->nodes.push_back(std::move(work));
  else
    stream->queue.push_back({++runtime().enqueued, std::move(work)});
  return cudaSuccess;
}

cudaError_t finish(cudaStream_t named) {
  return run_until(*resolve(named), everything);
}

cudaError_t finish_all() {
  Runtime& state = runtime();
  for (std::size_t i = 0; i < state.streams.size(); ++i)
    if (state.streams[i]->device == current_device()) run_until(*state.streams[i], everything);
  return finish(nullptr);
}

cudaError_t forbid_while_capturing() {
  for (const auto& stream : runtime().streams) {
    if (!stream->capture) continue;
    stream->capture->error = cudaErrorStreamCaptureInvalidated;
    return cudaErrorStreamCaptureUnsupported;
  }
  return cudaSuccess;
}

}  // namespace emulated_cuda

using namespace emulated_cuda;

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return call([=] { return create_stream(stream, cudaStreamDefault); });
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return call([=] { return create_stream(stream, flags); });
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return call([=] {
    if (stream == nullptr || !exists(stream)) return cudaErrorInvalidResourceHandle;
    const cudaError_t error = finish(stream);
    std::erase_if(runtime().streams, [=](const auto& one) { return one.get() == stream; });
    return error;
  });
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return call([=] {
    if (!exists(resolve(stream))) return cudaErrorInvalidResourceHandle;
    if (resolve(stream)->capture) return forbid_while_capturing();
    return finish(stream);
  });
}
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  return call([=] {
    if (!exists(resolve(stream))) return cudaErrorInvalidResourceHandle;
    if (resolve(stream)->capture) return forbid_while_capturing();
    return query(*resolve(stream), everything);
  });
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  return call([=] { return wait_in_stream(stream, event); });
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, cudaEventDefault);
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  return call([=] {
    *event = new CUevent_st{.timing = !(flags & cudaEventDisableTiming)};
    return cudaSuccess;
  });
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const std::lock_guard lock(runtime().mutex);
  if (!event->reached && exists(event->stream)) run_until(*event->stream, event->number);
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return call([=] { return record(event, stream); });
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return call([=] {
    if (event->capture) return forbid_while_capturing();
    return event->reached ? cudaSuccess : run_until(*event->stream, event->number);
  });
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  return call([=] {
    if (event->capture) return forbid_while_capturing();
    return event->reached ? cudaSuccess : query(*event->stream, event->number);
  });
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t stop) {
  return call([=] {
    if (!start->timing || !stop->timing || !start->stream || !stop->stream)
      return cudaErrorInvalidResourceHandle;
    if (!start->reached || !stop->reached) return cudaErrorNotReady;
    *milliseconds = std::chrono::duration<float, std::milli>(stop->time - start->time).count();
    return cudaSuccess;
  });
}
