import type { Goal } from "./wire";

const LESS = /loss|err|mse|mae|mape|perplexity|deviation|distance|entropy|regret|\b(?:fid|wer|cer|nll|bpc)\b/;
const MORE =
  /acc|auc|f1|f_1|fbeta|r2|r_2|precision|recall|score|reward|return|iou|dice|bleu|rouge|ndcg|kappa|mcc|\b(?:map|hits?|elbo|correlation)\b/;

/** Which end of a metric is the good one, by its name; the twin of `guessed_goal` in `runwidgets/watch/parameters.py`. */
export function guessGoal(name: string): Goal {
  const word = name.toLowerCase();
  return MORE.test(word) && !LESS.test(word) ? "maximize" : "minimize";
}
