const factor = { two: 2 } as const

export const double = (n: number): number => n * factor.two
