enum Factor {
  two = 2,
}

export const double = (n: number): number => n * Factor.two
