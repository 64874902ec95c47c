// What a worker asks, and what it is told: the params, checkpoints and results of the job type montecarlo.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "json.hpp"
#include "paths.hpp"

struct Option {
  double spot, strike, rate, volatility, years;
  int fixings;
  double seed;

  Model model() const {
    const double step = years / fixings;
    return {fixings, (rate - volatility * volatility / 2) * step, volatility * std::sqrt(step), strike / spot,
            static_cast<uint32_t>(std::fmod(seed, 4294967296.0)), static_cast<uint32_t>(seed / 4294967296.0)};
  }
};

constexpr const char* sumNames[sumCount] = {"e", "e2", "a", "a2", "g", "g2", "ag"};

struct Sums {
  double n = 0;
  double values[sumCount] = {};

  std::string json() const {
    std::string text = "{\"n\":" + jsonNumber(n);
    for (int index = 0; index < sumCount; ++index)
      text += std::string(",\"") + sumNames[index] + "\":" + jsonNumber(values[index]);
    return text + "}";
  }
  static Sums from(const Json& json) {
    Sums sums;
    sums.n = json.numberOr("n", 0);
    for (int index = 0; index < sumCount; ++index) sums.values[index] = json.numberOr(sumNames[index], 0);
    return sums;
  }
};

struct Job {
  Option option;
  double firstPath, paths, nextPath, chunkPaths;
  Sums sums;
  // Of earlier attempts on other devices, as JSON objects, each with a comma behind it.
  std::string earlier;
  double earlierSeconds = 0;
  std::string earlierDevices;
};

inline double within(const Json& params, const char* name, double otherwise, double least, double most) {
  const double value = params.numberOr(name, otherwise);
  if (!(value >= least && value <= most))
    throw std::runtime_error(std::string("params.") + name + " is " + jsonNumber(value) + ", but must be from " +
                             jsonNumber(least) + " to " + jsonNumber(most));
  return value;
}

inline void takeEarlier(Job& job, const Json& resume) {
  const Json* sums = resume.find("sums");
  if (sums == nullptr) return;
  const Sums read = Sums::from(*sums);
  const double next = resume.numberOr("next_path", -1);
  if (next < job.firstPath || next > job.firstPath + job.paths || read.n != next - job.firstPath) {
    std::fprintf(stderr, "starts from the first path: the checkpoint does not fit\n");
    return;
  }
  job.sums = read;
  job.nextPath = next;
  const Json* computed = resume.find("computed_on");
  if (computed == nullptr) return;
  for (const Json& one : computed->list) {
    const Json* name = one.find("name");
    const Json* kind = one.find("kind");
    if (name == nullptr || kind == nullptr) continue;
    job.earlier += "{\"name\":" + jsonText(name->text) + ",\"kind\":" + jsonText(kind->text) +
                   ",\"paths\":" + jsonNumber(one.numberOr("paths", 0)) +
                   ",\"seconds\":" + jsonNumber(one.numberOr("seconds", 0)) +
                   ",\"setup_seconds\":" + jsonNumber(one.numberOr("setup_seconds", 0)) + "},";
    job.earlierSeconds += one.numberOr("seconds", 0);
    job.earlierDevices += name->text + (kind->text == "software" ? " (software)" : "") + " + ";
  }
}

// Throws std::runtime_error for what the job type does not take.
inline Job readJob(const Json& request) {
  static const Json none;
  const Json* given = request.find("params");
  const Json& params = given == nullptr ? none : *given;
  Job job{};
  job.option = {within(params, "spot", 100, 1e-6, 1e9),         within(params, "strike", 100, 1e-6, 1e9),
                within(params, "rate", 0.05, -1, 1),            within(params, "volatility", 0.2, 0.0001, 10),
                within(params, "maturity_years", 1, 0.0001, 100), static_cast<int>(within(params, "fixings", 16, 1, 4096)),
                std::floor(within(params, "seed", 42, 0, 9007199254740991.0))};
  const double all = std::floor(within(params, "paths", 1048576, 2, 1e12));
  job.chunkPaths = within(params, "chunk_paths", 0, 0, 67107840);
  job.firstPath = 0;
  job.paths = all;
  if (const Json* unit = request.find("unit")) {
    if (unit->kind == Json::Number) {
      job.paths = within(params, "paths_per_unit", 0, 1, 1e12);
      job.firstPath = unit->number * job.paths;
    } else {
      job.firstPath = within(*unit, "first_path", 0, 0, 1e12);
      job.paths = within(*unit, "paths", 0, 1, 1e12);
      if (job.firstPath + job.paths > all) throw std::runtime_error("the unit ends behind the job's paths (params.paths)");
    }
    job.paths = std::min(job.paths, all - job.firstPath);
    if (job.paths < 1) throw std::runtime_error("the unit has none of the job's paths (params.paths)");
  }
  job.nextPath = job.firstPath;
  if (const Json* resume = request.find("resume")) takeEarlier(job, *resume);
  return job;
}

