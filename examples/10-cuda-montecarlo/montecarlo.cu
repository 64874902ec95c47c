// The job type montecarlo for NVIDIA GPUs, as a program of a GPU worker: one request as JSON on stdin, one JSON message a line on
// stdout ({"device"}, {"progress"}, {"checkpoint"}, {"result"}). Exits 2 where there is no CUDA device.
// Compiled as C++ (see README.md) it computes on one thread of the processor instead, to compare the numbers.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "job.hpp"

namespace {

double secondsNow() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void say(const char* what, const std::string& json) {
  std::printf("{\"%s\":%s}\n", what, json.c_str());
  std::fflush(stdout);
}

#ifdef __CUDACC__
constexpr int blockThreads = 256;
constexpr double firstChunk = 262144, largestChunk = 1073741824;

void check(cudaError_t status) {
  if (status != cudaSuccess) throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorString(status));
}

// Each block writes the sums of its paths.
__global__ void simulate(Model model, uint64_t first, uint64_t count, double* blockSums) {
  __shared__ double shared[blockThreads];
  double sums[sumCount] = {};
  const uint64_t stride = static_cast<uint64_t>(gridDim.x) * blockThreads;
  for (uint64_t index = static_cast<uint64_t>(blockIdx.x) * blockThreads + threadIdx.x; index < count; index += stride)
    addPath(model, first + index, sums);
  for (int which = 0; which < sumCount; ++which) {
    shared[threadIdx.x] = sums[which];
    for (int half = blockThreads / 2; half > 0; half /= 2) {
      __syncthreads();
      if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
    }
    if (threadIdx.x == 0) blockSums[blockIdx.x * sumCount + which] = shared[0];
    __syncthreads();
  }
}

class Simulator {
 public:
  explicit Simulator(const Model& model) : model_(model) {
    int count = 0;
    if (cudaGetDeviceCount(&count) != cudaSuccess || count == 0) {
      std::fprintf(stderr, "no CUDA device\n");
      std::exit(2);
    }
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, 0));
    device.name = properties.name;
    device.kind = "gpu";
    mostBlocks_ = properties.multiProcessorCount * 8;
    check(cudaMalloc(&blockSums_, sizeof(double) * sumCount * mostBlocks_));
  }
  ~Simulator() { cudaFree(blockSums_); }

  // Adds the sums of the paths, in units of the spot.
  void add(double first, double count, double sums[sumCount]) {
    const int blocks = static_cast<int>(std::min<double>(mostBlocks_, std::ceil(count / blockThreads)));
    simulate<<<blocks, blockThreads>>>(model_, static_cast<uint64_t>(first), static_cast<uint64_t>(count), blockSums_);
    check(cudaGetLastError());
    std::vector<double> found(static_cast<size_t>(blocks) * sumCount);
    check(cudaMemcpy(found.data(), blockSums_, found.size() * sizeof(double), cudaMemcpyDeviceToHost));
    for (size_t index = 0; index < found.size(); ++index) sums[index % sumCount] += found[index];
  }

  Device device;

 private:
  Model model_;
  int mostBlocks_ = 1;
  double* blockSums_ = nullptr;
};
#else
constexpr double firstChunk = 16384, largestChunk = 1048576;

class Simulator {
 public:
  explicit Simulator(const Model& model) : model_(model) {
    device.name = "processor (C++)";
    device.kind = "cpu";
  }

  void add(double first, double count, double sums[sumCount]) {
    constexpr double block = 4096;
    for (double done = 0; done < count; done += block) {
      double part[sumCount] = {};
      for (double index = done; index < std::min(done + block, count); ++index)
        addPath(model_, static_cast<uint64_t>(first + index), part);
      for (int which = 0; which < sumCount; ++which) sums[which] += part[which];
    }
  }

  Device device;

 private:
  Model model_;
};
#endif

void addScaled(Sums& total, const double part[sumCount], double count, double scale) {
  for (int which = 0; which < sumCount; ++which) {
    const bool isSquare = which == 1 || which == 3 || which >= 5;
    total.values[which] += part[which] * (isSquare ? scale * scale : scale);
  }
  total.n += count;
}

void run(Job& job) {
  const double began = secondsNow();
  Simulator simulator(job.option.model());
  Device& device = simulator.device;
  device.setupSeconds = secondsNow() - began;
  say("device", "{\"name\":" + jsonText(device.name) + ",\"kind\":\"" + device.kind + "\"}");
  const double scale = job.option.spot * std::exp(-job.option.rate * job.option.years);
  const double end = job.firstPath + job.paths;
  double chunk = job.chunkPaths > 0 ? job.chunkPaths : firstChunk;
  double savedAt = secondsNow();
  while (job.nextPath < end) {
    const double count = std::min(chunk, end - job.nextPath), from = secondsNow();
    double part[sumCount] = {};
    simulator.add(job.nextPath, count, part);
    addScaled(job.sums, part, count, scale);
    job.nextPath += count;
    const double now = secondsNow(), took = std::max(now - from, 1e-6);
    device.paths += count;
    device.seconds += took;
    char pace[80];
    std::snprintf(pace, sizeof pace, "%.3g million paths a second", count / took / 1e6);
    say("progress", "{\"current\":" + jsonNumber(job.nextPath - job.firstPath) + ",\"total\":" + jsonNumber(job.paths) +
                        ",\"message\":" + jsonText(pace) + ",\"stage\":\"simulating\"}");
    if (now - savedAt >= 1) {
      say("checkpoint", checkpointJson(job, device));
      savedAt = now;
    }
    // About a tenth of a second at a time.
    if (job.chunkPaths == 0) chunk = std::floor(std::min(largestChunk, chunk * std::min(4.0, std::max(0.25, 0.12 / took))));
  }
  say("result", resultJson(job, device));
}

}  // namespace

int main() {
  try {
    const std::string input{std::istreambuf_iterator<char>(std::cin), {}};
    Job job = readJob(JsonReader(input).read());
    run(job);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
