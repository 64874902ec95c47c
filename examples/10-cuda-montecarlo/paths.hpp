// The simulation itself, in 64-bit numbers: the same code for the GPU and, compiled as C++, for the processor.
#pragma once
#include <cmath>
#include <cstdint>

#ifdef __CUDACC__
#define EVERYWHERE __host__ __device__
#else
#define EVERYWHERE
#endif

// Prices are in units of the spot.
struct Model {
  int fixings;
  double drift;
  double deviation;
  double strikeRatio;
  uint32_t key0;
  uint32_t key1;
};

// Order of the sums: e, e2, a, a2, g, g2, ag.
constexpr int sumCount = 7;

EVERYWHERE inline uint32_t multiplyHigh(uint32_t a, uint32_t b) {
#ifdef __CUDA_ARCH__
  return __umulhi(a, b);
#else
  return static_cast<uint32_t>((static_cast<uint64_t>(a) * b) >> 32);
#endif
}

// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011).
EVERYWHERE inline void philox(uint32_t counter[4], uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const uint32_t high0 = multiplyHigh(0xd2511f53u, counter[0]);
    const uint32_t low0 = 0xd2511f53u * counter[0];
    const uint32_t high1 = multiplyHigh(0xcd9e8d57u, counter[2]);
    const uint32_t low1 = 0xcd9e8d57u * counter[2];
    counter[0] = high1 ^ counter[1] ^ key0;
    counter[1] = low1;
    counter[2] = high0 ^ counter[3] ^ key1;
    counter[3] = low0;
    key0 += 0x9e3779b9u;
    key1 += 0xbb67ae85u;
  }
}

// Box and Muller: two random words give two standard normal numbers.
EVERYWHERE inline void twoNormals(uint32_t first, uint32_t second, double normals[2]) {
  const double radius = sqrt(-2.0 * log((first + 0.5) / 4294967296.0));
  const double angle = static_cast<int32_t>(second) * (6.283185307179586 / 4294967296.0);
  normals[0] = radius * cos(angle);
  normals[1] = radius * sin(angle);
}

// Adds the payoffs of one path to the sums.
EVERYWHERE inline void addPath(const Model& model, uint64_t path, double sums[sumCount]) {
  double logPrice = 0, price = 1, sumOfLogs = 0, sumOfPrices = 0;
  for (int fixing = 0; fixing < model.fixings; fixing += 4) {
    uint32_t words[4] = {static_cast<uint32_t>(path), static_cast<uint32_t>(fixing) >> 2, static_cast<uint32_t>(path >> 32), 0};
    philox(words, model.key0, model.key1);
    double normals[4];
    twoNormals(words[0], words[1], normals);
    twoNormals(words[2], words[3], normals + 2);
    const int end = model.fixings - fixing < 4 ? model.fixings - fixing : 4;
    for (int next = 0; next < end; ++next) {
      logPrice += model.drift + model.deviation * normals[next];
      price = exp(logPrice);
      sumOfLogs += logPrice;
      sumOfPrices += price;
    }
  }
  const double e = fmax(price - model.strikeRatio, 0.0);
  const double a = fmax(sumOfPrices / model.fixings - model.strikeRatio, 0.0);
  const double g = fmax(exp(sumOfLogs / model.fixings) - model.strikeRatio, 0.0);
  sums[0] += e;
  sums[1] += e * e;
  sums[2] += a;
  sums[3] += a * a;
  sums[4] += g;
  sums[5] += g * g;
  sums[6] += a * g;
}
