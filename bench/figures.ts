export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** The bound that the product sets itself; null: for information. */
  readonly goal: { readonly at: 'most' | 'least'; readonly value: number } | null
  /** What this figure is compared with in the same run. */
  readonly ratioTo?: { readonly name: string; readonly value: number } | undefined
}

/** @returns the value below which the given share of samples lies (nearest rank) */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((left, right) => left - right)
  const value = sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))]
  if (value === undefined) throw new Error('no samples')
  return value
}

export const median = (samples: readonly number[]): number => percentile(samples, 0.5)

function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

export function isMet(figure: Figure): boolean | null {
  if (figure.goal === null) return null
  return figure.goal.at === 'most' ? figure.value <= figure.goal.value : figure.value >= figure.goal.value
}

/** One JSON line per figure. */
export function formatFigure(figure: Figure): string {
  const goal = figure.goal === null ? null : `${figure.goal.at === 'most' ? '<=' : '>='} ${figure.goal.value}`
  return JSON.stringify({
    name: figure.name,
    value: rounded(figure.value),
    unit: figure.unit,
    goal,
    met: isMet(figure),
    ratio_to:
      figure.ratioTo === undefined
        ? null
        : {
            name: figure.ratioTo.name,
            value: rounded(figure.ratioTo.value),
            ratio: rounded(figure.value / figure.ratioTo.value),
          },
  })
}