struct Device {
  std::string name;
  const char* kind;
  double paths = 0, seconds = 0, setupSeconds = 0;

  std::string json() const {
    return "{\"name\":" + jsonText(name) + ",\"kind\":\"" + kind + "\",\"paths\":" + jsonNumber(paths) +
           ",\"seconds\":" + jsonNumber(seconds) + ",\"setup_seconds\":" + jsonNumber(setupSeconds) + "}";
  }
};

inline std::string checkpointJson(const Job& job, const Device& device) {
  return "{\"next_path\":" + jsonNumber(job.nextPath) + ",\"sums\":" + job.sums.json() + ",\"computed_on\":[" + job.earlier +
         device.json() + "]}";
}

inline double normalCdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

inline double logNormalCall(const Option& o, double mean, double deviation) {
  const double upper = (std::log(o.spot / o.strike) + mean + deviation * deviation) / deviation;
  const double expected = o.spot * std::exp(mean + deviation * deviation / 2);
  return std::exp(-o.rate * o.years) * (expected * normalCdf(upper) - o.strike * normalCdf(upper - deviation));
}

inline std::string estimateJson(const char* name, double price, double variance, double n, const double* exact) {
  return std::string("\"") + name + "\":{\"price\":" + jsonNumber(price) + ",\"standard_error\":" +
         jsonNumber(std::sqrt(std::max(0.0, variance) / n)) +
         (exact == nullptr ? "" : ",\"exact\":" + jsonNumber(*exact)) + "},";
}

inline std::string resultJson(const Job& job, const Device& device) {
  const Option& o = job.option;
  const double n = job.sums.n, *v = job.sums.values, less = std::max(1.0, n - 1);
  const double growth = o.rate - o.volatility * o.volatility / 2, m = o.fixings;
  const double european = logNormalCall(o, growth * o.years, o.volatility * std::sqrt(o.years));
  const double geometric =
      logNormalCall(o, growth * o.years * (m + 1) / (2 * m),
                    std::sqrt(o.volatility * o.volatility * o.years * (m + 1) * (2 * m + 1) / (6 * m * m)));
  const double varianceE = (v[1] - v[0] * v[0] / n) / less, varianceA = (v[3] - v[2] * v[2] / n) / less;
  const double varianceG = (v[5] - v[4] * v[4] / n) / less, covariance = (v[6] - v[2] * v[4] / n) / less;
  const double slope = varianceG > 0 ? covariance / varianceG : 0;
  const double seconds = job.earlierSeconds + device.seconds;
  return "{" + estimateJson("european", v[0] / n, varianceE, n, &european) +
         estimateJson("arithmetic_asian", v[2] / n - slope * (v[4] / n - geometric), varianceA - slope * covariance, n,
                      nullptr) +
         estimateJson("arithmetic_asian_plain", v[2] / n, varianceA, n, nullptr) +
         estimateJson("geometric_asian", v[4] / n, varianceG, n, &geometric) + "\"paths\":" + jsonNumber(n) +
         ",\"device\":" + jsonText(job.earlierDevices + device.name) + ",\"elapsed_s\":" + jsonNumber(seconds) +
         ",\"paths_per_s\":" + jsonNumber(std::floor(n / std::max(seconds, 1e-9))) + ",\"computed_on\":[" + job.earlier +
         device.json() + "],\"units_missing\":0,\"ranges\":[{\"first_path\":" + jsonNumber(job.firstPath) +
         ",\"paths\":" + jsonNumber(job.paths) + "}],\"option\":{\"spot\":" + jsonNumber(o.spot) +
         ",\"strike\":" + jsonNumber(o.strike) + ",\"rate\":" + jsonNumber(o.rate) +
         ",\"volatility\":" + jsonNumber(o.volatility) + ",\"maturity_years\":" + jsonNumber(o.years) +
         ",\"fixings\":" + jsonNumber(m) + ",\"seed\":" + jsonNumber(o.seed) + "},\"sums\":" + job.sums.json() + "}";
}
