/**
 * An exponential moving average, debiased: each mean is divided by the weight that it has gathered so far. Rows that
 * thinning left out count by their number, which follows from `index` and the `width` of a bucket. What is not finite
 * stays as it is and does not enter the mean. The twin of `_smoothed` in `watch/lines.py`.
 */
export function smoothed(
  y: ArrayLike<number>,
  index: ArrayLike<number>,
  width: number,
  weight: number,
): number[] {
  let mean = 0;
  let gathered = 0;
  let before = (index[0] ?? 0) - width;
  return Array.from(y, (value, i) => {
    const at = index[i] as number;
    const decay = weight ** ((at - before) / width);
    before = at;
    if (!Number.isFinite(value)) return value;
    mean = decay * mean + (1 - decay) * value;
    gathered = decay * gathered + (1 - decay);
    return mean / gathered;
  });
}
