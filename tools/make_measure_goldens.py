#!/usr/bin/env python3
"""usage: tools/make_measure_goldens.py > tests/golden/measure/golden.json

Computes what src/measure is held to, with scikit-learn, scipy, Evidently 0.7.23 (pandas<3), rouge-score 0.1.2 and sacreBLEU 2.6.0. Not
needed to build or test: the answers are committed.
"""
import json

import numpy as np
import pandas as pd
from evidently.legacy.core import ColumnType
from evidently.legacy.calculations.stattests import (
    chi_stat_test, jensenshannon_stat_test, ks_stat_test, psi_stat_test, wasserstein_stat_test, z_stat_test)
from rouge_score import rouge_scorer
from sacrebleu.metrics import BLEU, CHRF
from scipy import stats
from scipy.spatial import distance
from sklearn import metrics

rng = np.random.default_rng(7)
WORDS = "the quick brown fox jumps over lazy dog a cat sat on mat and ran away very fast today it's 3.5 1,000 e-mail".split()


def rounded(value):
    return [float(x) for x in np.asarray(value, dtype=float).ravel()]


def classification():
    cases = []
    for rows, classes in ((40, 2), (200, 5), (7, 3), (100, 10)):
        truth = rng.integers(0, classes, rows)
        predicted = np.where(rng.random(rows) < 0.7, truth, rng.integers(0, classes, rows))
        case = {"classes": classes, "truth": truth.tolist(), "predicted": predicted.tolist(),
                "accuracy": metrics.accuracy_score(truth, predicted), "matthews": metrics.matthews_corrcoef(truth, predicted)}
        for average in ("micro", "macro", "weighted"):
            scores = metrics.precision_recall_fscore_support(truth, predicted, average=average, zero_division=0)
            case[average] = [float(x) for x in scores[:3]]
        cases.append(case)
    return cases


def probabilities():
    happened = rng.integers(0, 2, 60)
    chance = rng.random(60)
    bins, gap = 15, 0.0
    for low, high in zip(np.linspace(0, 1, bins + 1)[:-1], np.linspace(0, 1, bins + 1)[1:]):
        inside = (chance > low) & (chance <= high)
        if inside.any():
            gap += inside.mean() * abs(happened[inside].mean() - chance[inside].mean())
    return {"happened": happened.tolist(), "chance": rounded(chance), "brier": metrics.brier_score_loss(happened, chance), "ece": gap}


def ranking():
    relevance = rng.integers(0, 4, 12).astype(float)
    scores = np.round(rng.random(12), 1)
    return {"relevance": rounded(relevance), "scores": rounded(scores), "ndcg": metrics.ndcg_score([relevance], [scores]),
            "ndcg5": metrics.ndcg_score([relevance], [scores], k=5)}


def samples():
    cases = []
    for m, n, shift in ((500, 400, 0.3), (30, 30, 0.5), (17, 23, 0.0), (60, 40, 1.0), (1200, 900, 0.1)):
        left, right = np.round(rng.normal(0, 1, m), 4), np.round(rng.normal(shift, 1, n), 4)
        a, b = pd.Series(left), pd.Series(right)
        cases.append({"left": rounded(left), "right": rounded(right), "ks": [float(x) for x in stats.ks_2samp(left, right)[:2]],
                      "wasserstein": stats.wasserstein_distance(left, right),
                      "evidently": {"psi": float(psi_stat_test.func(a, b, ColumnType.Numerical, 0.1)[0]),
                                    "js": float(jensenshannon_stat_test.func(a, b, ColumnType.Numerical, 0.1)[0]),
                                    "ks": float(ks_stat_test.func(a, b, ColumnType.Numerical, 0.05)[0]),
                                    "wasserstein": float(wasserstein_stat_test.func(a, b, ColumnType.Numerical, 0.1)[0])}})
    return cases


