/** Threads of a workgroup, and paths of each thread. */
export const groupThreads = 256
export const threadPaths = 4
/** Numbers that a workgroup writes: its sums in the order of sumNames, and one that is not used. */
export const groupSums = 8

/**
 * The simulation in 32-bit numbers (WGSL). Logarithm, sine, cosine and exponential are written out: WebGPU promises little of the
 * accuracy of its own, and drivers differ, while addition and multiplication are the same everywhere.
 */
export const kernelSource = /* wgsl */ `
struct Task {
  first_low: u32,
  first_high: u32,
  paths: u32,
  fixings: u32,
  key_low: u32,
  key_high: u32,
  drift: f32,
  deviation: f32,
  strike_ratio: f32,
}

@group(0) @binding(0) var<uniform> task: Task;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;

var<workgroup> payoffs: array<vec3f, ${groupThreads}>;
var<workgroup> products: array<vec4f, ${groupThreads}>;

// The upper word of a * b, by halves of 16 bits.
fn multiply_high(a: u32, b: u32) -> u32 {
  let a0 = a & 0xffffu;
  let a1 = a >> 16u;
  let b0 = b & 0xffffu;
  let b1 = b >> 16u;
  let upper = a1 * b0 + ((a0 * b0) >> 16u);
  let middle = a0 * b1 + (upper & 0xffffu);
  return a1 * b1 + (upper >> 16u) + (middle >> 16u);
}

// Philox4x32-10.
fn philox(start: vec4u, start_key: vec2u) -> vec4u {
  var c = start;
  var k = start_key;
  for (var round = 0; round < 10; round++) {
    let high0 = multiply_high(0xd2511f53u, c.x);
    let low0 = 0xd2511f53u * c.x;
    let high1 = multiply_high(0xcd9e8d57u, c.z);
    let low1 = 0xcd9e8d57u * c.z;
    c = vec4u(high1 ^ c.y ^ k.x, low1, high0 ^ c.w ^ k.y, low0);
    k += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}

// log((word + 0.5) / 2^32), to a few units in the last place. Near 1 the distance from 1 is what is exact.
fn log_uniform(word: u32) -> f32 {
  var exponent = 0.0;
  var f = -(f32(~word) + 0.5) * 0x1p-32f;
  if (word < 0xb504f334u) {
    let bits = bitcast<u32>(f32(word) + 0.5);
    exponent = f32(i32(bits >> 23u) - 159);
    f = bitcast<f32>((bits & 0x7fffffu) | 0x3f800000u) - 1.0;
    if (f > 0.41421356) {
      f = (f - 1.0) * 0.5;
      exponent += 1.0;
    }
  }
  let s = f / (2.0 + f);
  let z = s * s;
  let series = 2.0 * s * (1.0 + z * (0.33333334 + z * (0.2 + z * (0.14285715 + z * 0.11111111))));
  // ln 2 in two parts: the first times an exponent is exact.
  return exponent * 0.69314575 + (series + exponent * 1.4286068e-6);
}

// Cosine and sine of word / 2^32 turns, by the nearest quarter.
fn direction(word: u32) -> vec2f {
  let quarter = (word + 0x20000000u) >> 30u;
  let t = f32(bitcast<i32>(word - (quarter << 30u))) * 1.4629181e-9;
  let z = t * t;
  let sine = t + t * z * (-0.16666667 + z * (0.0083333333 + z * (-1.9841270e-4 + z * 2.7557319e-6)));
  let cosine = 1.0 - 0.5 * z
    + z * z * (0.041666667 + z * (-0.0013888889 + z * (2.4801587e-5 - z * 2.7557319e-7)));
  let turned = select(vec2f(cosine, sine), vec2f(-sine, cosine), (quarter & 1u) == 1u);
  return select(turned, -turned, (quarter & 2u) == 2u);
}

// Box and Muller.
fn two_normals(first: u32, second: u32) -> vec2f {
  return sqrt(-2.0 * log_uniform(first)) * direction(second);
}

fn exponential(given: f32) -> f32 {
  let x = clamp(given, -87.0, 88.0);
  let n = round(x * 1.4426950);
  let r = (x - n * 0.69314575) - n * 1.4286068e-6;
  let power = 1.0 + r * (1.0 + r * (0.5 + r * (0.16666667 + r * (0.041666667 + r * (0.0083333333
    + r * (0.0013888889 + r * 1.9841270e-4))))));
  return power * bitcast<f32>(u32(i32(n) + 127) << 23u);
}

@compute @workgroup_size(${groupThreads})
fn simulate(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  var payoff = vec3f();
  var product = vec4f();
  let fixings = f32(task.fixings);
  for (var turn = 0u; turn < ${threadPaths}u; turn++) {
    let index = (group.x * ${threadPaths}u + turn) * ${groupThreads}u + thread;
    if (index < task.paths) {
      let low = task.first_low + index;
      let high = task.first_high + select(0u, 1u, low < index);
      var log_price = 0.0;
      var price = 1.0;
      var sum_of_logs = 0.0;
      var sum_of_prices = 0.0;
      for (var fixing = 0u; fixing < task.fixings; fixing += 4u) {
        let random = philox(vec4u(low, fixing >> 2u, high, 0u), vec2u(task.key_low, task.key_high));
        let normals = vec4f(two_normals(random.x, random.y), two_normals(random.z, random.w));
        let end = min(4u, task.fixings - fixing);
        for (var next = 0u; next < end; next++) {
          log_price += task.drift + task.deviation * normals[next];
          price = exponential(log_price);
          sum_of_logs += log_price;
          sum_of_prices += price;
        }
      }
      let prices = vec3f(price, sum_of_prices / fixings, exponential(sum_of_logs / fixings));
      let paid = max(prices - task.strike_ratio, vec3f());
      payoff += paid;
      product += vec4f(paid * paid, paid.y * paid.z);
    }
  }
  payoffs[thread] = payoff;
  products[thread] = product;
  for (var half = ${groupThreads / 2}u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (thread < half) {
      payoffs[thread] += payoffs[thread + half];
      products[thread] += products[thread + half];
    }
  }
  if (thread == 0u) {
    let at = group.x * ${groupSums}u;
    let p = payoffs[0];
    let q = products[0];
    sums[at] = p.x;
    sums[at + 1u] = q.x;
    sums[at + 2u] = p.y;
    sums[at + 3u] = q.y;
    sums[at + 4u] = p.z;
    sums[at + 5u] = q.z;
    sums[at + 6u] = q.w;
  }
}
`
