/** Counts and sums by key, in whole millionths: the checker's own arithmetic, beside the hub's. */
export class MoneySums {
  readonly #sums = new Map<string, { count: number; total: bigint }>();

  add(key: string, count: number, total: bigint): void {
    const sum = this.#sums.get(key);
    if (sum === undefined) this.#sums.set(key, { count, total });
    else {
      sum.count += count;
      sum.total += total;
    }
  }

  /** A sentence for each key that differs. */
  differences(expected: MoneySums): readonly string[] {
    const keys = new Set([...this.#sums.keys(), ...expected.#sums.keys()]);
    return [...keys].flatMap((key) => {
      const { count, total } = this.#sums.get(key) ?? none;
      const wanted = expected.#sums.get(key) ?? none;
      if (count === wanted.count && total === wanted.total) return [];
      return [
        `${key} has ${count} events of ${total}, and should have ${wanted.count} of ${wanted.total}`,
      ];
    });
  }
}

const none = { count: 0, total: 0n };

/** Decimal text in millionths. */
export function amountOf(text: string): bigint {
  const [units = '', decimals = ''] = text.split('.');
  return BigInt(units) * 1_000_000n + BigInt(decimals.padEnd(6, '0'));
}