def categories():
    cases = []
    for names, m, n in (("abcd", 300, 200), ("ab", 100, 80), ("abcdefg", 2000, 1500)):
        left = rng.choice(list(names), m, p=np.arange(1, len(names) + 1) / np.arange(1, len(names) + 1).sum())
        right = rng.choice(list(names), n)
        a, b = pd.Series(left), pd.Series(right)
        case = {"left": dict(a.value_counts()), "right": dict(b.value_counts())}
        case = {side: {k: int(v) for k, v in counts.items()} for side, counts in case.items()}
        case["evidently"] = {"psi": float(psi_stat_test.func(a, b, ColumnType.Categorical, 0.1)[0]), "js": float(jensenshannon_stat_test.func(a, b, ColumnType.Categorical, 0.1)[0]),
                             "chisquare": float(chi_stat_test.func(a, b, ColumnType.Categorical, 0.05)[0])}
        if len(names) == 2:
            case["evidently"]["z"] = float(z_stat_test.func(a, b, ColumnType.Categorical, 0.05)[0])
        cases.append(case)
    return cases


def sentence():
    text = " ".join(rng.choice(WORDS, rng.integers(1, 14)))
    return text[0].upper() + text[1:] + str(rng.choice([".", "!", "", " (yes)", ", ok?", " &amp; \"so\""]))


def texts():
    fixed = [("the cat sat on mat", ["the cat sat on the mat"]), ("", ["a b"]), ("a", ["a"]), ("x y z", ["a b c"]),
             ("Größe: 1,5 m² – 世界!", ["Größe 1.5 m² 世界", "Die Größe: 1,5"]), ("a-b 3-4 ...", ["a-b 3-4 ."])]
    pairs = fixed + [(sentence(), [sentence() for _ in range(int(rng.integers(1, 3)))]) for _ in range(40)]
    pairs += [(refs[0][: len(refs[0]) // 2], refs) for _, refs in pairs[6:20]]
    bleu, chrf, chrf2 = BLEU(effective_order=True), CHRF(), CHRF(word_order=2)
    rows = [{"hypothesis": h, "references": r, "bleu": bleu.sentence_score(h, r).score, "chrf": chrf.sentence_score(h, r).score,
             "chrf2": chrf2.sentence_score(h, r).score} for h, r in pairs]
    single = [(h, r[0]) for h, r in pairs]
    corpus = {"bleu": BLEU().corpus_score([h for h, _ in single], [[r for _, r in single]]).score,
              "chrf": CHRF().corpus_score([h for h, _ in single], [[r for _, r in single]]).score}
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"])
    rouge = []
    for h, r in single:
        target, prediction = r + "\n" + h[::2], h + "\nthe cat sat"
        rouge.append({"target": target, "prediction": prediction, "scores": {k: list(v) for k, v in scorer.score(target, prediction).items()}})
    return {"sentences": rows, "corpus": corpus, "rouge": rouge}


def tests():
    counts = []
    for degrees, x in ((1, 0.5), (3, 7.8), (10, 3.0), (50, 80.0), (2, 200.0)):
        counts.append({"degrees": degrees, "x": x, "p": float(stats.chi2.sf(x, degrees))})
    js = [rounded(rng.random(6)), rounded(rng.random(6))]
    return {"chi_square": counts, "js": js, "js_distance": float(distance.jensenshannon(*js)),
            "binomial": [{"gained": g, "lost": l, "p": float(stats.binomtest(min(g, l), g + l).pvalue)} for g, l in ((3, 9), (0, 4), (10, 10), (1, 12))],
            "normal": [{"share": s, "z": float(stats.norm.ppf(s))} for s in (0.001, 0.025, 0.5, 0.8, 0.95, 0.999999)]}


print(json.dumps({"classification": classification(), "probabilities": probabilities(), "ranking": ranking(), "samples": samples(),
                  "categories": categories(), "texts": texts(), "tests": tests()}, ensure_ascii=False))
